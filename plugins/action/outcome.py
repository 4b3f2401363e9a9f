"""Say what came of hardening one host. See library/outcome.py."""

from __future__ import annotations

from ansible.plugins.action import ActionBase

from ..plugin_utils import forking, hardening_actions

forking.ready()


class ActionModule(ActionBase):
    """Runs in the worker of each host."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        """Return what was changed, held, failed, and whether the host is well."""
        super().run(tmp, task_vars)
        return hardening_actions.outcome(self, task_vars)

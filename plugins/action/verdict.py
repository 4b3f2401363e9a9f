"""Give the recap and the exit code their usual meaning. See library/verdict.py."""

from __future__ import annotations

from ansible.plugins.action import ActionBase

from ..plugin_utils import actions


class ActionModule(ActionBase):
    """Runs for each host, last; it touches none."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        """Return unreachable or failed for a host that was, or that ringwall_fail_on names."""
        super().run(tmp, task_vars)
        return actions.verdict(self, task_vars)

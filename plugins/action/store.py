"""Keep the store: prune, rebuild, verify, hold, release, retire. See library/store.py."""

from __future__ import annotations

from ansible.plugins.action import ActionBase

from ..plugin_utils import actions


class ActionModule(ActionBase):
    """Works on the controller alone."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        """Return what was done; fail when evidence does not verify."""
        super().run(tmp, task_vars)
        return actions.keep_store(self, task_vars)

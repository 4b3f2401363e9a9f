"""Write the reports of a run. See library/report.py."""

from __future__ import annotations

from ansible.plugins.action import ActionBase

from ..plugin_utils import actions


class ActionModule(ActionBase):
    """Runs once a batch; reads the store alone."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        """Return the paths of the reports and the text for the terminal."""
        super().run(tmp, task_vars)
        return actions.report(self, task_vars)

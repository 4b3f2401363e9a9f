"""Judge a run again by the content of today. See library/rejudge.py."""

from __future__ import annotations

from ansible.plugins.action import ActionBase

from ..plugin_utils import actions


class ActionModule(ActionBase):
    """Works on the controller alone; it visits no host."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        """Return ``{run, rejudged_from, hosts, judged, late, opened, closed}``."""
        super().run(tmp, task_vars)
        return actions.rejudge(self, task_vars)

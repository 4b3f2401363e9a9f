"""Change one host, guarded. See library/guarded_change.py."""

from __future__ import annotations

from ansible.plugins.action import ActionBase

from ..plugin_utils import forking
from ..plugin_utils.changes import guarded_action, transport

forking.ready(transport.packed())


class ActionModule(ActionBase):
    """Everything between arming and disarming happens in the worker of the host."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        """Return what became of each operation."""
        super().run(tmp, task_vars)
        return guarded_action.run(self, task_vars)

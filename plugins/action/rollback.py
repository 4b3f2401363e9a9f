"""Undo a run on one host. See library/rollback.py."""

from __future__ import annotations

from ansible.plugins.action import ActionBase

from ..plugin_utils import forking, hardening_actions
from ..plugin_utils.changes import transport

forking.ready(transport.packed())


class ActionModule(ActionBase):
    """Runs in the worker of each host."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        """Return what was undone and which packages are to come or go."""
        super().run(tmp, task_vars)
        return hardening_actions.rollback(self, task_vars)

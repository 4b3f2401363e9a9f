"""Bring the run into the store. See library/record.py."""

from __future__ import annotations

from ansible.plugins.action import ActionBase

from ..plugin_utils import actions, assessment


class ActionModule(ActionBase):
    """Runs once a batch; can be run again without doubling anything."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        """Return what the store says of the run."""
        super().run(tmp, task_vars)
        return actions.record(self, assessment, task_vars)

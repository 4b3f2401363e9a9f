"""Assess one host in one round trip. See library/assess.py.

The engine is imported here, at the top: the parent loads this class before it forks, so no worker pays again.
"""

from __future__ import annotations

from ansible.plugins.action import ActionBase

from ..plugin_utils import actions, assessment, forking

forking.ready(assessment.keep_content())


class ActionModule(ActionBase):
    """Runs in the worker of each host and never fails one: ``verdict`` does."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        """Return the small summary of the host."""
        super().run(tmp, task_vars)
        return actions.assess(self, assessment, task_vars)

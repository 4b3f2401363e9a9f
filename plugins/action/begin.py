"""Open a run: content compiled, what judging needs from the past laid ready. See library/begin.py.

The store is imported here, at the top: begin, record and report run in a worker each, forked from the process that
loads this class, and none of them imports the database library again.
"""

from __future__ import annotations

from ansible.plugins.action import ActionBase

from ..plugin_utils import actions, assessment, forking, store

forking.ready(store)


class ActionModule(ActionBase):
    """Runs once a batch (``run_once``); it touches no host."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        """Return ``{run, state, content, tables, paths}``."""
        super().run(tmp, task_vars)
        return actions.begin(self, assessment, task_vars)

# Copyright: the Ringwall developers
# Apache License 2.0 (see LICENSE)
"""Notes when each task began and what CPU the play had used by then."""

from __future__ import annotations

DOCUMENTATION = r"""
name: phases
type: aggregate
short_description: Times of a play's tasks, for the benchmarks
description:
  - Writes one JSON line a task to the file in the environment variable RINGWALL_PHASES.
"""

import json
import os
import time

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """Appends C({name, wall, cpu}) at each task's start and, as C(end), after the last."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "phases"

    def _note(self, name):
        with open(os.environ["RINGWALL_PHASES_CPU"], encoding="ascii") as file:
            text = file.read()
        cpu = int(text.split()[1]) / 1e6 if text.startswith("usage_usec") else int(text) / 1e9
        with open(os.environ["RINGWALL_PHASES"], "a", encoding="utf-8") as file:
            file.write(json.dumps({"name": name, "wall": time.monotonic(), "cpu": cpu}) + "\n")

    def v2_playbook_on_task_start(self, task, is_conditional):
        """Note the task."""
        self._note(task.action.rpartition(".")[2])

    def v2_playbook_on_stats(self, stats):
        """Note the end."""
        self._note("end")

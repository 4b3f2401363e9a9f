# Copyright: the Ringwall developers
# Apache License 2.0 (see LICENSE) or, at your option, GNU General Public License v3.0 or later
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
"""Standard output for people: how far the run is, what was worst so far, and the summary at its end."""

from __future__ import annotations

DOCUMENTATION = r"""
name: progress
type: stdout
short_description: Hosts done, rate, time left and the worst so far
description:
  - On a terminal, one line that is renewed shows how many hosts are assessed, how many a second, the time left and the
    worst host so far.
  - Elsewhere a line is printed at most every ten seconds.
  - Whatever a module reports otherwise is printed as the default callback would. Nothing depends on this callback.
extends_documentation_fragment:
  - default_callback
  - result_format_callback
"""

import shutil
import sys
import time

from ansible.plugins.callback.default import CallbackModule as Default
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.visible import shorten, visible

ASSESS = "ringwall.servers.assess"
REPORT = "ringwall.servers.report"
TELLING = (REPORT, "ringwall.servers.plan", "ringwall.servers.outcome", "ringwall.servers.rollback")
"""Their results hold a text for people."""
QUIET = (ASSESS, *TELLING, "ringwall.servers.begin", "ringwall.servers.record", "ringwall.servers.verdict")
PLAIN_INTERVAL = 10.0  # seconds between lines where the output is no terminal
TERMINAL_INTERVAL = 0.2


class CallbackModule(Default):
    """Prints our own tasks as progress and all other tasks as usual."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "ringwall.servers.progress"

    def __init__(self):
        super().__init__()
        self._total = 0
        self._done = 0
        self._bad = 0
        self._worst = (-1, "")
        self._began = None
        self._shown = 0.0
        self._terminal = sys.stdout.isatty()

    # What is ours -------------------------------------------------------------------------------------

    def v2_playbook_on_play_start(self, play):
        """Count the hosts of the play; our own play needs no banner."""
        manager = play.get_variable_manager()
        self._total = len(manager._inventory.get_hosts(play.hosts)) if manager else 0
        self._done = self._bad = 0
        self._began = None
        self._worst = (-1, "")
        self._play = play

    def v2_playbook_on_task_start(self, task, is_conditional):
        """Start the clock at the first assess task; print no banner for our own."""
        if task.action in QUIET:
            if task.action == ASSESS and self._began is None:
                self._began = time.monotonic()
            self._last_task_name = None
            return
        super().v2_playbook_on_task_start(task, is_conditional)

    def v2_runner_on_start(self, host, task):
        """Nothing: a line a host that starts is noise."""

    def v2_runner_on_ok(self, result):
        """Show progress for assess, the summary for report, other results as usual."""
        action = result._task.action
        if action == ASSESS:
            self._progress(result)
        elif action in TELLING:
            self._clear()
            text = result._result.get("text")
            if isinstance(text, str):
                self._display.display(text)
        elif action not in QUIET:
            super().v2_runner_on_ok(result)
        if action in QUIET and action != ASSESS:
            self._handle_warnings(result._result)  # a misspelt variable, for example

    def v2_runner_on_failed(self, result, ignore_errors=False):
        """A failure is always said."""
        self._clear()
        if result._task.action in QUIET:
            self._say(result, "failed", "red")
            return
        super().v2_runner_on_failed(result, ignore_errors)

    def v2_runner_on_unreachable(self, result):
        """A host without a connection is always said."""
        self._clear()
        self._say(result, "unreachable", "bright red")

    def _say(self, result, otherwise, color):
        """One line of a host; its name may come from a cloud, its message holds what the host said."""
        text = result._result.get("msg") or otherwise
        self._display.display(visible(f"{result._host.get_name()}: {text}"), color=color)

    def _progress(self, result):
        answer = result._result
        name = result._host.get_name()
        self._done += 1
        if answer.get("state") != "assessed":
            self._bad += 1
        failed = sum((answer.get("failed_by_severity") or {}).values())
        if failed > self._worst[0]:
            self._worst = (failed, name)
        now = time.monotonic()
        if self._done < self._total and now - self._shown < (TERMINAL_INTERVAL if self._terminal else PLAIN_INTERVAL):
            return
        self._shown = now
        self._show(now - (self._began or now))

    def _show(self, seconds):
        rate = self._done / seconds if seconds > 0 else 0.0
        left = (self._total - self._done) / rate if rate else 0.0
        line = f"{self._done} of {self._total} hosts, {rate:.1f}/s, {left:.0f} s left"
        if self._bad:
            line += f", {self._bad} not assessed"
        if self._worst[0] > 0:
            line += f", worst so far {shorten(visible(self._worst[1]), 40)} with {self._worst[0]} failed"
        if self._terminal:
            # A line that wraps could not be renewed.
            sys.stdout.write("\r\x1b[K" + shorten(line, shutil.get_terminal_size().columns - 1))
            sys.stdout.flush()
        elif self._total > 1:
            self._display.display(line)

    def _clear(self):
        if self._terminal:
            sys.stdout.write("\r\x1b[K")
            sys.stdout.flush()

    def v2_playbook_on_stats(self, stats):
        """The usual recap, but for one host that is well: its summary says it all."""
        self._clear()
        hosts = list(stats.processed)
        if len(hosts) == 1 and not stats.failures and not stats.dark:
            return
        super().v2_playbook_on_stats(stats)

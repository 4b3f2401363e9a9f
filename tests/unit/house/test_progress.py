"""What the progress callback prints, on a terminal and elsewhere, also for names and messages that hosts made up."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.ringwall.servers.plugins.callback import progress

CLEAR = "\r\x1b[K"
HOSTILE = "web\x1b[2J\u202etxt\r\u200b"
WRITTEN_OUT = "web\\u001b[2J\\u202etxt\\r\\u200b"
ASSESS, RECORD = "ringwall.servers.assess", "ringwall.servers.record"


class Display:
    """Stands in for Ansible's: keeps what it is told."""

    def __init__(self):
        self.lines = []
        self.verbosity = 0

    def display(self, message, color=None, **_options):
        self.lines.append(message)

    def banner(self, message, **_options):
        self.lines.append(f"BANNER {message}")


class Clock:
    """A monotonic clock that tests move."""

    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


@pytest.fixture
def start(monkeypatch, clock, capsys):
    """A function that returns a callback at the begin of a play with so many hosts, on a terminal or not."""

    def begin(hosts, terminal=False, columns=200):
        monkeypatch.setattr(progress.sys.stdout, "isatty", lambda: terminal, raising=False)
        monkeypatch.setenv("COLUMNS", str(columns))
        callback = progress.CallbackModule()
        callback._display = Display()
        inventory = SimpleNamespace(get_hosts=lambda _pattern: [None] * hosts)
        callback.v2_playbook_on_play_start(
            SimpleNamespace(get_variable_manager=lambda: SimpleNamespace(_inventory=inventory), hosts="all")
        )
        callback.v2_playbook_on_task_start(SimpleNamespace(action=ASSESS), False)
        return callback

    return begin


def result(name, action=ASSESS, **answer):
    return SimpleNamespace(
        _task=SimpleNamespace(action=action, loop=None),
        _host=SimpleNamespace(get_name=lambda: name),
        _result=answer,
    )


def assessed(name, **failed):
    return result(name, state="assessed", failed_by_severity=failed)


def test_elsewhere_a_line_comes_every_ten_seconds_and_at_the_end(start, clock, capsys):
    callback = start(100)
    clock.now += 11
    for number in range(100):
        clock.now += 0.25
        callback.v2_runner_on_ok(assessed(f"web{number}"))
    lines = callback._display.lines
    assert lines[0] == "1 of 100 hosts, 0.1/s, 1114 s left"
    assert lines[1:-1] == ["41 of 100 hosts, 1.9/s, 31 s left", "81 of 100 hosts, 2.6/s, 7 s left"]
    assert lines[-1] == "100 of 100 hosts, 2.8/s, 0 s left"
    assert capsys.readouterr().out == ""


def test_the_worst_host_and_those_that_were_not_assessed_are_named(start, clock):
    callback = start(3)
    callback.v2_runner_on_ok(assessed("a", critical=1, low=2))
    callback.v2_runner_on_ok(result("b", state="unreachable", failed_by_severity={}))
    clock.now += 2
    callback.v2_runner_on_ok(assessed("c", low=2))
    assert callback._display.lines[-1] == "3 of 3 hosts, 1.5/s, 0 s left, 1 not assessed, worst so far a with 3 failed"


def test_a_single_host_elsewhere_needs_no_progress(start):
    callback = start(1)
    callback.v2_runner_on_ok(assessed("a", low=1))
    assert callback._display.lines == []


def test_a_terminal_gets_one_line_that_is_renewed_and_cleared(start, clock, capsys):
    callback = start(3, terminal=True)
    for name in ("a", "b", "c"):
        clock.now += 1
        callback.v2_runner_on_ok(assessed(name))
    out = capsys.readouterr().out
    assert out.count(CLEAR) == 3
    assert "\n" not in out
    assert out.endswith("3 of 3 hosts, 1.0/s, 0 s left")
    callback.v2_runner_on_ok(result("a", action="ringwall.servers.report", text="the summary"))
    assert capsys.readouterr().out == CLEAR
    assert callback._display.lines == ["the summary"]


def test_on_a_terminal_not_every_host_draws(start, clock, capsys):
    callback = start(1000, terminal=True)
    clock.now += 1
    for number in range(999):
        clock.now += 0.001
        callback.v2_runner_on_ok(assessed(f"web{number}"))
    assert 4 <= capsys.readouterr().out.count(CLEAR) <= 6


def test_a_line_never_wraps_on_a_narrow_terminal(start, clock, capsys):
    callback = start(2, terminal=True, columns=40)
    clock.now += 1
    callback.v2_runner_on_ok(assessed("a-host-of-a-long-name.example.org", critical=4))
    line = capsys.readouterr().out.removeprefix(CLEAR)
    assert len(line) == 39
    assert line.endswith("…")


@pytest.mark.parametrize("terminal", [True, False])
def test_a_hostile_name_steers_no_terminal(start, clock, capsys, terminal):
    callback = start(2, terminal=terminal)
    clock.now += 20
    callback.v2_runner_on_ok(assessed(HOSTILE, critical=9))
    clock.now += 20
    callback.v2_runner_on_ok(assessed("b"))
    shown = capsys.readouterr().out.replace(CLEAR, "") + "".join(callback._display.lines)
    assert f"worst so far {WRITTEN_OUT} with 9 failed" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown


@pytest.mark.parametrize(
    ("method", "expected"),
    [("v2_runner_on_failed", f"{WRITTEN_OUT}: \\u001b]0;evil\\u0007"),
     ("v2_runner_on_unreachable", f"{WRITTEN_OUT}: \\u001b]0;evil\\u0007")],
)  # fmt: skip
def test_what_a_failing_host_says_is_written_out(start, method, expected):
    callback = start(2)
    getattr(callback, method)(result(HOSTILE, action="ringwall.servers.verdict", msg="\x1b]0;evil\x07"))
    assert callback._display.lines == [expected]


def test_a_failure_without_a_message_is_said_all_the_same(start):
    callback = start(2)
    callback.v2_runner_on_failed(result("a", action=RECORD))
    callback.v2_runner_on_unreachable(result("b", action=RECORD, msg=""))
    assert callback._display.lines == ["a: failed", "b: unreachable"]


def test_our_own_tasks_print_nothing_but_progress(start):
    callback = start(2)
    for action in progress.QUIET:
        callback.v2_playbook_on_task_start(SimpleNamespace(action=action), False)
    callback.v2_runner_on_ok(result("a", action=RECORD, recorded=2))
    assert callback._display.lines == []


def stats(hosts, failures=(), dark=()):
    empty = {"ok": 1, "changed": 0, "unreachable": 0, "failures": 0, "skipped": 0, "rescued": 0, "ignored": 0}
    return SimpleNamespace(
        processed=dict.fromkeys(hosts, 1), failures=dict.fromkeys(failures, 1), dark=dict.fromkeys(dark, 1),
        summarize=lambda _host: empty, custom={},
    )  # fmt: skip


@pytest.mark.parametrize(("left", "recap"), [
    (stats(["a"]), False), (stats(["a"], failures=["a"]), True), (stats(["a"], dark=["a"]), True),
    (stats(["a", "b"]), True),
])  # fmt: skip
def test_the_recap_is_left_out_for_one_host_that_is_well(start, monkeypatch, left, recap):
    monkeypatch.setattr("ansible.context.CLIARGS", {"check": False})
    callback = start(1)
    callback.set_options()
    callback.v2_playbook_on_stats(left)
    assert any("PLAY RECAP" in line for line in callback._display.lines) is recap

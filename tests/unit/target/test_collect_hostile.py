"""The watchdog: a table may hang, die, eat memory or return nonsense, and the others come home."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import collect as collector
from ansible_collections.ringwall.servers.plugins.module_utils.host import Completed, Host
from ansible_collections.ringwall.servers.plugins.module_utils.spec import (
    Absent,
    Column,
    Result,
    Table,
    Unreadable,
    Unsupported,
    is_unreadable,
)
from ansible_collections.ringwall.servers.plugins.module_utils.tables import file_attributes

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def table(name, function, **more):
    return SimpleNamespace(
        TABLE=Table(name=name, description="", key="", columns=(Column("v", "text", ""),), **more),
        collect=lambda host, options: function(host),
    )


@pytest.fixture
def run(monkeypatch):
    """Collect stub tables, given as name=function; returns (tables, seconds)."""

    def collect(_settings=None, **functions):
        stubs = {name: table(name, function) for name, function in functions.items()}
        monkeypatch.setattr(collector, "TABLES", stubs)
        begin = time.monotonic()
        settings = {"tables": list(stubs), "table_timeout": 1.0, "nice": 0, **(_settings or {})}
        snapshot = json.loads(collector.collect(settings))
        assert list(snapshot["tables"]) == list(stubs)
        return snapshot["tables"], time.monotonic() - begin

    return collect


def good(host):
    return {"k": {"v": "fine"}}


def states(tables):
    return {name: found["state"] for name, found in tables.items()}


def test_a_table_that_hangs_is_named_and_costs_its_own_time_only(run):
    tables, seconds = run(a=good, b=lambda host: time.sleep(60), c=good)
    assert states(tables) == {"a": "ok", "b": "partial", "c": "ok"}
    assert "hung" in tables["b"]["why"]
    assert tables["c"]["rows"] == {"k": {"v": "fine"}}
    assert seconds < 3


def test_a_table_that_hangs_and_ignores_signals(run):
    def stubborn(host):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            time.sleep(60)

    tables, seconds = run(a=stubborn, b=good)
    assert states(tables) == {"a": "partial", "b": "ok"}
    assert seconds < 3


def test_two_that_hang_use_up_the_time_and_the_rest_is_not_silent(run):
    tables, seconds = run(
        {"timeout": 1.5}, a=good, b=lambda host: time.sleep(60), c=lambda host: time.sleep(60), d=good, e=good
    )
    assert states(tables) == {"a": "ok", "b": "partial", "c": "partial", "d": "partial", "e": "partial"}
    assert "c used up the time" in tables["e"]["why"]
    assert seconds < 4


@needs_root
def test_a_file_on_a_hung_file_system(run, hung):
    tables, seconds = run(a=lambda host: host.read(str(hung / "file")), b=good)
    assert states(tables) == {"a": "partial", "b": "ok"}
    assert "hung" in tables["a"]["why"]
    assert seconds < 4


@needs_root
def test_attributes_on_a_hung_file_system_are_unreadable_cells(hung):
    begin = time.monotonic()
    rows = file_attributes.collect(Host(), {"paths": [str(hung / "key"), str(hung / "*"), str(hung), "/etc/passwd"]})
    assert time.monotonic() - begin < 2
    assert is_unreadable(rows[str(hung / "key")]["exists"])
    assert is_unreadable(rows[str(hung / "*")]["matches"])
    assert is_unreadable(rows[str(hung)]["mode"])
    assert rows["/etc/passwd"]["exists"] is True


def test_a_table_that_eats_memory(run):
    tables, _seconds = run({"memory": 200}, a=good, b=lambda host: {"k": {"v": "x" * (400 << 20)}}, c=good)
    assert states(tables) == {"a": "ok", "b": "error", "c": "ok"}
    assert tables["b"]["why"] == "out of memory"


def test_a_table_whose_answer_does_not_fit_into_memory(run):
    def much(host):
        return {str(number): {"v": "y" * 100} for number in range(700_000)}

    tables, _seconds = run({"memory": 260, "table_timeout": 20}, a=much, b=good)
    assert states(tables) == {"a": "error", "b": "ok"}


def test_a_table_larger_than_the_parent_will_hold(run, monkeypatch):
    monkeypatch.setattr(collector, "MAX_TABLE", 1000)
    tables, _seconds = run(a=lambda host: {"k": {"v": "x" * 2000}}, b=good)
    assert states(tables) == {"a": "error", "b": "ok"}
    assert "larger than 1000 bytes" in tables["a"]["why"]


def test_a_table_that_dies(run):
    tables, _seconds = run(
        a=lambda host: os.kill(os.getpid(), signal.SIGKILL),
        b=lambda host: os._exit(0),
        c=lambda host: sys.exit(3),
        d=good,
    )
    assert states(tables) == {"a": "error", "b": "error", "c": "error", "d": "ok"}


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), b"bytes", {1, 2}, object()], ids=["nan", "inf", "bytes", "set", "object"]
)
def test_answers_that_are_not_json(run, value):
    tables, _seconds = run(a=lambda host: {"k": {"v": value}}, b=good)
    assert states(tables) == {"a": "error", "b": "ok"}


def test_endless_recursion(run):
    def deeper(host):
        return deeper(host)

    def nested(host):
        value = []
        for _level in range(100_000):
            value = [value]
        return {"k": {"v": value}}

    tables, _seconds = run(a=deeper, b=nested, c=good)
    assert states(tables) == {"a": "error", "b": "error", "c": "ok"}


def test_an_error_names_our_line_and_nothing_of_the_data(run):
    def clumsy(host):
        return int("S3cret-of-the-file")

    tables, _seconds = run(a=clumsy)
    assert "S3cret" not in json.dumps(tables)
    assert tables["a"]["why"].startswith("ValueError at test_collect_hostile.py:")


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (Unsupported("no"), "unsupported"),
        (Absent("/x"), "unsupported"),
        (Unreadable("denied", "no"), "denied"),
        (Unreadable("timeout", "no"), "partial"),
        (Unreadable("invalid", "no"), "partial"),
    ],
)
def test_what_a_table_raises_decides_its_state(run, error, state):
    def raising(host):
        raise error

    tables, _seconds = run(a=raising, b=lambda host: Result({"k": {}}, "partial", "half"))
    assert states(tables) == {"a": state, "b": "partial"}
    assert tables["b"]["why"] == "half"


def test_commands_of_a_hung_table_are_ended_with_it(run, tmp_path):
    marker = tmp_path / "pid"

    def hang(host):
        host.run(["sh", "-c", f"echo $$ > {marker}; sleep 600"], timeout=500)

    run(a=hang)
    pid = int(marker.read_text())
    for _attempt in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        if "Z" in Path(f"/proc/{pid}/stat").read_text().split(")")[1][:3]:
            return
        time.sleep(0.02)
    pytest.fail("the command outlived its table")


def test_a_caller_that_ignores_its_children(run):
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        tables, _seconds = run(a=good, b=lambda host: time.sleep(60), c=good)
    finally:
        signal.signal(signal.SIGCHLD, before)
    assert states(tables) == {"a": "ok", "b": "partial", "c": "ok"}


def test_nothing_stays_behind(run):
    def left():
        # Other tests of this process may have children of their own.
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        return len(os.listdir("/proc/self/fd")), set(children)

    before = left()
    run(a=good, b=lambda host: time.sleep(60), c=good)
    assert left() == before


# Commands ------------------------------------------------------------------------------------------------


def test_a_command_that_hangs_is_ended_with_its_children(tmp_path):
    begin = time.monotonic()
    with pytest.raises(Unreadable, match="no end after") as caught:
        Host().run(["sh", "-c", f"sleep 600 & echo $! > {tmp_path}/pid; wait"], timeout=0.3)
    assert caught.value.kind == "timeout"
    assert time.monotonic() - begin < 2
    pid = int((tmp_path / "pid").read_text())
    time.sleep(0.1)
    alive = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    assert not alive.strip() or alive.startswith("Z")


def test_endless_output_is_cut():
    with pytest.raises(Unreadable, match="more than 100000 bytes") as caught:
        Host().run(["yes"], timeout=5, limit=100000)
    assert caught.value.kind == "partial"


def test_the_environment_is_clean(monkeypatch):
    monkeypatch.setenv("LD_PRELOAD_CANARY", "S3cret")
    monkeypatch.setenv("BASH_ENV", "/tmp/evil")
    lines = Host().run(["env"]).lines()
    assert not [line for line in lines if "S3cret" in line or line.startswith("BASH_ENV")]
    assert "LC_ALL=C" in lines


def test_nothing_is_run_under_another_root(tmp_path):
    with pytest.raises(Unsupported):
        Host(str(tmp_path)).run(["true"])


def test_a_program_that_is_not_there():
    with pytest.raises(Absent):
        Host().run(["no-such-program-anywhere"])


def test_a_name_with_a_line_separator_is_one_line():
    assert Completed(0, "a\u2028b\x0bc\nd\n".encode(), b"").lines() == ["a\u2028b\x0bc", "d"]
    assert Completed(0, b"", b"").lines() == []

"""A `record` killed anywhere on PostgreSQL leaves there all of a run or nothing, and can be done again."""

from __future__ import annotations

import os
import pathlib
import random
import subprocess
import sys

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence import runs, verify

ROOT = pathlib.Path(__file__).resolve().parents[3]
SOAK = os.environ.get("RINGWALL_SOAK") == "1"
SEED = int(os.environ.get("RINGWALL_SEED", "20260101"))

WORK = r"""
import os, sys
sys.path.insert(0, "collections")
import psycopg
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence.state import open_state
from ansible_collections.ringwall.servers.plugins.plugin_utils.store import open_store
path, url, run, kill_at = sys.argv[1:4] + [int(sys.argv[4])]
store = open_store(url, open_state(path))
count = 0

def lethal(call):
    def step(*arguments, **named):
        global count
        count += 1
        if count == kill_at:
            os._exit(9)
        return call(*arguments, **named)
    return step

for name in ("execute", "executemany", "copy"):
    setattr(psycopg.Cursor, name, lethal(getattr(psycopg.Cursor, name)))
psycopg.Connection.commit = lethal(psycopg.Connection.commit)
os.fsync, os.replace = lethal(os.fsync), lethal(os.replace)
store.record(run)
print(count)
"""


@pytest.fixture(autouse=True)
def new_url():
    """These tests bring their own databases."""
    return lambda: None


def _record(bench, run, kill_at):
    done = subprocess.run(
        [sys.executable, "-c", WORK, bench.state.path, bench.url, run, str(kill_at)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == (9 if kill_at else 0), done.stderr[-2000:]
    return int(done.stdout) if not kill_at else None


def _says(bench):
    """All that a store says but the moments at which this test sealed the runs."""
    told = bench.everything()
    told["runs"] = [{name: run[name] for name in run if name not in ("finished", "chain")} for run in told["runs"]]
    return told


@pytest.fixture
def about_to_record(make_bench, postgres, tmp_path):
    """A function that gives a Bench with one run recorded and one that waits for it, and that run's id."""
    made = []

    def make():
        made.append(make_bench(tmp_path / f"disk{len(made)}", postgres.new_database()))
        bench = made[-1]
        bench.play(0, [("a", {1: "fail", 2: "pass"}), ("b", {1: "fail"})])
        changed = bench.host("b", {1: "pass", 3: "fail"}, bench.time(1))
        changed["tables"]["packages"] = bench.table("packages", {"zlib:amd64": {"version": "1"}}, "ok", bench.time(1))
        return bench, bench.write(1, [("a", {1: "pass", 2: "pass"}), changed]).id

    return make


def test_killed_anywhere_all_or_nothing(about_to_record, make_bench, tmp_path):
    whole, run = about_to_record()
    before = _says(whole)
    steps = _record(whole, run, 0)
    after = _says(whole)
    assert before != after
    assert steps > 30, "the places are counted"
    places = range(1, steps + 1) if SOAK else [*sorted(random.Random(SEED).sample(range(1, steps), 5)), steps]
    for place in places:
        bench, run = about_to_record()
        _record(bench, run, place)
        other = make_bench(tmp_path / f"other{place}", bench.url)
        try:
            found = _says(other)
            assert found in (before, after), "half a run is in the database"
            other.store.bring_evidence()
            assert verify.verify(other.state, contents=True) == []
            assert len(runs.list_runs(other.state)) == len(found["runs"]), "evidence without its run, or the reverse"
            bench.store.record(run)
            assert _says(bench) == after
            bench.store.rebuild()
            assert _says(bench) == after
            other.store.bring_evidence()
            assert verify.verify(other.state, contents=True) == []
        except BaseException as error:
            error.add_note(f"killed at step {place} of {steps}, seed {SEED}")
            raise
        finally:
            bench.store.close()
            other.store.close()

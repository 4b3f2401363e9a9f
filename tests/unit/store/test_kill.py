"""A process killed at any fsync or rename loses nothing that was acknowledged, and recording goes on from there."""

from __future__ import annotations

import json
import os
import pathlib
import random
import subprocess
import sys

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence import ledger, objects, runs, verify
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence.state import open_state
from ansible_collections.ringwall.servers.plugins.plugin_utils.store import open_store

ROOT = pathlib.Path(__file__).resolve().parents[3]
SOAK = os.environ.get("RINGWALL_SOAK") == "1"
SEED = int(os.environ.get("RINGWALL_SEED", "20260101"))

WORK = r"""
import json, os, sys
sys.path.insert(0, "collections")
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence import ledger, objects, runs
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence.state import open_state
from ansible_collections.ringwall.servers.plugins.plugin_utils.store import open_store
path, told, kill_at = sys.argv[1], sys.argv[2], int(sys.argv[3])
count = 0

def lethal(call):
    def step(*arguments, **named):
        global count
        count += 1
        if count == kill_at:
            os._exit(9)
        result = call(*arguments, **named)
        count += 1
        if count == kill_at:
            os._exit(9)
        return result
    return step

os.fsync, os.replace, os.rename, os.ftruncate = map(lethal, (os.fsync, os.replace, os.rename, os.ftruncate))
acknowledged = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def say(*what):
    os.write(acknowledged, (json.dumps(what) + "\n").encode())

state = open_state(path)
store = open_store(None, state)
for day in range(3):
    at = "2026-01-0%dT00:00:00Z" % (day + 1)
    run = runs.open_run(state, "k%d" % day, {"scope": "default", "started": at, "content": "c"})
    for name in ("a", "b"):
        digest = objects.put(state, {"version": 1, "state": "ok", "why": "", "rows": {name: {"day": day}}})
        say("object", digest)
        status = "fail" if day != 1 else "pass"
        run.write_host({
            "scope": "default", "host": name, "state": "assessed", "taken": at, "received": at, "privilege": "root",
            "identity": {"machine_id": name}, "platform": {}, "inventory": {}, "alerts": [], "errors": [],
            "benchmarks": [{"id": "cis"}],
            "tables": {"packages": {"digest": digest, "version": 1, "state": "ok", "why": "", "observed_at": at}},
            "findings": [{
                "control": "c", "benchmark": "cis", "section": "1", "level": "l1", "status": status,
                "severity": "low", "expected": 1, "actual": day, "evidence": [], "reason": "", "observed_at": at,
                "disposition": None, "owner": None, "due": None,
            }],
        })
        say("host", run.id, name)
    run.finish()
    say("finish", run.id)
    entry = ledger.append(state, "accept", {"day": day})
    say("ledger", entry["seq"])
    store.record(run.id)
    say("record", run.id)
store.prune(keep_runs=1, keep_days=1, now="2026-03-01T00:00:00Z")
say("prune")
with open(told + ".count", "w") as file:
    file.write(str(count))
"""


def _run(folder, kill_at):
    told = folder / "told"
    done = subprocess.run(
        [sys.executable, "-c", WORK, str(folder / "state"), str(told), str(kill_at)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode in (0, 9), done.stderr[-2000:]
    lines = told.read_text(encoding="ascii").splitlines() if told.exists() else []
    return done.returncode, [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    """How many places to be killed at there are."""
    folder = tmp_path_factory.mktemp("whole")
    assert _run(folder, 0)[0] == 0
    return int((folder / "told.count").read_text(encoding="ascii"))


def _check(folder, told):
    state = open_state(folder / "state")
    pruned = set()
    for entry in ledger.read(state, "prune"):
        pruned |= set(entry["removed"])
    recorded = [what[1] for what in told if what[0] == "record"]
    for kind, *what in told:
        if kind == "object" and not pruned:
            objects.get(state, what[0])
        elif kind == "host" and what[0] not in pruned:
            assert runs.load_run(state, what[0]).host(what[1])["host"] == what[1]
        elif kind == "finish" and what[0] not in pruned:
            assert runs.load_run(state, what[0]).header["state"] == "complete"
        elif kind == "ledger":
            assert what[0] in {entry["seq"] for entry in ledger.read(state, "accept")}
    ledger.append(state, "accept", {"after": "the kill"})
    assert ledger.verify(state, "accept") == []
    store = open_store(None, state)
    for run_id in recorded:
        assert store.run(run_id)["scope"] == "default"
    for run_id in runs.list_runs(state):
        store.record(run_id)
        summary = store.record(run_id)
        assert summary["recorded"] == 0
    assert [problem for problem in verify.verify(state) if "head" not in problem["problem"]] == []
    assert verify.verify(state) == []
    before = _says(store)
    store.rebuild()
    assert _says(store) == before
    store.prune(keep_runs=1, keep_days=1, now="2026-03-01T00:00:00Z")
    assert len(runs.list_runs(state)) <= 1 or not recorded
    before = _says(store)
    store.rebuild()
    assert _says(store) == before
    store.close()


def _says(store):
    ids = [run["id"] for run in store.runs()]
    return [(one, store.findings(one), store.hosts(one)) for one in ids], store.alerts(), store.trend(), store.closed()


def test_killed_anywhere(steps, tmp_path):
    places = list(range(1, steps + 1))
    if not SOAK:
        places = sorted(random.Random(SEED).sample(places, 8))
    for place in places:
        folder = tmp_path / str(place)
        folder.mkdir()
        code, told = _run(folder, place)
        assert code == 9, f"nothing was killed at {place}"
        try:
            _check(folder, told)
        except BaseException as error:
            error.add_note(f"killed at step {place} of {steps}, seed {SEED}")
            raise

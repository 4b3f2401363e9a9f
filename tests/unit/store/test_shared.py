"""With PostgreSQL the evidence lives in the database: a job's disk may be gone when the next one starts."""

from __future__ import annotations

import shutil
import types

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils import keeping
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence import ledger, objects, runs, verify
from ansible_collections.ringwall.servers.plugins.plugin_utils.store import prune


@pytest.fixture
def new_disk(postgres, make_bench, tmp_path):
    """A function that gives a Bench with an empty disk on one and the same PostgreSQL."""
    url = postgres.new_database()
    made = []

    def make():
        made.append(make_bench(tmp_path / f"disk{len(made)}", url))
        made[-1].count = len(made) * 100
        return made[-1]

    return make


@pytest.fixture(autouse=True)
def new_url():
    """These tests need no database of each kind."""
    return lambda: None


def test_a_job_carries_on_where_another_disk_ended(new_disk):
    first = new_disk()
    first.play(0, [("a", {1: "fail"})])
    ledger.append(first.state, "accept", {"number": 1})
    first.play(1, [("a", {1: "fail"})])
    before = first.everything()
    first.store.close()
    shutil.rmtree(first.state.path)
    second = new_disk()
    assert second.everything() == before
    assert [entry["number"] for entry in ledger.read(second.state, "accept")] == [1]
    second.play(2, [("a", {1: "pass"})])
    assert [one["closed_by"] for one in second.store.closed()] == ["fixed"]
    assert runs.Run(second.state, f"r{second.count:03d}").header["chain"]["seq"] == 3
    before = second.everything()
    second.store.close()
    third = new_disk()
    assert third.store.rebuild()["missing"] == []
    assert third.everything() == before
    assert verify.verify(third.state, contents=True) == []


def test_a_run_of_another_disk_can_be_recorded_again(new_disk):
    first = new_disk()
    run = first.play(0, [("a", {1: "fail"})])["run"]
    second = new_disk()
    assert second.store.record(run)["already"] == 1
    assert runs.load_run(second.state, run).host("a")["state"] == "assessed"


def test_decisions_of_two_disks_end_in_one_ledger(new_disk):
    first, second = new_disk(), new_disk()
    ledger.append(first.state, "accept", {"by": "first"})
    ledger.append(second.state, "accept", {"by": "second"})
    ledger.append(second.state, "accept", {"by": "second again"})
    first.play(0, [("a", {1: "fail"})])
    second.play(1, [("a", {1: "fail"})])
    first.play(2, [("a", {1: "fail"})])
    third = new_disk()
    for bench in (first, second, third):
        assert [entry["by"] for entry in ledger.read(bench.state, "accept")] == ["first", "second", "second again"]
        assert ledger.verify(bench.state, "accept") == []


def test_contents_of_deep_tables_come_with_the_past(new_disk):
    first = new_disk()
    at = first.time(0)
    file = first.host("a", {1: "fail"}, at)
    file["tables"]["file_walk"] = first.table("file_walk", {"/srv/x": {"mode": "0777"}}, observed_at=at)
    first.play(0, [file])
    second = new_disk()
    past = second.store.pasts("default", ["a"])["a"]
    deep = past["tables"]["file_walk"]["digest"]
    assert objects.get(second.state, deep)["rows"] == {"/srv/x": {"mode": "0777"}}
    with pytest.raises(objects.ObjectError):
        objects.get(second.state, past["tables"]["users"]["digest"])


def test_pruning_reaches_the_database(new_disk):
    first = new_disk()
    for day in range(4):
        first.play(day, [("a", {1: "fail"})])
    first.store.prune(keep_runs=1, keep_days=1, now=first.time(90))
    before = first.everything()
    second = new_disk()
    assert second.store.rebuild()["missing"] == []
    assert second.everything() == before
    assert runs.list_runs(second.state) == ["r104"]


def test_a_fresh_disk_verifies_all_evidence_and_not_its_own_emptiness(new_disk):
    first = new_disk()
    first.play(0, [("a", {1: "fail"})])
    first.play(1, [("a", {1: "pass"})])
    second = new_disk()
    url = second.store.engine.url.render_as_string(hide_password=False)
    result = keeping.keep(types.SimpleNamespace(store=url, state=second.state.path), "verify", None, None, 0, 0, False)
    assert result["problems"] == []
    assert len(runs.list_runs(second.state)) == 2


def test_a_hold_from_a_disk_that_does_not_last_is_in_force_everywhere(new_disk):
    first = new_disk()
    run = first.play(0, [("a", {1: "fail"})])["run"]
    passing = new_disk()
    passing.store.decide_on_run(prune.HOLD, run, {"action": "hold", "reason": "audit"})
    passing.store.close()
    shutil.rmtree(passing.state.path)
    with pytest.raises(runs.RunError):
        first.store.decide_on_run(prune.HOLD, "20000101T000000Z-000000", {"action": "hold", "reason": "x"})
    third = new_disk()
    assert prune.held(third.state) == {run}

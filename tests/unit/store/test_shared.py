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


def test_two_jobs_that_run_at_once_stand_one_behind_the_other(new_disk):
    new_disk().play(0, [("a", {1: "fail"})])
    first, second = new_disk(), new_disk()
    # Both sealed behind the run of day 0, then recorded.
    one, other = first.write(1, [("a", {1: "fail"})]), second.write(1, [("b", {1: "fail"})])
    first.store.record(one.id)
    second.store.record(other.id)
    last = first.write(2, [("a", {1: "pass"})])
    first.store.record(last.id)
    fresh = new_disk()
    fresh.store.bring_evidence()
    assert verify.verify(fresh.state, contents=True) == []
    assert [runs.load_run(fresh.state, run.id).header["chain"]["seq"] for run in (one, other, last)] == [2, 3, 4]


def test_slices_on_two_disks_are_one_run(new_disk):
    before = new_disk()
    before.play(0, [("a", {1: "fail"}), ("b", {1: "fail"})])
    first, second = new_disk(), new_disk()
    header = {"asked": ["a"], "owners": [1]}
    for bench, name in ((first, "a"), (second, "b")):
        bench.count = 700
        bench.write(1, [(name, {1: "pass"})], **(header | {"asked": [name]}))
    first.store.record("r701")
    again = second.store.record("r701")
    assert (again["hosts"], again["already"], again["recorded"]) == (2, 1, 1)
    run = runs.load_run(second.state, "r701").header
    assert run["asked"] == ["a", "b"]
    assert sorted(host["host"] for host in run["hosts"].values()) == ["a", "b"]
    assert run["chain"]["seq"] == 2
    first.count = 800
    first.play(2, [("a", {1: "pass"})])
    assert runs.load_run(first.state, "r801").header["chain"]["seq"] == 3, "the other disk learned of it"
    assert first.store.record("r701")["already"] == 2
    for bench in (first, new_disk()):
        bench.store.bring_evidence()
        assert verify.verify(bench.state, contents=True) == []
    assert len(first.store.hosts("r701")) == 2
    before = first.everything()
    assert first.store.rebuild()["missing"] == []
    after = first.everything()
    # The first slice could not know that another one was about to see b: it raised an alert that a rebuild does not.
    assert [len(told.pop("alerts")) for told in (before, after)] == [1, 1]
    assert after == before


@pytest.mark.parametrize("days", [(1, 2), (2, 1)])
def test_of_a_host_in_two_slices_the_later_answer_stays(new_disk, days):
    for day, bench in zip(days, (new_disk(), new_disk()), strict=True):
        bench.count = 700
        status = "pass" if day == 2 else "fail"
        bench.store.record(bench.write(day, [("a", {1: status})]).id)
    fresh = new_disk()
    assert fresh.one(run="r701")["status"] == "pass"
    fresh.store.bring_evidence()
    assert runs.load_run(fresh.state, "r701").host("a")["received"] == fresh.time(2)
    assert verify.verify(fresh.state, contents=True) == []


def test_a_slice_that_comes_after_the_next_run_is_refused(new_disk):
    first, second = new_disk(), new_disk()
    for bench, name in ((first, "a"), (second, "b")):
        bench.count = 700
        bench.write(1, [(name, {1: "pass"})], asked=[name])
    first.store.record("r701")
    first.play(2, [("a", {1: "pass"})])
    with pytest.raises(runs.RunError, match="followed by another"):
        second.store.record("r701")
    fresh = new_disk()
    fresh.store.bring_evidence()
    assert verify.verify(fresh.state, contents=True) == []


def test_a_disk_that_holds_nothing_prunes_what_is_old(new_disk):
    first = new_disk()
    for day in range(4):
        file = first.host("a", {1: "fail"}, first.time(day))
        file["tables"]["sysctl"] = first.table("sysctl", {"a": {"live": str(day)}}, observed_at=first.time(day))
        first.play(day, [file])
    fresh = new_disk()
    pruned = fresh.store.prune(keep_runs=1, keep_days=1, now=first.time(400))
    assert (pruned["runs"], pruned["objects"]) == (["r101", "r102", "r103"], 3)
    another = new_disk()
    another.store.bring_evidence()
    assert runs.list_runs(another.state) == ["r104"]
    assert verify.verify(another.state, contents=True) == []
    assert len(list(objects.names(another.state))) == 5, "of the run that stays"


def test_evidence_of_another_store_moves_in_with_a_rebuild(new_disk, make_bench, tmp_path):
    old = make_bench(tmp_path / "old", None)
    for day in range(3):
        old.play(day, [("a", {1: "fail"})])
    before = old.everything()
    old.store.close()
    url = new_disk().url
    moved = make_bench(old.state.path, url)
    assert moved.store.refilled["runs"] == 3
    fresh = new_disk()
    assert fresh.everything() == moved.everything() == before, "nor is any run sealed anew"
    fresh.store.bring_evidence()
    assert verify.verify(fresh.state, contents=True) == []
    assert runs.list_runs(fresh.state) == ["r001", "r002", "r003"]


def test_evidence_of_another_store_moves_in_behind_what_is_there(new_disk, make_bench, tmp_path):
    old = make_bench(tmp_path / "old", None)
    for day in range(2):
        old.play(day, [("b", {1: "fail"})])
    old.store.close()
    there = new_disk()
    there.play(3, [("a", {1: "fail"})])
    moved = make_bench(old.state.path, there.url)
    moved.store.rebuild()
    fresh = new_disk()
    fresh.store.bring_evidence()
    assert verify.verify(fresh.state, contents=True) == []
    chain = {run: runs.load_run(fresh.state, run).header["chain"]["seq"] for run in runs.list_runs(fresh.state)}
    assert chain == {"r101": 1, "r001": 2, "r002": 3}
    assert sorted(fresh.known_hosts()) == ["a", "b"]

"""With PostgreSQL the evidence lives in the database: a job's disk may be gone when the next one starts."""

from __future__ import annotations

import shutil

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence import ledger, objects, runs, verify


@pytest.fixture
def new_disk(postgres, make_bench, tmp_path):
    """A function that gives a Bench with an empty disk on one and the same PostgreSQL."""
    import psycopg

    with psycopg.connect(postgres.format(name="postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS shared")
        connection.execute("CREATE DATABASE shared TEMPLATE template0")
    made = []

    def make():
        made.append(make_bench(tmp_path / f"disk{len(made)}", postgres.format(name="shared")))
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

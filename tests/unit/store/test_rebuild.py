"""Rebuild and prune: the same findings, ages and alerts from what is left."""

from __future__ import annotations

import os

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence import ledger, objects, runs, verify
from ansible_collections.ringwall.servers.plugins.plugin_utils.store import StoreError, open_store


def _history(bench):
    bench.play(0, [("a", {1: "pass", 2: "fail"}), ("b", {1: "fail"})])
    bench.play(1, [("a", {1: "fail", 2: "fail"}), bench.failed("b", bench.time(1))])
    file = bench.host("a", {1: "unreadable", 2: "pass"}, bench.time(2))
    file["tables"]["packages"] = bench.table(
        "packages", {"openssl:amd64": {"version": "3.1"}}, observed_at=bench.time(2)
    )
    file["tables"]["sysctl"] = bench.table("sysctl", {}, "denied", bench.time(2))
    bench.play(2, [file, ("b", {1: "pass"})])
    bench.store.retire("default", "b", "scrapped", "ops")
    bench.play(3, [bench.host("a", {1: "fail", 2: "pass"}, bench.time(3), machine_id="new"), ("c", {1: "pass"})])
    bench.play(4, [("a", {1: "fail", 2: "pass"}), ("c", {1: "pass"})])


def test_rebuild_gives_the_same(bench):
    _history(bench)
    before = bench.everything()
    assert bench.store.rebuild() == {"runs": 5, "missing": [], "checkpoint": None}
    assert bench.everything() == before


def test_an_empty_database_is_filled_from_evidence(bench, new_url):
    _history(bench)
    before = bench.everything()
    bench.store.close()
    bench.store = open_store(new_url(), bench.state)
    assert bench.store.refilled == {"runs": 5, "missing": [], "checkpoint": None}
    assert bench.everything() == before
    bench.store.close()
    bench.store = open_store(bench.store.engine.url, bench.state)
    assert bench.store.refilled is None, "once"


def test_recording_goes_on_where_a_database_that_was_moved_away_ended(bench, new_url):
    _history(bench)
    bench.store.prune(keep_runs=2, keep_days=1, now=bench.time(20))
    first_seen = bench.one()["first_seen"]
    bench.store.close()
    bench.store = open_store(new_url(), bench.state)
    bench.play(21, [("a", {1: "fail", 2: "pass"})])
    assert bench.one()["first_seen"] == first_seen
    assert [run["id"] for run in bench.store.runs()] == ["r006", "r005", "r004", "r003", "r002", "r001"]
    assert verify.verify(bench.state) == []


def test_an_empty_database_beside_damaged_evidence_is_said(bench, new_url):
    _history(bench)
    bench.store.prune(keep_runs=1, keep_days=1, now=bench.time(20))
    bench.store.close()
    (name,) = os.listdir(bench.state.checkpoints)
    path = os.path.join(bench.state.checkpoints, name)
    with open(path, "ab") as file:
        file.write(b"x")
    url = new_url()
    for _again in range(2):
        with pytest.raises(StoreError, match=name):
            open_store(url, bench.state)


def test_a_new_state_is_not_filled(bench):
    assert bench.store.refilled is None


def test_prune_and_rebuild_give_the_same(bench):
    _history(bench)
    result = bench.store.prune(keep_runs=2, keep_days=1, now=bench.time(20))
    assert result["runs"] == ["r001", "r002", "r003"]
    assert runs.list_runs(bench.state) == ["r004", "r005"]
    assert [run["pruned"] for run in bench.store.runs()] == [False, False, True, True, True]
    assert "content" not in bench.store.run("r001"), "what only evidence says goes with it"
    assert verify.verify(bench.state) == []
    after = bench.everything()
    assert bench.one()["first_seen"] == bench.time(4), "generation three of a: ages outlive their runs"
    assert bench.store.rebuild()["missing"] == []
    assert bench.everything() == after
    bench.play(21, [("a", {1: "pass", 2: "pass"})])
    after = bench.everything()
    assert bench.store.rebuild()["runs"] == 1
    assert bench.everything() == after
    assert verify.verify(bench.state) == []


def test_ages_outlive_the_runs_they_began_in(bench):
    for day in range(6):
        bench.play(day * 100, [("a", {1: "fail", 2: "pass" if day % 2 else "fail"})])
    bench.store.prune(keep_runs=1, keep_days=1, now=bench.time(501))
    bench.store.rebuild()
    assert bench.one()["first_seen"] == bench.time(0)
    assert bench.one(number=2)["last_changed"] == bench.time(500)
    # Day 300 lies beyond 180 days before day 501, day 400 does not.
    assert [change["at"] for change in bench.one(number=2)["history"]] == [bench.time(day) for day in (300, 400, 500)]


def test_what_is_held_stays(bench):
    for day in range(5):
        bench.play(day, [("a", {1: "fail"})])
    ledger.append(bench.state, "hold", {"action": "hold", "run": "r001"})
    ledger.append(bench.state, "hold", {"action": "hold", "run": "r002"})
    ledger.append(bench.state, "hold", {"action": "release", "run": "r002"})
    result = bench.store.prune(keep_runs=1, keep_days=1, holds=["r003"], now=bench.time(90))
    assert result["runs"] == ["r002", "r004"]
    assert runs.list_runs(bench.state) == ["r001", "r003", "r005"]
    assert verify.verify(bench.state, contents=True) == []


def test_a_run_that_is_young_or_runs_or_was_not_recorded_stays(bench):
    bench.play(0, [("a", {1: "fail"})])
    bench.write(1, [("a", {1: "fail"})])
    bench.write(2, [("a", {1: "fail"})], finish=False)
    bench.play(3, [("a", {1: "fail"})])
    bench.play(4, [("a", {1: "fail"})])
    assert bench.store.prune(keep_runs=1, keep_days=300, now=bench.time(90))["runs"] == []
    assert bench.store.prune(keep_runs=1, keep_days=30, now=bench.time(90))["runs"] == ["r001", "r004"]


def test_objects_go_with_the_last_run_that_named_them(bench):
    old = bench.host("a", {1: "pass"}, bench.time(0))
    old["tables"] = {"packages": bench.table("packages", {"old": {"v": 1}}, observed_at=bench.time(0))}
    bench.play(0, [old])
    bench.play(300, [("a", {1: "pass"})])
    bench.play(301, [("a", {1: "pass"})])
    for name in objects.names(bench.state):
        os.utime(objects.path_of(bench.state, name), (1, 1))
    assert bench.store.prune(keep_runs=1, keep_days=1, now=bench.time(600))["objects"] == 1
    assert verify.verify(bench.state, contents=True) == []
    with pytest.raises(objects.ObjectError):
        objects.get(bench.state, old["tables"]["packages"]["digest"])


def test_alerts_stay_ninety_days(bench):
    bench.play(0, [("a", {1: "pass", 2: "pass"})])
    bench.play(1, [("a", {1: "fail", 2: "pass"})])
    bench.store.prune(now=bench.time(90))
    assert bench.store.alerts()
    bench.store.prune(now=bench.time(92))
    assert bench.store.alerts() == []


def test_a_changed_checkpoint_is_refused(bench):
    bench.play(0, [("a", {1: "pass"})])
    name = bench.store.prune(now=bench.time(1))["checkpoint"]
    before = bench.everything()
    if bench.store.shared:
        return  # the copy in the database is the same; the file is tested with SQLite
    with open(os.path.join(bench.state.checkpoints, name), "ab") as file:
        file.write(b"x")
    with pytest.raises(StoreError, match="backup"):
        bench.store.rebuild()
    assert bench.everything() == before

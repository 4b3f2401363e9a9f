"""What is left of changes on a host becomes a table, and alerts."""

from __future__ import annotations

import json

from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.tables import hardening_state
from ansible_collections.ringwall.servers.plugins.plugin_utils.changes.signals import signals
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.view import Snapshot, TableView

NOW = "2026-03-01T12:00:00Z"


def raised(rows):
    snapshot = Snapshot({"hardening_state": TableView("hardening_state", rows=rows)})
    assert signals(snapshot, "h", NOW) == signals(snapshot, "h", NOW)
    return [(one["rule"], one["entity"], one["kind"], one["at"]) for one in signals(snapshot, "h", NOW)]


def state(**more):
    return hardening_state.row({"phase": "confirmed", "since": "2026-02-01T00:00:00Z", **more})


def test_a_fired_run_a_conflict_and_one_left_armed_are_told():
    fired = state(phase="rolled_back", fired=True, why="nobody", ended="2026-02-01T00:02:00Z", conflicts=["/etc/x"])
    assert raised({"r1": fired, "r2": state(phase="switched")}) == [
        ("hardening.fired", "r1", "raised", "2026-02-01T00:02:00Z"),
        ("hardening.conflict", "r1", "raised", "2026-02-01T00:02:00Z"),
        ("hardening.left_armed", "r2", "raised", "2026-02-01T00:00:00Z"),
    ]
    assert raised({"r2": state(phase="switched", since="2026-03-01T11:59:00Z")}) == []


def test_a_later_confirmed_run_ends_them_and_a_clock_ahead_is_cut():
    fired = state(phase="rolled_back", fired=True, ended="2031-01-01T00:00:00Z")
    assert raised({"r1": fired})[0][3] == NOW
    rows = {"r1": fired, "r2": state(since="2026-02-02T00:00:00Z")}
    assert {kind for _rule, _entity, kind, _at in raised(rows)} == {"cleared"}
    assert raised({}) == []


def test_the_table_reads_what_the_engine_leaves(box):
    box.apply([{"op": "write", "path": "/etc/x.conf", "text": "x\n", "controls": ["c"]}], run="r1")
    host = Host(str(box.root))
    assert hardening_state.collect(host, {})["r1"]["phase"] == "switched"
    box.confirm()
    box.write("etc/x.conf", "y\n")
    box.rollback()
    row = hardening_state.collect(host, {})["r1"]
    assert (row["phase"], row["fired"], len(row["conflicts"])) == ("rolled_back", False, 1)
    assert row["ended"]
    assert {column.name for column in hardening_state.TABLE.columns} == set(row)
    (box.root / "var/lib/ringwall/r1/state.json").write_text("{")
    assert hardening_state.collect(host, {}).state == "partial"
    assert json.dumps(row)

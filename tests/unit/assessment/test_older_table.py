"""A table's meaning changed since it was read: what older versions stored is carried on, judged, recorded, reported.

``fixtures/evidence/older_table`` is a state as version 1 of ``file_walk`` left it. Here version 2 gives permissions as
``bits`` in place of ``mode``.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.spec import Column, Table
from ansible_collections.ringwall.servers.plugins.module_utils.tables import TABLES
from ansible_collections.ringwall.servers.plugins.plugin_utils import assessment
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence import objects, runs, verify
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence.state import open_state
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.build import build_report
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.terminal import summary_text
from ansible_collections.ringwall.servers.plugins.plugin_utils.settings import Settings
from ansible_collections.ringwall.servers.plugins.plugin_utils.store import open_store

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "fixtures" / "evidence" / "older_table"
DEEP, HOST, FIRST, LATER = "file_walk", "web1.example.com", "20260101T000000Z-000001", "2026-01-02T00:00:00Z"
CONTROL = """\
- id: linux.site.open_files
  title: No file is open to everybody
  severity: medium
  rationale: Because.
  require: {query: {table: file_walk, expression: "rows[?bits==`438`]", expected: {empty: true}}}
"""
BENCHMARK = """\
id: site
title: Site
version: "1"
platform: {id: debian}
sections:
  "site.1": {title: No file is open to everybody, level: l1, controls: [linux.site.open_files]}
"""


def _bits(rows):
    return {
        path: {"bits" if name == "mode" else name: value for name, value in row.items()} for path, row in rows.items()
    }


def _spec(**more):
    old = TABLES[DEEP].TABLE
    columns = tuple(Column("bits", "int", "permission bits") if one.name == "mode" else one for one in old.columns)
    return Table(old.name, old.description, old.key, columns, **{"cadence": "deep", "max_age_hours": 200, **more})


@pytest.fixture
def state(tmp_path):
    """The state as the older version left it, without a store."""
    shutil.copytree(GOLDEN, tmp_path / "state")
    for folder, _folders, files in os.walk(tmp_path / "state"):
        os.chmod(folder, 0o700)
        for name in files:
            os.chmod(os.path.join(folder, name), 0o600)
    return open_state(tmp_path / "state")


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "site" / "benchmarks" / "controls" / "linux"
    folder.mkdir(parents=True)
    (folder / "site.yml").write_text(CONTROL)
    (folder.parents[1] / "site.yml").write_text(BENCHMARK)
    return str(tmp_path / "site")


@pytest.fixture
def play(state, site, tmp_path, monkeypatch):
    """Assess and record the host with fast tables only; return (store, content, the host's file, tables asked for)."""
    monkeypatch.setattr(assessment.clock, "now", lambda: LATER)
    stores, asked = [], []

    def gather(tables, options):
        asked.extend(tables)
        host = runs.load_run(state, FIRST).host(HOST)
        read = {name: objects.get(state, host["tables"][name]["digest"]) for name in ("identity", "platform")}
        tables = {name: {key: one[key] for key in ("version", "state", "why", "rows")} for name, one in read.items()}
        return {"taken": LATER, "collector": "0.2.0", "errors": [], "euid": 0, "tables": tables}

    def run():
        store = open_store(None, state)
        stores.append(store)
        assert store.rebuild()["runs"] == 1
        settings = Settings(str(state.path), "", "r2", "default", [site], [], [], str(tmp_path), 5.0)
        options = {"cadence": "auto", "benchmarks": ["site"]}
        begun = assessment.begin(settings, [HOST], options, store.pasts)
        assessment.assess_host(HOST, begun, {"groups": ["web"], "owner": "ops"}, options, gather)
        opened = runs.load_run(state, begun["run"])
        opened.finish()
        assert store.record(begun["run"])["quarantined"] == []
        content = assessment.load_content(settings, state)
        return store, content, runs.load_run(state, begun["run"]).host(HOST), asked

    yield run
    for store in stores:
        store.close()


def test_the_golden_state_is_whole(state):
    assert verify.verify(state, contents=True) == []


def test_what_an_older_version_read_is_judged_recorded_rebuilt_and_reported(state, play, monkeypatch):
    monkeypatch.setattr(TABLES[DEEP], "TABLE", _spec(version=2, upgrades={1: _bits}))
    store, content, file, asked = play()
    assert DEEP not in asked
    assert (file["state"], file["reason"]) == ("assessed", None)
    assert (file["tables"][DEEP]["version"], file["tables"][DEEP]["state"]) == (2, "ok")
    assert [(one["status"], one["control"]) for one in file["findings"]] == [("fail", "linux.site.open_files")]
    finding = store.findings("r2", HOST)[0]
    assert (finding["status"], finding["first_seen"]) == ("fail", "2026-01-01T00:00:00Z"), "the same finding as before"
    before = build_report(store, "r2", content)
    assert store.rebuild() == {"runs": 2, "missing": [], "checkpoint": None}
    report = build_report(store, "r2", content)
    assert json.dumps(report, sort_keys=True) == json.dumps(before, sort_keys=True)
    assert "No file is open to everybody" in summary_text(report)
    assert verify.verify(state, contents=True) == []


@pytest.mark.parametrize(
    ("version", "upgrades", "lost"), [(2, {}, False), (0, {}, False), (1, {}, True)], ids=["no way", "newer", "lost"]
)
def test_what_cannot_be_carried_on_is_unreadable_and_read_again(state, play, monkeypatch, version, upgrades, lost):
    monkeypatch.setattr(TABLES[DEEP], "TABLE", _spec(version=version, upgrades=upgrades))
    if lost:
        digest = runs.load_run(state, FIRST).host(HOST)["tables"][DEEP]["digest"]
        os.unlink(objects.path_of(state, digest))
    store, _content, file, _asked = play()
    assert (file["state"], file["reason"]) == ("assessed", None)
    assert [one["status"] for one in file["findings"]] == ["error"]
    assert "file_walk" in file["findings"][0]["reason"]
    assert file["tables"][DEEP]["state"] == "error"
    last = store.past("default", HOST)
    assert DEEP in assessment.tables_to_read({DEEP}, last, "auto", LATER)


def test_every_older_version_of_a_table_has_its_way_up():
    for name, module in TABLES.items():
        spec = module.TABLE
        assert sorted(spec.upgrades) == list(range(1, spec.version)), name

"""From evidence over a real store to the report and its files."""

from __future__ import annotations

import copy
import json
import pathlib
import types

import jsonschema
import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence.state import open_state
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.build import build_report
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.schema import SCHEMA
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.write import write_reports

pytest.importorskip("sqlalchemy")
CHECK = jsonschema.Draft202012Validator(SCHEMA)
FIRST, SECOND = "20260313T060000Z-000001", "20260314T060000Z-000002"


@pytest.fixture
def recorded(make_report, write_run, tmp_path):
    """Return (store, state, the synthetic report, content): two runs; in the second one finding failed."""
    from ansible_collections.ringwall.servers.plugins.plugin_utils.store import open_store

    now = make_report(hosts=6, sections=40, unseen=2)
    before = copy.deepcopy(now)
    host = next(host for host in before["hosts"] if host["state"] == "assessed")
    host["findings"][0].update(status="pass", disposition=None)
    next(one for one in now["hosts"] if one["name"] == host["name"])["findings"][0].update(
        status="fail", disposition=None
    )
    lost = next(one for one in before["hosts"] if one["state"] == "unreachable")
    lost.update(state="assessed", reason=None, findings=copy.deepcopy(host["findings"]), benchmarks=host["benchmarks"])
    state = open_state(str(tmp_path / "state"))
    store = open_store(None, state)
    for run_id, report, day in ((FIRST, before, 13), (SECOND, now, 14)):
        write_run(state, run_id, report, day)
        assert not store.record(run_id)["quarantined"]
    content = types.SimpleNamespace(
        controls=now["controls"], benchmarks={key: {**value, "fallback": key == "ringwall_linux"}
                                              for key, value in now["benchmarks"].items()})  # fmt: skip
    yield store, state, now, content
    store.close()


def test_the_report_says_what_the_hosts_said(recorded):
    store, _state, wanted, content = recorded
    report = build_report(store, SECOND, content)
    assert [error.message for error in CHECK.iter_errors(report)] == []
    assert [host["name"] for host in report["hosts"]] == [host["name"] for host in wanted["hosts"]]
    for got, put in zip(report["hosts"], wanted["hosts"], strict=True):
        assert (got["state"], got["owner"], got["groups"], got["notes"]) == (
            put["state"], put["owner"], put["groups"], put["notes"])  # fmt: skip
        key = lambda finding: (finding["benchmark"], finding["section"], finding["control"])  # noqa: E731
        for one, other in zip(sorted(got["findings"], key=key), sorted(put["findings"], key=key), strict=True):
            for name in (
                "status",
                "severity",
                "level",
                "expected",
                "actual",
                "evidence",
                "reason",
                "disposition",
                "due",
            ):
                assert one[name] == other[name]
    assert report["totals"]["findings"] == {
        name: sum(finding["status"] == name for host in wanted["hosts"] for finding in host["findings"])
        for name in report["totals"]["findings"]
    }
    assert report["score"]["sentence"].startswith("assessed ")
    assert report["run"]["actor"] == "ada"
    assert [point["run"] for point in report["trend"]] == [FIRST, SECOND]
    said = [{key: one[key] for key in one if key not in ("state", "unused")} for one in report["dispositions"]]
    assert said == wanted["dispositions"]
    assert any("judged by Ringwall Linux" in note for note in report["notes"])


def test_history_and_days_unseen_come_from_the_past(recorded):
    store, _state, wanted, content = recorded
    report = build_report(store, SECOND, content)
    host = next(host for host in report["hosts"] if host["state"] == "assessed")
    put = next(one for one in wanted["hosts"] if one["name"] == host["name"])["findings"][0]
    finding = next(
        one for one in host["findings"] if (one["section"], one["control"]) == (put["section"], put["control"])
    )
    assert [item["status"] for item in finding["history"]] == ["pass", "fail"]
    assert finding["first_seen"] < finding["last_changed"]
    lost = next(host for host in report["hosts"] if host["state"] == "unreachable")
    assert (lost["days_unseen"], lost["findings"]) == (1, [])
    assert lost["reason"]["text"]


def test_the_report_of_an_older_run_stays_as_it_was(recorded):
    store, _state, _wanted, content = recorded
    report = build_report(store, FIRST, content)
    assert [point["run"] for point in report["trend"]] == [FIRST]
    assert report["totals"]["assessed"] == 7
    host = next(host for host in report["hosts"] if host["state"] == "assessed")
    assert {len(finding["history"]) for finding in host["findings"]} == {1}


def test_all_files_are_written_and_latest_names_the_newest(recorded):
    _store, state, wanted, _content = recorded
    settings = types.SimpleNamespace(state=state.path, store=None)
    result = write_reports(settings, SECOND)
    assert set(result["files"]) == {"json", "html", "csv", "frameworks", "junit", "markdown"}
    assert f"Report: {result['files']['html']}" in result["text"]
    reports = pathlib.Path(state.reports)
    assert (reports / "latest" / "report.html").samefile(result["files"]["html"])
    write_reports(settings, FIRST, ["json"])
    assert (reports / "latest").readlink() == pathlib.Path(SECOND)
    report = json.loads((reports / SECOND / "report.json").read_text())
    assert [error.message for error in CHECK.iter_errors(report)] == []
    # The compiled content of this run is not in the cache: said, and ids stand in for titles.
    assert any("not at hand" in note for note in report["notes"])
    assert len(report["hosts"]) == len(wanted["hosts"])

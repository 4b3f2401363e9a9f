"""The filters give what the engine gives, also for what Ansible wraps, and refuse what is no snapshot."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.ringwall.servers.plugins.filter.failed import failed
from ansible_collections.ringwall.servers.plugins.filter.findings import findings
from ansible_collections.ringwall.servers.plugins.filter.score import score
from ansible_collections.ringwall.servers.plugins.module_utils.tables import TABLES
from ansible_collections.ringwall.servers.plugins.plugin_utils.content import compile_content, roots
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture import VOCABULARY, Posture
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.check import check
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.view import Snapshot, TableView


def table(name, rows):
    return {"version": TABLES[name].TABLE.version, "state": "ok", "why": "", "rows": rows}


@pytest.fixture
def snapshot():
    parameter = {"runtime": "1", "persisted": "1", "persisted_where": "/etc/sysctl.conf:1", "settings": []}
    return {
        "schema": "ringwall.snapshot/1",
        "collector": "0.1.0",
        "taken": "2026-03-01T12:00:00Z",
        "euid": 0,
        "root": "/",
        "errors": [],
        "tables": {
            "platform": table("platform", {"host": {"id": "debian", "version_id": "12", "container": None}}),
            "sysctl": table("sysctl", {"net.ipv4.tcp_syncookies": parameter, "net.ipv4.ip_forward": parameter}),
        },
    }


def without_time(found):
    return [{key: value for key, value in item.items() if key != "observed_at"} for item in found]


def test_findings_are_those_of_the_engine(snapshot):
    content = compile_content(roots(), VOCABULARY)
    raw = check(snapshot)
    views = {name: TableView(name, rows=body["rows"]) for name, body in raw["tables"].items()}
    direct = Posture().evaluate(Snapshot(views), {"content": content, "now": "2026-03-01T12:00:00Z"})
    assert without_time(findings(snapshot)) == without_time(direct["findings"])
    by_section = {item["section"]: item["status"] for item in findings(snapshot)}
    assert by_section["3.3.10"] == "pass"
    assert by_section["3.3.1"] == "fail"
    assert by_section["2.1.1"] == "unreadable"


def test_options_reach_the_engine(snapshot):
    found = findings(snapshot, benchmarks=["ringwall_linux"], roles=["router"], owner="ops")
    assert {item["benchmark"] for item in found} == {"ringwall_linux"}
    assert {item["owner"] for item in found} == {"ops"}
    assert {item["section"]: item["status"] for item in found}["sysctl.ip_forward_off"] == "not_applicable"


def test_what_is_no_snapshot_is_refused(snapshot):
    for wrong in ({}, [], {**snapshot, "tables": {"sysctl": 1}}):
        with pytest.raises(AnsibleFilterError, match=r"^findings: "):
            findings(wrong)
    with pytest.raises(AnsibleFilterError, match="unknown parameter"):
        findings(snapshot, parameters={"none": 1})


def finding(section, severity="high", status="fail", disposition=None):
    return {
        "benchmark": "b", "control": "c", "section": section, "severity": severity, "status": status,
        "disposition": disposition,
    }  # fmt: skip


def test_failed_keeps_what_needs_work_worst_first():
    found = [
        finding("1.10"),
        finding("1.9"),
        finding("1.1", "low"),
        finding("1.2", "critical"),
        finding("1.3", status="pass"),
        finding("1.4", status="unreadable"),
        finding("1.5", disposition="D1"),
    ]
    assert [item["section"] for item in failed(found)] == ["1.2", "1.9", "1.10", "1.1"]
    assert [item["section"] for item in failed(found, severity="critical")] == ["1.2"]
    assert [item["section"] for item in failed(found, statuses=["unreadable"])] == ["1.4"]
    assert "1.5" in [item["section"] for item in failed(found, disposed=True)]
    for options in ({"severity": "huge"}, {"statuses": ["failed"]}):
        with pytest.raises(AnsibleFilterError, match=r"^failed: unknown"):
            failed(found, **options)


def test_score_of_one_host_and_of_several(snapshot):
    found = findings(snapshot)
    one = score(found)
    several = score([{"name": "host", "groups": [], "state": "assessed", "findings": found}])
    assert one == several
    assert one["sentence"].startswith("assessed ")
    with pytest.raises(AnsibleFilterError, match=r"^score: expected a list"):
        score({"a": 1})

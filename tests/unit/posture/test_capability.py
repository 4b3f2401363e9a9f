"""Which benchmarks serve a host, what the findings carry, tailoring, dispositions, gaps."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.content import ContentError, Root, compile_content
from ansible_collections.ringwall.servers.plugins.plugin_utils.findings.model import check_finding
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture import VOCABULARY, Posture
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.parameters import check_tailoring, weaker
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.resources import RESOURCES
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.view import Snapshot, TableView

NOW = "2026-03-01T12:00:00Z"
DEBIAN_12 = {"id": "debian", "family": "debian", "version_id": "12", "container": None}
OWN = """\
- id: linux.site.port
  title: One
  severity: low
  rationale: Because.
  require: {sysctl: {kernel.pid_max: {max: {parameter: site_max}}}}
  parameters: {site_max: {default: 10, stricter: lower}}
"""
BENCHMARK = """\
id: site
title: Site
version: "1"
platform: {id: debian}
sections:
  "1": {title: One, level: l1, controls: [linux.site.port], parameters: {site_max: 8}}
  "2": {title: Two, level: l1, controls: [linux.site.port]}
"""


def snapshot(platform=DEBIAN_12, state="ok", **tables):
    views = {
        "platform": TableView("platform", state=state, rows={"host": platform}, observed_at="2026-03-01T11:59:00Z")
    }
    for name, rows in tables.items():
        views[name] = TableView(name, rows=rows, observed_at="2026-03-01T11:58:00Z")
    return Snapshot(views, host="web1")


def evaluate(content, shot, **context):
    return Posture().evaluate(shot, {"content": content, "now": NOW, **context})


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    home = tmp_path_factory.mktemp("site")
    (home / "benchmarks" / "controls" / "linux").mkdir(parents=True)
    (home / "benchmarks" / "controls" / "linux" / "site.yml").write_text(OWN)
    (home / "benchmarks" / "site.yml").write_text(BENCHMARK)
    return compile_content([Root(str(home))], VOCABULARY)


def pid_max(value):
    return {"kernel.pid_max": {"runtime": value, "persisted": value, "persisted_where": "/etc/sysctl.conf:1"}}


def test_the_benchmark_of_the_system_serves(content):
    result = evaluate(content, snapshot())
    assert [entry["id"] for entry in result["benchmarks"]] == ["cis_debian12", "ringwall_servers"]
    assert [entry["fallback"] for entry in result["benchmarks"]] == [False, False]
    assert result["notes"] == []
    for name in ("cis_debian12", "ringwall_servers"):
        sections = {finding["section"] for finding in result["findings"] if finding["benchmark"] == name}
        assert sections == set(content.benchmarks[name]["sections"])
    for finding in result["findings"]:
        check_finding(finding)


def test_another_system_gets_our_own_and_is_told(content):
    result = evaluate(content, snapshot({**DEBIAN_12, "version_id": "11"}))
    assert [(entry["id"], entry["fallback"]) for entry in result["benchmarks"]] == [
        ("ringwall_linux", True),
        ("ringwall_servers", False),
    ]
    assert result["notes"] == ["No benchmark here is made for debian 11: our own serves in its place (ringwall_linux)."]


def test_one_that_serves_beside_others_can_be_asked_for_alone(content):
    result = evaluate(content, snapshot(), benchmarks=["ringwall_servers"])
    assert [(entry["id"], entry["fallback"]) for entry in result["benchmarks"]] == [("ringwall_servers", False)]
    assert result["notes"] == []


def test_a_benchmark_of_another_release_is_refused_by_name(content):
    result = evaluate(content, snapshot({**DEBIAN_12, "version_id": "11"}), benchmarks=["cis_debian12"])
    assert [entry["id"] for entry in result["benchmarks"]] == ["ringwall_linux"]
    assert result["notes"][0] == "cis_debian12 is for debian 12, this is debian 11: it was not used."


def test_a_mistyped_benchmark_is_named(content):
    result = evaluate(content, snapshot(), benchmarks=["cis_debian_12", "ringwall_linux"])
    assert [entry["id"] for entry in result["benchmarks"]] == ["ringwall_linux"]
    assert "did you mean cis_debian12?" in result["notes"][0]


def test_an_unknown_system_gets_our_own(content):
    shot = Snapshot({"platform": TableView("platform", state="denied", why="no")}, host="web1")
    result = evaluate(content, shot)
    assert [entry["id"] for entry in result["benchmarks"]] == ["ringwall_linux", "ringwall_servers"]
    assert "could not be told" in result["notes"][0]


@pytest.mark.parametrize("state", ["partial", "denied", "unsupported", "error"])
def test_nothing_passes_on_tables_that_were_not_read(content, state):
    needed = Posture().needs(content, {})["tables"]
    views = {name: TableView(name, state=state, why="not read") for name in needed}
    machine = {**DEBIAN_12, "virtualization": "none", "kernel": "6.1.0-37-amd64"}
    views["platform"] = TableView("platform", rows={"host": machine}, observed_at=NOW)
    result = evaluate(content, Snapshot(views, host="web1"))
    read = [one for one in result["findings"] if one["control"] != "linux.updates.supported_release"]
    statuses = {finding["status"] for finding in read}
    assert statuses <= {"unreadable", "error", "manual"}
    assert all(finding["reason"] for finding in read)


def test_old_data_never_passes(content):
    good = {"net.ipv4.tcp_syncookies": {"runtime": "1", "persisted": "1", "persisted_where": "/etc/sysctl.conf:1"}}
    views = {
        "platform": TableView("platform", rows={"host": DEBIAN_12}),
        "sysctl": TableView("sysctl", rows=good, stale=True, observed_at="2026-02-01T00:00:00Z"),
    }
    result = evaluate(content, Snapshot(views, host="web1"))
    found = next(item for item in result["findings"] if item["section"] == "3.3.10")
    assert found["status"] == "unreadable"
    assert "too old" in found["reason"]


def test_a_finding_is_as_old_as_its_oldest_fact(site):
    found = evaluate(site, snapshot(sysctl=pid_max("9")))["findings"]
    assert {item["observed_at"] for item in found} == {"2026-03-01T11:58:00Z"}


def test_parameters_default_then_section_then_inventory(site):
    by_section = {item["section"]: item for item in evaluate(site, snapshot(sysctl=pid_max("9")))["findings"]}
    assert (by_section["1"]["status"], by_section["2"]["status"]) == ("fail", "pass")
    result = evaluate(
        site,
        snapshot(sysctl=pid_max("9")),
        parameters={"site_max": 9},
        parameter_origins={"site_max": "group_vars/all.yml:3"},
    )
    by_section = {item["section"]: item for item in result["findings"]}
    assert (by_section["1"]["status"], by_section["2"]["status"]) == ("pass", "pass")
    assert "weaker than the benchmark's 8" in by_section["1"]["reason"]
    tailored = {item["section"]: item for item in result["tailored"]}
    assert tailored["1"]["weaker"] is True
    assert tailored["2"]["weaker"] is False
    assert tailored["1"]["where"] == "group_vars/all.yml:3"


@pytest.mark.parametrize(
    ("stricter", "standard", "value", "less"),
    [
        ("lower", 4, 5, True),
        ("lower", 4, 3, False),
        ("lower", 4, "4", False),
        ("higher", 14, 8, True),
        ("higher", 14, 20, False),
        ("subset", ["a", "b"], ["a"], False),
        ("subset", ["a", "b"], ["a", "c"], True),
        ("superset", ["a"], ["a", "b"], False),
        ("superset", ["a"], ["b"], True),
        ("equal", "x", "y", True),
        ("lower", 4, "many", True),
    ],
)
def test_weaker(stricter, standard, value, less):
    assert weaker(stricter, standard, value) is less


def test_tailoring_is_checked_with_its_place(site):
    with pytest.raises(ContentError, match=r"group_vars/all.yml:3: unknown parameter site_mx; did you mean site_max\?"):
        check_tailoring(site, {"site_mx": 1}, {"site_mx": "group_vars/all.yml:3"})
    with pytest.raises(ContentError, match="site_max is text"):
        check_tailoring(site, {"site_max": "many"})
    check_tailoring(site, {"site_max": "4"})


def test_a_tailored_value_of_another_kind_is_an_error_of_what_uses_it(site):
    found = evaluate(site, snapshot(sysctl=pid_max("9")), parameters={"site_max": "many"})["findings"]
    assert {item["status"] for item in found} == {"error"}
    assert "parameter site_max is text: 'many'" in found[0]["reason"]


def test_a_tailored_parameter_that_no_control_has_is_said(site):
    result = evaluate(site, snapshot(sysctl=pid_max("9")), parameters={"nothing": 1})
    assert result["notes"] == ["ringwall_parameters names nothing, which no control has."]


def test_a_disposition_marks_and_changes_no_status(site):
    disposition = {
        "id": "D1",
        "scope": "default",
        "selector": {"control": "linux.site.port", "section": "1"},
        "hosts": ["web*"],
        "created": "2026-02-01",
        "expires": "2026-04-01",
    }
    result = evaluate(site, snapshot(sysctl=pid_max("9")), dispositions=[disposition])
    marks = {item["section"]: (item["status"], item["disposition"]) for item in result["findings"]}
    assert marks == {"1": ("fail", "D1"), "2": ("pass", None)}
    assert result["dispositions_used"] == ["D1"]
    expired = {**disposition, "expires": "2026-02-20"}
    result = evaluate(site, snapshot(sysctl=pid_max("9")), dispositions=[expired])
    assert all(item["disposition"] is None for item in result["findings"])


def test_our_defect_is_an_error_of_that_control_alone(site, monkeypatch):
    def broken(statement, snapshot):
        raise TypeError("oops")

    monkeypatch.setattr(RESOURCES["sysctl"], "judge", broken)
    found = evaluate(site, snapshot(sysctl=pid_max("9")))["findings"]
    assert {item["status"] for item in found} == {"error"}
    assert "TypeError" in found[0]["reason"]


def test_evidence_of_a_hostile_host_is_bounded(content):
    rows = {
        f"tcp 0.0.0.0:{number}": {"proto": "tcp", "port": 25, "scope": "any", "process": "x" * 4000}
        for number in range(3000)
    }
    result = evaluate(content, snapshot(listeners=rows, packages={}))
    found = next(item for item in result["findings"] if item["section"] == "2.1.21")
    assert found["status"] == "fail"
    assert len(str(found)) < 60_000

"""An old run is judged again by a playbook: no host is visited, the report is of the content of today."""

from __future__ import annotations

import json

import pytest

from lab import plays

FAST = {"ringwall_cadence": "fast"}
CONTROL = """\
- id: linux.site.kernel
  title: The kernel has a name
  severity: low
  rationale: Because.
  require: {query: {table: platform, expression: "rows[0].id", expected: WANTED}}
"""
BENCHMARK = """\
id: site
title: Site
version: "1"
platform: {family: linux}
sections:
  "1": {level: l1, controls: [linux.site.kernel]}
"""


@pytest.fixture
def estate(tmp_path):
    """A host that answers and one that does not, with content beside the inventory; returns (folder, inventory)."""
    inventory = plays.write_inventory(tmp_path, {"a-dead": plays.DEAD, "b-here": plays.HERE})
    content = inventory.parent / "ringwall" / "benchmarks"
    (content / "controls" / "linux").mkdir(parents=True)
    (content / "site.yml").write_text(BENCHMARK)
    return tmp_path, inventory


def says(estate, wanted):
    path = estate[1].parent / "ringwall" / "benchmarks" / "controls" / "linux" / "site.yml"
    path.write_text(CONTROL.replace("WANTED", wanted))


def rejudge(estate, played, **extra):
    folder, inventory = estate
    return plays.play(folder / "again", inventory, "playbooks/rejudge.yml", state=played.state, **extra)


def findings(played):
    return {one["section"]: one for one in played.hosts()["b-here"]["findings"]}


def test_old_runs_are_judged_by_new_content_without_a_visit(estate):
    says(estate, "nothing")
    folder, inventory = estate
    first = plays.play(folder, inventory, ringwall_benchmarks=["site"], **FAST)
    assert first.code == 4
    assert findings(first)["1"]["status"] == "fail"
    read = first.run()
    says(estate, "{absent: false}")
    again = rejudge(estate, first)
    assert again.code == 0, again.output
    assert again.stats == {"ok": ["localhost"], "failures": [], "dark": []}
    run = again.run()
    assert (run["rejudged_from"], run["state"], run["asked"]) == (read["id"], "complete", ["a-dead", "b-here"])
    found = findings(again)["1"]
    assert found["status"] == "pass"
    assert found["observed_at"] < run["started"]
    assert again.hosts()["a-dead"]["state"] == "unreachable"
    assert any(read["id"] in note for note in again.report()["notes"])
    assert len(again.runs()) == 2


def test_a_run_is_judged_by_another_benchmark_of_the_users_choice(estate):
    says(estate, "nothing")
    folder, inventory = estate
    first = plays.play(folder, inventory, **FAST)
    again = rejudge(estate, first, ringwall_rejudge_run=first.run()["id"], ringwall_benchmarks=["azure_linux"])
    assert again.code == 0, again.output
    found = findings(again)
    assert len(found) == 169
    assert {one["benchmark"] for one in found.values()} == {"azure_linux"}
    assert found["EnsureSshPortIsConfigured"]["status"] != "error"
    frameworks = json.loads((again.state / "reports" / "latest" / "report.json").read_text())["frameworks"]
    assert set(frameworks) == {"cci", "hipaa", "nist_800_53", "pci_dss_4", "srg"}


def test_what_cannot_be_judged_is_refused_by_name(estate):
    says(estate, "nothing")
    folder, inventory = estate
    first = plays.play(folder, inventory, **FAST)
    wrong = rejudge(estate, first, ringwall_rejudge_run="20000101T000000Z-000000")
    assert wrong.code == 2
    assert "there is no run 20000101T000000Z-000000" in wrong.output
    wrong = rejudge(estate, first, ringwall_benchmarks=["nothing"])
    assert "there is no benchmark nothing" in wrong.output
    assert len(wrong.runs()) == 1

"""On one and the same snapshot the filters give exactly what an assessment gives.

A machine does not stand still between two readings. So one is taken, and an interpreter that answers with it, whatever
it is asked, takes the host's place for both: the assessment that pipes its collector, and the module of the playbook.
"""

from __future__ import annotations

import json
import re
import subprocess

import pytest
from ansible_collections.ringwall.servers.plugins.filter.needs import needs

from lab import plays, replay

KEY = ("benchmark", "section", "control")
SAME = (*KEY, "level", "status", "severity", "expected", "actual", "evidence", "reason", "owner", "disposition")
TAILORED = re.compile(r"(is tailored to \S+) \([^)]*\)")
OPTIONS = {
    "ringwall_cadence": "fast",
    "ringwall_roles": ["router"],
    "ringwall_owner": "ops",
    "ringwall_parameters": {"sshd_max_auth_tries": 6},
}


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """Variables of a host that always answers with one reading of this machine."""
    return replay.host(tmp_path_factory.mktemp("replay"), replay.reading())


def both(folder, host, **options):
    """What an assessment and the playbook of the filters say of that host."""
    inventory = plays.write_inventory(folder, {"web 1/a": host})
    assessed = plays.play(folder / "assess", inventory, **options)
    assert assessed.code == 0, assessed.output
    filtered = plays.play(folder / "filters", inventory, "playbooks/snapshot.yml", **options)
    assert filtered.code == 0, filtered.output
    file = filtered.state / "snapshots" / "web_1_a.json"
    assert file.stat().st_mode & 0o777 == 0o600
    return assessed, json.loads(file.read_text())


def reduced(findings, fields=SAME):
    """Rows of those fields in one order. Where a value was tailored is known to a play alone, by file and line."""
    return sorted(
        (
            [TAILORED.sub(r"\1", finding[field] or "") if field == "reason" else finding[field] for field in fields]
            for finding in findings
        ),
        key=lambda row: [str(cell) for cell in row[:3]],
    )


@pytest.mark.parametrize(
    "options",
    [OPTIONS, {"ringwall_cadence": "fast", "ringwall_benchmarks": ["ringwall_linux"]}],
    ids=["tailored", "one benchmark"],
)
def test_the_filters_give_what_an_assessment_gives(tmp_path, host, options):
    assessed, filtered = both(tmp_path, host, **options)
    found = assessed.hosts()["web 1/a"]
    assert len(found["findings"]) > 50
    assert {finding["status"] for finding in found["findings"]} >= {"pass", "fail"}
    assert reduced(filtered["findings"]) == reduced(found["findings"])
    wanted = {
        field: assessed.report()["score"][field] for field in ("secure", "weighted", "readable_percent", "sentence")
    }
    assert {field: filtered["score"][field] for field in wanted} == wanted
    failed = [finding for finding in found["findings"] if finding["status"] == "fail" and not finding["disposition"]]
    assert reduced(filtered["failed"], KEY) == reduced(failed, KEY)


def test_the_paths_that_controls_name_are_read(host, tmp_path):
    settings = needs(["cis_debian12"])
    assert "/etc/passwd" in settings["options"]["file_attributes"]["paths"]
    _assessed, filtered = both(tmp_path, host, ringwall_cadence="fast")
    files = [finding for finding in filtered["findings"] if finding["section"].startswith("7.1.")]
    assert any(finding["status"] in ("pass", "fail") for finding in files)


def test_without_needs_a_control_of_files_passes_nowhere(tmp_path):
    script = tmp_path / "bare.yml"
    script.write_text("""
- hosts: all
  gather_facts: false
  tasks:
    - ringwall.servers.snapshot:
      register: result
    - ansible.builtin.assert:
        that: >-
          result.snapshot | ringwall.servers.findings(benchmarks=['cis_debian12'])
          | selectattr('section', 'in', ['7.1.1', '7.1.2', '7.1.5']) | map(attribute='status') | unique == ['unreadable']
""")
    played = plays.play(tmp_path, plays.write_inventory(tmp_path, {"a": plays.HERE}), script)
    assert played.code == 0, played.output


def test_unknown_benchmarks_are_refused_by_name(tmp_path):
    inventory = plays.write_inventory(tmp_path, {"a": plays.HERE})
    played = plays.play(tmp_path, inventory, "playbooks/snapshot.yml", ringwall_benchmarks=["cis_beos"])
    assert played.code == 2
    assert "cis_beos" in played.output
    assert "ringwall_linux" in played.output


def test_check_mode_reads_and_reports(tmp_path):
    inventory = plays.write_inventory(tmp_path, {"a": plays.HERE})
    played = plays.play(tmp_path, inventory, "playbooks/snapshot.yml", cmdline="--check", ringwall_cadence="fast")
    assert played.code == 0, played.output
    assert json.loads((played.state / "snapshots" / "a.json").read_text())["findings"]


def test_the_filters_documentation_is_found():
    shown = subprocess.run(
        [plays.BIN / "ansible-doc", "-t", "filter", "ringwall.servers.needs"],
        cwd=plays.ROOT,
        capture_output=True,
        text=True,
    )
    assert "cadence" in shown.stdout

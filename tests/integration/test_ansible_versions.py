"""The oldest ansible-core that we claim does what the newest does; all other tests run on the newest."""

from __future__ import annotations

import json
import os
import re
import subprocess

import ansible
import pytest
import yaml

from lab import plays
from lab.image import NotHere
from lab.versions import environment

OLDEST, NEWEST = "2.17", "2.19"
FAST = ["-e", "ringwall_cadence=fast"]

pytestmark = [pytest.mark.versions, pytest.mark.xdist_group("versions")]


@pytest.fixture(scope="module")
def oldest():
    """The ``bin`` directory of an environment with the oldest ansible-core."""
    try:
        return environment(OLDEST)
    except NotHere as reason:
        pytest.skip(str(reason))


def run(binaries, folder, playbook, *arguments):
    """Run a playbook of the clone on this machine with that environment; return what subprocess does."""
    interpreter = {**plays.HERE, "ansible_python_interpreter": str(binaries / "python")}
    inventory = plays.write_inventory(folder, {"here": interpreter})
    variables = dict(
        os.environ,
        PATH=f"{binaries}:{os.environ['PATH']}",
        ANSIBLE_CONFIG=str(plays.ROOT / "ansible.cfg"),
        RINGWALL_STATE=str(folder / "state"),
    )
    command = [binaries / "ansible-playbook", "-i", inventory, f"playbooks/{playbook}", *FAST, *arguments]
    return subprocess.run(command, cwd=plays.ROOT, env=variables, capture_output=True, text=True, timeout=180)


def report(folder):
    """The newest report.json."""
    return json.loads((folder / "state" / "reports" / "latest" / "report.json").read_text())


def keys(findings):
    return [(finding["benchmark"], finding["section"], finding["control"]) for finding in findings]


def test_what_we_claim_is_what_runs_here(oldest):
    assert ansible.__version__.startswith(NEWEST)
    shown = subprocess.run([oldest / "ansible", "--version"], capture_output=True, text=True, check=True).stdout
    assert f"core {OLDEST}." in shown
    runtime = yaml.safe_load((plays.ROOT / "meta" / "runtime.yml").read_text())
    assert runtime["requires_ansible"] == f">={OLDEST}.0"
    declared = (plays.ROOT / "pyproject.toml").read_text()
    minor = int(NEWEST.split(".")[1])
    assert f'"ansible-core>={OLDEST},<2.{minor + 1}"' in declared


@pytest.mark.parametrize("transport", ["pipe", "module"])
def test_the_oldest_assesses_as_the_newest_does(tmp_path, oldest, transport):
    found = {}
    for name, binaries in (("old", oldest), ("new", plays.BIN)):
        result = run(binaries, tmp_path / name, "assess.yml", "-e", f"ringwall_transport={transport}")
        assert result.returncode == 0, result.stdout + result.stderr
        assert not re.search(r"DEPRECAT|Traceback", result.stdout + result.stderr), result.stdout + result.stderr
        assert "of 46 points" in result.stdout
        found[name] = report(tmp_path / name)["hosts"][0]
    assert found["old"]["state"] == "assessed"
    assert keys(found["old"]["findings"]) == keys(found["new"]["findings"])
    assert not [finding for finding in found["old"]["findings"] if finding["status"] == "error"]


def test_on_the_oldest_a_second_run_a_refusal_and_wrong_variables_are_what_they_should_be(tmp_path, oldest):
    assert run(oldest, tmp_path, "assess.yml", "--check").returncode == 0
    refused = run(oldest, tmp_path, "assess.yml", "-e", '{"ringwall_fail_on": {"severity": "low"}}')
    assert refused.returncode == 2
    assert "failed:" in refused.stdout
    assert len(report(tmp_path)["trend"]) == 2
    wrong = run(oldest, tmp_path, "assess.yml", "-e", "ringwall_transport=pigeon")
    assert wrong.returncode == 2
    assert "ringwall_transport" in wrong.stdout


def test_on_the_oldest_the_filters_report_without_the_action(tmp_path, oldest):
    result = run(oldest, tmp_path, "snapshot.yml")
    assert result.returncode == 0, result.stdout + result.stderr
    written = json.loads((tmp_path / "state" / "snapshots" / "here.json").read_text())
    assert {finding["status"] for finding in written["findings"]} >= {"pass", "fail"}

"""The Molecule scenarios pass on hosts of the lab, and fail where a host is changed or nothing was assessed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

from lab import hosts as lab_hosts
from lab import plays

SCENARIOS = plays.ROOT / "extensions" / "molecule"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def inventory(engine, tmp_path_factory):
    """Two hosts; their inventory."""
    addresses = {name: engine.start(f"molecule-{name}") for name in ("one", "two")}
    for address in addresses.values():
        lab_hosts.wait(address)
    variables = {name: {"ansible_host": address, "ringwall_cadence": "fast"} for name, address in addresses.items()}
    return lab_hosts.inventory(tmp_path_factory.mktemp("molecule"), variables)


def molecule(folder, inventory, *arguments, cwd=plays.ROOT):
    """Run molecule as a person would; return (code, its output without colours)."""
    environment = dict(
        os.environ,
        PATH=f"{plays.BIN}:{os.environ['PATH']}",
        MOLECULE_EPHEMERAL_DIRECTORY=str(folder / "ephemeral"),
        RINGWALL_MOLECULE_INVENTORY=str(inventory),
        NO_COLOR="1",
        COLUMNS="400",
    )
    environment.pop("ANSIBLE_CONFIG", None)
    result = subprocess.run(["molecule", *arguments], cwd=cwd, env=environment, capture_output=True, text=True)
    return result.returncode, COLOURS.sub("", result.stdout + result.stderr)


def test_every_scenario_is_tested_here():
    assert {path.parent.name for path in SCENARIOS.glob("*/molecule.yml")} == {"assess"}


def test_assess_changes_nothing_and_reports(tmp_path, inventory):
    code, output = molecule(tmp_path, inventory, "test", "-s", "assess")
    assert code == 0, output
    for step in ("syntax", "check", "converge", "idempotence", "verify", "cleanup"):
        assert re.search(rf"{step}: Executed: Successful", output), output[-4000:]
    recaps = re.findall(
        r"^\W*(one|two)\s*: ok=\d+\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", output, re.MULTILINE
    )
    # check, converge, idempotence, verify
    assert sorted(recaps) == sorted((name, "0", "0", "0") for name in ("one", "two") for _step in range(4)), recaps


def test_a_scenario_without_its_hosts_fails(tmp_path):
    code, output = molecule(tmp_path, tmp_path / "none.yml", "test", "-s", "assess")
    assert code != 0
    assert "none.yml" in output


def test_a_play_that_changes_is_found(tmp_path, inventory):
    """The same scenario over a playbook that touches a file each time: the idempotence step is the one that says so."""
    project = tmp_path / "project"
    shutil.copytree(SCENARIOS, project / "extensions" / "molecule")
    for name in ("collections", "galaxy.yml", "inventories"):
        (project / name).symlink_to(plays.ROOT / name)
    (project / "playbooks").mkdir()
    (project / "playbooks" / "assess.yml").write_text(
        "- name: Change\n  hosts: all\n  gather_facts: false\n  tasks:\n    - name: Touch\n"
        "      ansible.builtin.file: {path: /tmp/touched, state: touch, mode: '0600'}\n"
    )
    _code, output = molecule(tmp_path, inventory, "converge", "-s", "assess", cwd=project)
    code, output = molecule(tmp_path, inventory, "idempotence", "-s", "assess", cwd=project)
    assert code != 0
    assert "dempotence test failed" in output, output[-2000:]

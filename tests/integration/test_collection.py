"""The built artefact, installed into an empty collections path, does what the clone does."""

from __future__ import annotations

import os
import subprocess

import pytest

from lab import plays

FAST = {"ringwall_cadence": "fast"}
CONTENT = {
    "benchmarks/controls/linux/own.yml": """\
- id: own.motd_present
  title: The message of the day exists
  severity: low
  rationale: Our house greets its visitors.
  require:
    file:
      /etc/hostname: {state: present}
""",
    "benchmarks/own.yml": """\
id: own
title: Our house rules
version: "1"
platform: {family: linux}
sections:
  "1":
    title: Greeting
    controls: [own.motd_present]
    level: l1
    assessment: automated
""",
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A directory that holds nothing but the installed collection."""
    folder = tmp_path_factory.mktemp("installed")
    built = subprocess.run(
        [plays.BIN / "python", "tools/export.py", "--build"], cwd=plays.ROOT, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    artefact = built.stdout.strip().splitlines()[-1]
    subprocess.run(
        [plays.BIN / "ansible-galaxy", "collection", "install", artefact, "-p", folder / "collections", "--offline"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return folder


def inventory_with_content(folder):
    inventory = plays.write_inventory(folder, {"a": plays.HERE})
    for name, text in CONTENT.items():
        path = inventory.parent / "ringwall" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return inventory


def findings(played):
    return [(f["benchmark"], f["section"], f["control"], f["status"]) for f in played.hosts()["a"]["findings"]]


def test_the_artefact_holds_no_link_and_nothing_of_the_project_alone(installed):
    root = installed / "collections" / "ansible_collections" / "ringwall" / "servers"
    assert not [path for path in root.rglob("*") if path.is_symlink()]
    assert (root / "plugins" / "modules" / "snapshot.py").is_file()
    assert (root / "plugins" / "filter" / "score.py").is_file()
    for name in ("library", "filter_plugins", "collections", "inventories", "ansible.cfg", "tests"):
        assert not (root / name).exists()


def test_the_installed_playbook_gives_the_same_as_the_clone_also_with_a_users_content(installed, tmp_path):
    inventory = inventory_with_content(tmp_path)
    clone = plays.play(tmp_path / "clone", inventory, **FAST)
    environment = dict(
        os.environ, ANSIBLE_COLLECTIONS_PATH=str(installed / "collections"), RINGWALL_STATE=str(tmp_path / "state")
    )
    environment.pop("ANSIBLE_CONFIG", None)
    result = subprocess.run(
        [plays.BIN / "ansible-playbook", "-i", inventory, "-e", "ringwall_cadence=fast", "ringwall.servers.assess"],
        cwd=installed,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    artefact = plays.Played(0, result.stdout, {}, tmp_path / "state", [])
    assert findings(artefact) == findings(clone)
    assert any(benchmark == "own" for benchmark, *_rest in findings(clone))


def test_content_that_is_wrong_is_refused_with_file_line_and_what_was_expected(tmp_path):
    inventory = inventory_with_content(tmp_path)
    own = inventory.parent / "ringwall" / "benchmarks" / "controls" / "linux" / "own.yml"
    own.write_text(own.read_text().replace("severity: low", "severity: grave"))
    played = plays.play(tmp_path, inventory, **FAST)
    assert played.code == 2
    assert "own.yml:3" in played.output
    assert "critical, high, medium, low" in played.output

"""The house stands as README and the design say: links, twins, names, generated documents."""

from __future__ import annotations

import ast
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
FARM = ROOT / "collections" / "ansible_collections" / "ringwall" / "servers"
ENTRIES = ("benchmarks", "detections", "migrations", "galaxy.yml", "meta", "playbooks", "plugins", "roles")


def test_the_link_farm_has_one_relative_link_for_each_wanted_entry_and_no_other():
    assert sorted(os.listdir(FARM)) == sorted(ENTRIES)
    for name in ENTRIES:
        assert os.readlink(FARM / name) == f"../../../../{name}"
        assert (FARM / name).exists()


def test_the_farm_never_leads_back_into_itself():
    for name in ENTRIES:
        assert "collections" not in os.listdir(FARM / name) if (FARM / name).is_dir() else True


@pytest.mark.parametrize(
    ("link", "target"), [("plugins/modules", "../library"), ("plugins/filter", "../filter_plugins")]
)
def test_modules_and_filters_are_found_by_their_full_names(link, target):
    assert os.readlink(ROOT / link) == target


def test_every_action_has_a_documented_twin_and_every_module_documentation():
    actions = {path.stem for path in (ROOT / "plugins" / "action").glob("*.py")}
    modules = {path.stem for path in (ROOT / "library").glob("*.py")}
    assert actions <= modules
    for path in (ROOT / "library").glob("*.py"):
        names = {
            target.id
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.Assign)
            for target in node.targets
        }
        assert {"DOCUMENTATION", "EXAMPLES", "RETURN"} <= names, path


def test_every_role_has_a_contract_and_its_defaults_agree_with_it():
    for path in (ROOT / "roles").iterdir():
        spec = yaml.safe_load((path / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
        defaults = yaml.safe_load((path / "defaults" / "main.yml").read_text())
        assert set(defaults) <= set(spec), path
        for name, value in defaults.items():
            if value is not None:
                assert spec[name].get("default") == value, f"{path.name}: {name}"


def test_playbooks_only_call_roles():
    for path in (ROOT / "playbooks").glob("*.yml"):
        for play in yaml.safe_load(path.read_text()):
            for task in play.get("tasks", []):
                assert {"ansible.builtin.import_role", "ansible.builtin.include_role"} & set(
                    task
                ) or path.stem == "snapshot", path


def test_the_changelog_goes_by_fragments():
    for path in (ROOT / "changelogs" / "fragments").glob("*.yml"):
        sections = yaml.safe_load(path.read_text())
        assert sections, path
        assert set(sections) <= {
            "major_changes",
            "minor_changes",
            "breaking_changes",
            "deprecated_features",
            "removed_features",
            "security_fixes",
            "bugfixes",
            "known_issues",
            "trivial",
            "release_summary",
        }


def test_dependencies_are_declared_once_and_exported():
    declared = re.search(
        r"^dependencies = \[(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.MULTILINE | re.DOTALL
    ).group(1)
    wanted = [line.strip().strip('",') for line in declared.strip().splitlines()]
    exported = [
        line
        for line in (ROOT / "meta" / "ee-requirements.txt").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert exported == [line for line in wanted if not line.startswith("ansible-core")]
    locked = (ROOT / "requirements" / "base.txt").read_text()
    for line in wanted:
        name = re.match(r"[a-z0-9-]+", line).group(0)
        assert re.search(rf"^{name}==", locked, re.MULTILINE), f"{name} is not locked: run tools/lock.sh"


def test_nothing_names_a_registry_or_this_workplace():
    for folder in ("requirements", "tools", ".ci", "docs", "roles", "playbooks"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix in (".txt", ".sh", ".py", ".md", ".yml"):
                assert not re.search(r"--index-url|extra-index|/work/|\.library", path.read_text(encoding="utf-8")), (
                    path
                )


def test_the_map_of_verbs_names_every_playbook_and_its_role():
    text = (ROOT / "docs" / "README.md").read_text()
    for path in (ROOT / "playbooks").glob("*.yml"):
        line = next((line for line in text.splitlines() if f"`playbooks/{path.name}`" in line), None)
        assert line, f"{path.name} is not in docs/README.md"
        roles = re.findall(r"ringwall\.servers\.(\w+)\n", path.read_text())
        called = {role for role in roles if (ROOT / "roles" / role).is_dir()}
        assert all(f"roles/{role}/" in line for role in called), line


def test_links_between_documents_lead_somewhere():
    for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        assert "@@" not in path.read_text(), f"{path.name} holds a mark that nobody filled"
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_content_beside_an_inventory_is_not_read_as_inventory(tmp_path):
    (tmp_path / "hosts.yml").write_text("all: {hosts: {web1: }}\n")
    (tmp_path / "ringwall" / "benchmarks").mkdir(parents=True)
    (tmp_path / "ringwall" / "benchmarks" / "ours.yml").write_text("id: ours\nsections: {hosts: {stray: }}\n")
    listed = subprocess.run(
        [os.path.join(os.path.dirname(sys.executable), "ansible-inventory"), "-i", str(tmp_path), "--list"],
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "WARNING" not in listed.stderr
    assert set(json.loads(listed.stdout)) == {"_meta", "all", "ungrouped"}

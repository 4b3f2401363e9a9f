from __future__ import annotations

import pathlib

import pytest
import yaml
from ansible_collections.ringwall.servers.plugins.plugin_utils.content import compile_content, roots
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture import VOCABULARY
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.judge import judge_control
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.view import Snapshot, TableView
from unit.posture.file_hosts import expand
from unit.posture.hardened_host import cases as hardened_cases
from unit.posture.raw_cases import unfold, with_files

FIXTURES = pathlib.Path(__file__).parents[2] / "fixtures" / "posture"
PLATFORM = {"id": "debian", "family": "debian", "version_id": "12", "architecture": "x86_64", "container": None}
NOW = "2026-03-01T12:00:00Z"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_cases():
    found = []
    for path in sorted(FIXTURES.glob("*/*.yml")):
        for number, case in enumerate(yaml.load(path.read_text(encoding="utf-8"), LOADER) or []):
            found += [{**one, "file": path.name, "number": number} for one in unfold(expand(case))]
    return found


def snapshot_of(case):
    states = case.get("states") or {}
    tables = {"platform": {"host": {**PLATFORM, **(case.get("platform") or {})}}, **case["tables"]}
    views = {
        name: TableView(name, state=states.get(name, "ok"), rows=rows or {}, observed_at=case.get("now", NOW))
        for name, rows in tables.items()
    }
    if states.get("platform", "ok") != "ok":
        views["platform"] = TableView("platform", state=states["platform"])
    return Snapshot(views, host="web1")


def judge(content, case, control=None):
    control = control or content.controls[case["control"]]
    values = {name: content.parameters[name]["default"] for name in control["parameters"]}
    values.update(case.get("parameters") or {})
    context = {"content": content, "roles": case.get("roles") or []}
    return judge_control(control, values, snapshot_of(with_files(case, control["paths"])), context)


@pytest.fixture(scope="session")
def content():
    return compile_content(roots(), VOCABULARY)


@pytest.fixture(scope="session")
def cases(content):
    return read_cases() + hardened_cases(content.controls)


@pytest.fixture(scope="session")
def judge_case():
    return judge


@pytest.fixture(scope="session")
def make_snapshot():
    return snapshot_of


def pytest_generate_tests(metafunc):
    if "case" in metafunc.fixturenames:
        found = read_cases()
        names = [f"{case['control']}: {case['case']}" for case in found]
        metafunc.parametrize("case", found, ids=names)

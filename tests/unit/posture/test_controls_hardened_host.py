"""Controls of sshd, audit and account files against one hardened host, and against it with one thing changed.

The host is given as its own files and outputs; what each change must break was decided by hand.
"""

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils import posture
from ansible_collections.ringwall.servers.plugins.plugin_utils.content import compile_content, roots
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.judge import judge_control
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.view import Snapshot, TableView
from unit.posture.hardened_host import HardenedHost, changed, covered, deviations

DEVIATIONS = deviations()


@pytest.fixture(scope="module")
def compiled():
    return compile_content(roots(), posture.VOCABULARY)


@pytest.fixture(scope="module")
def controls(compiled):
    return covered(compiled.controls)


def judged(host, controls, compiled, change):
    paths = {path for body in controls.values() for path in body["paths"]}
    view = Snapshot({name: TableView(name, rows=rows) for name, rows in host.tables(sorted(paths)).items()})
    verdicts = {}
    for name, body in controls.items():
        values = {one: compiled.parameters[one]["default"] for one in body["parameters"]} | change.get("parameters", {})
        verdicts[name] = judge_control(body, values, view, {"roles": change.get("roles", []), "host": {}})
    return verdicts


def test_the_hardened_host_passes_every_control(controls, compiled):
    verdicts = judged(HardenedHost(), controls, compiled, {})
    assert {name: (v.status, v.actual, v.reason) for name, v in verdicts.items() if v.status != "pass"} == {}
    assert all(verdict.evidence for verdict in verdicts.values())


@pytest.mark.parametrize("change", DEVIATIONS, ids=lambda one: one["control"].removeprefix("linux."))
def test_one_change_breaks_exactly_the_controls_that_are_about_it(change, controls, compiled):
    verdicts = judged(changed(change), controls, compiled, change)
    wrong = {name for name, v in verdicts.items() if v.status != "pass"}
    if change["status"] == "pass":
        assert change["control"] not in wrong
    else:
        assert wrong == set(change["fails"])
    verdict = verdicts[change["control"]]
    assert verdict.status == change["status"], verdict
    assert verdict.evidence or verdict.reason


def test_every_control_of_these_themes_has_a_case_in_which_it_fails(controls):
    assert set(controls) == {change["control"] for change in DEVIATIONS if change["status"] == "fail"}
    assert len(controls) >= 72

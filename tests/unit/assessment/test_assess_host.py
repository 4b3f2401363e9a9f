"""One host's part of a run, without Ansible: what is read, what the past lends, what every failure becomes."""

from __future__ import annotations

import json
import os

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.collect import collect
from ansible_collections.ringwall.servers.plugins.module_utils.tables import TABLES
from ansible_collections.ringwall.servers.plugins.plugin_utils import assessment
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence import objects, past, runs
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence.state import open_state
from ansible_collections.ringwall.servers.plugins.plugin_utils.settings import Settings
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.limits import HostFailure

AT = "2026-03-01T12:00:00Z"
OPTIONS = {"cadence": "fast"}
DEEP = "file_walk"


@pytest.fixture
def begun(tmp_path):
    """What ``begin`` returned for one host without a past."""
    settings = Settings(str(tmp_path / "state"), "sqlite://", None, "default", [], [], [], str(tmp_path), 5.0)
    return assessment.begin(settings, ["web1"], {"cadence": "fast", "benchmarks": None}, lambda scope, hosts: {})


@pytest.fixture(scope="module")
def real():
    """A real snapshot of a few tables of the machine that runs the tests."""
    return json.loads(collect({"tables": ["identity", "platform", "sysctl", "packages"], "nice": 0}))


def assess(begun, gather, **options):
    summary = assessment.assess_host("web1", begun, {"groups": ["web"]}, {**OPTIONS, **options}, gather)
    state = open_state(begun["state"])
    return summary, runs.load_run(state, begun["run"]).host("web1")


def test_an_assessed_host_has_findings_tables_and_a_small_summary(begun, real):
    summary, file = assess(begun, lambda tables, options: real)
    assert file["state"] == summary["state"] == "assessed"
    assert file["findings"]
    assert file["tables"]["sysctl"]["digest"]
    assert file["identity"]["boot_id"] == real["tables"]["identity"]["rows"]["host"]["boot_id"]
    assert abs(file["clock_skew_s"]) < 3600
    assert len(json.dumps(summary)) < 2048


def test_fast_tables_are_always_asked_for_and_deep_ones_only_when_due(begun):
    wanted = set(begun["tables"])
    fast = {name for name, module in TABLES.items() if module.TABLE.cadence == "fast"}
    assert DEEP in wanted
    spec = TABLES[DEEP].TABLE

    def due(cadence, last=None):
        before = {"tables": {DEEP: last}} if last else {}
        reading = assessment.tables_to_read(wanted, before, cadence, AT)
        assert fast <= reading
        return DEEP in reading

    young = {"state": "ok", "digest": "x", "observed_at": "2026-03-01T11:00:00Z"}
    old = dict(young, observed_at="2020-01-01T00:00:00Z")
    assert due("auto")
    assert due("deep", young)
    assert not due("fast")
    assert not due("fast", old)
    assert not due("auto", young)
    assert due("auto", old)
    assert due("auto", dict(young, state="partial"))
    assert spec.max_age_hours > 2


@pytest.mark.parametrize(("observed", "stale"), [("2026-03-01T11:00:00Z", False), ("2020-01-01T00:00:00Z", True)])
def test_a_deep_table_of_the_past_is_judged_with_its_age_and_never_passes_when_stale(begun, observed, stale):
    state = open_state(begun["state"])
    table = {"version": TABLES[DEEP].TABLE.version, "state": "ok", "why": "", "rows": {}}
    digest = objects.put(state, table, assessment.VOLATILE[DEEP])
    before = {"tables": {DEEP: {"state": "ok", "digest": digest, "observed_at": observed, "version": table["version"]}}}
    raw = {"tables": {}, "taken": AT}
    view = assessment.snapshot_of(raw, state, before, {DEEP}, AT, "web1").table(DEEP)
    assert view.observed_at == observed
    assert (view.gap() is not None) == stale


def fails_with(error):
    def gather(tables, options):
        raise error

    return gather


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        (HostFailure("become", "no sudo", "allow it"), "failed", "become"),
        (HostFailure("unreachable", "refused", state="unreachable"), "unreachable", "unreachable"),
        (MemoryError(), "failed", "too_large"),
        (RuntimeError("{{ evil }}"), "failed", "defect"),
        (RecursionError(), "failed", "defect"),
    ],
)
def test_every_failure_becomes_a_file_with_its_reason_and_no_exception(begun, error, state, code):
    summary, file = assess(begun, fails_with(error))
    assert (file["state"], file["reason"]["code"]) == (state, code)
    assert summary["reason"] == file["reason"]
    assert file["findings"] == []


def test_hosts_that_left_the_play_are_written_as_not_assessed_and_others_are_waited_for(begun):
    state = open_state(begun["state"])
    run = runs.load_run(state, begun["run"])
    assert assessment.not_assessed(run, ["web1", "web2"], {"web2"}) == ["web2"]
    assert run.host("web1")["reason"]["code"] == "not_assessed"
    assert run.host("web2") is None


def test_what_the_past_lent_is_gone_when_the_run_is_sealed(begun):
    state = open_state(begun["state"])
    run = runs.load_run(state, begun["run"])
    past.write(run, {"web1": {"tables": {}}, "web2": {"tables": {}}})
    assert past.read(run, "web1") == {"tables": {}}
    past.forget(run, ["web1"])
    assert past.read(run, "web1") == {}
    assert past.read(run, "web2") == {"tables": {}}
    past.forget(run, ["web2"])
    assert not os.path.exists(os.path.join(run.path, "past"))


def test_a_benchmark_that_there_is_not_is_refused_with_the_near_one(begun, real):
    _summary, file = assess(begun, lambda tables, options: real, benchmarks=["cis_debian122"])
    assert (file["state"], file["reason"]["code"]) == ("failed", "no_benchmark")
    assert "cis_debian12?" in file["reason"]["fix"]


def test_a_second_play_of_the_same_process_is_another_run_and_a_second_batch_is_not(begun):
    state = open_state(begun["state"])
    assert begun["run"] == assessment.RUN_ID
    assert assessment.run_id(state) == assessment.RUN_ID
    runs.load_run(state, begun["run"]).finish()
    second = assessment.run_id(state)
    assert second == f"{assessment.RUN_ID}.2"
    runs.open_run(state, second, {"scope": "default"})
    assert assessment.run_id(state) == second

"""Which packages a rollback takes away and brings back, also of a run that was ended half-way."""

from __future__ import annotations

import types

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.assessment import hardening
from ansible_collections.ringwall.servers.plugins.plugin_utils.changes import undoing
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence.state import open_state

PLAN = {"packages": {"install": ["aide"], "remove": ["telnet"], "controls": {"aide": ["a"], "telnet": ["t"]}}}


@pytest.fixture
def state(tmp_path, monkeypatch):
    snapshot = types.SimpleNamespace(row=lambda table, key: {"family": "debian"})
    monkeypatch.setattr(hardening, "read_plan", lambda state, run, host: PLAN)
    monkeypatch.setattr(hardening, "snapshot_of_run", lambda state, run, host: (snapshot, {}))
    monkeypatch.setattr(hardening.runs, "load_run", lambda state, run: run)
    return open_state(str(tmp_path / "state"))


def test_a_run_that_was_ended_half_way_gives_back_what_its_plan_names(state):
    assert hardening.packages_of(state, "r", "h")["remove"] == []  # a plan that was only looked at
    undoing.entry(state, "harden", "r", "h")
    found = hardening.packages_of(state, "r", "h")
    assert (found["remove"], found["install"], found["family"]) == (["aide"], ["telnet"], "debian")
    assert hardening.packages_of(state, "r", "h", ["t"])["remove"] == []


def test_what_really_came_counts_where_the_run_could_say_it_and_kernels_stay(state):
    undoing.entry(state, "harden", "r", "h")
    came = ["aide", "libmhash2", "linux-image-6.1.0-30-amd64", "kernel-core"]
    undoing.entry(state, "hardened", "r", "h", installed=came, removed=[], family="debian")
    found = hardening.packages_of(state, "r", "h")
    assert (found["remove"], found["install"]) == (["aide", "libmhash2"], [])

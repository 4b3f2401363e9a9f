"""The store is kept by playbooks: what they say is what happened."""

from __future__ import annotations

import pytest

from lab import plays

FAST = {"ringwall_cadence": "fast"}


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """A state directory with two runs of one host."""
    folder = tmp_path_factory.mktemp("verbs")
    inventory = plays.write_inventory(folder, {"a": plays.HERE})
    for _run in range(2):
        played = plays.play(folder, inventory, **FAST)
    return folder, inventory, played


def verb(state, name, folder, **extra):
    _folder, inventory, played = state
    return plays.play(folder, inventory, f"playbooks/store_{name}.yml", state=played.state, **extra)


def result(played, action="ringwall.servers.store"):
    return next(
        event["event_data"]["res"]
        for event in played.events
        if event["event"] in ("runner_on_ok", "runner_on_failed") and event["event_data"]["task_action"] == action
    )


def test_evidence_verifies_until_one_byte_changes(state, tmp_path):
    played = verb(state, "verify", tmp_path)
    assert played.code == 0
    assert result(played)["problems"] == []
    path = next((state[2].runs()[0] / "hosts").glob("*.gz"))
    good = path.read_bytes()
    try:
        path.write_bytes(good[:-9] + bytes([good[-9] ^ 1]) + good[-8:])
        broken = verb(state, "verify", tmp_path / "broken")
        assert broken.code == 2
        assert state[2].runs()[0].name in result(broken)["msg"]
    finally:
        path.write_bytes(good)


def test_rebuilding_gives_the_same_report(state, tmp_path):
    played = verb(state, "rebuild", tmp_path)
    assert played.code == 0
    assert result(played)["result"]["runs"] >= 2
    assert result(played)["result"]["missing"] == []


def test_pruning_keeps_the_newest_and_check_mode_changes_nothing(state, tmp_path):
    before = [path.name for path in state[2].runs()]
    assert (
        verb(state, "prune", tmp_path, cmdline="--check", ringwall_store_keep_runs=1, ringwall_store_keep_days=0).code
        == 0
    )
    assert [path.name for path in state[2].runs()] == before
    assert verb(state, "prune", tmp_path / "b", ringwall_store_keep_runs=1, ringwall_store_keep_days=365).code == 0
    assert [path.name for path in state[2].runs()] == before


def test_a_hold_needs_a_reason_and_a_run_that_is_there(state, tmp_path):
    run = state[2].runs()[0].name
    assert verb(state, "hold", tmp_path, ringwall_store_subject=run).code == 2
    assert (
        verb(
            state, "hold", tmp_path / "b", ringwall_store_subject="20000101T000000Z-000000", ringwall_store_reason="x"
        ).code
        == 2
    )
    held = verb(state, "hold", tmp_path / "c", ringwall_store_subject=run, ringwall_store_reason="audit")
    assert held.code == 0
    assert result(held)["result"]["actor"]["name"]


def test_an_unknown_host_cannot_be_retired(state, tmp_path):
    wrong = verb(state, "retire", tmp_path, ringwall_store_subject="nobody", ringwall_store_reason="gone")
    assert wrong.code == 2
    assert "nobody" in result(wrong)["msg"]
    assert verb(state, "retire", tmp_path / "b", ringwall_store_subject="a", ringwall_store_reason="gone").code == 0

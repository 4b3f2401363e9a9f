"""Whatever happens to hosts and workers, the run is recorded, reported, and ends with the code people expect."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from lab import plays

FAST = {"ringwall_cadence": "fast"}


@pytest.fixture
def fleet(tmp_path):
    """An inventory with three hosts that answer and, first by name, one that does not."""
    hosts = {"a-dead": plays.DEAD, "b-here": plays.HERE, "c-here": plays.HERE, "d-here": plays.HERE}
    return plays.write_inventory(tmp_path, hosts, groups={"web": ["b-here", "c-here"]})


def states(played):
    return {name: host["state"] for name, host in played.hosts().items()}


def test_one_dead_host_first_in_line_costs_the_others_nothing(tmp_path, fleet):
    played = plays.play(tmp_path, fleet, **FAST)
    assert played.code == 4
    assert played.stats == {"ok": ["a-dead", "b-here", "c-here", "d-here"], "failures": [], "dark": ["a-dead"]}
    assert states(played) == {"a-dead": "unreachable", "b-here": "assessed", "c-here": "assessed", "d-here": "assessed"}
    dead = played.hosts()["a-dead"]
    assert dead["reason"]["code"] == "unreachable"
    assert dead["reason"]["fix"]
    run = played.run()
    assert run["state"] == "complete"
    assert (run["assessed"], len(run["not_assessed"])) == (3, 1)


def test_all_dead_is_recorded_and_reported(tmp_path):
    inventory = plays.write_inventory(tmp_path, {"a": plays.DEAD, "b": plays.DEAD})
    played = plays.play(tmp_path, inventory, **FAST)
    assert played.code == 4
    assert set(states(played).values()) == {"unreachable"}
    assert played.run()["state"] == "complete"
    assert played.report()["score"]["hosts_unseen"] == 2


def test_all_well_ends_with_zero(tmp_path):
    inventory = plays.write_inventory(tmp_path, {"a": plays.HERE})
    played = plays.play(tmp_path, inventory, **FAST)
    assert played.code == 0
    assert played.stats["failures"] == played.stats["dark"] == []


def test_serial_batches_share_one_run(tmp_path, fleet):
    playbook = tmp_path / "serial.yml"
    playbook.write_text(
        (plays.ROOT / "playbooks" / "assess.yml")
        .read_text()
        .replace("gather_facts: false", "gather_facts: false\n  serial: 2")
    )
    played = plays.play(tmp_path, fleet, playbook, **FAST)
    assert len(played.runs()) == 1
    assert len(states(played)) == 4
    assert played.run()["state"] == "complete"
    assert played.code == 4


def test_max_fail_percentage_stops_the_play_and_loses_nothing(tmp_path, fleet):
    playbook = tmp_path / "strict.yml"
    playbook.write_text(
        (plays.ROOT / "playbooks" / "assess.yml")
        .read_text()
        .replace("gather_facts: false", "gather_facts: false\n  max_fail_percentage: 0")
    )
    played = plays.play(tmp_path, fleet, playbook, **FAST)
    assert states(played) == {"a-dead": "unreachable", "b-here": "assessed", "c-here": "assessed", "d-here": "assessed"}
    assert played.run()["state"] == "complete"


def test_another_strategy_in_the_configuration_changes_nothing(tmp_path, fleet):
    played = plays.play(tmp_path, fleet, environment={"ANSIBLE_STRATEGY": "free"}, **FAST)
    assert len(played.runs()) == 1
    assert (
        sum(
            1
            for event in played.events
            if event["event"] == "runner_on_ok" and event["event_data"]["task_action"].endswith("record")
        )
        == 1
    )
    assert len(states(played)) == 4


def test_limit_assesses_the_named_and_keeps_the_others(tmp_path, fleet):
    plays.play(tmp_path, fleet, **FAST)
    played = plays.play(tmp_path, fleet, limit="b-here", **FAST)
    assert played.code == 0
    assert played.run()["asked"] == ["b-here"]
    assert states(played)["b-here"] == "assessed"


def test_check_mode_assesses_and_records_as_always(tmp_path):
    inventory = plays.write_inventory(tmp_path, {"a": plays.HERE})
    played = plays.play(tmp_path, inventory, cmdline="--check", **FAST)
    assert played.code == 0
    assert played.hosts()["a"]["findings"]


def test_a_host_whose_variables_do_not_work_out_is_failed_by_name(tmp_path):
    broken = dict(plays.HERE, ringwall_parameters="{{ not_defined_anywhere }}")
    played = plays.play(tmp_path, plays.write_inventory(tmp_path, {"a": plays.HERE, "b": broken}), **FAST)
    assert played.code == 2
    assert states(played) == {"a": "assessed", "b": "failed"}
    assert played.hosts()["b"]["reason"]["code"] == "not_assessed"


def test_fail_on_refuses_hosts_and_says_why(tmp_path):
    inventory = plays.write_inventory(tmp_path, {"a": plays.HERE})
    played = plays.play(tmp_path, inventory, ringwall_fail_on={"severity": "low"}, **FAST)
    assert played.code == 2
    assert "failed:" in played.output
    assert states(played) == {"a": "assessed"}
    assert plays.play(tmp_path, inventory, ringwall_fail_on={"score": 101}, **FAST).code == 2
    assert plays.play(tmp_path, inventory, ringwall_fail_on={"score": 0}, **FAST).code == 0


def test_wrong_variables_are_answered_before_any_host_is_touched(tmp_path):
    inventory = plays.write_inventory(tmp_path, {"a": plays.HERE})
    played = plays.play(tmp_path, inventory, ringwall_cadence="sometimes")
    assert played.code == 2
    assert "ringwall_cadence" in played.output
    assert "auto" in played.output
    played = plays.play(tmp_path, inventory, ringwall_cadense="fast", **FAST)
    assert "did you mean ringwall_cadence" in played.output


def test_state_never_comes_from_a_host(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    inventory = plays.write_inventory(
        tmp_path, {"a": dict(plays.HERE, ringwall_state=str(elsewhere))}, variables={"ringwall_state": str(elsewhere)}
    )
    played = plays.play(tmp_path, inventory, **FAST)
    assert not elsewhere.exists()
    assert played.hosts()["a"]["state"] == "assessed"


def test_a_killed_worker_leaves_a_run_that_the_next_one_records_as_interrupted(tmp_path):
    inventory = plays.write_inventory(
        tmp_path, {"a": plays.HERE, "b": dict(plays.HERE, ansible_python_interpreter=str(tmp_path / "slow"))}
    )
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\necho $$ >>" + str(tmp_path / "pids") + "\nexec sleep 60\n")
    slow.chmod(0o755)
    environment = dict(
        os.environ, ANSIBLE_CONFIG=str(plays.ROOT / "ansible.cfg"), RINGWALL_STATE=str(tmp_path / "state")
    )
    process = subprocess.Popen(
        [plays.BIN / "ansible-playbook", "-i", inventory, "playbooks/assess.yml", "-e", "ringwall_cadence=fast"],
        cwd=plays.ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    sleeping = wait_for(lambda: (tmp_path / "pids").read_text().split(), 30)
    wait_for(lambda: list((tmp_path / "state" / "runs").glob("*/hosts/*.json.gz")), 30)
    worker = worker_of(int(sleeping[0]), process.pid)
    os.kill(worker, signal.SIGKILL)
    os.kill(int(sleeping[0]), signal.SIGKILL)
    output, _none = process.communicate(timeout=60)
    assert process.returncode != 0, output
    played = plays.play(tmp_path, inventory, limit="a", **FAST)
    first = json.loads((played.runs()[0] / "run.json").read_text())
    assert first["state"] == "interrupted"
    assert first["assessed"] == 1
    assert played.run()["state"] == "complete"


def wait_for(answer, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            found = answer()
            if found:
                return found
        except OSError:
            pass
        time.sleep(0.05)
    raise TimeoutError


def worker_of(pid, main):
    """The ancestor of ``pid`` that is a child of the play's main process."""
    while True:
        parent = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
        if parent == main:
            return pid
        pid = parent


def test_the_two_transports_bring_the_same(tmp_path):
    inventory = plays.write_inventory(tmp_path, {"a": dict(plays.HERE, ansible_python_interpreter=sys.executable)})
    piped = plays.play(tmp_path, inventory, ringwall_transport="pipe", **FAST).hosts()["a"]["findings"]
    by_module = plays.play(tmp_path, inventory, ringwall_transport="module", **FAST).hosts()["a"]["findings"]
    key = ("benchmark", "section", "control", "status")
    assert [tuple(f[k] for k in key) for f in piped] == [tuple(f[k] for k in key) for f in by_module]

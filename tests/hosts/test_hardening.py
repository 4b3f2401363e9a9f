"""A server hardened as a user would: plan, harden, harden again, roll back; what is held; waves that stop."""

from __future__ import annotations

import json
import pathlib
import re

import pytest
import yaml

from lab import hosts as lab_hosts
from lab import plays

HELD = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "hardening" / "held.yml"
FAST = {"ringwall_cadence": "fast"}
ETC = r"""
cd /
find etc -type f ! -name '*-' ! -path etc/ld.so.cache -print0 | sort -z | xargs -0 sha256sum
find etc ! -name '*-' ! -path etc/ld.so.cache -printf '%p %m %U %G %l\n' | sort
"""
"""Backups that passwd's own tools keep (passwd-, shadow-, ...) and the linker's cache are written by every package."""
LOGS = "touch /var/log/dpkg.log /var/log/alternatives.log; chmod 640 /var/log/dpkg.log /var/log/alternatives.log"
"""The lab's image has no logs yet: the first package would make them, after the plan."""
RESTARTS = "linux.updates.restarts"
"""Programs that still use what packages took away: true only after the change, and not undone by undoing it."""
MOST_TASKS = 40
MOST_HELD = 10


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@pytest.fixture(scope="module")
def story(engine, tmp_path_factory):
    """One host: checked, hardened, hardened again, rolled back; what each step left."""
    folder = tmp_path_factory.mktemp("hardening")
    address = engine.start("hard")
    lab_hosts.wait(address)
    engine.shell("hard", LOGS)
    inventory = lab_hosts.inventory(folder, {"hard": {"ansible_host": address}})
    found = {"engine": engine, "folder": folder, "inventory": inventory, "etc": [engine.shell("hard", ETC)]}

    def play(name, playbook, **extra):
        found[name] = plays.play(folder, inventory, playbook, **FAST, **extra)
        found["etc"].append(engine.shell("hard", ETC))

    play("check", "playbooks/harden.yml", cmdline="--check --diff")
    play("harden", "playbooks/harden.yml")
    play("again", "playbooks/harden.yml")
    run = next(path.name for path in found["harden"].runs() if path.name.endswith(".verify")).removesuffix(".verify")
    found["run"] = run
    play("rollback", "playbooks/rollback.yml", ringwall_rollback_run=run)
    return found


def plan_of(story, number):
    """The plan that the run with that number (in the order of starting) saved."""
    runs = [path for path in story["harden"].runs() if (path / "plans" / "hard.json").exists()]
    return json.loads((runs[number] / "plans" / "hard.json").read_text())


def findings(story, run):
    from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence import runs
    from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence.state import open_state

    host = runs.load_run(open_state(str(story["harden"].state)), run).host("hard")
    return {(one["benchmark"], one["section"], one["control"]): one["status"] for one in host["findings"]}


def ledger(story):
    path = story["harden"].state / "ledger" / "hardening.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_check_changes_nothing_and_prints_the_plan_that_is_carried_out(story):
    assert story["check"].code == 0, story["check"].output[-3000:]
    assert story["etc"][0] == story["etc"][1]
    checked, hardened = plan_of(story, 0), plan_of(story, 1)
    assert checked["digest"] == hardened["digest"]
    assert checked == hardened
    output = plain(story["check"].output)
    assert f"plan {checked['digest']}" in output
    assert "/etc/login.defs" in output
    checked_run = story["harden"].runs()[0].name
    assert not [line for line in ledger(story) if line["run"] == checked_run]


def test_hardening_fixes_what_it_planned_and_says_the_rest(story):
    assert story["harden"].code == 0, plain(story["harden"].output)[-3000:]
    before, after = findings(story, story["run"]), findings(story, f"{story['run']}.verify")
    ended = next(line for line in ledger(story) if line["run"] == story["run"] and line["action"] == "hardened")
    wanted = set(ended["changed_controls"])
    assert len(wanted) > 40
    still = {key[2] for key in after if key[2] in wanted and after[key] == "fail"}
    later = {
        name for item in plan_of(story, 1)["left"] if "after the change" in item["reason"] for name in item["controls"]
    }
    assert still == later == {"linux.aide.database"}
    assert not ended["broken"]
    assert not [key for key in before if before[key] == "pass" and after.get(key) == "fail"]


def test_the_ledger_knows_of_it_before_and_after(story):
    lines = [line for line in ledger(story) if line["run"] == story["run"]]
    assert [line["action"] for line in lines] == ["harden", "hardened", "rollback", "rolled_back"]
    assert {line["host"] for line in lines} == {"hard"}
    assert lines[0]["plan"] == lines[1]["plan"] == plan_of(story, 1)["digest"]


def test_a_second_hardening_changes_nothing(story):
    assert story["again"].code == 0, plain(story["again"].output)[-3000:]
    again = plan_of(story, 2)
    assert (again["operations"], again["packages"]["install"], again["packages"]["remove"]) == ([], [], [])
    assert story["etc"][2] == story["etc"][3]


def test_a_full_hardening_is_few_tasks(story):
    assert len(re.findall(r"^TASK \[", plain(story["harden"].output), re.M)) <= MOST_TASKS


def test_after_a_rollback_everything_is_as_it_was(story):
    assert story["rollback"].code == 0, plain(story["rollback"].output)[-3000:]
    assert story["etc"][4].splitlines() == story["etc"][0].splitlines()
    runs = story["harden"].runs()
    last = next(path.name for path in reversed(runs))
    before, after = findings(story, story["run"]), findings(story, last)
    assert {key: after[key] for key in before if after[key] != before[key] and key[2] != RESTARTS} == {}


def test_what_is_held_on_a_plain_host_is_checked_in_and_short(story):
    plan = plan_of(story, 1)
    held = {item["control"]: sorted(hold["name"] for hold in item["holds"]) for item in plan["held"]}
    expected = yaml.safe_load(HELD.read_text())["container"]
    assert held == expected
    assert len([names for names in held.values() if names != ["partition"]]) <= MOST_HELD


def test_a_plan_that_nobody_reviewed_is_refused_where_one_is_demanded(story, tmp_path):
    played = plays.play(tmp_path, story["inventory"], "playbooks/harden.yml", ringwall_plan=["0" * 64], **FAST)
    assert played.code == 2
    assert "not the one that ringwall_plan demands" in plain(played.output)
    assert story["engine"].shell("hard", ETC) == story["etc"][4]


def test_outside_of_its_window_a_host_is_left_as_it_is(story, tmp_path):
    import datetime

    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=3)
    closed = [{"days": [later.strftime("%a").lower()], "from": "00:00", "to": "00:01"}]
    played = plays.play(tmp_path, story["inventory"], "playbooks/harden.yml", ringwall_windows=closed, **FAST)
    assert played.code == 2
    assert "no change window is open" in plain(played.output)
    assert {json.loads((path / "run.json").read_text())["state"] for path in played.runs()} == {"complete"}
    assert story["engine"].shell("hard", ETC) == story["etc"][4]


def test_waves_stop_at_the_first_host_that_is_not_well(story, tmp_path):
    """Three hosts, one a wave; on the first the check of health fails: the others are not touched."""
    engine = story["engine"]
    addresses = {name: engine.start(name) for name in ("wave1", "wave2", "wave3")}
    for address in addresses.values():
        lab_hosts.wait(address)
    inventory = lab_hosts.inventory(tmp_path, {name: {"ansible_host": address} for name, address in addresses.items()})
    before = {name: engine.shell(name, ETC) for name in addresses}
    played = plays.play(
        tmp_path,
        inventory,
        "playbooks/harden.yml",
        ringwall_waves=[1, 1, 1],
        ringwall_health=[{"tcp": 9, "timeout": 1}],
        ringwall_hardening_controls=["linux.banners.*"],
        **FAST,
    )
    assert played.code == 2
    assert engine.shell("wave1", ETC) != before["wave1"]
    assert {name: engine.shell(name, ETC) for name in ("wave2", "wave3")} == {
        name: before[name] for name in ("wave2", "wave3")
    }
    for path in played.runs():
        assert json.loads((path / "run.json").read_text())["state"] == "complete", path.name


def test_keeping_writes_down_what_passes_and_the_findings_stay(story, tmp_path):
    kept = plays.play(tmp_path, story["inventory"], "playbooks/harden.yml", ringwall_hardening_mode="keep", **FAST)
    assert kept.code == 0, plain(kept.output)[-3000:]
    engine = story["engine"]
    assert "IgnoreRhosts yes" in engine.shell("hard", "cat /etc/ssh/sshd_config.d/00-ringwall.conf")
    from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence import runs
    from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence.state import open_state

    state = open_state(str(kept.state))
    before, after = (
        {
            (one["section"], one["control"]): one["status"]
            for one in runs.load_run(state, path.name).host("hard")["findings"]
        }
        for path in kept.runs()
    )
    assert not [key for key in before if before[key] == "pass" and after[key] == "fail"]


def test_too_many_hosts_are_refused_unless_somebody_means_them(story, tmp_path):
    played = plays.play(tmp_path, story["inventory"], "playbooks/harden.yml", ringwall_max_hosts=0, **FAST)
    assert played.code == 2
    assert "ringwall_max_hosts" in plain(played.output)

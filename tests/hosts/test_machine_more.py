"""A real server's longer histories: kept as it is, locked out on purpose, hardened to level 2 with its audit, and back.

They take a quarter of an hour with an emulated processor: ``make soak``.
"""

from __future__ import annotations

import json
import os

import pytest

from lab import changing, machines

pytestmark = pytest.mark.skipif(
    os.environ.get("RINGWALL_SOAK") != "1", reason="an emulated machine that is hardened twice takes long: make soak"
)
FAST = {"ringwall_cadence": "fast"}
LEVEL = {"ringwall_hardening_level": "l2"}
LEAST = 0.95
SAID = (r"\./(passwd|group|shadow|gshadow|subuid|subgid)-( |$)", r"\./ld\.so\.cache( |$)", r"\./resolv\.conf( |$)")
"""Backups of the password tools, the linker's cache; what the DHCP client writes at each start."""
KEPT = "linux.sshd.rhosts_ignored"
NOBODY = {
    "ringwall_hardening_controls": ["linux.sshd.access_limited"],
    "ringwall_hardening_release": ["sshd_access"],
    "ringwall_parameters": {"sshd_allowed_groups": ["audio"]},
    "ringwall_rollback_after": 20,
}
"""A plan that a person may release, and that lets nobody in any more."""
DROP = [
    {"op": "write", "path": "/etc/nftables.conf", "controls": ["x"], "guarded": True, "validate": "nft", "follow": ["restart:nftables"],
     "text": "flush ruleset\ntable inet f {\n chain i {\n  type filter hook input priority 0; policy drop;\n }\n}\n"},
    {"op": "unit", "name": "nftables.service", "enabled": True, "active": True, "controls": ["x"]},
]  # fmt: skip


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    folder = tmp_path_factory.mktemp("more")
    machine = machines.machine(folder / "vm")
    found = machines.Story(machine, folder)
    with machine.running():
        found.etc("before")
        found.play("keep", "harden", ringwall_hardening_mode="keep", **FAST)
        machine.ssh("sed -i '1i IgnoreRhosts no' /etc/ssh/sshd_config.d/00-ringwall.conf; systemctl reload ssh")
        found.play("drifted", "assess", **FAST)
        machine.ssh("sed -i 1d /etc/ssh/sshd_config.d/00-ringwall.conf; systemctl reload ssh")
        found.play("unkept", "rollback", ringwall_rollback_run=found.played["keep"].made[0], **FAST)
        found.etc("unkept")
        found.play("nobody", "harden", **NOBODY, **FAST)
        found.etc("nobody")
        _played, found.dropped = changing.change(folder, found.inventory(), DROP, "drop", after=20)
        found.rules = machine.ssh("nft list ruleset").stdout
        found.etc("dropped")
        found.play("harden", "harden", **LEVEL, **FAST)
        found.etc("hardened")
        found.audit = machine.ssh("auditctl -s; systemctl is-active auditd; auditctl -l").stdout
        found.play("again", "harden", **LEVEL, **FAST)
        found.etc("again")
        machine.reboot()
        found.play("restarted", "assess", **FAST)
        found.command_line = machine.ssh("cat /proc/cmdline").stdout
        found.play("rollback", "rollback", ringwall_rollback_run=found.played["harden"].made[0], **FAST)
        found.etc("after")
        found.units = machine.ssh(
            "systemctl list-unit-files 'audit*' --no-legend; command -v auditctl auditd || :"
        ).stdout
        machine.off()
    return found


def test_keeping_writes_down_what_passes_and_changes_no_verdict(story):
    assert story.ended("keep") == 0
    assert story.plan("keep")["mode"] == "keep"
    assert story.plan("keep")["operations"]
    assert story.sections("keep", 0) == story.sections("keep")


def test_what_drifts_afterwards_is_a_regression(story):
    section = next(name for name, control in story.findings("keep") if control == KEPT)
    assert story.sections("keep")[section] == "pass"
    assert story.sections("drifted")[section] == "fail"
    alerts = story.played["drifted"].hosts()[machines.NAME]["alerts"]
    assert [one for one in alerts if one["rule"] == "posture.regressed" and KEPT in json.dumps(one)]


def test_what_was_kept_is_taken_back(story):
    assert story.ended("unkept") == 0
    assert machines.differences(story.etcs["before"], story.etcs["unkept"], SAID) == []


def test_a_plan_that_lets_nobody_in_is_undone_and_the_play_says_so(story):
    assert story.played["nobody"].code == 2
    assert "the host has undone it" in story.text("nobody")
    ended = next(line for line in story.ledger("nobody") if line["action"] == "hardened")
    assert ended["outcome"] == "rolled_back"
    assert machines.differences(story.etcs["unkept"], story.etcs["nobody"], SAID) == []


def test_packet_filters_that_cut_the_connection_are_undone_in_the_kernel_too(story):
    told = story.dropped[machines.NAME]
    assert (told["state"], told["healed"]) == ("rolled_back", True)
    assert "policy drop" not in story.rules
    assert machines.differences(story.etcs["nobody"], story.etcs["dropped"], SAID) == []


def test_level_2_passes_after_a_restart_but_for_what_is_held_or_left(story):
    assert story.ended("harden") == 0
    after, plan = story.sections("restarted"), story.plan("harden")
    held = {one.split(" ", 1)[1] for item in plan["held"] for one in plan["controls"][item["control"]]["sections"]}
    counted = {name for name in machines.automated("l2") if name not in held and after[name] != "not_applicable"}
    failing = sorted(name for name in counted if after[name] != "pass")
    assert len(counted) > 200
    assert len(failing) <= (1 - LEAST) * len(counted), failing


def test_what_is_held_at_level_2_is_checked_in_and_short(story):
    held = story.held("harden")
    assert held == machines.held("machine_l2")
    assert len([names for names in held.values() if names != ["partition"]]) <= 10


def test_the_kernel_holds_the_audit_rules_and_a_backlog(story):
    status = dict(
        line.split(" ", 1) for line in story.audit.splitlines() if line.startswith(("enabled ", "backlog_limit "))
    )
    assert int(status["backlog_limit"]) >= 8192
    assert status["enabled"] == "1"  # 2 would be immutable: never unless somebody releases it
    assert "active" in story.audit.splitlines()
    assert sum(line.startswith(("-a ", "-w ")) for line in story.audit.splitlines()) > 40


def test_hardening_level_2_again_changes_nothing(story):
    assert story.ended("again") == 0
    plan = story.plan("again")
    assert (plan["operations"], plan["packages"]["install"], plan["packages"]["remove"]) == ([], [], [])
    assert story.recap("again")["changed"] == 0
    assert machines.differences(story.etcs["hardened"], story.etcs["again"]) == []


def test_what_waits_for_a_restart_is_said_and_passes_after_it(story):
    waited = {control for item in story.plan("harden")["reboot"] for control in item["controls"]}
    assert {"linux.audit.boot", "linux.audit.backlog_limit"} <= waited
    assert "needs a reboot" in story.text("harden")
    assert "audit=1" in story.command_line
    findings = story.findings("restarted")
    assert {one: status for one, status in findings.items() if one[1] in waited and status == "fail"} == {}


def test_after_the_rollback_from_level_2_all_is_as_it_was(story):
    assert story.ended("rollback") == 0
    assert machines.differences(story.etcs["dropped"], story.etcs["after"], SAID) == []
    assert story.units.strip() == ""
    before, after = story.sections("harden", 0), story.sections("rollback")
    assert {name: (before[name], after[name]) for name in before if before[name] != after[name]} == {}

"""The plan of a host: what is chosen, merged, held, left, exempt; its digest; what the host says of it; its words."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.hardening import plan as plans
from ansible_collections.ringwall.servers.plugins.plugin_utils.hardening.merging import merge
from ansible_collections.ringwall.servers.plugins.plugin_utils.hardening.rendering import render
from ansible_collections.ringwall.servers.plugins.plugin_utils.hardening.selection import SelectionError

CIS, STIG = "cis_x", "stig_x"


def sysctl(key="kernel.a", value=1):
    return {"kind": "sysctl", "key": key, "value": value}


def entry(control="linux.sysctl.a", section="1.1", settings=None, **more):
    values = {
        "control": control,
        "title": f"Title of {control}",
        "section": section,
        "benchmark": CIS,
        "level": "l1",
        "workstation": "l1",
        "status": "fail",
        "severity": "medium",
        "attack": ["T1110.001"],
        "disposition": None,
        "settings": [sysctl()] if settings is None else settings,
        "hold": [],
        "manual": False,
        "values": {},
        "stricter": {},
        "fix": "",
    }
    return {**values, **more}


@pytest.fixture
def plan(facts):
    def make(*entries, own=(CIS, STIG), **options):
        return plans.make_plan(list(entries), facts({"sysctl": {}, "listeners": {}}), options, own, "web1")

    return make


def planned(found):
    return sorted({name for item in found["operations"] for name in item["controls"]})


# Selection ----------------------------------------------------------------------------------------------

MANY = (
    entry("linux.a", "1.1", [sysctl("kernel.a")]),
    entry("linux.b", "1.2.1", [sysctl("kernel.b")], level="l2", workstation="l2", severity="high"),
    entry("linux.c", "1.2.10", [sysctl("kernel.c")], workstation="l2", severity="low", attack=["T1557"]),
    entry("linux.d", "V-1", [sysctl("kernel.d")], benchmark=STIG, level="medium", severity="critical"),
    entry("linux.e", "2", [sysctl("kernel.e")], status="pass"),
)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, ["linux.a", "linux.c"]),
        ({"level": "l1"}, ["linux.a", "linux.c"]),
        ({"level": "l2"}, ["linux.a", "linux.b", "linux.c"]),
        ({"level": "l1", "profile": "workstation"}, ["linux.a"]),
        ({"benchmarks": [STIG]}, ["linux.d"]),
        ({"benchmarks": [STIG], "level": "high"}, []),
        ({"benchmarks": [CIS, STIG], "level": "all"}, ["linux.a", "linux.b", "linux.c", "linux.d"]),
        ({"controls": "linux.b"}, ["linux.b"]),
        ({"controls": ["linux.b"], "level": "l1"}, []),
        ({"sections": ["1.2"]}, ["linux.b", "linux.c"]),
        ({"sections": ["1.2.1"]}, ["linux.b"]),
        ({"sections": ["1.?"]}, ["linux.a"]),
        ({"attack": ["T1110"]}, ["linux.a"]),
        ({"severity": "medium"}, ["linux.a"]),
        ({"severity": "high", "level": "l2"}, ["linux.b"]),
    ],
)
def test_only_what_is_asked_for_and_fails_is_planned(plan, options, wanted):
    assert planned(plan(*MANY, **options)) == wanted


def test_keeping_takes_what_passes(plan):
    assert planned(plan(*MANY, mode="keep")) == ["linux.e"]


@pytest.mark.parametrize(
    "options",
    [
        {"benchmarks": ["cis_y"]},
        {"controls": ["linux.nothing"]},
        {"sections": ["9"]},
        {"level": "l3"},
        {"severity": "urgent"},
        {"mode": "soften"},
        {"profile": "laptop"},
        {"release": ["dokcer"]},
        {"made_up": 1},
    ],
)
def test_what_there_is_not_is_refused(plan, options):
    with pytest.raises(SelectionError):
        plan(*MANY, **options)


# What happens to a control ------------------------------------------------------------------------------


def test_an_exempt_control_is_not_touched_in_any_of_its_sections(plan):
    found = plan(entry(disposition="D-1"), entry(section="1.9"), entry("linux.b", "2", [sysctl("kernel.b")]))
    assert planned(found) == ["linux.b"]
    assert found["exempt"] == [{"control": "linux.sysctl.a", "disposition": "D-1"}]


def test_what_no_machine_can_set_is_left_with_its_reason(plan):
    found = plan(entry(settings=[], fix="Ask the owner."), entry("linux.k", settings=[{"kind": "no_such_kind"}]))
    assert found["left"] == [
        {"controls": ["linux.sysctl.a"], "reason": "Ask the owner."},
        {"controls": ["linux.k"], "reason": "nothing here sets a no_such_kind"},
    ]


def test_a_held_control_is_held_with_the_reason_and_released_by_name_or_by_hold(plan):
    forward = entry("linux.f", settings=[sysctl("net.ipv4.ip_forward", 0)], hold=["immutable_audit"])
    found = plan(forward)
    assert [item["name"] for item in found["held"][0]["holds"]] == ["immutable_audit"]
    assert planned(found) == []
    assert planned(plan(forward, release=["immutable_audit"])) == ["linux.f"]
    assert planned(plan(forward, release=["linux.f"])) == ["linux.f"]
    assert planned(plan(forward, release=["docker"])) == []


def test_a_partition_is_held_though_nothing_could_be_set(plan):
    found = plan(entry("linux.mounts.tmp_separate", settings=[], hold=["partition"]))
    assert [item["control"] for item in found["held"]] == ["linux.mounts.tmp_separate"]
    assert found["left"] == []


def test_what_the_engine_would_refuse_is_left_and_the_rest_goes_on(plan):
    bad = entry("linux.bad", settings=[{"kind": "content", "path": "/var/lib/ringwall/x", "text": "a"}])
    found = plan(bad, entry())
    assert planned(found) == ["linux.sysctl.a"]
    assert found["left"][0]["controls"] == ["linux.bad"]


def test_packages_are_no_operations(plan):
    wanted = {"kind": "package", "name": "aide", "state": "installed"}
    gone = {"kind": "package", "name": "telnet", "state": "absent"}
    found = plan(entry("linux.p", settings=[wanted, gone]))
    assert found["operations"] == []
    assert found["packages"] == {
        "install": ["aide"],
        "remove": ["telnet"],
        "controls": {"aide": ["linux.p"], "telnet": ["linux.p"]},
    }


@pytest.mark.parametrize("order", [1, -1])
def test_a_control_that_one_section_would_hold_is_held_in_all_of_them(plan, order):
    gentle = entry("linux.s", "5.1", [{"kind": "sshd", "name": "MaxSessions", "value": 10, "rule": "max"}])
    harsh = entry("linux.s", "5.2", [{"kind": "sshd", "name": "MaxSessions", "value": 2, "rule": "max"}])
    found = plan(*[gentle, harsh][::order], own=(CIS,))
    assert found["operations"] == []
    assert [item["control"] for item in found["held"]] == ["linux.s"]


# Merging ------------------------------------------------------------------------------------------------


def test_equal_settings_are_one_operation_for_all_controls_that_want_them(plan):
    found = plan(entry("linux.a"), entry("linux.b", "1.2"))
    assert len(found["operations"]) == 1
    assert found["operations"][0]["controls"] == ["linux.a", "linux.b"]


@pytest.mark.parametrize(("direction", "taken"), [("lower", 3), ("higher", 5)])
def test_of_two_benchmarks_the_stricter_value_is_taken_and_it_is_said(direction, taken):
    def one(benchmark, value):
        settings = [sysctl("kernel.a", value)]
        return entry(benchmark=benchmark, settings=settings, values={"tries": value}, stricter={"tries": direction})

    settings, conflicts = merge([one(CIS, 5), one(STIG, 3)])
    assert [item["setting"]["value"] for item in settings] == [taken]
    assert "is stricter than" in conflicts[0]["text"]
    assert f"tries: {taken}" in conflicts[0]["text"]


def test_values_that_no_direction_orders_are_said_to_contradict():
    def one(benchmark, value):
        settings = [sysctl("kernel.a", value)]
        return entry(benchmark=benchmark, settings=settings, values={"text": value}, stricter={"text": "equal"})

    settings, conflicts = merge([one(CIS, "a"), one(STIG, "b")])
    assert [item["setting"]["value"] for item in settings] == ["a"]
    assert "contradict" in conflicts[0]["text"]


def test_two_controls_that_want_different_values_at_one_place_the_graver_one_wins():
    low = entry("linux.low", settings=[sysctl("kernel.a", 1)], severity="low")
    high = entry("linux.high", settings=[sysctl("kernel.a", 2)], severity="high")
    for order in ([low, high], [high, low]):
        settings, conflicts = merge(order)
        assert [(item["setting"]["value"], item["controls"]) for item in settings] == [(2, ["linux.high"])]
        assert [item["control"] for item in conflicts] == ["linux.low"]


def test_options_and_states_add_up_and_are_no_conflict():
    first = entry("linux.a", settings=[{"kind": "mount", "path": "/tmp", "options": ["nodev"]}])
    second = entry("linux.b", settings=[{"kind": "mount", "path": "/tmp", "options": ["nosuid"]}])
    settings, conflicts = merge([first, second])
    assert len(settings) == 2
    assert conflicts == []


# Digest and what the host says --------------------------------------------------------------------------


def test_the_same_host_gives_the_same_digest_and_any_other_plan_another(plan):
    first = plan(*MANY)
    assert first["digest"] == plan(*MANY)["digest"] == plans.sealed(first)["digest"]
    assert first["digest"] != plan(*MANY, level="l2")["digest"]
    assert first["digest"] != plan(*MANY[:2])["digest"]
    assert first["digest"] != plans.sealed({**first, "held": [{"control": "linux.a", "holds": []}]})["digest"]


def test_what_changes_nothing_on_the_host_is_dropped_and_what_cannot_be_done_is_left(plan):
    first = plan(
        entry("linux.a", settings=[{"kind": "service", "name": "a", "states": ["on"]}]),
        entry("linux.b", settings=[{"kind": "service", "name": "b", "states": ["on"]}]),
        entry("linux.c", settings=[{"kind": "file", "path": "/etc/c", "mode": "0600"}]),
    )
    assert [item["op"] for item in first["operations"]] == ["unit", "unit", "attributes"]
    seen = plans.observed(
        first,
        [
            {"index": 0, "changes": False},
            {"index": 1, "problem": "there is no unit b.service"},
            {"index": 2, "changes": True, "digest_before": "d", "diff": ["-0644", "+0600"]},
        ],
    )
    assert planned(seen) == ["linux.c"]
    assert seen["kinds"] == {"file": [0]}
    assert seen["changes"] == [{"digest_before": "d", "diff": ["-0644", "+0600"]}]
    assert seen["left"] == [{"controls": ["linux.b"], "reason": "there is no unit b.service"}]
    assert "linux.a" not in seen["controls"]
    assert seen["digest"] != first["digest"]


def test_what_packages_may_still_bring_is_kept_until_they_came(plan):
    first = plan(entry())
    first["operations"][0] = {**first["operations"][0], "missing_ok": True}
    rows = [{"index": 0, "changes": False}]
    assert planned(plans.observed(first, rows)) == []
    assert planned(plans.observed(first, rows, pending=True)) == first["operations"][0]["controls"]


def test_a_plan_that_changes_nothing_says_so(plan):
    found = plan(entry(status="pass"))
    assert plans.nothing(found)
    assert render(found).startswith("web1: nothing to change; held 0, left 0; plan ")


def test_the_words_name_sections_holds_reasons_and_the_digest(plan):
    found = plan(
        entry("linux.a", "1.10"),
        entry("linux.h", "1.2", [{"kind": "audit_rule", "line": "-e 2"}]),
        entry("linux.p", "1.3", [{"kind": "package", "name": "aide", "state": "installed"}]),
        entry("linux.m", "1.4", []),
    )
    lines = render(found).splitlines()
    assert lines[0].endswith(f"held 1, left 1; plan {found['digest']}")
    assert "    + install aide  [cis_x 1.3]" in lines
    assert "    edit /etc/sysctl.d/60-ringwall.conf  [cis_x 1.10]" in lines
    assert "      kernel.a = 1" in lines
    assert any(line.startswith("    linux.h  [cis_x 1.2]: immutable_audit - ") for line in lines)
    assert any(line.startswith("    linux.m  [cis_x 1.4]: ") for line in lines)


def test_what_a_host_wrote_does_not_steer_the_terminal(plan):
    seen = plans.observed(plan(entry()), [{"index": 0, "changes": True, "diff": ["+\x1b[2J\u202egone"]}])
    assert "\x1b" not in render(seen)
    assert "\u202e" not in render(seen)


def test_a_file_that_another_operation_makes_gets_its_mode_in_the_same_plan(facts):
    here = facts({"file_attributes": {"/etc/cron.allow": {"exists": False}}})
    mode = entry("linux.mode", settings=[{"kind": "file", "path": "/etc/cron.allow", "mode": "0640"}])
    text = entry("linux.text", "1.2", [{"kind": "content", "path": "/etc/cron.allow", "text": "root\n"}])
    alone = plans.make_plan([mode], here, {}, [CIS], "web1")
    assert (planned(alone), [item["controls"] for item in alone["left"]]) == ([], [["linux.mode"]])
    both = plans.make_plan([mode, text], here, {}, [CIS], "web1")
    assert ([item["op"] for item in both["operations"]], both["left"]) == (["write", "attributes"], [])


def test_a_file_that_is_made_later_is_said_to_be(facts):
    here = facts({"file_attributes": {"/var/lib/aide/aide.db": {"exists": False}}})
    wanted = [{"kind": "file", "path": "/var/lib/aide/aide.db", "type": "file"}, {"kind": "aide", "database": True}]
    found = plans.make_plan([entry("linux.aide.database", settings=wanted)], here, {}, [CIS], "web1")
    assert [item["path"] for item in found["operations"]][-1] == "/etc/cron.d/ringwall-first-database"
    assert [item["reason"] for item in found["left"]] == ["/var/lib/aide/aide.db is made some minutes after the change"]


def test_a_list_of_nobody_is_left_with_the_parameter_to_set(plan):
    nobody = {"kind": "sshd", "name": "allowgroups", "value": []}
    found = plan(entry("linux.access", settings=[nobody], values={"sshd_groups": []}))
    assert planned(found) == []
    assert found["left"] == [
        {"controls": ["linux.access"], "reason": "nobody is named: set ringwall_parameters (sshd_groups)"}
    ]

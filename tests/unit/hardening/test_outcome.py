"""What came of hardening a host, out of the engine's answer, the packages and the two assessments."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.hardening.outcome import UNWELL, outcome, words

PLAN = {
    "operations": [{"controls": ["linux.a"]}, {"controls": ["linux.b"]}, {"controls": ["linux.a", "linux.c"]}],
    "packages": {"install": ["aide"], "remove": [], "controls": {"aide": ["linux.p"]}},
    "held": [{"control": "linux.h", "holds": []}],
    "left": [],
    "reboot": [{"controls": ["linux.a"], "reason": "kernel arguments"}],
}


def finding(control, section, status, disposition=None):
    return {"control": control, "benchmark": "x", "section": section, "status": status, "disposition": disposition}


BEFORE = [finding("linux.a", "1", "fail"), finding("linux.b", "2", "fail"), finding("linux.c", "3", "fail")]
AFTER = [finding("linux.a", "1", "pass"), finding("linux.b", "2", "fail"), finding("linux.c", "3", "fail")]
CONFIRMED = {
    "state": "confirmed",
    "failed_controls": {"linux.b": "no such file"},
    "results": [
        {"index": 0, "status": "changed"},
        {"index": 1, "status": "failed"},
        {"index": 2, "status": "changed"},
    ],
}


def test_one_failed_control_is_said_and_the_rest_counts():
    found = outcome(PLAN, CONFIRMED, {}, BEFORE, AFTER, [])
    assert found["state"] == "changed"
    assert found["changed_controls"] == ["linux.a", "linux.c", "linux.p"]
    assert found["failed_controls"] == {"linux.b": "no such file"}
    assert (found["fixed"], found["broken"], found["still"]) == (["x 1"], [], ["x 3"])
    assert found["reboot"] == ["kernel arguments"]
    assert found["held"] == ["linux.h"]
    assert "linux.b: no such file" in words("web1", found)


def test_packages_that_did_not_come_fail_their_controls():
    found = outcome(PLAN, CONFIRMED, {"aide": "no network"}, BEFORE, AFTER, [])
    assert found["failed_controls"]["linux.p"] == "aide: no network"
    assert "linux.p" not in found["changed_controls"]


@pytest.mark.parametrize(
    ("applied", "after", "health", "state"),
    [
        (CONFIRMED, AFTER, [], "changed"),
        (CONFIRMED, AFTER, ["nginx.service failed after the change"], "unwell"),
        (CONFIRMED, None, [], "unwell"),
        ({"state": "rolled_back", "failed": True, "msg": "not confirmed"}, AFTER, [], "rolled_back"),
        ({"failed": True, "msg": "another run"}, AFTER, [], "failed"),
        ({"failed": True, "unreachable": True, "msg": "gone"}, None, [], "failed"),
    ],
)
def test_after_which_states_no_further_host_is_changed(applied, after, health, state):
    found = outcome(PLAN, applied, {}, BEFORE, after, health)
    assert found["state"] == state
    assert (state in UNWELL) is (state != "changed")


def test_nothing_to_do_is_unchanged_and_everything_failed_is_partly():
    empty = {**PLAN, "operations": [], "packages": {"install": [], "remove": [], "controls": {}}}
    assert outcome(empty, None, {}, BEFORE, BEFORE, [])["state"] == "unchanged"
    one = {**PLAN, "operations": [{"controls": ["linux.b"]}], "packages": empty["packages"]}
    failed = {"state": "unchanged", "failed_controls": {"linux.b": "x"}, "results": [{"index": 0, "status": "failed"}]}
    assert outcome(one, failed, {}, BEFORE, BEFORE, [])["state"] == "partly"


def test_what_fails_now_and_did_not_is_said():
    found = outcome(PLAN, CONFIRMED, {}, BEFORE, [*AFTER, finding("linux.z", "9", "fail")], [])
    assert found["broken"] == ["x 9"]
    assert "x 9" in words("web1", found)


def test_exempt_sections_are_neither_fixed_nor_broken():
    found = outcome(
        PLAN, CONFIRMED, {}, [finding("linux.a", "1", "fail", "D-1")], [finding("linux.a", "1", "pass")], []
    )
    assert found["fixed"] == []


def test_a_change_during_which_the_host_was_lost_has_failed():
    assert outcome(PLAN, {"unreachable": True, "msg": "lost"}, {}, BEFORE, AFTER, [])["state"] == "failed"


def test_what_a_host_says_steers_no_terminal():
    told = {**CONFIRMED, "failed_controls": {"linux.b": "no\x1b[2J\u202efile"}}
    found = outcome(PLAN, told, {}, BEFORE, AFTER, ["port 1\x07"])
    assert found["failed_controls"] == {"linux.b": "no\\x1b[2J\\u202efile"}
    assert "\x1b" not in words("h", found)
    assert found["reason"] == "port 1\\x07"

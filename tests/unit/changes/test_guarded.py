"""The controller's side of a guarded change, with a host in its place that answers, breaks off or lies."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.changes import answers, guarded, undoing
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence import ledger
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence.state import open_state
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.limits import HostFailure

OPERATIONS = [{"op": "write", "path": "/etc/x", "text": "x\n", "controls": ["c"]}]
SWITCHED = {
    "ok": True, "phase": "switched", "results": [{"index": 0, "status": "changed", "reason": None}], "failed": {}, "followed": [],
}  # fmt: skip
GONE = HostFailure("unreachable", "no connection", "", "unreachable")


class Clock:
    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        self.now += 0.01
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class Host:
    """Answers by verb: a dict, a HostFailure, or a list of them in turn (the last one again and again)."""

    def __init__(self, prove=None, **answers):
        self.answers, self.proof, self.asked = answers, prove, []

    def _next(self, found):
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        if isinstance(found, Exception):
            raise found
        return found

    def ask(self, verb, timeout=None, **request):
        self.asked.append(verb)
        return self._next(self.answers[verb])

    def drop_connection(self):
        self.asked.append("drop")

    def prove(self, timeout):
        self.asked.append("prove")
        self._next(self.proof)


def change(host, **more):
    return guarded.change(host, "r", OPERATIONS, clock=Clock(), **more)


def runs(phase, **more):
    return {"ok": True, "runs": {"r": {"phase": phase, **more}}, "owner": None}


def test_confirmed_only_over_a_connection_that_was_dropped_before():
    host = Host(apply=SWITCHED, confirm={"ok": True, "phase": "confirmed"})
    assert change(host)["state"] == "confirmed"
    assert host.asked == ["apply", "drop", "prove", "confirm"]


def test_a_log_in_that_fails_once_is_tried_again_within_the_time():
    host = Host(prove=[GONE, None], apply=SWITCHED, confirm={"ok": True, "phase": "confirmed"})
    assert change(host)["state"] == "confirmed"


def test_without_a_log_in_it_waits_until_the_host_has_healed():
    host = Host(prove=GONE, apply=SWITCHED, status=[GONE, runs("rolled_back", fired=True)])
    told = change(host, after=5)
    assert (told["state"], told["healed"], told["changed"]) == ("rolled_back", True, False)
    assert "no connection" in told["why"]
    assert "confirm" not in host.asked


def test_it_says_when_nobody_could_see_whether_it_healed():
    told = change(Host(prove=GONE, apply=SWITCHED, status=GONE), after=5)
    assert (told["state"], told["healed"]) == ("rolled_back", None)


def test_a_lost_answer_to_the_confirmation_is_found_out():
    host = Host(apply=SWITCHED, confirm=GONE, status=runs("confirmed"))
    assert change(host, after=3)["state"] == "confirmed"


def test_a_connection_that_breaks_while_it_is_made_is_taken_up_again():
    result = {name: value for name, value in SWITCHED.items() if name != "ok"}
    known = [GONE, runs("applying"), runs("switched", result=result)]
    host = Host(apply=GONE, status=known, confirm={"ok": True, "phase": "confirmed"})
    assert change(host)["state"] == "confirmed"
    with pytest.raises(HostFailure, match="no connection"):
        change(Host(apply=GONE, status={"ok": True, "runs": {}, "owner": None}))


def test_a_host_that_refuses_changed_nothing():
    with pytest.raises(HostFailure, match="run other changes this host") as refused:
        change(
            Host(
                apply={"ok": False, "code": "refused", "problem": "run other changes this host since x"},
                status={"ok": True, "runs": {}, "owner": None},
            )
        )
    assert refused.value.code == "refused"


def test_a_change_that_was_asked_for_twice_is_found_at_work_and_confirmed():
    again = {"ok": False, "code": "problem", "problem": "run r has changed this host before"}
    result = {name: value for name, value in SWITCHED.items() if name != "ok"}
    known = [runs("applying"), runs("switched", result=result)]
    host = Host(apply=again, status=known, confirm={"ok": True, "phase": "confirmed"})
    assert change(host)["state"] == "confirmed"
    for phase in ("confirmed", "rolled_back"):  # of an earlier change by the same name
        with pytest.raises(HostFailure, match="changed this host before"):
            change(Host(apply=again, status=runs(phase)))


def test_an_engine_that_was_killed_half_way_is_no_failure_that_changed_nothing():
    ended = {"ok": False, "code": "defect", "problem": "the process that made the change was ended half-way"}
    known = [runs("applying"), runs("rolling_back"), runs("rolled_back", why="ended half-way", fired=True)]
    told = change(Host(apply=ended, status=known))
    assert (told["state"], told["healed"]) == ("rolled_back", True)
    assert told["why"] == "ended half-way"


def test_a_change_that_has_only_just_begun_is_waited_for():
    result = {name: value for name, value in SWITCHED.items() if name != "ok"}
    begun = {"ok": True, "runs": {}, "owner": {"run": "r", "since": "x"}}
    host = Host(apply=GONE, status=[begun, runs("switched", result=result)], confirm={"ok": True, "phase": "confirmed"})
    assert change(host)["state"] == "confirmed"


@pytest.mark.parametrize("lie", [
    {"ok": True}, {"ok": True, "phase": "switched", "results": []}, {**SWITCHED, "results": [{"index": 7, "status": "changed"}]},
    {**SWITCHED, "phase": "fine"}, {**SWITCHED, "results": [{"index": 0, "status": "changed", "reason": ["x"]}]}, {**SWITCHED, "failed": "x"},
    {"ok": "yes"}, {},
])  # fmt: skip
def test_an_answer_of_another_form_is_refused(lie):
    with pytest.raises(HostFailure):
        answers.applied(lie, 1)


def test_what_a_host_says_is_cut():
    row = {
        "index": 0,
        "changes": True,
        "before": "x" * 9999,
        "after": "",
        "diff": ["y" * 9999] * 9999,
        "digest_before": "0" * 64,
        "problem": None,
    }
    found = answers.planned({"ok": True, "operations": [dict(row, more="z")], "owner": None}, 1)["operations"][0]
    assert len(found["before"]) == answers.TEXT
    assert len(found["diff"]) == answers.LINES
    assert "more" not in found


def test_a_rollback_stands_in_the_ledger_before_it_is_asked_for(tmp_path):
    state = open_state(str(tmp_path / "state"))

    class Watching(Host):
        def ask(self, verb, timeout=None, **request):
            assert [entry["action"] for entry in ledger.read(state, "hardening")] == ["rollback"]
            return super().ask(verb, timeout, **request)

    done = {"ok": True, "phase": "rolled_back", "undone": ["content /etc/x"], "conflicts": ["/etc/y"], "problems": []}
    assert undoing.rollback(Watching(rollback=done), "r", ["c"], state, "h")["conflicts"] == ["/etc/y"]
    assert [(one["action"], one["host"], one["controls"]) for one in ledger.read(state, "hardening")] == [
        ("rollback", "h", ["c"]),
        ("rolled_back", "h", ["c"]),
    ]


@pytest.mark.parametrize(("known", "possible"), [
    ({}, False), ({"r": {"phase": "confirmed"}}, True), ({"r": {"phase": "rolled_back"}}, False),
    ({"r": {"phase": "rolled_back", "conflicts": ["x"]}}, True), ({"r": {"phase": "damaged", "why": "x"}}, False),
])  # fmt: skip
def test_whether_a_run_can_still_be_undone(known, possible):
    told = undoing.plan_rollback(Host(status={"ok": True, "runs": known, "owner": None}), "r")
    assert told["possible"] is possible
    assert possible or told["why"]

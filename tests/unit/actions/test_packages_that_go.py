"""What came by a run goes when it is undone, unless something else needs it by now."""

from __future__ import annotations

import re
import types

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils import hardening_actions
from ansible_collections.ringwall.servers.plugins.plugin_utils.changes import undoing


class Action:
    """A host of Debian on which ``needs`` says what goes with a package."""

    def __init__(self, needs):
        self.needs, self.asked = needs, []

    def _low_level_execute_command(self, command):
        self.asked.append(command)
        found = []
        for step in command.split("; "):
            if step.startswith("echo = "):
                found.append("= " + step[7:])
            elif "apt-get" in step:
                names = re.search(r"remove ([^|]*) 2>", step).group(1).split()
                found += sorted({*names, *(one for name in names for one in self.needs.get(name, ()))})
        return {"stdout": "\n".join(found)}


DONE = {
    "remove": ["aide", "libsasl2-2", "libcurl4"],
    "install": [],
    "family": "debian",
    "accounts": ["_aide"],
    "groups": [],
}


def test_all_go_after_one_question_when_nobody_else_needs_them():
    action = Action({"libsasl2-2": ["libcurl4"]})
    assert hardening_actions._going(action, DONE) == (DONE, [])
    assert len(action.asked) == 1


def test_what_something_else_needs_by_now_stays_with_all_that_would_take_it_along():
    action = Action({"libsasl2-2": ["postfix"], "libcurl4": ["libsasl2-2"]})
    done, said = hardening_actions._going(action, DONE)
    assert done["remove"] == ["aide"]
    assert done["accounts"] == []
    assert said == ["libsasl2-2 stays: postfix would go with it", "libcurl4 stays: libsasl2-2 would go with it"]


def test_nothing_is_asked_where_nothing_came():
    action = Action({})
    assert hardening_actions._going(action, {**DONE, "remove": []})[0]["remove"] == []
    assert action.asked == []
    assert undoing.closed([], {}) == ([], {})


def test_what_came_of_it_is_said_also_where_no_callback_of_ours_runs(monkeypatch):
    said = []
    action = types.SimpleNamespace(_display=types.SimpleNamespace(display=said.append))
    for callback, heard in ((hardening_actions.CALLBACK, []), ("awx_display", ["one line"])):
        monkeypatch.setattr(hardening_actions.C, "DEFAULT_STDOUT_CALLBACK", callback, raising=False)
        assert hardening_actions._said_here(action, {"text": "one line"}) == {"text": "one line"}
        assert said == heard


@pytest.mark.parametrize(("state", "said"), [("changed", True), ("unwell", True), ("rolled_back", False)])
def test_whoever_changed_a_host_is_told_how_to_undo_it(monkeypatch, state, said):
    came = {"state": state, "text": "h: it"}
    monkeypatch.setattr(hardening_actions.flow, "finish_host", lambda *rest: dict(came))
    arguments = {"plan": {"state": "planned"}, "run": {"run": "r1"}, "verified": {}}
    action = types.SimpleNamespace(
        _task=types.SimpleNamespace(args=arguments), _display=types.SimpleNamespace(display=lambda text: None)
    )
    text = hardening_actions.outcome(action, {"inventory_hostname": "h"})["text"]
    assert ("ringwall_rollback_run=r1" in text) is said

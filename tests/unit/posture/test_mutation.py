"""The fixtures notice when a control or a resource type is wrong: each mutant must turn some case red.

Judging is quick enough to try every mutant in every run, so nothing is sampled.
"""

from __future__ import annotations

import copy

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.content.errors import ContentError, Where
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.resources import RESOURCES
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.resources.base import Verdict

INVERTED = {"pass": "fail", "fail": "pass"}
UNJUDGED = ("write", "drop_ins")
"""Keys of statements that say what is read on a host, or written there by hardening: no verdict depends on them."""


@pytest.fixture(scope="module")
def by_control(cases):
    found = {}
    for case in cases:
        found.setdefault(case["control"], []).append(case)
    return found


def red(content, judge_case, found, control=None):
    return any(judge_case(content, case, control).status != case["status"] for case in found)


def test_inverted_controls_are_noticed(content, by_control, judge_case):
    blind = []
    for name in content.controls:
        statuses = [(judge_case(content, case).status, case["status"]) for case in by_control.get(name, ())]
        if not any(INVERTED.get(status, status) != wanted for status, wanted in statuses):
            blind.append(name)
    assert not blind


@pytest.mark.parametrize("resource", sorted(RESOURCES))
def test_a_resource_that_always_passes_is_noticed(resource, content, by_control, judge_case, monkeypatch):
    users = [name for name, control in content.controls.items() if resource in resources_of(control["require"])]
    assert users
    monkeypatch.setattr(RESOURCES[resource], "judge", lambda statement, snapshot: [Verdict("pass")])
    assert [name for name in users if not red(content, judge_case, by_control.get(name, ()))] == []


def resources_of(tree):
    found = set()
    for part in tree:
        if "any" in part:
            found.update(*(resources_of(one) for one in part["any"]))
        elif "cases" in part:
            found.update(*(resources_of(case["require"]) for case in part["cases"]))
        else:
            found.add(part["resource"])
    return found


def places(value, at=()):
    """Yield the path of each entry below ``value``."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if key not in UNJUDGED:
            yield (*at, key)
        yield from places(item, (*at, key))


def changed(value, at):
    """Return a copy of ``value`` without the entry at ``at``, and one with another scalar there (or None)."""
    without = copy.deepcopy(value)
    holder = without
    for key in at[:-1]:
        holder = holder[key]
    item = holder.pop(at[-1])
    other = None
    if isinstance(item, (int, float)) and not isinstance(item, bool):
        other = copy.deepcopy(value)
        holder = other
        for key in at[:-1]:
            holder = holder[key]
        holder[at[-1]] = item + 7
    return [mutant for mutant in (without, other) if mutant is not None]


def statements(tree, at=()):
    for number, part in enumerate(tree):
        if "any" in part:
            for choice, one in enumerate(part["any"]):
                yield from statements(one, (*at, number, "any", choice))
        elif "cases" in part:
            for choice, case in enumerate(part["cases"]):
                yield from statements(case["require"], (*at, number, "cases", choice, "require"))
        else:
            yield (*at, number), part


def mutants_of(control):
    """Yield ``(what, control)`` for each entry left out of a statement, each number changed, each condition dropped."""
    for at, part in statements(control["require"]):
        resource = RESOURCES[part["resource"]]
        for place in places(part["statement"]):
            for statement in changed(part["statement"], place):
                try:
                    resource.check(statement, Where("mutant"))
                except (ContentError, KeyError, TypeError):
                    continue
                mutant = copy.deepcopy(control)
                holder = mutant["require"]
                for key in at:
                    holder = holder[key]
                holder["statement"] = statement
                yield f"{control['id']}: {'.'.join(map(str, place))} in {part['resource']}", mutant
    for name in control["when"]:
        mutant = copy.deepcopy(control)
        del mutant["when"][name]
        yield f"{control['id']}: when {name} dropped", mutant
    yield from mutants_of_cases(control)


def mutants_of_cases(control):
    """Yield the control without each of its cases (at the top of ``require``)."""
    for number, part in enumerate(control["require"]):
        for choice in range(len(part.get("cases", ()))):
            mutant = copy.deepcopy(control)
            del mutant["require"][number]["cases"][choice]
            yield f"{control['id']}: case {choice} dropped", mutant


def test_mutants_are_noticed(content, by_control, judge_case):
    mutants = [item for control in content.controls.values() for item in mutants_of(control)]
    survivors = [
        what for what, mutant in mutants if not red(content, judge_case, by_control.get(mutant["id"], ()), mutant)
    ]
    assert not survivors, f"{len(survivors)} of {len(mutants)} mutants unnoticed"

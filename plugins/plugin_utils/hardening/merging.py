"""Settings of several findings as one list: equal ones once, and where benchmarks differ the stricter one."""

from __future__ import annotations

import json

from ..content.vocabulary import SEVERITIES

VALUES = ("value", "options", "states", "state", "mode", "text", "line", "defaults", "arguments")
"""Fields of a setting that say what is to be; all others say where. What adds up is no conflict."""
ADDING = ("options", "states", "mode", "line", "defaults", "arguments", "state")
"""Merged or refused by the kind itself."""


def merge(entries):
    """Return ``(settings, conflicts)``.

    ``settings``: ``[{"setting", "controls"}]`` in the order of the findings. ``conflicts``: ``[{"control", "text"}]``,
    sentences that say whose value was taken. First each control's findings become one (by its parameters), then equal
    settings of different controls.
    """
    conflicts, chosen = [], []
    for name, found in _by_control(entries).items():
        entry, text = strictest(found)
        if text:
            conflicts.append({"control": name, "text": text})
        chosen.append(entry)
    winners, merged, told = {}, {}, set()
    for entry in chosen:
        for setting in entry["settings"]:
            place = _place(setting)
            last = winners.get(place)
            if last is None or (_key(last[1]) != _key(setting) and _rank(entry) < _rank(last[0])):
                winners[place] = (entry, setting)
    for entry in chosen:
        for setting in entry["settings"]:
            owner, taken = winners[_place(setting)]
            if _key(taken) != _key(setting):
                if (entry["control"], _place(setting)) not in told:
                    told.add((entry["control"], _place(setting)))
                    conflicts.append({"control": entry["control"], "text": _overruled(entry, setting, owner, taken)})
                continue
            item = merged.setdefault(_key(setting), {"setting": setting, "controls": []})
            if entry["control"] not in item["controls"]:
                item["controls"].append(entry["control"])
    return list(merged.values()), conflicts


def _by_control(entries):
    found = {}
    for entry in entries:
        found.setdefault(entry["control"], []).append(entry)
    return found


def strictest(entries):
    """Return ``(entry, sentence or "")`` of one control's findings: the one whose parameters are strictest in all."""
    settings = {_key(entry["settings"]) for entry in entries}
    if len(settings) == 1:
        return entries[0], ""
    for entry in entries:
        if all(_at_least(entry, other) for other in entries):
            others = [_label(other) for other in entries if other["settings"] != entry["settings"]]
            return entry, f"{_label(entry)} is stricter than {', '.join(others)}: its value is taken ({_shown(entry)})"
    first = entries[0]
    others = ", ".join(_label(other) for other in entries[1:])
    return (
        first,
        f"{_label(first)} and {others} contradict each other: the first one's value is taken ({_shown(first)})",
    )


def _at_least(entry, other):
    return all(
        _as_strict(entry["stricter"].get(name), value, other["values"].get(name))
        for name, value in entry["values"].items()
    )


def _as_strict(direction, value, other):
    if value == other:
        return True
    try:
        if direction == "lower":
            return float(value) <= float(other)
        if direction == "higher":
            return float(value) >= float(other)
    except (TypeError, ValueError):
        return False
    if direction in ("subset", "superset") and isinstance(value, list) and isinstance(other, list):
        mine, theirs = {str(one) for one in value}, {str(one) for one in other}
        return mine <= theirs if direction == "subset" else mine >= theirs
    return False


def _label(entry):
    return f"{entry['benchmark']} {entry['section']}"


def _shown(entry):
    return ", ".join(f"{name}: {value}" for name, value in sorted(entry["values"].items())) or "as it says"


def _key(setting):
    return json.dumps(setting, sort_keys=True)


def _place(setting):
    if any(name in setting for name in ADDING) and "value" not in setting:
        return _key(setting)
    return _key({name: value for name, value in setting.items() if name not in VALUES})


def _overruled(entry, setting, owner, taken):
    """Two controls want different values at one place. Which is stricter cannot be told: the graver control wins."""
    return (
        f"{_label(entry)} wants {_want(setting)}, {_label(owner)} ({owner['control']}) wants {_want(taken)}: "
        "the latter is set"
    )


def _rank(entry):
    return SEVERITIES.index(entry["severity"])


def _want(setting):
    place = setting.get("name") or setting.get("key") or setting.get("path")
    return f"{place} = {setting.get('value', setting.get('text'))}"

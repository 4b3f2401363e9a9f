"""What would make a control true on a host: its settings, of the statements that fail (or that hold) alone."""

from __future__ import annotations

import re

from ..content.control import substitute
from ..snapshots.view import Gap
from .applicability import applies
from .comparison import COMPARATORS
from .judge import any_of, chosen_case
from .resources import RESOURCES
from .resources.base import worst

PLAIN = re.compile(r"[A-Za-z0-9_.:+-]{1,64}")
"""A value that the host has now may be written down for good only if it is one plain word or number."""


def settings_of(control, values, snapshot, context, status="fail"):
    """Return the settings of those statements of one compiled control that are judged as ``status`` (fail or pass).

    ``values``: its parameters. What passes is left alone: a value that is stricter than asked stays so. Settings for
    ``pass`` write down what holds today; where a statement leaves a choice, that is the host's own value. Of
    alternatives, one is taken: the one that passes, else one that can be set without adding or removing packages.
    Never raises for what stands in the snapshot: statements that cannot be read give no settings.
    """
    try:
        if not applies(control["when"], snapshot, context)[0]:
            return []
        tree = substitute(control["require"], values)
        found, verdict = _all(tree, values, snapshot, context, status)
    except Gap:
        return []
    if verdict.status == status:
        found += substitute(control.get("set") or [], values)
    return _unique(found)


def _unique(items):
    found = []
    for item in items:
        if item not in found:
            found.append(item)
    return found


def _all(tree, values, snapshot, context, status):
    """Return ``(settings, worst verdict)`` of parts that must all hold."""
    found, verdicts = [], []
    for part in tree:
        settings, verdict = _part(part, values, snapshot, context, status)
        found += settings
        verdicts.append(verdict)
    return found, worst(verdicts)


def _part(part, values, snapshot, context, status):
    if "any" in part:
        return _any(part["any"], values, snapshot, context, status)
    if "cases" in part:
        case, _facts = chosen_case(part["cases"], snapshot, context)
        if case is None:
            return [], worst([])
        found, verdict = _all(case["require"], values, snapshot, context, status)
        if verdict.status == status:
            found = found + substitute(case.get("set") or [], values)
        return found, verdict
    return _statement(RESOURCES[part["resource"]], part["statement"], snapshot, status)


def _any(alternatives, values, snapshot, context, status):
    judged = [_all(tree, values, snapshot, context, status) for tree in alternatives]
    verdict = any_of([one for _settings, one in judged])
    if verdict.status != status:
        return [], verdict
    fitting = [settings for settings, one in judged if one.status == status and settings]
    return min(fitting, key=_packages, default=[]), verdict


def _packages(settings):
    return sum(item.get("kind") == "package" for item in settings)


def _statement(resource, statement, snapshot, status):
    """Settings of one statement; of a map of entries, those of the entries alone that are judged as ``status``."""
    entries = [statement]
    if getattr(resource, "entries", False) and isinstance(statement, dict):
        entries = [{key: value} for key, value in statement.items()]
    found, verdicts = [], []
    for entry in entries:
        try:
            judged = resource.judge(entry, snapshot)
        except Gap as gap:
            judged = [_gap(gap)]
        verdicts += judged
        verdict = worst(judged)
        if verdict.status != status:
            continue
        settings = resource.settings(entry)
        found += settings if status == "fail" else _as_it_is(settings, entry, verdict)
    return found, worst(verdicts)


def _gap(gap):
    verdict = worst([])
    verdict.status, verdict.reason = gap.status, gap.why
    return verdict


def _as_it_is(settings, entry, verdict):
    """Settings that write down what is so now. A choice (``{max: 4}``) becomes the host's value, or nothing is set."""
    if not _leaves_choice(entry) or not any("value" in item for item in settings):
        return settings
    actual = verdict.actual
    if isinstance(actual, dict) and len(actual) == 1:
        actual = next(iter(actual.values()))
    if isinstance(actual, dict):
        actual = actual.get("persisted") or actual.get("runtime")
    plain = isinstance(actual, (str, int)) and not isinstance(actual, bool) and PLAIN.fullmatch(str(actual))
    return [{**settings[0], "value": actual}] if plain and len(settings) == 1 else []


def _leaves_choice(statement):
    """True if a comparator other than ``equals`` stands anywhere in it."""
    if isinstance(statement, dict):
        if set(statement) & COMPARATORS.keys() - {"equals"}:
            return True
        return any(_leaves_choice(item) for item in statement.values())
    return isinstance(statement, list) and any(_leaves_choice(item) for item in statement)


def entries_of(findings, content, judged_values, snapshot, context, status="fail"):
    """Return what ``Posture.settings`` does, for findings that ``evaluate`` gave.

    ``judged_values(control, benchmark, section)`` -> (values, tailorings) of the parameters.
    """
    found, known = [], {}
    for finding in findings:
        name = finding["control"]
        control = content.controls.get(name)
        if control is None:
            continue
        body = content.benchmarks[finding["benchmark"]]["sections"][finding["section"]]
        values, _changes = judged_values(name, finding["benchmark"], finding["section"])
        settings = []
        if finding["status"] == status:
            key = (name, repr(sorted(values.items())))
            if key not in known:
                known[key] = settings_of(control, values, snapshot, context, status)
            settings = known[key]
        found.append(
            {
                "control": name,
                "title": control["title"],
                "section": finding["section"],
                "benchmark": finding["benchmark"],
                "level": finding["level"],
                "workstation": body.get("workstation"),
                "status": finding["status"],
                "severity": finding["severity"],
                "attack": control["attack"],
                "disposition": finding["disposition"],
                "settings": settings,
                "hold": control.get("hold") or [],
                "manual": not settings,
                "values": values,
                "stricter": {one: content.parameters[one]["stricter"] for one in values},
                "fix": control["fix"],
            }
        )
    return found

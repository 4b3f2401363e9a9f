"""Judge one control against one snapshot: applicability, statements, alternatives, one verdict."""

from __future__ import annotations

import traceback

from ..content.control import substitute
from ..snapshots.view import Gap
from .applicability import NOT, applies
from .resources import RESOURCES
from .resources.base import Verdict, worst

MAX_EVIDENCE = 20
MAX_TEXT = 400


def judge_control(control, values, snapshot, context):
    """Return the Verdict of one compiled control with its parameter ``values``.

    Never raises for what stands in the snapshot: what cannot be read becomes ``unreadable`` or ``error``, a defect of
    ours becomes ``error``, so that one control never ends a host.
    """
    try:
        held, fact = applies(control["when"], snapshot, context)
        if not held:
            return Verdict("not_applicable", reason=fact)
        tree = substitute(control["require"], values) if control["parameters"] else control["require"]
        return bounded(_all(tree, snapshot, context))
    except Gap as gap:
        return Verdict(gap.status, reason=gap.why)
    except MemoryError:
        raise
    except Exception as error:  # malformed data or our defect: this control alone is lost
        return Verdict("error", reason=_defect(error))


def _defect(error):
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = last.filename.rsplit("/", 1)[-1]
    return f"defect or malformed data: {type(error).__name__} in {place}:{last.lineno}: {str(error)[:200]}"


def _all(tree, snapshot, context):
    return worst([verdict for part in tree for verdict in _part(part, snapshot, context)])


def _part(part, snapshot, context):
    if "any" in part:
        return [any_of([_all(tree, snapshot, context) for tree in part["any"]])]
    try:
        if "cases" in part:
            return [_case(part["cases"], snapshot, context)]
        return RESOURCES[part["resource"]].judge(part["statement"], snapshot)
    except Gap as gap:
        return [Verdict(gap.status, reason=gap.why)]


def chosen_case(cases, snapshot, context):
    """Return ``(case, "")`` for the first case whose conditions hold, or ``(None, the facts)``; raise Gap.

    A case that cannot be told from the facts hides all behind it: whether one of those is meant is not known.
    """
    facts = []
    for case in cases:
        held, fact = applies(case["when"], snapshot, context)
        if held:
            return case, ""
        facts.append(fact.removeprefix(NOT))
    return None, NOT + ", ".join(dict.fromkeys(facts))


def _case(cases, snapshot, context):
    case, facts = chosen_case(cases, snapshot, context)
    return Verdict("not_applicable", reason=facts) if case is None else _all(case["require"], snapshot, context)


def any_of(verdicts):
    """Merge alternatives: one that passes suffices; one that could not be read may have been it: no ``fail`` then."""
    counted = [verdict for verdict in verdicts if verdict.status != "not_applicable"]
    if not counted:
        return verdicts[0]
    for status in ("pass", "error", "unreadable", "manual"):
        for verdict in counted:
            if verdict.status == status:
                return verdict
    return Verdict(
        "fail",
        expected={"any_of": [verdict.expected for verdict in counted]},
        actual=[verdict.actual for verdict in counted],
        evidence=[item for verdict in counted for item in verdict.evidence],
        reason="; ".join(dict.fromkeys(verdict.reason for verdict in counted if verdict.reason)),
    )


def bounded(verdict):
    """Cut evidence and text to what a report needs: a hostile host must not make findings of any size."""
    left = len(verdict.evidence) - MAX_EVIDENCE
    kept = [
        {"where": str(item["where"])[:MAX_TEXT], "what": str(item["what"])[:MAX_TEXT]}
        for item in verdict.evidence[:MAX_EVIDENCE]
    ]
    if left > 0:
        kept.append({"where": "", "what": f"and {left} more"})
    verdict.evidence = kept
    verdict.actual = _cut(verdict.actual)
    verdict.reason = verdict.reason[: 2 * MAX_TEXT]
    return verdict


def _cut(value, depth=4):
    if isinstance(value, str):
        return value if len(value) <= MAX_TEXT else value[:MAX_TEXT] + "..."
    if isinstance(value, list):
        kept = [_cut(item, depth - 1) for item in value[:50]] if depth else [f"{len(value)} items"]
        return [*kept, f"and {len(value) - 50} more"] if len(value) > 50 and depth else kept
    if isinstance(value, dict):
        return {str(key)[:MAX_TEXT]: _cut(item, depth - 1) for key, item in list(value.items())[:50]} if depth else {}
    return value

"""What came of hardening a host: said by the engine, by the packages, and by the second assessment."""

from __future__ import annotations

from ..snapshots.limits import harmless

UNWELL = ("rolled_back", "failed", "unwell")
"""States after which no further host is changed."""


def outcome(plan, applied, packages, before, after, health):
    """Return ``{state, reason, changed_controls, failed_controls, fixed, broken, still, held, left, reboot, health}``.

    ``plan``: the host's; ``applied``: what ``guarded_change`` returned, None where there was nothing to do;
    ``packages``: {name: reason} of those that are not as planned; ``before`` and ``after``: findings of the two
    assessments (``after`` None: it could not be assessed again); ``health``: sentences of what is not well.
    ``fixed``, ``broken``, ``still``: sections that fail no more, that fail now and did not, that were changed and still
    fail.
    """
    failed = dict((applied or {}).get("failed_controls") or {})
    statuses = {item["index"]: item for item in (applied or {}).get("results") or ()}
    changed, reasons = set(), []
    for index, operation in enumerate(plan["operations"]):
        if statuses.get(index, {}).get("status") == "changed":
            changed |= set(operation["controls"])
    _packages(plan, packages, changed, failed)
    sections = _sections(before or [], after or [], changed - set(failed))
    state = _state(applied, changed, failed, after, health)
    said = (applied or {}).get("msg") or (applied or {}).get("why")
    if said and state in UNWELL:
        reasons.append(str(said)[:400])
    if after is None:
        reasons.append("it could not be assessed again")
    return {
        "state": state,
        "reason": harmless("; ".join([*reasons, *health])[:800]),
        "changed_controls": sorted(changed - set(failed)),
        "failed_controls": {harmless(name): harmless(str(reason)[:200]) for name, reason in sorted(failed.items())},
        "held": [item["control"] for item in plan["held"]],
        "left": len(plan["left"]),
        "reboot": sorted({item["reason"] for item in plan["reboot"] if set(item["controls"]) - set(failed)}),
        "health": health,
        **sections,
    }


def _packages(plan, missed, changed, failed):
    for name, controls in plan["packages"]["controls"].items():
        for control in controls:
            if name in missed:
                failed.setdefault(control, f"{name}: {missed[name]}")
            else:
                changed.add(control)


def _state(applied, changed, failed, after, health):
    if applied and applied.get("state") == "rolled_back":
        return "rolled_back"
    if applied and (applied.get("failed") or applied.get("unreachable")):
        return "failed"
    if after is None or health:
        return "unwell"
    if changed - set(failed):
        return "changed"
    return "partly" if failed else "unchanged"


def _sections(before, after, changed):
    def failing(findings):
        return {
            f"{one['benchmark']} {one['section']}"
            for one in findings
            if one["status"] == "fail" and not one["disposition"]
        }

    first, second = failing(before), failing(after)
    concerned = {f"{one['benchmark']} {one['section']}" for one in after if one["control"] in changed}
    return {
        "fixed": sorted(first - second) if after else [],
        "broken": sorted(second - first),
        "still": sorted(concerned & second),
    }


def words(host, found):
    """One short text for a host: what was done, held, failed, and what a person has to do now."""
    parts = [f"{host}: {found['state'].replace('_', ' ')}"]
    parts.append(f"{len(found['fixed'])} sections fixed")
    parts.append(f"{len(found['held'])} controls held")
    if found["failed_controls"]:
        parts.append(f"{len(found['failed_controls'])} failed")
    if found["broken"]:
        parts.append(f"fail now and did not: {', '.join(found['broken'][:10])}")
    if found["reboot"]:
        parts.append("needs a reboot: " + "; ".join(found["reboot"][:3]))
    text = ", ".join(parts)
    if found["reason"]:
        text += f". {found['reason']}"
    for name, reason in list(found["failed_controls"].items())[:10]:
        text += f"\n  {name}: {reason}"
    return text

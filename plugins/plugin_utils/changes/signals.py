"""What the records of changes on a host say that somebody should know: signals for the alerts engine."""

from __future__ import annotations

from ..findings.alerts import MalformedFinding, make_signal, parse_time

WAITING_SECONDS = 7200
"""Longer than any change applies and waits to be confirmed; clocks of hosts may differ by minutes."""

RULES = {
    "hardening.fired": {
        "title": "The host undid a change that nobody confirmed",
        "severity": "high",
        "steps": [
            "Read why: no log-in after the change, a restart in between, or a change that ended half-way.",
            "What the run changed is as it was before. A control that locks out wants a hold: plan again.",
        ],
    },
    "hardening.conflict": {
        "title": "A change was undone only in part: somebody else had changed the same",
        "severity": "medium",
        "steps": ["Look at each place named in the evidence and decide which of the two is meant."],
    },
    "hardening.left_armed": {
        "title": "A change waits to be confirmed although its time is over",
        "severity": "high",
        "steps": ["Roll the run back: playbooks/rollback.yml. Its own rollback did not run."],
    },
}
"""Rules about changes: title, severity, steps."""


def signals(snapshot, host, at, scope="default"):
    """Return the signals (findings.alerts.make_signal) of the table hardening_state; none when it was not read.

    ``at``: RFC 3339 UTC of this look. A run is an entity of its own. A later run that was confirmed ends the alerts of
    those before it. The same records give the same signals: their times are those of the records.
    """
    rows = snapshot.table("hardening_state").rows
    common = {"host": host, "scope": scope}
    confirmed = max((_at(row, "since", at) for row in rows.values() if row.get("phase") == "confirmed"), default="")
    found = [
        make_signal(rule, entity=None, kind="cleared", description="a later run was confirmed", at=confirmed, **common)
        for rule in (RULES if confirmed else ())
    ]
    for run, row in sorted(rows.items()):
        if _at(row, "since", at) <= confirmed:
            continue
        for rule, text, evidence, moment in _said(run, row, at):
            entities = [{"type": "host", "name": host}, {"type": "run", "name": run}]
            more = {**RULES[rule], **common}
            found.append(
                make_signal(rule, entity=run, at=moment, description=text, entities=entities, evidence=evidence, **more)
            )
    return found


def _said(run, row, at):
    """Yield (rule, text, evidence, time) of one run."""
    place = f"/var/lib/ringwall/{run}"
    ended = _at(row, "ended", at)
    if row.get("fired"):
        evidence = [{"where": place, "what": row.get("why") or "no reason is recorded"}]
        yield "hardening.fired", f"Run {run} was undone by the host.", evidence, ended
    if row.get("conflicts"):
        evidence = [{"where": place, "what": text} for text in row["conflicts"][:10]]
        yield "hardening.conflict", f"Run {run} was undone only in part.", evidence, ended
    if row.get("phase") in ("applying", "switched", "rolling_back"):
        since = _at(row, "since", at)
        if (parse_time(at) - parse_time(since)).total_seconds() >= WAITING_SECONDS:
            text = f"Run {run} is {row['phase']} since {since}."
            yield "hardening.left_armed", text, [{"where": place, "what": text}], since


def _at(row, column, at):
    """A time of a record, never later than ``at``; ``at`` when it is none."""
    try:
        parse_time(row.get(column))
        return min(row[column], at)
    except MalformedFinding:
        return at

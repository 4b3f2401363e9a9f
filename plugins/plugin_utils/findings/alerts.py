"""The alerts engine: signals become alerts that are counted once, rolled up, resolved, dismissed and reopened.

Pure functions: what was known plus what was seen gives what is known. The store persists the alerts and asks again.

A **signal** is ``{rule, scope, host, entity, at, kind}`` with ``kind`` ``raised`` or ``cleared``, and for a raised one
``title, description, severity, tactics, techniques, entities, evidence, steps`` too (see ``make_signal``).
``entity`` is text that tells two alerts of one rule on one host apart; None in a cleared signal stands for all.
"""

from __future__ import annotations

import datetime
import hashlib
import json

from .dispositions import match_alert
from .model import SEVERITIES, MalformedFinding, check_evidence

SCHEMA = "ringwall.alert/1"
ALERT_SEVERITIES = (*SEVERITIES, "informational")
OVERFLOW = "(further)"
"""Entity of the one alert that takes what exceeds the rate limit of a rule on a host."""

RATE_LIMIT = 50
"""New alerts of one rule on one host within RATE_WINDOW; what exceeds it is counted in one alert."""

RATE_WINDOW = datetime.timedelta(hours=24)
EVIDENCE_KEPT = 10


def fingerprint(scope, rule, host, entity):
    """Return what makes two signals the same alert: 32 hex digits of scope, rule, host and entity."""
    data = json.dumps([scope, rule, host, entity], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(data.encode("ascii")).hexdigest()[:32]


def make_signal(
    rule,
    *,
    host,
    entity,
    at,
    scope="default",
    kind="raised",
    title="",
    description="",
    severity="medium",
    tactics=(),
    techniques=(),
    entities=(),
    evidence=(),
    steps=(),
):
    """Return a checked signal; ``at`` is RFC 3339 UTC (seconds, Z). Raise MalformedFinding."""
    if kind not in ("raised", "cleared"):
        raise MalformedFinding(f"signal of kind {kind!r}: expected raised or cleared")
    if severity not in ALERT_SEVERITIES:
        raise MalformedFinding(f"severity {severity!r}: expected one of {', '.join(ALERT_SEVERITIES)}")
    if kind == "raised" and not isinstance(entity, str):
        raise MalformedFinding("a raised signal names its entity")
    parse_time(at)
    evidence = list(evidence)[:EVIDENCE_KEPT]
    check_evidence(evidence)
    return {
        "rule": rule,
        "scope": scope,
        "host": host,
        "entity": entity,
        "at": at,
        "kind": kind,
        "title": title or rule,
        "description": description,
        "severity": severity,
        "tactics": list(tactics),
        "techniques": list(techniques),
        "entities": list(entities),
        "evidence": evidence,
        "steps": list(steps),
    }


def parse_time(value):
    """Return RFC 3339 UTC text as an aware datetime; raise MalformedFinding."""
    try:
        return datetime.datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.UTC)
    except (TypeError, ValueError):
        raise MalformedFinding(f"time {value!r}: expected RFC 3339 UTC such as 2026-01-31T08:00:00Z") from None


def advance(previous, signals, now, dispositions=None, limit=RATE_LIMIT):
    """Return the alerts after ``signals`` were seen, sorted by fingerprint; the arguments are not changed.

    ``previous``: alerts as this function returned them. ``signals``: of make_signal, in any order. ``now``: RFC 3339
    UTC, not before the last signal. ``dispositions``: those in force (dispositions.in_force), None when unknown
    (nothing is then dismissed or taken back). ``limit``: see RATE_LIMIT.

    - Signals of one fingerprint are one alert; it counts each moment once, so giving the same signals again changes
      nothing. ``new`` becomes ``active`` when seen again or at a later ``now``.
    - A cleared signal resolves; a later raised one reopens the same alert, ``reopened`` counts.
    - An alert that a disposition in force matches is dismissed. It is counted on, and active again once the
      disposition no longer is in force.
    """
    alerts = {alert["fingerprint"]: dict(alert) for alert in previous}
    begun = {}  # (scope, rule, host) -> when each of its alerts was first seen
    for alert in alerts.values():
        _begin(begun, alert)
    surplus = {}
    for signal in sorted(signals, key=_order):
        if signal["kind"] == "cleared":
            _clear(alerts, signal)
            continue
        print_ = fingerprint(signal["scope"], signal["rule"], signal["host"], signal["entity"])
        known = alerts.get(print_)
        if known is not None:
            _again(known, signal)
        elif _new_in_window(begun, signal) < limit:
            alerts[print_] = _first(print_, signal)
            _begin(begun, alerts[print_])
        else:
            surplus.setdefault((signal["at"], signal["scope"], signal["rule"], signal["host"]), {})[print_] = signal
    for _key, extra in sorted(surplus.items()):
        _overflow(alerts, list(extra.values()))
    for alert in alerts.values():
        if alert["status"] == "new" and now > alert["first_seen"]:
            alert["status"] = "active"
        if dispositions is not None:
            _dispose(alert, dispositions)
    return [alerts[key] for key in sorted(alerts)]


def _order(signal):
    # What is raised and cleared at the same moment counts as raised: the clear comes after and finds nothing older.
    return (
        signal["at"],
        signal["kind"] == "cleared",
        signal["rule"],
        signal["host"],
        signal["entity"] or "",
    )


def _first(print_, signal):
    return {
        "schema": SCHEMA,
        "scope": signal["scope"],
        "host": signal["host"],
        "fingerprint": print_,
        "rule": signal["rule"],
        "entity": signal["entity"],
        "title": signal["title"],
        "description": signal["description"],
        "severity": signal["severity"],
        "tactics": signal["tactics"],
        "techniques": signal["techniques"],
        "entities": signal["entities"],
        "count": 1,
        "first_seen": signal["at"],
        "last_seen": signal["at"],
        "status": "new",
        "disposition": None,
        "reopened": 0,
        "resolved_at": None,
        "resolution": "",
        "evidence": signal["evidence"],
        "steps": signal["steps"],
    }


def _again(alert, signal, count=1):
    if signal["at"] <= alert["last_seen"]:
        return  # this moment is counted already
    if alert["status"] == "resolved" and signal["at"] <= alert["resolved_at"]:
        return
    if alert["status"] == "resolved":
        alert["reopened"] += 1
    if alert["status"] != "dismissed":
        alert["status"] = "active"
    alert["count"] += count
    alert["last_seen"] = signal["at"]
    alert["resolved_at"] = None
    alert["resolution"] = ""
    for name in ("title", "description", "severity", "evidence", "entities"):
        alert[name] = signal[name]


def _clear(alerts, signal):
    if signal["entity"] is None:
        chosen = [
            alert
            for alert in alerts.values()
            if (alert["scope"], alert["rule"], alert["host"]) == (signal["scope"], signal["rule"], signal["host"])
        ]
    else:
        found = alerts.get(fingerprint(signal["scope"], signal["rule"], signal["host"], signal["entity"]))
        chosen = [found] if found else []
    for alert in chosen:
        if alert["status"] != "resolved" and signal["at"] > alert["last_seen"]:
            alert["status"] = "resolved"
            alert["resolved_at"] = signal["at"]
            alert["resolution"] = signal["description"]


def _begin(begun, alert):
    if alert["entity"] != OVERFLOW:
        begun.setdefault((alert["scope"], alert["rule"], alert["host"]), []).append(alert["first_seen"])


def _new_in_window(begun, signal):
    latest = signal["at"]
    earliest = (parse_time(latest) - RATE_WINDOW).strftime("%Y-%m-%dT%H:%M:%SZ")
    times = begun.get((signal["scope"], signal["rule"], signal["host"]), ())
    return sum(1 for moment in times if earliest < moment <= latest)


def _overflow(alerts, extra):
    first = extra[0]
    signal = dict(
        first,
        entity=OVERFLOW,
        title=f"{first['rule']}: further alerts, held back by the rate limit",
        description="More of the same on this host than one day shows one by one.",
        entities=[],
        evidence=[{"where": first["host"], "what": item["title"]} for item in extra[:EVIDENCE_KEPT]],
        severity=min((item["severity"] for item in extra), key=ALERT_SEVERITIES.index),
    )
    print_ = fingerprint(signal["scope"], signal["rule"], signal["host"], OVERFLOW)
    known = alerts.get(print_)
    if known is None:
        alerts[print_] = dict(_first(print_, signal), count=len(extra))
    else:
        _again(known, signal, len(extra))


def _dispose(alert, dispositions):
    found = match_alert(alert, dispositions)
    if found is not None:
        alert["disposition"] = found["id"]
        if alert["status"] != "resolved":
            alert["status"] = "dismissed"
    elif alert["disposition"] is not None:
        alert["disposition"] = None
        if alert["status"] == "dismissed":
            alert["status"] = "active"

"""The built-in alert rules: what two looks at a host, and a look at the whole fleet, say.

``signals_between`` compares one host with its past; ``fleet_signals`` sees what no single host can: hosts that were
not seen, one machine under two names, a score that fell.
"""

from __future__ import annotations

import datetime

from .alerts import make_signal, parse_time
from .model import STATUSES

SCORE_DROP = 5.0
"""Percentage points that the secure score of a host or scope may fall between two runs without an alert."""

UNSEEN_HOURS = 24
"""Hours since a host was last assessed after which it counts as unseen (three runs at one every 8 hours)."""

RULES = {
    "posture.regressed": {
        "title": "A control that passed fails now",
        "tactics": ["Defense Evasion"],
        "techniques": ["T1562"],
        "steps": [
            "Open the finding: expected, actual and evidence say what changed.",
            "Find out who changed it and whether it was meant to be.",
            "Restore the setting, or record a disposition with a reason and an end.",
        ],
    },
    "posture.score_drop": {
        "title": "The secure score fell",
        "severity": "medium",
        "steps": ["Compare with the last run: the alerts of failing controls name what was lost."],
    },
    "posture.table_unreadable": {
        "title": "A table that was readable cannot be read any more",
        "severity": "medium",
        "tactics": ["Defense Evasion"],
        "techniques": ["T1562.001"],
        "steps": [
            "Read the reason: a missing right, a time-out or a program that is gone.",
            "Controls that need the table count as unhealthy until it can be read again.",
        ],
    },
    "fleet.host_unseen": {
        "title": "A known host was not assessed",
        "severity": "medium",
        "steps": [
            "Look at the reason of the last attempt and mend the connection.",
            "If the host is gone for good, take it out of the inventory.",
        ],
    },
    "fleet.clone": {
        "title": "One machine id under two names",
        "severity": "medium",
        "steps": [
            "If one machine has two names in the inventory, remove one.",
            "If a machine was cloned, give the copy a machine id and SSH host keys of its own.",
        ],
    },
    "fleet.reinstalled": {
        "title": "Another machine answers under a known name",
        "severity": "medium",
        "steps": [
            "If the host was installed anew, nothing more is to be done: its baseline starts again.",
            "If it was not, find out which machine answers: its SSH host key must have changed too.",
        ],
    },
    "dispositions.unused": {
        "title": "An exception fits nothing",
        "severity": "low",
        "steps": [
            "Compare its selector and hosts with the finding that it is meant for: a slip makes it useless.",
            "If the finding is gone, remove the exception: what fits nothing today may hide something tomorrow.",
        ],
    },
    "dispositions.expired": {
        "title": "An exception has ended",
        "severity": "low",
        "steps": ["Fix what it excused, or decide anew with a later end; then remove what has ended."],
    },
}
"""Built-in rules: title, severity (posture.regressed takes the finding's), ATT&CK tactics and techniques, steps."""

_LOST = ("denied", "partial", "error", "unsupported")


def _signal(rule, **fields):
    defaults = {name: value for name, value in RULES[rule].items() if name not in fields}
    return make_signal(rule, **defaults, **fields)


def signals_between(previous, host_file, score=None, score_drop=SCORE_DROP):
    """Return the signals of one host: its past against its file of this run.

    ``previous``: None when the host was never assessed (a first run is a silent baseline: no signals),
    else ``{"machine_id": text or None, "statuses": {control id: last conclusive status},
    "tables": {name: {"state": ...}}, "score": percent or None}``; what is missing is not compared. Keys of
    ``statuses`` may also be ``benchmark/section/control``; "conclusive" is pass, fail or not_applicable, so that a
    control which was unreadable in between still counts as having passed before.
    ``host_file``: the host file of the run (``ringwall.host/1``). ``score``: secure score of the host in percent now.
    ``score_drop``: percentage points, see SCORE_DROP.
    """
    if previous is None or host_file["state"] != "assessed":
        return []
    common = {
        "scope": host_file["scope"],
        "host": host_file["host"],
        "at": host_file["taken"],
    }
    cleared = dict(common, kind="cleared")
    signals = []
    machine = (host_file.get("identity") or {}).get("machine_id")
    before = previous.get("machine_id")
    if isinstance(machine, str) and before and machine != before:
        # A new machine has no past to be compared with: its baseline starts here.
        return [
            _signal(
                "fleet.reinstalled",
                entity=machine,
                description="The machine id differs from the one that this name had before.",
                entities=[{"type": "host", "name": host_file["host"]}],
                evidence=[
                    {
                        "where": "/etc/machine-id",
                        "what": f"{before} before, {machine} now",
                    }
                ],
                **common,
            )
        ]
    signals += _regressions(previous.get("statuses") or {}, host_file["findings"], common)
    signals += _tables(
        previous.get("tables") or {},
        host_file["tables"],
        host_file.get("privilege"),
        common,
    )
    was = previous.get("score")
    if was is not None and score is not None:
        if was - score >= score_drop:
            signals.append(_score_signal(was, score, common))
        elif score >= was:
            signals.append(
                make_signal(
                    "posture.score_drop",
                    entity=None,
                    description="the score rose",
                    **cleared,
                )
            )
    return signals


def _conclusive(statuses):
    """Return {control: status}; keys may be whole finding keys, several of one control are merged (fail wins)."""
    merged = {}
    for key, status in statuses.items():
        control = key.rsplit("/", 1)[-1]
        if control and (control not in merged or status == "fail"):
            merged[control] = status
    return merged


def _regressions(statuses, findings, common):
    before = _conclusive(statuses)
    now = {}
    for finding in findings:
        control = finding["control"]
        if not control or finding.get("disposition"):
            continue
        if control not in now or STATUSES.index(finding["status"]) < STATUSES.index(now[control]["status"]):
            now[control] = finding
    for control, finding in now.items():
        status = finding["status"]
        if status == "fail" and before.get(control) == "pass":
            yield _signal(
                "posture.regressed",
                entity=control,
                severity=finding["severity"],
                description=f"{control} passed when it was last judged and fails now.",
                entities=[
                    {"type": "host", "name": common["host"]},
                    {"type": "control", "name": control},
                ],
                evidence=finding["evidence"],
                **common,
            )
        elif status in ("pass", "not_applicable") and before.get(control) != status:
            text = "passes again" if status == "pass" else "no longer applies"
            yield make_signal(
                "posture.regressed",
                entity=control,
                kind="cleared",
                description=text,
                **common,
            )


def _tables(before, now, privilege, common):
    for name, table in now.items():
        if table["state"] == "ok" and not table.get("stale"):
            if before.get(name, {}).get("state") != "ok":
                yield make_signal(
                    "posture.table_unreadable",
                    entity=name,
                    kind="cleared",
                    description="readable again",
                    **common,
                )
        elif before.get(name, {}).get("state") == "ok" and table["state"] in _LOST:
            why = table.get("why") or table["state"]
            yield _signal(
                "posture.table_unreadable",
                entity=name,
                description=f"The table {name} was read completely before and is {table['state']} now.",
                entities=[
                    {"type": "host", "name": common["host"]},
                    {"type": "table", "name": name},
                ],
                evidence=[{"where": name, "what": f"{why} (read as {privilege or 'unknown'})"}],
                **common,
            )


def _score_signal(was, score, common):
    return _signal(
        "posture.score_drop",
        entity="secure",
        description=f"From {was:.2f} % to {score:.2f} %.",
        entities=[{"type": "host", "name": common["host"]}] if common["host"] else [],
        evidence=[{"where": "secure score", "what": f"{was:.2f} % before, {score:.2f} % now"}],
        **common,
    )


def fleet_signals(
    known,
    hosts,
    now,
    scope="default",
    scores=(None, None),
    score_drop=SCORE_DROP,
    unseen=UNSEEN_HOURS,
):
    """Return the signals of a whole run.

    ``known``: ``{host: {"machine_id": text or None, "last_seen": RFC 3339 of the last assessment}}`` of the scope,
    this run included (retired hosts left out). ``hosts``: ``{host: {"state", "reason"}}`` asked in this run.
    ``now``: RFC 3339 UTC, end of the run. ``scores``: secure score of the scope in percent (before, now), None when
    unknown. ``unseen``: hours, see UNSEEN_HOURS.
    """
    common = {"scope": scope, "at": now}
    signals = []
    latest = parse_time(now)
    for host, past in sorted(known.items()):
        asked = hosts.get(host)
        if asked and asked["state"] == "assessed":
            signals.append(
                make_signal(
                    "fleet.host_unseen",
                    entity=None,
                    host=host,
                    kind="cleared",
                    description="seen",
                    **common,
                )
            )
        elif past.get("last_seen") and latest - parse_time(past["last_seen"]) >= datetime.timedelta(hours=unseen):
            reason = (asked or {}).get("reason") or {"text": "not asked in this run"}
            signals.append(
                _signal(
                    "fleet.host_unseen",
                    entity="host",
                    host=host,
                    description=f"Last assessed {past['last_seen']}.",
                    entities=[{"type": "host", "name": host}],
                    evidence=[{"where": host, "what": reason.get("text", "")}],
                    **common,
                )
            )
    signals += _clones(known, hosts, common)
    was, score = scores
    if was is not None and score is not None:
        place = dict(common, host="")
        if was - score >= score_drop:
            signals.append(_score_signal(was, score, place))
        elif score >= was:
            signals.append(
                make_signal(
                    "posture.score_drop",
                    entity=None,
                    kind="cleared",
                    description="the score rose",
                    **place,
                )
            )
    return signals


def _clones(known, hosts, common):
    names = {}
    for host, past in known.items():
        if past.get("machine_id"):
            names.setdefault(past["machine_id"], []).append(host)
    for host, past in sorted(known.items()):
        if not past.get("machine_id") or (hosts.get(host) or {}).get("state") != "assessed":
            continue
        others = sorted(set(names[past["machine_id"]]) - {host})
        if others:
            yield _signal(
                "fleet.clone",
                entity=past["machine_id"],
                host=host,
                description=f"The machine id is also that of {', '.join(others[:5])}.",
                entities=[{"type": "host", "name": name} for name in [host, *others[:5]]],
                evidence=[
                    {"where": f"{name}: /etc/machine-id", "what": past["machine_id"]} for name in [host, *others]
                ],
                **common,
            )
        else:
            yield make_signal(
                "fleet.clone",
                entity=None,
                host=host,
                kind="cleared",
                description="the machine id is its own",
                **common,
            )

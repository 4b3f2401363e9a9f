"""Dispositions: the one schema and matcher of every exception.

A disposition exempts a control, ignores a vulnerability, accepts a change or suppresses an alert. It never changes a
status: it names who took which risk until when, and the score leaves the matched finding out.
"""

from __future__ import annotations

import datetime
import fnmatch
import re

CATEGORIES = ("mitigated", "waiver", "false_positive", "accepted")
SELECTORS = ("control", "benchmark", "section", "rule", "cve", "path")
MAX_DAYS = 365
"""Days that a disposition may be in force at most."""

WARN_DAYS = 30
"""Days before its end from which a disposition is announced."""

_BRACKETS = re.compile(r"\[[^]]*\]")


def today(now):
    """Return the UTC date of an RFC 3339 time."""
    return datetime.date.fromisoformat(now[:10])


def wide(pattern):
    """True if the pattern says nothing: no letter and no digit outside its wildcards, or ``all``."""
    name = pattern.split(":", 1)[1] if pattern.startswith("group:") else pattern
    return name == "all" or not any(char.isalnum() for char in _BRACKETS.sub("", name))


def state(disposition, now):
    """Return ``in_force``, ``expiring`` (in force for at most WARN_DAYS more), ``expired`` or ``future``.

    It is in force from the day ``created`` to the day ``expires``, both included, in UTC.
    """
    day = today(now)
    expires = datetime.date.fromisoformat(disposition["expires"])
    if day < datetime.date.fromisoformat(disposition["created"]):
        return "future"
    if day > expires:
        return "expired"
    return "expiring" if (expires - day).days <= WARN_DAYS else "in_force"


def in_force(dispositions, now):
    """Return the dispositions that are in force at ``now`` (RFC 3339 UTC), in the order given."""
    return [one for one in dispositions if state(one, now) in ("in_force", "expiring")]


def fits_host(disposition, scope, host, groups):
    """True if the disposition's scope and host patterns fit the host with its groups."""
    if not fnmatch.fnmatchcase(scope, disposition["scope"]):
        return False
    for pattern in disposition["hosts"]:
        if pattern.startswith("group:"):
            if any(fnmatch.fnmatchcase(group, pattern[6:]) for group in groups):
                return True
        elif pattern == "all" or fnmatch.fnmatchcase(host, pattern):
            return True
    return False


def matches(disposition, facts, scope, host, groups=()):
    """True if the disposition fits.

    ``facts`` maps a name of SELECTORS to the values that the thing has (a list of text): each key of the selector
    must fit at least one of them. Patterns are those of fnmatch, upper and lower case differ.
    """
    if not fits_host(disposition, scope, host, groups):
        return False
    return all(
        any(fnmatch.fnmatchcase(value, pattern) for value in facts.get(name, ()))
        for name, pattern in disposition["selector"].items()
    )


def finding_facts(finding):
    """Return the facts of a finding that a selector is held against; ``cve`` and ``path`` where it has them."""
    facts = {name: [finding[name]] for name in ("control", "benchmark", "section") if finding.get(name)}
    for name in ("cve", "path"):
        value = finding.get(name)
        if value:
            facts[name] = [value] if isinstance(value, str) else list(value)
    return facts


def dispose(findings, dispositions, host, groups=(), scope="default"):
    """Return ``(findings, used)``: copies with ``disposition`` set to the id of the first match, and the ids used.

    ``dispositions`` must be those in force. No other field changes.
    """
    used = set()
    local = [one for one in dispositions if fits_host(one, scope, host, groups)]
    disposed = []
    for finding in findings:
        facts = finding_facts(finding)
        found = next(
            (one["id"] for one in local if matches(one, facts, scope, host, groups)),
            None,
        )
        if found is not None:
            used.add(found)
        disposed.append(dict(finding, disposition=found))
    return disposed, used


def match_alert(alert, dispositions):
    """Return the first disposition that fits an alert (by rule, and by the entities it names), or None.

    A selector that names no rule fits only if one of its other keys does: ``control`` and ``path`` are looked up in
    the alert's entities of that type.
    """
    facts = {"rule": [alert["rule"]]}
    for entity in alert["entities"]:
        if entity.get("type") in SELECTORS and isinstance(entity.get("name"), str):
            facts.setdefault(entity["type"], []).append(entity["name"])
    for one in dispositions:
        if matches(one, facts, alert["scope"], alert["host"], alert.get("groups", ())):
            return one
    return None


_OF_FINDINGS = ("control", "benchmark", "section")


def fits_nothing(dispositions, hosts, scope, options, now):
    """Return ``(unused, untold)``: ids of those in force that fit nothing, and of those of which this run cannot tell.

    ``hosts``: all of the run, each ``{name, groups, state, used: ids of dispositions on its findings}``. ``options``:
    of the run. Only a run that asked every host for every benchmark can tell, and only of a disposition of findings
    whose hosts were all assessed.
    """
    options = options or {}
    partial = options.get("limited", True) or bool(options.get("benchmarks"))
    used = {name for host in hosts for name in host["used"]}
    unused, untold = set(), set()
    for one in in_force(dispositions, now):
        if one["id"] in used:
            continue
        tellable = (
            not partial
            and bool(set(one["selector"]) & set(_OF_FINDINGS))
            and fnmatch.fnmatchcase(scope, one["scope"])
            and all(
                host["state"] == "assessed" for host in hosts if fits_host(one, scope, host["name"], host["groups"])
            )
        )
        (unused if tellable else untold).add(one["id"])
    return unused, untold


def notices(dispositions, unused, now):
    """Return what people must know of the dispositions: a list of ``{disposition, kind, text, where}``.

    ``unused``: ids that match nothing (of fits_nothing). Kinds: ``expired`` (not in force any more), ``expiring``,
    ``future``, ``unused`` (matched nothing: mistyped, or no longer needed).
    """
    found = []
    for one in dispositions:
        kind = state(one, now)
        text = {
            "expired": f"ended on {one['expires']} and is not in force: fix the finding, or decide anew",
            "expiring": f"ends on {one['expires']}",
            "future": f"is in force from {one['created']} only",
        }.get(kind)
        if text:
            found.append(
                {
                    "disposition": one["id"],
                    "kind": kind,
                    "text": text,
                    "where": one["where"],
                }
            )
        if kind in ("in_force", "expiring") and one["id"] in unused:
            text = "matches nothing: mistyped, or no longer needed"
            found.append(
                {
                    "disposition": one["id"],
                    "kind": "unused",
                    "text": text,
                    "where": one["where"],
                }
            )
    return found

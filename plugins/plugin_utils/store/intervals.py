"""When does an interval open, when does it close, and why. Pure: no database, no clock.

Each finding has a **known** value, the last that could be told, and beside it perhaps a **gap**: it could not be told
since. A gap never closes what is known: not seen is not gone.
"""

from __future__ import annotations

from typing import NamedTuple

CONCLUSIVE = frozenset(("pass", "fail", "not_applicable", "manual"))
"""Statuses that say how things are; unreadable and error say only that it could not be told."""


class Open(NamedTuple):
    """An open interval of a finding. ``first`` and ``since`` are numbers of runs, see schema.FINDINGS."""

    id: int
    key_id: int
    value_id: int
    gap: int
    first: int
    since: int
    status: str
    disposition: str | None


class New(NamedTuple):
    """An interval to open."""

    key_id: int
    value_id: int
    gap: int
    first: int
    since: int


class Plan(NamedTuple):
    """``opens``: list of New; ``closes``: list of (id, closed_by or None)."""

    opens: list
    closes: list


def is_open(status, disposition):
    """True for what a person has to act on: failing, and no disposition says otherwise."""
    return status == "fail" and disposition is None


def plan_findings(opened, seen, run, *, closing, may_end, may_begin):
    """Return the Plan that brings a host's findings from ``opened`` to what was ``seen``.

    ``opened``: iterable of Open. ``seen``: {key id: intern.Value}. ``run``: number of the run. ``closing(open, value or
    None)`` names the reason (findings.model.CLOSED_BY) why an open finding ended. ``may_end(key id)``: may a finding
    that was not seen end (its benchmark was judged)? ``may_begin(key id)``: may one begin that was never seen?
    """
    known, gaps = {}, {}
    for one in opened:
        (gaps if one.gap else known)[one.key_id] = one
    opens, closes = [], []
    for key, value in seen.items():
        last, gap = known.get(key), gaps.get(key)
        if value.status not in CONCLUSIVE:
            _gap(key, value, last, gap, run, opens, closes, may_begin)
            continue
        if gap is not None:
            closes.append((gap.id, None))
        if last is None:
            if gap is not None or may_begin(key):
                opens.append(New(key, value.id, 0, gap.first if gap else run, run))
        elif last.value_id != value.id:
            closes.append((last.id, _reason(last, value, closing)))
            opens.append(New(key, value.id, 0, last.first, last.since if last.status == value.status else run))
    for key in known.keys() | gaps.keys():
        if key in seen or not may_end(key):
            continue
        if key in known:
            closes.append((known[key].id, _reason(known[key], None, closing)))
        if key in gaps:
            closes.append((gaps[key].id, None))
    return Plan(opens, closes)


def _gap(key, value, last, gap, run, opens, closes, may_begin):
    if gap is None:
        if last is not None or may_begin(key):
            opens.append(New(key, value.id, 1, last.first if last else run, run))
    elif gap.value_id != value.id:
        closes.append((gap.id, None))
        opens.append(New(key, value.id, 1, gap.first, gap.since if gap.status == value.status else run))


def _reason(last, value, closing):
    if not is_open(last.status, last.disposition):
        return None
    if value is not None and is_open(value.status, value.disposition):
        return None  # still open, with other evidence
    return closing(last, value)


def closing_reason(before, after, *, content_changed, facts_changed, rejudged=False):
    """Return why a failing finding ended: one of findings.model.CLOSED_BY.

    ``before`` and ``after`` (None: it is not judged any more) are the findings' fields; ``content_changed``: the run
    used other content than the run before; ``facts_changed``: a table of the host changed. ``fixed`` only if the host
    itself changed: nothing else counts as remediation. ``rejudged``: what is judged was read and judged before, so that
    the host cannot have changed.
    """
    if after is None:
        return "content" if content_changed or rejudged else "tailored"
    if after["status"] == "fail":
        return "disposed"
    if rejudged:
        return "content"
    if before.get("feed") != after.get("feed"):
        return "feed"
    if after["status"] == "pass" and before.get("expected") == after.get("expected"):
        if (before.get("actual"), before.get("evidence")) != (after.get("actual"), after.get("evidence")):
            return "fixed"
        return "fixed" if facts_changed and not content_changed else "content" if content_changed else "tailored"
    if content_changed:
        return "content"
    if after["status"] == "not_applicable" and facts_changed:
        return "fixed"
    return "tailored"


def plan_rows(opened, now):
    """Return (opens, closes) of a table that was read completely.

    ``opened``: {key id: (interval id, value id)}. ``now``: {key id: value id}. ``opens``: list of (key id, value id);
    ``closes``: list of interval ids.
    """
    if not opened:
        return list(now.items()), []
    opens = [(key, value) for key, value in now.items() if key not in opened or opened[key][1] != value]
    closes = [number for key, (number, value) in opened.items() if now.get(key) != value]
    return opens, closes

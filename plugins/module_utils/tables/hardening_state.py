"""What changes of Ringwall left on the host: runs that wait, were confirmed, or were undone, and why."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import json

from ..redact import redact
from ..spec import Absent, Column, Result, Table, Unreadable

BASE = "/var/lib/ringwall"
PHASES = ("applying", "switched", "confirmed", "rolling_back", "rolled_back")
MAX_RUNS = 200
CONFLICTS = 20

TABLE = Table(
    name="hardening_state",
    description="Changes that Ringwall made here in the last 30 days (`/var/lib/ringwall`), one row a run.",
    key="id of the run",
    columns=(
        Column("phase", "text", "applying, switched (waits to be confirmed), confirmed, rolling_back, rolled_back"),
        Column("since", "time", "begin of the change"),
        Column("ended", "time", "end of undoing it; null if it was not undone as a whole"),
        Column("fired", "bool", "the host undid it by itself: nobody confirmed it in time, or the host was restarted"),
        Column("why", "text_sensitive", "why it was undone; null if it was not"),
        Column("conflicts", "list", "what was not undone because somebody else had changed it since; the first 20"),
        Column("undone_controls", "list", "ids of controls that were undone alone"),
    ),
    max_rows=MAX_RUNS,
)


def row(state):
    """Return the row of a run's state.json (parsed)."""
    state = state if isinstance(state, dict) else {}
    conflicts = [redact(str(text))[:300] for text in state.get("conflicts") or []]
    return {
        "phase": state.get("phase") if state.get("phase") in PHASES else None,
        "since": state.get("since"),
        "ended": state.get("ended"),
        "fired": bool(state.get("fired")),
        "why": redact(str(state["why"]))[:500] if state.get("why") else None,
        "conflicts": conflicts[:CONFLICTS],
        "undone_controls": sorted(str(name)[:200] for name in state.get("undone_controls") or [])[:500],
    }


def collect(host, options):
    """Return one row a run that got as far as changing something. Raise Unreadable without the right to look."""
    rows, gaps = {}, []
    try:
        names = host.listdir(BASE)
    except Absent:
        return rows
    for name in names[-MAX_RUNS:]:
        try:
            rows[host.text(name.encode("utf-8", "surrogateescape"))] = row(
                json.loads(host.read("%s/%s/state.json" % (BASE, name), 1 << 20))
            )
        except Absent:
            continue
        except (Unreadable, ValueError) as error:
            gaps.append("%s: %s" % (name, error))
    return Result(rows, "partial", "; ".join(gaps[:3])) if gaps else rows

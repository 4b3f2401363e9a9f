"""Timers of systemd: when each one fires and what it starts."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from ..redact import redact
from ..spec import Absent, Column, Result, Table, Unreadable, unreadable
from ..systemd_units import is_template, unit_files
from ..text import rfc3339

TABLE = Table(
    name="timers",
    description="Timer units of the system from their files and drop-ins, with the unit that each one starts.",
    key="name of the timer unit",
    columns=(
        Column("state", "text", "unit file state: enabled, disabled, static, masked, ... as systemctl names it"),
        Column("path", "text", "the file that counts; null for none"),
        Column("drop_ins", "list", "drop-ins in force, in order"),
        Column("calendar", "list", "OnCalendar expressions"),
        Column(
            "intervals", "map", "OnBootSec, OnActiveSec, OnStartupSec, OnUnitActiveSec, OnUnitInactiveSec: their values"
        ),
        Column("random_delay", "text", "RandomizedDelaySec as written; null when not set"),
        Column("persistent", "bool", "a run that was missed while the system was down is made up for"),
        Column("starts", "text", "unit that it starts"),
        Column(
            "command",
            "text_sensitive",
            "ExecStart lines of that unit, joined by ` ; `, cut at 1000 characters; null when it has none",
        ),
        Column("user", "text", "User of that unit; null means root"),
        Column("last_run", "time", "when it last fired, for persistent timers; null when not recorded", volatile=True),
    ),
    max_rows=2000,
)

INTERVALS = ("OnBootSec", "OnActiveSec", "OnStartupSec", "OnUnitActiveSec", "OnUnitInactiveSec")
TRUE = ("1", "yes", "y", "true", "t", "on")
"""What systemd takes for true, systemd.syntax(7)."""

LIST_CAP = 50


def _last_run(host, name):
    """The time stamp that systemd keeps of a persistent timer, systemd.timer(5)."""
    try:
        return rfc3339(host.stat("/var/lib/systemd/timers/stamp-" + name).st_mtime)
    except Absent:
        return None
    except Unreadable as error:
        return error.cell()


def row_of(host, files, name):
    """Return the row of one timer, None for an alias or a template without an instance."""
    unit = files.get(name)
    if unit is None or unit.kind == "alias" or is_template(name):
        return None
    row = dict.fromkeys(column.name for column in TABLE.columns)
    row.update(state=files.state(name), path=unit.path, drop_ins=unit.drop_ins[:LIST_CAP], calendar=[], intervals={})
    if unit.unreadable:
        gap = unreadable("denied" if "denied" in unit.unreadable else "invalid", unit.unreadable)
        row.update(
            dict.fromkeys(("calendar", "intervals", "random_delay", "persistent", "starts", "command", "user"), gap)
        )
        return row
    if unit.kind == "mask":
        return row
    persistent = (unit.value("Timer", "Persistent") or "no").lower() in TRUE
    starts = unit.value("Timer", "Unit") or name[: -len(".timer")] + ".service"
    row.update(
        calendar=unit.values("Timer", "OnCalendar")[:LIST_CAP],
        intervals={
            key: values[:LIST_CAP] for key, values in ((key, unit.values("Timer", key)) for key in INTERVALS) if values
        },
        random_delay=unit.value("Timer", "RandomizedDelaySec"),
        persistent=persistent,
        starts=starts,
        last_run=_last_run(host, name) if persistent else None,
    )
    started = files.get(starts)
    if started is not None and started.kind == "alias":
        started = files.get(started.target)
    if started is not None and started.unreadable:
        row["command"] = row["user"] = unreadable("invalid", started.unreadable)
    elif started is not None:
        row["command"] = redact(" ; ".join(started.values("Service", "ExecStart")))[:1000] or None
        row["user"] = started.value("Service", "User")
    return row


def collect(host, options):
    """Return one row a timer unit; none on a system without systemd."""
    files = unit_files(host)
    rows = {}
    for name in files.names():
        if name.endswith(".timer"):
            row = row_of(host, files, name)
            if row is not None:
                rows[name] = row
        if len(rows) >= TABLE.max_rows:
            return Result(rows, "partial", "more than %d timers" % TABLE.max_rows)
    return Result(rows, "partial" if files.gaps else "ok", "; ".join(files.gaps[:5]))

"""What is old goes: first from the store, then a checkpoint is written, then the files are removed.

A kill between two of these steps leaves more than needed, never less; the next prune carries on.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import time

from ..evidence import atomic, chain, hostfile, ledger, objects, runs
from ..evidence.canonical import sha256
from ..third_party import present
from . import bulk, checkpoint, mirror, schema

sa = present("sqlalchemy")

ALERT_DAYS = 90
TIMELINE_DAYS = 180
HOLD = "hold"
"""Ledger noun of holds."""

YOUNG_HOURS = 24
"""Objects touched that lately stay: a run that is under way may be about to name them."""


def _before(now, days):
    moment = datetime.datetime.strptime(now, "%Y-%m-%dT%H:%M:%SZ") - datetime.timedelta(days=days)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def held(state, holds=()):
    """Ids of the runs that must stay: ``holds`` and those that the ledger holds."""
    found = set(holds)
    for entry in ledger.read(state, HOLD):
        if entry["action"] == "hold":
            found.add(entry["run"])
        else:
            found.discard(entry["run"])
    return found | set(holds)


def old_runs(connection, state, keep_runs, keep_days, holds, now):
    """Runs that may go, as evidence Runs, oldest first."""
    table = schema.RUNS
    recorded = dict(connection.execute(sa.select(table.c.run, table.c.id)).all())
    scopes = {}
    for run_id in runs.list_runs(state):
        run = runs.Run(state, run_id)
        header = run.header
        scopes.setdefault(header["scope"], []).append((header["started"], run_id, header["state"], run))
    found, stay, cut = [], held(state, holds), _before(now, keep_days)
    for members in scopes.values():
        members.sort(key=lambda member: member[:2])
        for started, run_id, run_state, run in members[: max(0, len(members) - max(1, keep_runs))]:
            gone = started < cut and run_id not in stay and run_state in runs.ENDINGS and run_id in recorded
            if gone and not chain.is_head(state, run):
                found.append(run)
    return found


def derive(connection, state, keep_runs, keep_days, holds, now):
    """Remove what is old from the store, write the checkpoint and the ledger's line; return (result, [run ids])."""
    now = now or datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    old = old_runs(connection, state, keep_runs, keep_days, holds, now)
    result = {"runs": [run.id for run in old], "alerts": 0, "intervals": 0}
    table = schema.ALERTS
    gone = connection.execute(sa.delete(table).where(table.c.last_seen < _before(now, ALERT_DAYS)))
    result["alerts"] = gone.rowcount
    table = schema.RUNS
    for part in bulk.chunks(run.id for run in old):
        connection.execute(sa.update(table).where(table.c.run.in_(part)).values(pruned=1, header="{}"))
    timeline = sa.select(table.c.id).where(table.c.at < _before(now, TIMELINE_DAYS))
    for intervals in (schema.FINDINGS, schema.TABLE_STATES, schema.ROWS):
        result["intervals"] += connection.execute(sa.delete(intervals).where(intervals.c.closed.in_(timeline))).rowcount
    _orphans(connection, timeline)
    seq = max((entry["seq"] for entry in ledger.read(state, mirror.RECORD)), default=0)
    name, digest = checkpoint.write(connection, state, seq)
    removed = {run.id: sha256(run.raw()) for run in old}
    ledger.append(state, chain.PRUNED, {"checkpoint": name, "sha256": digest, "record_seq": seq, "removed": removed})
    result["checkpoint"] = name
    return result, list(removed)


def _orphans(connection, timeline):
    """Remove what no interval names any more."""
    hosts, runs_ = schema.RUN_HOSTS, schema.RUNS
    pruned = sa.select(runs_.c.id).where(runs_.c.pruned == 1)
    # The last run that assessed a host says what is known about it, however old it is.
    last = sa.select(schema.HOSTS.c.seen_run).where(schema.HOSTS.c.seen_run.is_not(None))
    connection.execute(
        sa.delete(hosts).where(hosts.c.run_id.in_(pruned), hosts.c.run_id.in_(timeline), hosts.c.run_id.not_in(last))
    )
    connection.execute(sa.delete(schema.QUARANTINE).where(schema.QUARANTINE.c.run_id.in_(pruned)))
    values, contents, keys = schema.FINDING_VALUES, schema.CONTENTS, schema.ROW_KEYS
    connection.execute(sa.delete(values).where(values.c.id.not_in(sa.select(schema.FINDINGS.c.value_id))))
    used = sa.union(
        sa.select(schema.ROWS.c.value_id), sa.select(hosts.c.about_id).where(hosts.c.about_id.is_not(None))
    )  # fmt: skip
    connection.execute(sa.delete(contents).where(contents.c.id.not_in(used)))
    connection.execute(sa.delete(keys).where(keys.c.id.not_in(sa.select(schema.ROWS.c.key_id))))


def clear(store, removed, holds):
    """Remove the files of pruned runs (of earlier, interrupted prunes too) and what only they named.

    Returns how many objects went.
    """
    state = store.state
    named = (set(chain.pruned(state).values()) | set(removed)) - held(state, holds)
    for run_id in runs.list_runs(state):
        if run_id in named:
            runs.Run(state, run_id).remove()
    for entry in os.listdir(state.runs):
        if entry.startswith(".") and entry.endswith(".removed"):
            runs.remove_grave(state, entry)
    last = [entry["checkpoint"] for entry in ledger.read(state, chain.PRUNED)][-2:]
    for name in os.listdir(state.checkpoints):
        if not name.startswith(".") and name not in last:
            os.unlink(os.path.join(state.checkpoints, name))
    cut = time.time() - YOUNG_HOURS * 3600
    atomic.sweep(state.checkpoints, cut)
    with store.writer() as connection:
        if store.shared:
            mirror.remove(connection, [f"runs/{run_id}/" for run_id in named])
            stale = set(mirror.paths(connection, "checkpoints/")) - {f"checkpoints/{name}" for name in last}
            mirror.remove(connection, stale)
            mirror.pull_runs(connection, state)  # whatever other disks recorded names objects, too
        used = _used(connection, state)
        gone = {name for name in objects.names(state) if name not in used and _age(state, name) < cut}
        for name in gone:
            objects.remove(state, name)
        if store.shared:
            # Objects come there together with the run that names them: none is too young to go.
            gone |= mirror.keep_objects(connection, used)
    return len(gone)


def _age(state, name):
    return os.stat(objects.path_of(state, name)).st_mtime


def _used(connection, state):
    """Digests that intervals or the runs on disk name."""
    table = schema.TABLE_STATES
    used = set(connection.execute(sa.select(table.c.digest).distinct()).scalars())
    for run_id in runs.list_runs(state):
        run = runs.Run(state, run_id)
        for name in run.file_names():
            with contextlib.suppress(hostfile.HostFileError):
                used.update(hostfile.objects_named(run.host_raw(name)))
    return used

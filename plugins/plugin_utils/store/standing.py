"""Findings as they stood in a run, with their ages and histories."""

from __future__ import annotations

import json

from ..third_party import present
from . import schema

sa = present("sqlalchemy")


def _times(connection):
    table = schema.RUNS
    return dict(connection.execute(sa.select(table.c.id, table.c.at)).all())


def _open_in(number):
    table = schema.FINDINGS
    return sa.and_(
        table.c.opened <= number, sa.or_(table.c.closed.is_(None), table.c.closed > number)
    )  # fmt: skip


def standing(connection, number, names):
    """Return ``{host: [finding]}`` of run ``number`` (all its hosts without ``names``); see Store.findings."""
    table, mine, hosts = schema.FINDINGS, schema.RUN_HOSTS, schema.HOSTS
    chosen = sa.select(mine.c.host_id, mine.c.state, mine.c.received, mine.c.generation, mine.c.about_id, hosts.c.name)
    chosen = chosen.join(hosts, hosts.c.id == mine.c.host_id).where(mine.c.run_id == number).order_by(hosts.c.name)
    if names:
        chosen = chosen.where(hosts.c.name.in_(names))
    members = {row.host_id: row for row in connection.execute(chosen)}
    ids = sa.select(chosen.subquery().c.host_id)
    query = (
        sa.select(
            table.c.host_id, table.c.key_id, table.c.value_id, table.c.gap, table.c.first, table.c.since,
            table.c.generation,
        )
        .where(_open_in(number), table.c.host_id.in_(ids))
        .order_by(table.c.host_id, table.c.key_id, table.c.gap)
    )  # fmt: skip
    rows = connection.execute(query).all()
    bodies = _bodies(connection, {row[2] for row in rows})
    keys = {row.id: row[1:] for row in connection.execute(sa.select(schema.FINDING_KEYS))}
    times = _times(connection)
    seen_at = _seen_at(connection, number)
    about = judged(connection, {row.host_id: row.about_id for row in members.values() if row.about_id is not None})
    changed = histories(connection, ids, number)
    found = {row.name: {} for row in members.values()}
    for host_id, key, value, gap, first, since, generation in rows:
        row = members[host_id]
        if generation != row.generation:
            continue
        benchmark, section, control = keys[key]
        mine = about.get(host_id) if row.state == "assessed" else None
        if not counts_here(mine, benchmark):
            continue
        here = found[row.name]
        last = here.get(key)
        finding = dict(bodies[value])
        finding["benchmark"], finding["section"], finding["control"] = benchmark, section, control
        finding["first_seen"], finding["last_changed"] = times[first], times[since]
        finding["history"] = changed.get((host_id, key)) or [{"at": times[since], "status": finding["status"]}]
        finding["known"] = {"status": last["status"], "since": last["last_changed"]} if gap and last else None
        finding["seen"] = row.state == "assessed" and (mine is None or benchmark in mine[0])
        finding["observed_at"] = row.received if finding["seen"] else seen_at.get(host_id)
        here[key] = finding
    return {name: list(findings.values()) for name, findings in found.items()}


def _bodies(connection, wanted):
    table = schema.FINDING_VALUES
    rows = connection.execute(sa.select(table.c.id, table.c.body)).all()
    return {number: json.loads(body) for number, body in rows if number in wanted}


def _seen_at(connection, number):
    """{host id: when it was assessed last, up to this run}."""
    mine = schema.RUN_HOSTS
    query = sa.select(mine.c.host_id, sa.func.max(mine.c.received)).where(
        mine.c.run_id <= number, mine.c.state == "assessed", mine.c.applied == 1
    )
    return dict(connection.execute(query.group_by(mine.c.host_id)).all())


def judged(connection, about_of_host):
    """Return ``{host id: (ids of the benchmarks judged, could its platform be told)}``.

    ``about_of_host``: {host id: number of schema.CONTENTS}.
    """
    table = schema.CONTENTS
    wanted = set(about_of_host.values())
    if not wanted:
        return {}
    about = {}
    for number, body in connection.execute(sa.select(table.c.id, table.c.body).where(table.c.id.in_(_abouts(wanted)))):
        known = json.loads(body)
        about[number] = ({one["id"] for one in known.get("benchmarks") or ()}, bool(known.get("whole")))
    return {host: about[number] for host, number in about_of_host.items() if number in about}


def _abouts(wanted):
    table = schema.RUN_HOSTS
    return sa.select(table.c.about_id).where(table.c.about_id.between(min(wanted), max(wanted)))


def counts_here(mine, benchmark):
    """True if a finding of ``benchmark`` belongs to a run in which ``mine`` (of judged) was assessed.

    A run asked for some benchmarks says nothing of the others. A host whose platform could not be told keeps them all:
    losing sight of the platform must not empty the report.
    """
    return mine is None or benchmark in mine[0] or not mine[1]


def histories(connection, host_ids, until, key_id=None):
    """Return ``{(host id, key id): [{at, status}]}`` for findings with more than one interval, else nothing.

    ``host_ids``: a list or a query of ids. ``until``: number of a run, None for all. With ``key_id`` the history of
    that one finding, also of a single interval.
    """
    table, values = schema.FINDINGS, schema.FINDING_VALUES
    conditions = [table.c.host_id.in_(host_ids)]
    if until is not None:
        conditions.append(table.c.opened <= until)
    if key_id is not None:
        conditions.append(table.c.key_id == key_id)
    columns = (
        table.c.host_id, table.c.key_id, table.c.gap, table.c.opened, table.c.closed, values.c.status
    )  # fmt: skip
    query = sa.select(*columns).join(values, values.c.id == table.c.value_id).where(*conditions)
    if key_id is None:
        # Most findings never changed: only those with a second interval are worth the way.
        repeated = (
            sa.select(table.c.host_id, table.c.key_id)
            .where(*conditions)
            .group_by(table.c.host_id, table.c.key_id)
            .having(sa.func.count() > 1)
            .subquery()
        )
        query = query.join(
            repeated, sa.and_(repeated.c.host_id == table.c.host_id, repeated.c.key_id == table.c.key_id)
        )
    parts = {}
    for host, key, *interval in connection.execute(query.order_by(table.c.opened, table.c.gap)):
        parts.setdefault((host, key), []).append(interval)
    times = _times(connection) if parts else {}
    return {pair: _history(intervals, until, times) for pair, intervals in parts.items()}


def _history(intervals, until, times):
    """Changes of what stood there: the gap while one is open, else the known value."""
    moments = {opened for _gap, opened, _closed, _status in intervals}
    moments |= {closed for _gap, _opened, closed, _status in intervals if closed is not None}
    changes = []
    for moment in sorted(moments):
        if until is not None and moment > until:
            break
        stood = None
        for gap, opened, closed, status in intervals:
            if opened <= moment and (closed is None or closed > moment) and (stood is None or gap):
                stood = status
        if stood is not None and (not changes or changes[-1]["status"] != stood):
            changes.append({"at": times.get(moment), "status": stood})
    return changes

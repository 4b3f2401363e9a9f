"""What was true at a moment, and what changed between two."""

from __future__ import annotations

import json

from ..third_party import present
from . import schema
from .bulk import chunks
from .standing import standing

sa = present("sqlalchemy")


class Timeline:
    """Methods of Store that ask the intervals."""

    def at(self, scope, when, host):
        """What was known of a host at ``when`` (RFC 3339 UTC): the last run not after it.

        ``{"run", "taken", "findings": [...] or [] if the host was not asked then, "tables": {name: {digest, state,
        version}}, "rows": {table: {key: row}}}``, or None when there was no run by then.
        """
        with self.reader() as connection:
            run = self._run_at(connection, scope, when)
            hosts = schema.HOSTS
            host_id = connection.execute(
                sa.select(hosts.c.id).where(hosts.c.scope == scope, hosts.c.name == host)
            ).scalar()
            if run is None or host_id is None:
                return None
            table, keys, contents = schema.ROWS, schema.ROW_KEYS, schema.CONTENTS
            query = (
                sa.select(keys.c.name, keys.c.key, contents.c.body)
                .join(keys, keys.c.id == table.c.key_id)
                .join(contents, contents.c.id == table.c.value_id)
                .where(table.c.host_id == host_id, _true_in(table, run.id))
            )
            rows = {}
            for name, key, body in connection.execute(query):
                rows.setdefault(name, {})[key] = json.loads(body)
            states = schema.TABLE_STATES
            query = (
                sa.select(states.c.name, states.c.digest, states.c.state, states.c.version)
                .where(states.c.host_id == host_id, _true_in(states, run.id))
                .order_by(states.c.gap)
            )
            tables = {
                name: {"digest": digest, "state": state, "version": version}
                for name, digest, state, version in connection.execute(query)
            }
            findings = standing(connection, run.id, [host]).get(host, [])
            return {"run": run.run, "taken": run.at, "findings": findings, "tables": tables, "rows": rows}

    @staticmethod
    def _run_at(connection, scope, when):
        table = schema.RUNS
        query = sa.select(table.c.id, table.c.run, table.c.at).where(table.c.scope == scope, table.c.at <= when)
        return connection.execute(query.order_by(table.c.id.desc()).limit(1)).first()

    def changes(self, scope, since, until, host=None):
        """What differs between what was true at ``since`` and at ``until`` (RFC 3339 UTC), of findings and rows.

        ``[{host, kind: "finding"|"row", name, key, at, before, after, closed_by}]``: ``name`` is the benchmark or the
        table, ``key`` ``section/control`` or the row's key, ``before`` and ``after`` the finding or row (None: not
        there), ``at`` the run of the last change. What could not be read in between is no change. Without a run by
        ``since`` everything is new.
        """
        with self.reader() as connection:
            first, last = self._run_at(connection, scope, since), self._run_at(connection, scope, until)
            if last is None:
                return []
            start = first.id if first else 0
            hosts = schema.HOSTS
            chosen = sa.select(hosts.c.id, hosts.c.name).where(hosts.c.scope == scope)
            if host is not None:
                chosen = chosen.where(hosts.c.name == host)
            names = dict(connection.execute(chosen).all())
            runs = schema.RUNS
            times = dict(connection.execute(sa.select(runs.c.id, runs.c.at)).all())
            keys, row_keys = schema.FINDING_KEYS, schema.ROW_KEYS
            found = []
            for part in chunks(names):
                moved = _moved(connection, schema.FINDINGS, part, start, last.id, schema.FINDINGS.c.gap == 0)
                labels = {
                    row.id: (row.benchmark, f"{row.section}/{row.control}")
                    for row in connection.execute(sa.select(keys))
                }
                found += _entries(connection, "finding", moved, labels, names, times, schema.FINDING_VALUES)
                moved = _moved(connection, schema.ROWS, part, start, last.id)
                wanted = {key for _host, key in moved}
                labels = {}
                for some in chunks(wanted):
                    query = sa.select(row_keys).where(row_keys.c.id.in_(some))
                    labels.update({row.id: (row.name, row.key) for row in connection.execute(query)})
                found += _entries(connection, "row", moved, labels, names, times, schema.CONTENTS)
        return sorted(found, key=lambda one: (one["at"] or "", one["host"], one["kind"], one["name"], one["key"]))


def _true_in(table, number):
    return sa.and_(table.c.opened <= number, sa.or_(table.c.closed.is_(None), table.c.closed > number))


def _moved(connection, table, host_ids, start, end, *conditions):
    """{(host id, key id): [value before, value after, last run that moved it, closed_by]} of what differs."""
    inside = sa.or_(
        sa.and_(table.c.opened > start, table.c.opened <= end), sa.and_(table.c.closed > start, table.c.closed <= end)
    )  # fmt: skip
    reason = table.c.closed_by if "closed_by" in table.c else sa.null()
    query = (
        sa.select(table.c.host_id, table.c.key_id, table.c.value_id, table.c.opened, table.c.closed, reason)
        .where(table.c.host_id.in_(host_ids), inside, *conditions)
        .order_by(table.c.opened)
    )
    moved = {}
    for host, key, value, opened, closed, closed_by in connection.execute(query):
        entry = moved.setdefault((host, key), [None, None, 0, None])
        if opened <= start:
            entry[0] = value
        if closed is None or closed > end:
            entry[1] = value
        entry[2] = max(entry[2], opened, closed if closed is not None and closed <= end else 0)
        entry[3] = closed_by or entry[3]
    return {pair: entry for pair, entry in moved.items() if entry[0] != entry[1]}


def _entries(connection, kind, moved, labels, names, times, values):
    wanted = {value for entry in moved.values() for value in entry[:2] if value is not None}
    bodies = {}
    for part in chunks(wanted):
        query = sa.select(values.c.id, values.c.body).where(values.c.id.in_(part))
        bodies.update({number: json.loads(body) for number, body in connection.execute(query)})
    for (host, key), (before, after, run, closed_by) in moved.items():
        name, label = labels[key]
        yield {
            "host": names[host], "kind": kind, "name": name, "key": label, "at": times.get(run),
            "before": bodies.get(before), "after": bodies.get(after), "closed_by": closed_by,
        }  # fmt: skip

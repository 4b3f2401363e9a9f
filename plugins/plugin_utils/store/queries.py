"""What reports ask: runs, hosts, findings as they stood in a run, trend, alerts, history."""

from __future__ import annotations

import datetime
import json

from ..third_party import present
from . import schema
from .engine import StoreError
from .standing import histories, standing

sa = present("sqlalchemy")

_INVENTORY = ("owner", "team", "environment", "criticality")


def _loads(text, default):
    return default if text is None else json.loads(text)


def _days(since, until):
    """Whole days between two RFC 3339 times, None when one is missing."""
    if not since or not until:
        return None
    form = "%Y-%m-%dT%H:%M:%SZ"
    return max(0, (datetime.datetime.strptime(until, form) - datetime.datetime.strptime(since, form)).days)


class Queries:
    """Methods of Store that only read."""

    def run(self, run_id=None, scope="default"):
        """One run (the newest of ``scope`` without an id): run.json without hosts, ``score``, ``counts``, ``pruned``.

        ``counts`` is {status: n} of the findings, ``quarantined`` a list of {file, host, reason}, ``finished`` may be
        missing while it runs. Raises StoreError if it was not recorded.
        """
        table = schema.RUNS
        query = sa.select(table).where(table.c.content.is_not(None))
        if run_id is None:
            query = query.where(table.c.scope == scope).order_by(table.c.id.desc()).limit(1)
        else:
            query = query.where(table.c.run == run_id)
        with self.reader() as connection:
            row = connection.execute(query).first()
            if row is None:
                raise StoreError(f"run {run_id or 'of scope ' + scope} is not in the store; record it first")
            odd = schema.QUARANTINE
            quarantined = connection.execute(
                sa.select(odd.c.file, odd.c.host, odd.c.reason).where(odd.c.run_id == row.id).order_by(odd.c.file)
            )
            return {
                **json.loads(row.header),
                "id": row.run, "scope": row.scope, "started": row.at, "state": row.state, "number": row.id,
                "score": _loads(row.score, None), "counts": _loads(row.counts, {}), "pruned": bool(row.pruned),
                "quarantined": [dict(one._mapping) for one in quarantined],
            }  # fmt: skip

    def runs(self, scope="default", limit=50):
        """The newest runs of a scope, newest first: ``[{id, started, state, counts, percent, weighted, pruned}]``."""
        table = schema.RUNS
        query = (
            sa.select(table)
            .where(table.c.scope == scope, table.c.content.is_not(None))
            .order_by(table.c.id.desc())
            .limit(limit)
        )
        with self.reader() as connection:
            found = []
            for row in connection.execute(query):
                score = _loads(row.score, None) or {"secure": {"percent": None}, "weighted": {"percent": None}}
                found.append(
                    {
                        "id": row.run, "started": row.at, "state": row.state, "counts": _loads(row.counts, {}),
                        "percent": score["secure"]["percent"], "weighted": score["weighted"]["percent"],
                        "pruned": bool(row.pruned),
                    }
                )  # fmt: skip
            return found

    def late(self, run_id):
        """True if some host of the run had been assessed later than it was read for this run."""
        runs, table = schema.RUN_HOSTS, schema.RUNS
        query = (
            sa.select(runs.c.host_id)
            .join(table, table.c.id == runs.c.run_id)
            .where(table.c.run == run_id, runs.c.applied == 0)
        )
        with self.reader() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def trend(self, scope="default", limit=30, until=None):
        """``[{run, taken, percent, weighted, fail}]`` of the newest ``limit`` runs, oldest first.

        ``until``: id of the last run to take.
        """
        points = self.runs(scope, 1_000_000 if until else limit)
        if until:
            points = points[next((at for at, point in enumerate(points) if point["id"] == until), 0) :][:limit]
        return [
            {
                "run": point["id"], "taken": point["started"], "percent": point["percent"],
                "weighted": point["weighted"], "fail": point["counts"].get("fail", 0),
            }
            for point in reversed(points)
        ]  # fmt: skip

    def hosts(self, run_id):
        """The hosts of a run, by name.

        ``[{name, state, reason, received, last_seen, days_unseen, first_seen, generation, machine_id, privilege,
        platform, identity, benchmarks, errors, notes, tailored, groups, tags, owner, team, environment, criticality,
        score: {percent, weighted, current, max}}]``. Of a host that was not assessed in this run, everything but state
        and reason is what was known last; ``days_unseen`` counts from there to this run, 0 when assessed.
        """
        with self.reader() as connection:
            number, at = self._number(connection, run_id)
            return [self._host(*row, at) for row in self._host_rows(connection, number)]

    def _number(self, connection, run_id):
        table = schema.RUNS
        row = connection.execute(sa.select(table.c.id, table.c.at).where(table.c.run == run_id)).first()
        if row is None:
            raise StoreError(f"run {run_id} is not in the store; record it first")
        return row.id, row.at

    @staticmethod
    def _host_rows(connection, number):
        """(row of this run, row of the last run that assessed it or None, HOSTS row, {about id: about}, first at)."""
        hosts, mine, runs = schema.HOSTS, schema.RUN_HOSTS, schema.RUNS
        now = connection.execute(
            sa.select(mine, hosts.c.name, hosts.c.first_run, hosts.c.machine_id, runs.c.at.label("first_at"))
            .join(hosts, hosts.c.id == mine.c.host_id)
            .join(runs, runs.c.id == hosts.c.first_run, isouter=True)
            .where(mine.c.run_id == number)
            .order_by(hosts.c.name)
        ).all()
        inner = mine.alias("inner")
        last_run = (
            sa.select(inner.c.host_id, sa.func.max(inner.c.run_id).label("last"))
            .where(inner.c.run_id <= number, inner.c.state == "assessed", inner.c.applied == 1)
            .group_by(inner.c.host_id)
            .subquery()
        )
        asked = sa.select(mine.c.host_id).where(mine.c.run_id == number)
        last = {
            row.host_id: row
            for row in connection.execute(
                sa.select(mine)
                .join(last_run, sa.and_(last_run.c.host_id == mine.c.host_id, last_run.c.last == mine.c.run_id))
                .where(mine.c.host_id.in_(asked))
            )
        }
        contents = schema.CONTENTS
        known = sa.select(mine.c.about_id).where(mine.c.host_id.in_(asked), mine.c.run_id <= number)
        about = {
            row.id: json.loads(row.body)
            for row in connection.execute(sa.select(contents.c.id, contents.c.body).where(contents.c.id.in_(known)))
        }
        return [(row, last.get(row.host_id), about) for row in now]

    @staticmethod
    def _host(row, last, about, at):
        seen = row if row.state == "assessed" and row.applied else last
        known = about.get(seen.about_id, {}) if seen is not None else {}
        inventory = about.get(row.about_id, {}).get("inventory") or known.get("inventory") or {}
        received = seen.received if seen is not None else None
        return {
            "name": row.name, "state": row.state, "reason": _loads(row.reason, None), "received": row.received,
            "last_seen": received, "first_seen": row.first_at, "generation": row.generation,
            "days_unseen": 0 if row.state == "assessed" else _days(received, row.received or at),
            "machine_id": (known.get("identity") or {}).get("machine_id"), "privilege": seen and seen.privilege,
            "platform": known.get("platform") or {}, "identity": known.get("identity") or {},
            "benchmarks": known.get("benchmarks") or [], "errors": known.get("errors") or [],
            "notes": known.get("notes") or [], "tailored": known.get("tailored") or [],
            "groups": inventory.get("groups") or [], "tags": inventory.get("tags") or {},
            **{name: inventory.get(name) for name in _INVENTORY},
            "score": {name: getattr(row, name) for name in ("percent", "weighted", "current", "max")},
        }  # fmt: skip

    def findings(self, run_id, host=None):
        """Findings as they stood in a run: ``{host: [finding]}``, of one ``host`` its list.

        A finding has the fields of its host file and ``first_seen``, ``last_changed`` (of its status), ``history``
        ``[{at, status}]``, ``seen`` (False: the host, or the finding's benchmark, was not assessed in this run; what
        stands there is what was known last) and ``known`` (for unreadable and error: the last status that could be
        told, with its time, else None). Values may be shared between findings: do not change them.
        """
        with self.reader() as connection:
            number, _at = self._number(connection, run_id)
            names = [] if host is None else [host]
            found = standing(connection, number, names)
            return found if host is None else found.get(host, [])

    def history(self, scope, host, benchmark, section, control):
        """Every change of status of one finding: ``[{at, status}]``, oldest first, over all generations."""
        with self.reader() as connection:
            hosts, keys = schema.HOSTS, schema.FINDING_KEYS
            host_id = connection.execute(
                sa.select(hosts.c.id).where(hosts.c.scope == scope, hosts.c.name == host)
            ).scalar()
            key_id = connection.execute(
                sa.select(keys.c.id).where(
                    keys.c.benchmark == benchmark, keys.c.section == section, keys.c.control == control
                )
            ).scalar()
            if host_id is None or key_id is None:
                return []
            return histories(connection, [host_id], None, key_id).get((host_id, key_id), [])

    def closed(self, scope="default", since="", until="9999"):
        """Findings that ended: ``[{host, benchmark, section, control, at, closed_by}]`` between two times.

        ``closed_by`` is one of findings.model.CLOSED_BY; only ``fixed`` is remediation.
        """
        table, hosts, keys, runs = schema.FINDINGS, schema.HOSTS, schema.FINDING_KEYS, schema.RUNS
        query = (
            sa.select(
                hosts.c.name.label("host"), keys.c.benchmark, keys.c.section, keys.c.control, runs.c.at,
                table.c.closed_by,
            )
            .join(hosts, hosts.c.id == table.c.host_id)
            .join(keys, keys.c.id == table.c.key_id)
            .join(runs, runs.c.id == table.c.closed)
            .where(hosts.c.scope == scope, table.c.closed_by.is_not(None), runs.c.at >= since, runs.c.at <= until)
            .order_by(runs.c.id, hosts.c.name, keys.c.id)
        )  # fmt: skip
        with self.reader() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def alerts(self, scope=None, host=None, statuses=None, run_id=None):
        """Alerts (ringwall.alert/1), newest sight first; those of a run: first seen not after that run's last answer.

        ``statuses``: only these (new, active, resolved, dismissed).
        """
        table = schema.ALERTS
        query = sa.select(table.c.body).order_by(table.c.last_seen.desc(), table.c.fingerprint)
        with self.reader() as connection:
            if run_id is not None:
                mine, runs = schema.RUN_HOSTS, schema.RUNS
                number, at = self._number(connection, run_id)
                last = connection.execute(
                    sa.select(sa.func.max(mine.c.received)).where(mine.c.run_id == number)
                ).scalar()
                of_run = sa.select(runs.c.scope).where(runs.c.id == number).scalar_subquery()
                query = query.where(table.c.first_seen <= max(at, last or at), table.c.scope == of_run)
            if scope is not None:
                query = query.where(table.c.scope == scope)
            if host is not None:
                query = query.where(table.c.host == host)
            if statuses is not None:
                query = query.where(table.c.status.in_(list(statuses)))
            return [json.loads(body) for (body,) in connection.execute(query)]

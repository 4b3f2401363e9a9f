"""What judging a host needs from the past, for many hosts at once."""

from __future__ import annotations

import json

from ...module_utils.tables import TABLES
from ..third_party import present
from . import mirror, schema
from .alerting import TOLD
from .bulk import chunks

sa = present("sqlalchemy")


class Past:
    """Methods of Store that ``begin`` asks before any host is assessed."""

    def past(self, scope, host):
        """What is known of one host, see ``pasts``; empty for a host that was never assessed."""
        return self.pasts(scope, [host]).get(host, {})

    def pasts(self, scope, hosts):
        """Return ``{host: past}`` for those of ``hosts`` that were assessed before (hosts that were retired left out).

        A past is ``{"tables": {name: {digest, state, version, observed_at}}, "generation", "machine_id", "taken",
        "privilege", "score": percent or None, "statuses": {"benchmark/section/control": last status that could be
        told}}``. Contents of deep tables are brought to this disk if they are not there.
        """
        with self.reader() as connection:
            found, names = {}, {}
            table = schema.HOSTS
            wanted = list(hosts)
            for part in chunks(wanted):
                query = sa.select(table).where(
                    table.c.scope == scope, table.c.name.in_(part), table.c.seen_run.is_not(None),
                    table.c.retired_run.is_(None),
                )  # fmt: skip
                for row in connection.execute(query):
                    names[row.id] = row
                    found[row.name] = {
                        "generation": row.generation, "machine_id": row.machine_id, "taken": row.seen_at,
                        "privilege": row.privilege, "score": None, "tables": {}, "statuses": {},
                    }  # fmt: skip
            for part in chunks(names):
                self._tables(connection, part, names, found)
                self._statuses(connection, part, names, found)
                self._scores(connection, part, names, found)
            if self.shared:
                deep = {name for name, module in TABLES.items() if module.TABLE.cadence == "deep"}
                digests = {
                    entry["digest"]
                    for past in found.values()
                    for name, entry in past["tables"].items()
                    if name in deep and entry["digest"]
                }
                mirror.pull_objects(connection, self.state, sorted(digests))
        return found

    @staticmethod
    def _tables(connection, ids, names, found):
        table = schema.TABLE_STATES
        query = sa.select(
            table.c.host_id, table.c.name, table.c.digest, table.c.state, table.c.version, table.c.gap
        ).where(table.c.host_id.in_(ids), table.c.closed.is_(None)).order_by(table.c.gap)  # fmt: skip
        observed = {number: json.loads(names[number].observed or "{}") for number in ids}
        for host, name, digest, state, version, _gap in connection.execute(query):
            # A gap comes after the reading that it hides.
            found[names[host].name]["tables"][name] = {
                "digest": digest, "state": state, "version": version,
                "observed_at": observed[host].get(name, names[host].seen_at),
            }  # fmt: skip

    @staticmethod
    def _statuses(connection, ids, names, found):
        table, keys, values = schema.FINDINGS, schema.FINDING_KEYS, schema.FINDING_VALUES
        key_names = {
            row.id: f"{row.benchmark}/{row.section}/{row.control}" for row in connection.execute(sa.select(keys))
        }
        query = (
            sa.select(table.c.host_id, table.c.key_id, values.c.status)
            .join(values, values.c.id == table.c.value_id)
            .where(table.c.host_id.in_(ids), table.c.closed.is_(None), table.c.gap == 0)
        )
        for host, key, status in connection.execute(query):
            if status in TOLD:
                found[names[host].name]["statuses"][key_names[key]] = status

    @staticmethod
    def _scores(connection, ids, names, found):
        table, hosts = schema.RUN_HOSTS, schema.HOSTS
        query = (
            sa.select(hosts.c.id, table.c.percent)
            .join(table, sa.and_(table.c.host_id == hosts.c.id, table.c.run_id == hosts.c.seen_run))
            .where(hosts.c.id.in_(ids))
        )
        for host, percent in connection.execute(query):
            found[names[host].name]["score"] = percent

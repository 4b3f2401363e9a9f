"""Tables of a host in the store: an interval a table's content, and an interval a row where posture needs rows."""

from __future__ import annotations

from ..evidence.objects import ObjectError
from ..third_party import present
from . import schema
from .intervals import plan_rows

sa = present("sqlalchemy")

ROW_TABLES = frozenset(
    (
        "cron", "encryption", "endpoint_protection", "firewall", "groups", "identity", "kernel_modules", "listeners",
        "mac", "mounts", "packages", "platform", "sudoers", "timers", "tls_services", "units", "users",
    )
)  # fmt: skip
"""Tables whose rows have intervals of their own. The rest is compared by the contents that their digests name."""

_MEMORY = 256
"""Contents held at once: hosts of one image share most of them."""


class TableWriter:
    """Writes the tables of hosts in one run. ``objects(digest)`` returns a table's content."""

    def __init__(self, connection, writes, interned, numbers, objects, run):
        self.connection = connection
        self.writes = writes
        self.interned = interned
        self.numbers = numbers
        self.objects = objects
        self.run = run
        self._memory = {}

    def forget(self):
        """Empty the memory after a rollback."""
        self._memory.clear()

    def apply(self, host, tables, fresh, weak):
        """Bring the tables of ``host`` from what is open to ``tables`` ({name: {digest, version, state, why, ...}}).

        A table that is not ``ok``, that is stale, or that was read with less privilege than before, opens a gap beside
        the last complete reading, which stays open with all its rows.
        """
        known, gaps = ({}, {}) if fresh else self._open(host)
        opens, closes = [], []
        for name, table in tables.items():
            last, gap = known.get(name), gaps.get(name)
            if table["state"] == "ok" and not table.get("stale") and not weak:
                if gap is not None:
                    closes.append(gap[0])
                if last is None or last[1:3] != (table["digest"], table["version"]):
                    if last is not None:
                        closes.append(last[0])
                    opens.append(self._row(host, name, table, 0))
                    if name in ROW_TABLES:
                        self._rows(host, name, table["digest"], fresh or last is None)
            elif gap is None or gap[1:4] != (table.get("digest"), table["version"], table["state"]):
                if gap is not None:
                    closes.append(gap[0])
                opens.append(self._row(host, name, table, 1))
        self._close(schema.TABLE_STATES, closes)
        self.writes.insert(schema.TABLE_STATES, opens)

    def _close(self, table, ids):
        for number in ids:
            self.writes.update(table, (number,), {"closed": self.run})

    def _row(self, host, name, table, gap):
        return (
            self.numbers.take(schema.TABLE_STATES), host.id, host.generation, name, table.get("digest"),
            table["version"], table["state"], table.get("why") or "", gap, self.run, None,
        )  # fmt: skip

    def _open(self, host):
        table = schema.TABLE_STATES
        query = sa.select(
            table.c.name, table.c.gap, table.c.id, table.c.digest, table.c.version, table.c.state
        ).where(table.c.host_id == host.id, table.c.closed.is_(None))  # fmt: skip
        known, gaps = {}, {}
        for name, gap, *rest in self.connection.execute(query):
            (gaps if gap else known)[name] = tuple(rest)
        return known, gaps

    def _content(self, name, digest):
        """{key id: value id} of a table's rows without volatile columns."""
        found = self._memory.get((name, digest))
        if found is None:
            table = self.objects(digest)
            volatile = frozenset(table["volatile"])
            if len(self._memory) >= _MEMORY:
                self._memory.pop(next(iter(self._memory)))
            rows = table["rows"]
            keys = self.interned.row_keys(name, rows)
            kept = list(rows.values())
            if volatile:
                kept = [{cell: row[cell] for cell in row if cell not in volatile} for row in kept]
            values = self.interned.contents(kept)
            found = self._memory[(name, digest)] = {keys[key]: value for key, value in zip(rows, values, strict=True)}
        return found

    def _rows(self, host, name, digest, fresh):
        try:
            now = self._content(name, digest)
        except ObjectError as error:
            raise ValueError(f"table {name}: {error}") from error
        table = schema.ROWS
        opened = {}
        if not fresh:
            query = sa.select(table.c.key_id, table.c.id, table.c.value_id).where(
                table.c.host_id == host.id, table.c.name == name, table.c.closed.is_(None)
            )
            opened = {key: (number, value) for key, number, value in self.connection.execute(query).all()}
        opens, closes = plan_rows(opened, now)
        self._close(table, closes)
        self.writes.insert(
            table,
            [
                (number, host.id, host.generation, name, key, value, self.run, None)
                for number, (key, value) in enumerate(opens, self.numbers.take(table, len(opens)))
            ],
        )  # fmt: skip

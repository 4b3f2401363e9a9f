"""Many rows at once, past the layers that cost more than the database does."""

from __future__ import annotations

from ..third_party import present

sa = present("sqlalchemy")

CHUNK = 500
"""Values in one IN (...): below the limit of variables of every SQLite."""


def insert(connection, table, rows):
    """Insert tuples, in the order of the table's columns: executemany on SQLite, COPY on PostgreSQL."""
    if not rows:
        return
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    if connection.dialect.name == "postgresql":
        with (
            connection.connection.cursor() as cursor,
            cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy,
        ):
            for row in rows:
                copy.write_row(row)
        return
    marks = ", ".join("?" * len(table.columns))
    connection.exec_driver_sql(f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})', rows)


class Writes:
    """Rows of many hosts held back until ``flush``: a few statements then, in place of a dozen a host.

    Who reads what may be held back here flushes first. A row put under its key can be put again: the last one counts.
    """

    MOST = 50_000
    """Rows held back; beyond, it is time for ``flush``."""

    def __init__(self, connection):
        self._connection = connection
        self.drop()

    def drop(self):
        """Forget what was not flushed."""
        self._new, self._keyed, self._updates, self.held = {}, {}, {}, 0

    def insert(self, table, rows):
        """Hold back new rows, tuples in the order of the table's columns."""
        if rows:
            self._new.setdefault(table, []).extend(rows)
            self.held += len(rows)

    def put(self, table, row):
        """Hold back one new row under its primary key, in place of what was put there before."""
        self._keyed.setdefault(table, {})[self._key(table, row)] = row

    def has(self, table, *key):
        """True if a new row with that primary key is held back."""
        return key in self._keyed.get(table, ())

    def update(self, table, key, values):
        """Hold back new ``values`` ({column: value}) for the row with the primary key ``key`` (a tuple).

        Updates of one table with the same columns are one statement.
        """
        self._updates.setdefault((table, tuple(values)), []).append((*key, *values.values()))
        self.held += 1

    @staticmethod
    def _key(table, row):
        names = [column.name for column in table.columns]
        return tuple(row[names.index(column.name)] for column in table.primary_key.columns)

    def flush(self):
        """Write all that is held back: new rows first, for updates may be of them."""
        new, keyed, updates = self._new, self._keyed, self._updates
        self.drop()
        for table, rows in keyed.items():
            insert(self._connection, table, list(rows.values()))
        for table, rows in new.items():
            insert(self._connection, table, rows)
        for (table, names), rows in updates.items():
            keys = [column.name for column in table.primary_key.columns]
            statement = (
                sa.update(table)
                .where(*(table.c[name] == sa.bindparam(f"the_{name}") for name in keys))
                .values({name: sa.bindparam(f"new_{name}") for name in names})
            )
            labels = [*(f"the_{name}" for name in keys), *(f"new_{name}" for name in names)]
            self._connection.execute(statement, [dict(zip(labels, row, strict=True)) for row in rows])


def chunks(values):
    """Cut a list into lists of CHUNK."""
    values = list(values)
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]


class Numbers:
    """The next free id of each table. Right while nobody else writes, which the writer's lock grants."""

    def __init__(self, connection):
        self._connection = connection
        self._next = {}

    def take(self, table, count=1):
        """Return a new id for ``table``, the first of ``count`` in a row."""
        number = self._next.get(table.name)
        if number is None:
            number = (self._connection.execute(sa.select(sa.func.max(table.c.id))).scalar() or 0) + 1
        self._next[table.name] = number + count
        return number

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


def close(connection, table, run, ids):
    """Close the intervals of these ids in ``run``."""
    statement = sa.update(table).where(table.c.id == sa.bindparam("the_id")).values(closed=run)
    if ids:
        connection.execute(statement, [{"the_id": one} for one in ids])


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

    def take(self, table):
        """Return a new id for ``table``."""
        number = self._next.get(table.name)
        if number is None:
            number = (self._connection.execute(sa.select(sa.func.max(table.c.id))).scalar() or 0) + 1
        self._next[table.name] = number + 1
        return number

"""JMESPath over the rows of tables, such that a cell that could not be read never helps anything to pass."""

from __future__ import annotations

import re
from functools import lru_cache

import jmespath

from ..snapshots.view import STATUS_OF_CELL, Gap
from .memo import memo

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@lru_cache(maxsize=512)
def compiled(expression):
    """Return the parsed expression; raise jmespath.exceptions.JMESPathError."""
    return jmespath.compile(expression)


@lru_cache(maxsize=512)
def _words(expression):
    return frozenset(_WORD.findall(expression))


def rows_of(snapshot, table):
    """Return the rows of a complete table as a list, each with its key as ``key``; raise Gap."""
    return memo(snapshot, f"rows {table}", lambda: [{**row, "key": key} for key, row in snapshot.rows(table).items()])


def hidden_cells(rows, expression):
    """Return ``[(row, cell)]`` where a column that the expression names could not be read."""
    words = _words(expression)
    found = []
    for row in rows:
        for column, value in row.items():
            if isinstance(value, dict) and "!" in value and column in words:
                found.append((row, value))
    return found


def search(snapshot, tables, expression, several=False):
    """Return ``(value, gap)``: what the expression gives over the rows that could be read, and the Gap of the others.

    With ``several`` the expression sees each table under its name, else the one table as ``rows``. ``gap`` is None when
    every cell that the expression names could be read. Raise Gap when a table as a whole is not complete.
    """
    data, gap = {}, None
    for table in tables:
        rows = rows_of(snapshot, table)
        hidden = hidden_cells(rows, expression)
        if hidden:
            cell = hidden[0][1]
            status = STATUS_OF_CELL.get(cell["!"], "error")
            gap = gap or Gap(status, f"{table}, {hidden[0][0]['key']}: {cell.get('why') or cell['!']}")
            left_out = {id(row) for row, _ in hidden}
            rows = [row for row in rows if id(row) not in left_out]
        data[table if several else "rows"] = rows
    return compiled(expression).search(data), gap

"""JMESPath over the rows of tables, such that a cell that could not be read never helps anything to pass."""

from __future__ import annotations

import re
from functools import lru_cache

from ..snapshots.view import STATUS_OF_CELL, Gap
from ..third_party import load
from . import query_functions
from .memo import memo

_ONE_KEY = re.compile(r"rows\[\?key == '([^'\\]*)'\]")
_DECIDING = ("comparator", "and_expression", "or_expression", "not_expression", "function_expression")


@lru_cache(maxsize=512)
def compiled(expression):
    """Return the parsed expression; raise ValueError (jmespath's errors are some), MissingDependency."""
    return load("jmespath").compile(expression)


@lru_cache(maxsize=512)
def deciding_fields(expression):
    """Return the names on which the choice of rows depends: those in filters, comparisons and functions."""
    found = set()

    def walk(node, decides):
        if not isinstance(node, dict):
            return
        if node["type"] == "field" and decides:
            found.add(node["value"])
        children = node.get("children", ())
        for number, child in enumerate(children):
            condition = node["type"] == "filter_projection" and number == 2
            walk(child, decides or condition or node["type"] in _DECIDING)

    walk(compiled(expression).parsed, False)
    return frozenset(found)


def rows_of(snapshot, table):
    """Return the rows of a complete table as a list, each with its key as ``key``; raise Gap."""
    return memo(snapshot, f"rows {table}", lambda: [{**row, "key": key} for key, row in snapshot.rows(table).items()])


@lru_cache(maxsize=512)
def only_key(expression):
    """Return the one key whose row the expression looks at (``rows[?key == 'x']...``), None for any other form."""
    found = _ONE_KEY.match(expression)
    return found[1] if found and expression.count("rows") == 1 else None


def _rows_for(snapshot, table, expression):
    key = only_key(expression)
    if key is None:
        return rows_of(snapshot, table)
    row = snapshot.rows(table).get(key)  # of a thousand rows one counts
    return [] if row is None else [{**row, "key": key}]


def hidden_cells(rows, expression):
    """Return ``[(row, cell)]`` where a column on which the choice of rows depends could not be read."""
    fields = deciding_fields(expression)
    found = []
    for row in rows:
        for column in fields:
            value = row.get(column)
            if isinstance(value, dict) and "!" in value:
                found.append((row, value))
    return found


def unreadable_in(value):
    """Return the first cell inside ``value`` that could not be read, None without one."""
    if isinstance(value, dict):
        if "!" in value:
            return value
        value = list(value.values())
    if isinstance(value, list):
        return next((cell for cell in map(unreadable_in, value) if cell), None)
    return None


def _gap(place, cell):
    return Gap(STATUS_OF_CELL.get(cell["!"], "error"), f"{place}: {cell.get('why') or cell['!']}")


def search(snapshot, tables, expression, several=False):
    """Return ``(value, gap)``: what the expression gives over the rows that could be read, and the Gap of the others.

    With ``several`` the expression sees each table under its name, else the one table as ``rows``. ``gap`` is None when
    everything that counts could be read. Raise Gap when a table as a whole is not complete.
    """
    data, gap = {}, None
    for table in tables:
        rows = rows_of(snapshot, table) if several else _rows_for(snapshot, table, expression)
        hidden = hidden_cells(rows, expression)
        if hidden:
            gap = gap or _gap(f"{table}, {hidden[0][0]['key']}", hidden[0][1])
            left_out = {id(row) for row, _cell in hidden}
            rows = [row for row in rows if id(row) not in left_out]
        data[table if several else "rows"] = rows
    moments = [snapshot.table(table).observed_at for table in tables]
    now = min((moment for moment in moments if moment), default=snapshot.taken)
    value = compiled(expression).search(data, query_functions.options(now))
    cell = unreadable_in(value)
    return value, gap or (_gap(", ".join(tables), cell) if cell else None)

"""Is a decoded snapshot what the table specs allow? What passes here is safe to judge and to store."""

from __future__ import annotations

import datetime
import re

from ...module_utils.collect import SCHEMA
from ...module_utils.spec import TABLE_STATES, UNREADABLE_KINDS
from ...module_utils.tables import TABLES
from . import limits
from .wire import malformed

_BAD_TEXT = re.compile("[\x00\ud800-\udfff]")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")
_HEAD = {"schema", "collector", "taken", "euid", "root", "errors", "tables"}
_PLAIN_TYPES = {"text": str, "text_sensitive": str, "int": int, "float": float, "bool": bool}


def _harmless(value, limit):
    """True for text that needs no closer look: short, ASCII, without NUL."""
    return len(value) <= limit and value.isascii() and "\x00" not in value


def _text(value, limit, what):
    if not isinstance(value, str):
        raise malformed(f"{what} is no text")
    if len(value) > limit:
        raise malformed(f"{what} is longer than {limit} characters")
    if not _harmless(value, limit) and _BAD_TEXT.search(value):
        raise malformed(f"{what} holds NUL or a lone surrogate")


def _plain(value, what, depth=2):
    """Any JSON value inside a cell, bounded in depth and text."""
    if depth > limits.DEPTH:
        raise malformed(f"{what} is nested deeper than {limits.DEPTH}")
    kind = type(value)
    if kind is str:
        if not _harmless(value, limits.CELL_TEXT):
            _text(value, limits.CELL_TEXT, what)
    elif kind is list:
        for item in value:
            _plain(item, what, depth + 1)
    elif kind is dict:
        for key, item in value.items():
            if not _harmless(key, limits.KEY_TEXT):
                _text(key, limits.KEY_TEXT, f"a key in {what}")
            _plain(item, what, depth + 1)
    elif value is not None and kind not in (bool, int, float):
        raise malformed(f"{what} is no JSON value")


def _is_int(value):
    return isinstance(value, int) and not isinstance(value, bool)


_SCALARS = {
    "int": _is_int,
    "float": lambda value: _is_int(value) or isinstance(value, float),
    "bool": lambda value: isinstance(value, bool),
    "time": lambda value: isinstance(value, str) and _TIME.fullmatch(value) is not None,
}


def _cell(value, column, what):
    kind = column.type
    if value is None:
        return
    if isinstance(value, dict) and "!" in value:
        if set(value) - {"!", "why"} or value["!"] not in UNREADABLE_KINDS:
            raise malformed(f"{what} is unreadable in an unknown way")
        _text(value.get("why", ""), limits.CELL_TEXT, what)
    elif kind in ("text", "text_sensitive"):
        _text(value, limits.CELL_TEXT, what)
    elif kind in _SCALARS:
        if not _SCALARS[kind](value):
            raise malformed(f"{what} is no {kind}")
    elif not isinstance(value, list if kind == "list" else dict):
        raise malformed(f"{what} is no {kind}")
    else:
        _plain(value, what)


def _rows(name, spec, rows):
    if not isinstance(rows, dict):
        raise malformed(f"{name}: rows are no map")
    if len(rows) > spec.max_rows:
        raise malformed(f"{name}: {len(rows)} rows, more than {spec.max_rows}")
    columns = {column.name: column for column in spec.columns}
    plain = {column.name: _PLAIN_TYPES.get(column.type) for column in spec.columns}
    for key, row in rows.items():
        _text(key, limits.KEY_TEXT, f"{name}: a key")
        if not isinstance(row, dict):
            raise malformed(f"{name}: a row is no map")
        for column, value in row.items():
            if column not in columns:
                raise malformed(f"{name}: a column that the table does not have")
            # Most cells end here: a call for each took a quarter of the worker's time.
            kind = type(value)
            if value is None or (kind is plain[column] and (kind is not str or _harmless(value, limits.CELL_TEXT))):
                continue
            _cell(value, columns[column], f"{name}.{column}")


def _table(name, table):
    spec = TABLES[name].TABLE
    if not isinstance(table, dict) or set(table) - {"version", "state", "why", "rows", "cost"}:
        raise malformed(f"{name}: unexpected form")
    if table.get("version") != spec.version or table.get("state") not in TABLE_STATES:
        raise malformed(f"{name}: unknown version or state")
    _text(table.get("why", ""), limits.CELL_TEXT, f"{name}: the reason")
    cost = table.get("cost", {})
    if (
        not isinstance(cost, dict)
        or set(cost) - {"cpu", "wall"}
        or not all(_SCALARS["float"](v) for v in cost.values())
    ):
        raise malformed(f"{name}: cost")
    _rows(name, spec, table.get("rows"))


def check(snapshot, asked=None):
    """Return the snapshot if it is one; raise HostFailure otherwise.

    ``asked`` names the tables that were asked for; one that is missing becomes ``error``, one that was not
    asked for is refused.
    """
    if set(snapshot) - _HEAD or snapshot.get("schema") != SCHEMA:
        raise malformed("no snapshot of a known schema")
    _text(snapshot.get("collector"), 32, "the collector's version")
    if not isinstance(snapshot.get("taken"), str) or not _TIME.fullmatch(snapshot["taken"]):
        raise malformed("no time of its taking")
    try:
        datetime.datetime.fromisoformat(snapshot["taken"])
    except ValueError:
        raise malformed("an impossible time") from None
    if not _is_int(snapshot.get("euid")):
        raise malformed("no user id")
    _plain(snapshot.get("errors", []), "errors")
    tables = snapshot.get("tables")
    if not isinstance(tables, dict):
        raise malformed("no tables")
    for name, table in tables.items():
        if name not in TABLES or (asked is not None and name not in asked):
            raise malformed("a table that was not asked for")
        _table(name, table)
    for name in asked or ():
        if name not in tables:
            tables[name] = {
                "version": TABLES[name].TABLE.version,
                "state": "error",
                "why": "missing in the answer",
                "rows": {},
                "cost": {},
            }
    return snapshot

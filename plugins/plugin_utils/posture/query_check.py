"""What a JMESPath expression names, held against the tables it reads: a misspelt column finds no offender."""

from __future__ import annotations

from ...module_utils.tables import TABLES
from ..content.errors import ContentError
from ..content.lines import near
from .queries import compiled
from .query_functions import known_functions, signature_of

_SAME_ROWS = ("sort_by", "reverse")


def check_query(tables, expression, several, where):
    """Raise ContentError when a table, a column or a function that the query names is not there.

    ``several``: the expression sees each table under its name, else the one table as ``rows``. What lies inside a cell
    is not checked, for its keys may be the host's own.
    """
    if not tables or not all(isinstance(name, str) for name in tables):
        raise ContentError(where, "query names no table", "table: <table>")
    for name in tables:
        if name not in TABLES:
            raise ContentError(where, f"query: unknown table {name}{near(name, TABLES)}", "one of " + ", ".join(TABLES))
    if not isinstance(expression, str):
        raise ContentError(where, "query has no expression", "expression: rows[?port == `25`]")
    try:
        parsed = compiled(expression).parsed
    except ValueError as error:
        text = " ".join(str(error).split())
        raise ContentError(where, f"bad JMESPath: {text}", "an expression over `rows`") from None
    _Walk({name if several else "rows": _columns(name) for name in tables}, where).kind(parsed, "document")


def _columns(table):
    return {"key", *(column.name for column in TABLES[table].TABLE.columns)}


class _Walk:
    """Follow an expression and know of each part what it is applied to.

    A kind is ``document``, ``("table", columns)``, ``("row", columns)`` or None: a cell, or what cannot be told.
    """

    def __init__(self, columns, where):
        self.columns = columns
        self.where = where

    def kind(self, node, at):
        """Return the kind of what ``node`` gives when it is applied to something of the kind ``at``."""
        method = getattr(self, "_" + node["type"], None)
        if method:
            return method(node, at)
        for child in node.get("children", ()):
            if isinstance(child, dict):
                self.kind(child, at)
        return None

    def _known(self, what, name, known):
        if name not in known:
            problem = f"query: unknown {what} {name}{near(name, known)}"
            raise ContentError(self.where, problem, "one of " + ", ".join(sorted(known)))

    def _field(self, node, at):
        name = node["value"]
        if at == "document":
            self._known("table", name, self.columns)
            return ("table", self.columns[name])
        if at and at[0] == "row":
            self._known("column", name, at[1])
        elif at:
            raise ContentError(self.where, f"query: {name} is asked of a list of rows", f"rows[*].{name} or rows[?...]")
        return None

    def _identity(self, node, at):
        return at

    _current = _identity

    def _index(self, node, at):
        return ("row", at[1]) if at and at[0] == "table" else None

    def _slice(self, node, at):
        return at

    def _flatten(self, node, at):
        return self.kind(node["children"][0], at)

    def _chain(self, node, at):
        for child in node["children"]:
            at = self.kind(child, at)
        return at

    _subexpression = _chain
    _index_expression = _chain
    _pipe = _chain

    def _projection(self, node, at):
        source = self.kind(node["children"][0], at)
        each = ("row", source[1]) if source and source[0] == "table" else None
        result = self.kind(node["children"][1], each)
        for condition in node["children"][2:]:
            self.kind(condition, each)
        return ("table", result[1]) if result and result[0] == "row" else None

    _filter_projection = _projection

    def _function_expression(self, node, at):
        name, given = node["value"], node["children"]
        self._known("function", name, known_functions())
        least, most = signature_of(name)
        if not least <= len(given) <= most:
            problem = f"query: {name}() takes {least} arguments, found {len(given)}"
            raise ContentError(self.where, problem, f"{name}() with {least}")
        kinds = [self.kind(child, at) for child in given if child["type"] != "expref"]
        rows = next((kind for kind in kinds if kind and kind[0] == "table"), None)
        for child in given:
            if child["type"] == "expref":
                self.kind(child["children"][0], ("row", rows[1]) if rows else None)
        if name == "join" and rows and given[2]["type"] == "literal":
            return ("table", rows[1] | {given[2]["value"]})
        return rows if name in _SAME_ROWS else None

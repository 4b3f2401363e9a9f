"""``query``: a JMESPath expression over the rows of tables, for what no resource type says."""

from __future__ import annotations

from ...content.errors import ContentError
from ...content.lines import near
from .. import comparison
from ..queries import search
from ..query_check import check_query
from ..query_functions import SUMMARIES
from .base import Resource, Verdict

KEYS = ("table", "tables", "expression", "expected")


class Query(Resource):
    """See ``summary``."""

    name = "query"
    summary = (
        "`query: {table: <table>, expression: <JMESPath>, expected: <value or comparators>}`. It sees `rows`, "
        "a list of the table's rows, each with its key as `key`. With `tables: [a, b]` it sees `a` and `b` instead. "
        "`expected: {empty: true}` with an expression that lists offenders makes each of them a line of evidence. A "
        "list of queries must hold as a whole. Functions beside those of JMESPath: "
        + "; ".join(SUMMARIES.values())
        + "."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed, no table has that name or the expression is none."""
        if isinstance(statement, list) and statement:
            for one in statement:
                self.check(one, where)
            return
        self.expect_map(statement, where)
        for key in statement:
            if key not in KEYS:
                raise ContentError(where, f"query: unknown key {key}{near(key, KEYS)}", "one of " + ", ".join(KEYS))
        if "expected" not in statement:
            raise ContentError(where, "query has no expected value", "expected: {empty: true}")
        comparison.check(statement["expected"], where)
        check_query(tables_of(statement), statement.get("expression"), "tables" in statement, where)

    def tables(self, statement):
        """The tables it names."""
        return tuple(name for one in _each(statement) for name in tables_of(one))

    def judge(self, statement, snapshot):
        """Return a Verdict a query. A cell that it names and that cannot be read never helps to pass."""
        return [self._one(one, snapshot) for one in _each(statement)]

    def _one(self, statement, snapshot):
        expected, names = statement["expected"], tables_of(statement)
        value, gap = search(snapshot, names, statement["expression"], "tables" in statement)
        good = comparison.holds(expected, value)
        # Of rows that could not be read only a list of offenders says something certain: those that were found. Where
        # rows of several tables meet, one that is missing may have been what clears another.
        if gap and (good or expected != {"empty": True} or "tables" in statement):
            raise gap
        items = value if isinstance(value, list) else [] if value is None else [value]
        found = [text(item) for item in items] or ["nothing found"]
        evidence = [{"where": ", ".join(names), "what": item} for item in found]
        return Verdict("pass" if good else "fail", comparison.words(expected), value, evidence)


def _each(statement):
    return statement if isinstance(statement, list) else [statement]


def tables_of(statement):
    """Return the names of the tables that one query names."""
    return tuple(statement["tables"]) if "tables" in statement else (statement.get("table"),)


def text(item):
    """One result as a line for people."""
    if isinstance(item, dict) and "!" in item:
        return "could not be read"
    if isinstance(item, dict):
        return ", ".join(f"{key} {text(value)}" for key, value in item.items())
    return str(item)

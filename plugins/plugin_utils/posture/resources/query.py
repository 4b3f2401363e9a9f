"""``query``: a JMESPath expression over the rows of tables, for what no resource type says."""

from __future__ import annotations

from functools import lru_cache

import jmespath
from jmespath.exceptions import JMESPathError

from ....module_utils.tables import TABLES
from ...content.errors import ContentError
from ...content.lines import near
from .. import comparison
from .base import Resource, Verdict

KEYS = ("table", "tables", "expression", "expected")


@lru_cache(maxsize=512)
def compiled(expression):
    """Return the parsed expression; raise JMESPathError."""
    return jmespath.compile(expression)


class Query(Resource):
    """See ``summary``."""

    name = "query"
    summary = (
        "`query: {table: <table>, expression: <JMESPath>, expected: <value or comparators>}`. The expression sees `rows`, "
        "a list of the table's rows, each with its key as `key`. With `tables: [a, b]` it sees `a` and `b` instead. "
        "`expected: {empty: true}` with an expression that lists offenders makes each of them a line of evidence."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed, no table has that name or the expression is none."""
        self.expect_map(statement, where)
        for key in statement:
            if key not in KEYS:
                raise ContentError(where, f"query: unknown key {key}{near(key, KEYS)}", "one of " + ", ".join(KEYS))
        names = self.tables(statement)
        if not names or not all(isinstance(name, str) for name in names):
            raise ContentError(where, "query names no table", "table: <table>")
        for name in names:
            if name not in TABLES:
                raise ContentError(
                    where, f"query: unknown table {name}{near(name, TABLES)}", "one of " + ", ".join(TABLES)
                )
        if "expected" not in statement:
            raise ContentError(where, "query has no expected value", "expected: {empty: true}")
        comparison.check(statement["expected"], where)
        expression = statement.get("expression")
        if not isinstance(expression, str):
            raise ContentError(where, "query has no expression", "expression: rows[?port == `25`]")
        try:
            compiled(expression)
        except JMESPathError as error:
            text = " ".join(str(error).split())
            raise ContentError(where, f"bad JMESPath: {text}", "an expression over `rows`") from None

    def tables(self, statement):
        """The tables it names."""
        return tuple(statement["tables"]) if "tables" in statement else (statement.get("table"),)

    def judge(self, statement, snapshot):
        """Return one Verdict. A cell that cannot be read inside a row the expression selects makes it unreadable."""
        expected = statement["expected"]
        names = self.tables(statement)
        rows = {name: [{**row, "key": key} for key, row in snapshot.rows(name).items()] for name in names}
        data = rows if "tables" in statement else {"rows": rows[names[0]]}
        value = compiled(statement["expression"]).search(data)
        hidden = unreadable_cell(value)
        wanted = comparison.words(expected)
        if hidden:
            return [Verdict("unreadable", wanted, reason=hidden)]
        evidence = [
            {"where": ", ".join(names), "what": text(item)} for item in (value if isinstance(value, list) else [value])
        ]
        good = comparison.holds(expected, value)
        return [Verdict("pass" if good else "fail", wanted, value, evidence)]


def unreadable_cell(value):
    """Return why the first unreadable cell inside ``value`` could not be read, None without one."""
    if isinstance(value, dict):
        if "!" in value:
            return str(value.get("why") or value["!"])
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            found = unreadable_cell(item)
            if found:
                return found
    return None


def text(item):
    """One result as a line for people."""
    if isinstance(item, dict):
        return ", ".join(f"{key} {value}" for key, value in item.items())
    return str(item)

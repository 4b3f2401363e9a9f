"""``login_defs``: settings of login.defs(5)."""

from __future__ import annotations

import re

from ...content.errors import ContentError
from ...snapshots.view import cell
from .. import comparison
from ..settable import value_for
from .base import Resource, Verdict

TABLE = "login_defs"
PATH = "/etc/login.defs"
_NAME = re.compile(r"[A-Z][A-Z0-9_]*")


class LoginDefs(Resource):
    """See ``summary``."""

    name = "login_defs"
    entries = True
    summary = (
        "`login_defs: {<NAME>: <value or comparators>}`: the value in force of /etc/login.defs: the last line of that "
        "name. It serves accounts that are made from now on; those that exist have their own values."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        self.expect_map(statement, where)
        for name, expected in statement.items():
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                raise ContentError(where, f"login_defs: {name} is no name of login.defs(5)", "login_defs: {UMASK: ...}")
            comparison.check(expected, where)

    def tables(self, statement):
        """The one table it reads."""
        return (TABLE,)

    def judge(self, statement, snapshot):
        """Return a Verdict a setting."""
        rows = snapshot.rows(TABLE)
        return [self._one(name, expected, rows.get(name)) for name, expected in statement.items()]

    def settings(self, statement):
        """One ``login_defs`` setting a name that expects a value."""
        pairs = [(name, *value_for(expected)) for name, expected in statement.items()]
        return [{"kind": "login_defs", "name": name, "value": value} for name, known, value in pairs if known]

    def _one(self, name, expected, row):
        value = cell(row, "value") if row else None
        good = comparison.holds(expected, value)
        what = f"{name} {value}" if row else f"{name} is not set"
        evidence = [{"where": cell(row, "where") if row else PATH, "what": what}]
        return Verdict("pass" if good else "fail", {name: comparison.words(expected)}, {name: value}, evidence)

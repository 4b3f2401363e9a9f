"""``password_age``: limits on the passwords that accounts have now."""

from __future__ import annotations

from ...content.errors import ContentError
from ...content.lines import near
from ...snapshots.view import Gap, cell
from .. import comparison
from ..settable import value_for
from .base import Resource, Verdict

TABLE = "password_ages"
LIMITS = {"max": 99999, "min": 0, "warn": 0, "inactive": None}
"""Limit -> what an empty field of /etc/shadow stands for; an account without ``inactive`` is never disabled."""


class PasswordAge(Resource):
    """See ``summary``."""

    name = "password_age"
    summary = (
        "`password_age: {max: {max: 365}, min: {min: 1}, warn: {min: 7}, inactive: {max: 45}}`: days, of every account "
        "that has a password which is not locked (shadow(5)). Where no account has one it does not apply."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        self.expect_map(statement, where)
        for name, expected in statement.items():
            if name not in LIMITS:
                raise ContentError(
                    where, f"password_age: unknown limit {name}{near(name, LIMITS)}", "one of " + ", ".join(LIMITS)
                )
            comparison.check(expected, where)

    def tables(self, statement):
        """The one table it reads."""
        return (TABLE,)

    def judge(self, statement, snapshot):
        """Return a Verdict a limit."""
        view = snapshot.table(TABLE)
        gap = view.gap()
        if gap:
            raise gap
        accounts = [row for row in view.rows.values() if cell(row, "usable")]
        if not accounts:
            words = {name: comparison.words(expected) for name, expected in statement.items()}
            return [Verdict("not_applicable", words, reason="no account has a password")]
        return [_judge(name, expected, accounts) for name, expected in statement.items()]

    def settings(self, statement):
        """A ``password_age`` setting a limit: hardening applies it to each account that misses it."""
        pairs = [(name, *value_for(expected)) for name, expected in statement.items()]
        return [{"kind": "password_age", "name": name, "value": value} for name, known, value in pairs if known]


def _judge(name, expected, accounts):
    words, bad = {name: comparison.words(expected)}, []
    for row in accounts:
        try:
            value = cell(row, name)
        except Gap as gap:
            return Verdict(gap.status, words, reason=gap.why)
        value = LIMITS[name] if value is None else value
        if not comparison.holds(expected, value):
            bad.append((row, value))
    if bad:
        evidence = [{"where": row["where"], "what": f"{row['name']}: {name} {_days(value)}"} for row, value in bad]
        return Verdict("fail", words, {row["name"]: value for row, value in bad}, evidence)
    evidence = [{"where": "/etc/shadow", "what": f"{len(accounts)} accounts with a password"}]
    return Verdict("pass", words, words[name], evidence)


def _days(value):
    return "never" if value is None else f"{value} days"

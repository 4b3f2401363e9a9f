"""``sudo``: settings (Defaults) of sudoers that are in force."""

from __future__ import annotations

import re

from ....module_utils.deb_version import version_key
from ...content.errors import ContentError
from ...snapshots.view import Gap, cell
from .. import comparison
from ..settable import value_for
from .base import Resource, Verdict

TABLE = "sudoers"
DEFAULTS = {"use_pty": False, "authenticate": True, "timestamp_timeout": "15", "requiretty": False}
"""What sudo does without the setting (sudoers(5)); Red Hat's asks again after 5 minutes, Debian's after 15. Others have
no default here: a statement on them asks for the line."""
PTY_SINCE = "1.9.14"
"""sudo that runs commands in a terminal of their own without being asked to."""
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Sudo(Resource):
    """See ``summary``."""

    name = "sudo"
    summary = (
        "`sudo: {<name of a Defaults setting>: <value or comparators>}`: the value in force for everybody, and each "
        "that holds for some users, hosts or commands only. A flag is true or false. Without sudo it does not apply."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        self.expect_map(statement, where)
        for name, expected in statement.items():
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                raise ContentError(where, f"sudo: {name} is no setting of sudoers(5)", "sudo: {use_pty: true}")
            comparison.check(expected, where)

    def tables(self, statement):
        """Sudoers, and the version of sudo."""
        return (TABLE, "packages")

    def judge(self, statement, snapshot):
        """Return a Verdict a setting."""
        view = snapshot.table(TABLE)
        if view.stale or (view.state != "ok" and not view.rows):
            raise view.gap()
        words = {name: comparison.words(expected) for name, expected in statement.items()}
        installed = version(snapshot)
        if not view.rows and installed is None:
            return [Verdict("not_applicable", words, reason="sudo is not installed")]
        gap = view.gap()
        verdicts = [_judge(name, expected, view.rows, installed) for name, expected in statement.items()]
        if gap:  # what could not be read may say otherwise
            verdicts.append(Verdict(gap.status, words, reason=gap.why))
        return verdicts

    def settings(self, statement):
        """One ``sudo`` setting a name that expects a value."""
        pairs = [(name, *value_for(expected)) for name, expected in statement.items()]
        return [{"kind": "sudo", "defaults": {name: value}} for name, known, value in pairs if known]


def version(snapshot):
    """Return the version of the installed sudo, None when there is none; raise Gap."""
    for row in snapshot.rows("packages").values():
        if row.get("name") in ("sudo", "sudo-ldap") and cell(row, "installed"):
            return str(cell(row, "version"))
    return None


def _judge(name, expected, rows, installed):
    words, bad, shown = {name: comparison.words(expected)}, [], []
    try:
        found = [row for row in rows.values() if row.get("kind") == "setting" and row.get("setting") == name]
        inside = [row for row in found if cell(row, "scope") != "global"]
        last = [row for row in found if cell(row, "scope") == "global" and cell(row, "last")]
        everybody = _plain(cell(last[0], "value")) if last else _default(name, installed)
        where = last[0]["where"][-1] if last else "/etc/sudoers"
        what = (
            f"{name} = {_shown(everybody)}"
            if last
            else f"{name} is not set" + ("" if everybody is None else f": the default is {_shown(everybody)}")
        )
        (shown if comparison.holds(expected, everybody) else bad).append((everybody, where, what))
        for row in inside:
            value = _plain(cell(row, "value"))
            if not comparison.holds(expected, value):
                some = f"for {row['scope']} {', '.join(row.get('scope_of') or [])}: {name} = {_shown(value)}"
                bad.append((value, row["where"][-1], some))
    except Gap as gap:
        return Verdict(gap.status, words, reason=gap.why)
    evidence = [{"where": where, "what": what} for _value, where, what in bad or shown]
    return Verdict("fail" if bad else "pass", words, {name: (bad or shown)[0][0]}, evidence)


def _default(name, installed):
    if name == "use_pty" and installed and version_key(installed) >= version_key(PTY_SINCE):
        return True
    return DEFAULTS.get(name)


def _plain(value):
    return {"true": True, "false": False}.get(value, value)


def _shown(value):
    return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value

"""``boot``: what the kernel is started with, now and next time."""

from __future__ import annotations

from ...content.errors import ContentError
from ...snapshots.view import Gap, cell
from .. import comparison
from .base import Resource, Verdict

TABLE = "boot"
KEY = "kernel_arguments"


def argument(line, name):
    """Return the value of a kernel argument, the last one where it is repeated; "" without a value, None if absent."""
    found = None
    for word in line.split():
        key, _equals, value = word.partition("=")
        if key == name:
            found = value
        elif word == "--":  # what follows is for init, not for the kernel
            break
    return found


class Boot(Resource):
    """See ``summary``."""

    name = "boot"
    summary = (
        "`boot: {kernel_arguments: {<name>: <value or comparators>}}`: the running kernel was started with it "
        "and every entry of the boot menu has it too. In a container this does not apply: its host starts the kernel."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        self.expect_map(statement, where)
        if set(statement) != {KEY} or not isinstance(statement[KEY], dict) or not statement[KEY]:
            raise ContentError(where, f"boot takes {KEY} alone", f"boot: {{{KEY}: {{audit: 1}}}}")
        for expected in statement[KEY].values():
            comparison.check(expected, where)

    def tables(self, statement):
        """The one table it reads."""
        return (TABLE,)

    def judge(self, statement, snapshot):
        """Return a Verdict each for the running kernel and for the menu."""
        row = snapshot.row(TABLE, "host")
        if row is None:
            raise Gap("error", "boot: the table has no row")
        if row.get("host_global"):
            return [Verdict("not_applicable", reason="the kernel is that of the container's host, which starts it")]
        return [
            verdict
            for name, expected in statement[KEY].items()
            for verdict in (_running(name, expected, row), _menu(name, expected, row))
        ]

    def settings(self, statement):
        """One ``kernel_argument`` setting a name that expects one value or a least one, or must not have one (null)."""
        found = []
        for name, expected in statement[KEY].items():
            value = expected.get("equals", expected.get("min")) if isinstance(expected, dict) else expected
            gone = isinstance(expected, dict) and ("not_equals" in expected or expected.get("absent"))
            if value is not None or gone:
                found.append({"kind": "kernel_argument", "name": name, "value": value})
        return found


def _told(name, value):
    return f"{name} is not given" if value is None else f"{name}={value}" if value else name


def _running(name, expected, row):
    wanted = {name: comparison.words(expected)}
    try:
        line = cell(row, "cmdline")
    except Gap as gap:
        return Verdict(gap.status, wanted, reason=gap.why)
    if line is None:
        return Verdict("unreadable", wanted, reason="the command line of the running kernel was not read")
    value = argument(line, name)
    good = comparison.holds(expected, value)
    evidence = [{"where": "/proc/cmdline", "what": _told(name, value)}]
    return Verdict("pass" if good else "fail", wanted, {"running": value}, evidence)


def _menu(name, expected, row):
    wanted = {name: comparison.words(expected)}
    try:
        entries = cell(row, "kernel_lines") or []
    except Gap as gap:
        return Verdict(gap.status, wanted, reason=gap.why)
    if not entries:
        return Verdict("unreadable", wanted, reason="no boot menu was found: what the next boot does is not known")
    values = [(entry["where"], argument(entry["arguments"], name)) for entry in entries]
    wrong = [(where, value) for where, value in values if not comparison.holds(expected, value)]
    evidence = [{"where": where, "what": _told(name, value)} for where, value in wrong or values]
    actual = {"next boot": sorted({_told(name, value) for _where, value in wrong or values})}
    return Verdict("fail" if wrong else "pass", wanted, actual, evidence)

"""``service``: units that must run, or must not."""

from __future__ import annotations

from dataclasses import dataclass

from ...content.errors import ContentError
from ...snapshots.view import cell
from ..lookups import STARTED, starts, unit, unit_name
from .base import Resource, Verdict

STATES = {
    "enabled": "starts at boot",
    "disabled": "does not start at boot (disabled, static, masked or absent)",
    "masked": "cannot be started, now or after the next boot, or is not there",
    "active": "runs now",
    "inactive": "does not run now",
    "off": "neither runs nor starts, at boot or on demand (by a socket, timer or path)",
    "on": "runs now and starts at boot: `enabled` and `active`",
}


class Service(Resource):
    """See ``summary``."""

    name = "service"
    entries = True
    summary = (
        "`service: {<unit>: <state or list of states>}`, `.service` may be left out. States: "
        + ", ".join(f"`{name}` ({text})" for name, text in STATES.items())
        + ". Aliases are resolved; a static unit starts at boot only where another unit pulls it in."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        self.expect_map(statement, where)
        for name, states in statement.items():
            for state in states if isinstance(states, list) else [states]:
                if state not in STATES:
                    raise ContentError(where, f"service {name}: {state!r}", "one of " + ", ".join(STATES))

    def tables(self, statement):
        """The one table it reads."""
        return ("units",)

    def judge(self, statement, snapshot):
        """Return a Verdict a unit."""
        return [self._one(name, states, snapshot) for name, states in statement.items()]

    def settings(self, statement):
        """One ``service`` setting a unit."""
        return [
            {"kind": "service", "name": unit_name(name), "states": states if isinstance(states, list) else [states]}
            for name, states in statement.items()
        ]

    def _one(self, name, states, snapshot):
        states = states if isinstance(states, list) else [states]
        name = unit_name(name)
        row = unit(snapshot, name)
        wanted = {name: ", ".join(states)}
        if row is None:
            bad = [state for state in states if state in ("enabled", "active", "on")]
            evidence = [{"where": "systemd", "what": f"there is no unit {name}"}]
            return Verdict("fail" if bad else "pass", wanted, {name: "absent"}, evidence)
        facts = Facts(cell(row, "enabled"), cell(row, "active"), starts(row), _starters(row, snapshot))
        found = f"{facts.enabled}, {facts.active or 'running or not is unknown'}"
        evidence = [{"where": row.get("path") or "systemd", "what": f"{name}: {found}"}]
        evidence += [{"where": "systemd", "what": f"{other} starts it on demand"} for other in facts.starters]
        actual = {name: found}
        if facts.starters:
            actual["started by"] = facts.starters
        results = [_TESTS[state](facts) for state in states]
        if False in results:
            return Verdict("fail", wanted, actual, evidence)
        if None in results:
            return Verdict("unreadable", wanted, actual, evidence, "whether it runs is not known: systemd does not run")
        return Verdict("pass", wanted, actual, evidence)


@dataclass(frozen=True)
class Facts:
    """What is known of one unit. ``active`` is None when systemd does not run or the system does not."""

    enabled: object
    active: object
    starts: bool
    starters: list

    def runs(self):
        """True, False, or None when that is not known."""
        return None if self.active is None else self.active in STARTED


def _starters(row, snapshot):
    """Return the units that start this one on demand (sockets, timers, paths) and are themselves started or active."""
    found = []
    for name in cell(row, "triggered_by") or []:
        other = unit(snapshot, name)
        if other and (starts(other) or cell(other, "active") in STARTED):
            found.append(name)
    return found


def _both(first, second):
    """Three-valued and: False decides, None is not known."""
    return False if False in (first, second) else None if None in (first, second) else True


def _not(value):
    return None if value is None else not value


_TESTS = {
    "enabled": lambda facts: facts.starts or bool(facts.starters),
    "disabled": lambda facts: not facts.starts,
    "masked": lambda facts: facts.enabled == "masked",
    "active": lambda facts: facts.runs(),
    "inactive": lambda facts: _not(facts.runs()),
    "off": lambda facts: _both(not facts.starts and not facts.starters, _not(facts.runs())),
    "on": lambda facts: _both(facts.starts or bool(facts.starters), facts.runs()),
}

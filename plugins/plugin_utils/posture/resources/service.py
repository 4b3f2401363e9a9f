"""``service``: units that must run, or must not."""

from __future__ import annotations

from ...content.errors import ContentError
from ...snapshots.view import cell
from ..lookups import ENABLED, STARTED, unit, unit_name
from .base import Resource, Verdict

STATES = {
    "enabled": "starts at boot",
    "disabled": "does not start at boot (disabled, static, masked or absent)",
    "masked": "cannot be started, or is not there",
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
        + ". Aliases are resolved; a static unit counts as not started at boot by itself."
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
        row = unit(snapshot, name)
        wanted = {unit_name(name): ", ".join(states)}
        if row is None:
            bad = [state for state in states if state in ("enabled", "active", "on")]
            evidence = [{"where": "systemd", "what": f"there is no unit {unit_name(name)}"}]
            return Verdict("fail" if bad else "pass", wanted, {unit_name(name): "absent"}, evidence)
        facts = {"enabled": cell(row, "enabled"), "active": cell(row, "active")}
        starters = _starters(row, snapshot)
        good = all(_TESTS[state](facts, starters) for state in states)
        evidence = [
            {"where": row.get("path") or "systemd", "what": f"{unit_name(name)}: {facts['enabled']}, {facts['active']}"}
        ]
        evidence += [{"where": "systemd", "what": f"{other} starts it on demand"} for other in starters]
        actual = {unit_name(name): f"{facts['enabled']}, {facts['active']}"}
        if starters:
            actual["started by"] = starters
        return Verdict("pass" if good else "fail", wanted, actual, evidence)


def _starters(row, snapshot):
    """Return the units that start this one on demand (sockets, timers, paths) and are themselves enabled or active."""
    found = []
    for name in cell(row, "triggered_by") or []:
        other = unit(snapshot, name)
        if other and (cell(other, "enabled") in ENABLED or cell(other, "active") in STARTED):
            found.append(name)
    return found


_TESTS = {
    "enabled": lambda facts, starters: facts["enabled"] in ENABLED or bool(starters),
    "disabled": lambda facts, starters: facts["enabled"] not in ENABLED,
    "masked": lambda facts, starters: facts["enabled"] in ("masked", "masked-runtime"),
    "active": lambda facts, starters: facts["active"] in STARTED,
    "inactive": lambda facts, starters: facts["active"] not in STARTED,
    "off": lambda facts, starters: facts["enabled"] not in ENABLED and facts["active"] not in STARTED and not starters,
    "on": lambda facts, starters: (facts["enabled"] in ENABLED or bool(starters)) and facts["active"] in STARTED,
}

"""Where posture and hardening meet: what fails on a host becomes its plan."""

from __future__ import annotations

from ..hardening.facts import Connection, Facts
from ..hardening.plan import STATUS, make_plan
from ..hardening.rendering import render
from ..hardening.selection import SelectionError, read
from ..posture import Posture
from ..snapshots.view import Gap

CONNECTION = ("user", "become", "become_method", "become_password", "become_login", "password", "remote_tmp", "port",
              "transfer", "pipelining", "local", "controllers")  # fmt: skip


def plan_of(snapshot, context, options, connection=None):
    """Return the plan (hardening.plan) of a judged snapshot.

    ``context``: as ``Posture.evaluate`` takes it; ``options``: as ``hardening.selection.read`` takes them;
    ``connection``: a map of hardening.facts.Connection. Raise SelectionError.
    """
    status = STATUS[read(options).mode]
    evaluated = Posture().evaluate(snapshot, context)
    entries = Posture().settings(snapshot, context, status, evaluated["findings"])
    try:
        platform = snapshot.row("platform", "host") or {}
    except Gap as gap:
        raise SelectionError(f"the system of {snapshot.host or 'this host'} is not known: {gap.why}") from None
    given = dict(connection or {})
    for name in given:
        if name not in CONNECTION:
            raise SelectionError(f"a connection has no {name}; expected some of {', '.join(CONNECTION)}")
    given["controllers"] = tuple(given.get("controllers") or ())
    facts = Facts(
        snapshot, platform, Connection(**given), context.get("parameters") or {}, tuple(context.get("roles") or ())
    )
    return make_plan(entries, facts, options, [entry["id"] for entry in evaluated["benchmarks"]], snapshot.host)


__all__ = ["SelectionError", "plan_of", "render"]

"""Rolling back a run on one host: what it comes to, and the line in the ledger that is there before it happens."""

from __future__ import annotations

from ..evidence import ledger
from ..snapshots.limits import HostFailure
from . import answers

NOUN = "hardening"


def entry(state, action, run, host, scope="default", **more):
    """Append one decision (``harden``, ``rollback``, ...) to the ledger, durable on return; return it."""
    return ledger.append(state, NOUN, {"action": action, "run": run, "host": host, "scope": scope, **more})


def plan_rollback(host, run, controls=None):
    """Return ``{run, phase, possible, why, controls}``: whether the host can still undo the run. Raise HostFailure."""
    known = answers.status(host.ask("status", run=run))["runs"].get(run)
    told = {"run": run, "controls": controls, "phase": known["phase"] if known else None, "possible": False, "why": ""}
    if known is None:
        told["why"] = "the run left nothing on this host: it changed nothing here, or more than 30 days ago"
    elif known["phase"] == "rolled_back" and not known["conflicts"]:
        told["why"] = "it is undone already"
    elif known["phase"] == "damaged":
        told["why"] = known["why"] or "its records are damaged"
    else:
        told["possible"] = True
    return told


def closed(names, company):
    """Return ``(names that can go, {name: others that would go with it})``; ``company``: {package: what goes with it}.

    What stays keeps all that would take it along.
    """
    going, staying = set(names), {}
    while True:
        odd = {name: [one for one in company.get(name, ()) if one not in going] for name in sorted(going)}
        odd = {name: others for name, others in odd.items() if others}
        if not odd:
            return sorted(going), staying
        staying.update(odd)
        going -= set(odd)


def rollback(host, run, controls=None, state=None, name="", scope="default"):
    """Undo the run on the host, or only what these controls wanted; return ``{phase, undone, conflicts, problems}``.

    With ``state`` (an evidence State) the decision goes to the ledger before, and what came of it behind. Raise
    HostFailure.
    """
    if state is not None:
        entry(state, "rollback", run, name, scope, controls=controls)
    try:
        told = answers.undone(host.ask("rollback", run=run, controls=controls))
    except HostFailure as failure:
        if state is not None:
            entry(state, "rollback_failed", run, name, scope, controls=controls, reason=failure.reason())
        raise
    if state is not None:
        entry(state, "rolled_back", run, name, scope, controls=controls, conflicts=told["conflicts"])
    return told

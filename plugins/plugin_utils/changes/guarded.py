"""The guarded change: switched while the host itself waits to undo it, confirmed only by whoever got in anew.

Everything here happens inside the worker of one host. ``host`` is transport.Host, or what a test puts in its place.
"""

from __future__ import annotations

import time

from ...module_utils.changes import spec
from ..snapshots.limits import HostFailure
from . import answers

GRACE = 45.0
"""Seconds behind the host's timer in which we look whether it has healed."""
PAUSE = 1.0
WAITING = ("applying", "switched", "rolling_back")


def plan(host, operations):
    """Return what each operation would change: ``{operations: [answers.ROW], owner}``. Raise HostFailure."""
    spec.check_operations(operations)
    return answers.planned(host.ask("plan", operations=operations), len(operations))


def change(host, run, operations, before=None, after=120.0, clock=time):
    """Carry out the operations on the host; return ``{state, changed, results, failed, ...}``. Raise HostFailure.

    ``before`` are the digests of the plan (one an operation); ``after`` is how many seconds the host waits for the
    confirmation. ``state``: ``unchanged``, ``confirmed``, ``rolled_back`` (with ``why``, and ``healed``: True, or None
    when nobody could see it). A host that refuses (another run, a problem) raises HostFailure: nothing was changed.
    """
    spec.check_operations(operations)
    request = {
        "run": run,
        "operations": operations,
        "digest": spec.digest(operations),
        "before": None if before is None else {str(index): value for index, value in enumerate(before)},
        "after": after,
    }
    try:
        told = answers.applied(host.ask("apply", **request), len(operations))
    except HostFailure as failure:
        if failure.code in answers.CODES and not _at_work(host, run, failure):
            raise
        told = _found_out(host, run, len(operations), failure, clock)
    if told["phase"] == "unchanged":
        return _result("unchanged", told)
    if told["phase"] == "rolled_back":
        return _result("rolled_back", told, healed=True)
    failure = _confirmed(host, run, clock.monotonic() + after, clock)
    if failure is None:
        return _result("confirmed", told)
    return _healed(host, run, told, failure, clock.monotonic() + after + GRACE, clock)


def _at_work(host, run, failure):
    """True if the host changes itself for this very run although it answered with a failure.

    The connection plugin may have asked twice (``ansible_ssh_retries``), and the second one was refused; or the process
    that made the change was ended half-way, and the host undoes it.
    """
    try:
        known = answers.status(host.ask("status", run=run))["runs"].get(run)
    except HostFailure:
        return False
    if known is None:
        return False
    return known["phase"] in WAITING or (failure.code == "defect" and known["phase"] == "rolled_back")


def _result(state, told, **more):
    return {
        "state": state,
        "changed": state == "confirmed",
        **{name: told[name] for name in ("results", "failed", "followed", "why", "conflicts", "problems")},
        "late": told["healed"],
        **more,
    }


def _found_out(host, run, count, failure, clock):
    """The connection broke while the change was made: it goes on without us. Wait for what came of it."""
    end = clock.monotonic() + 1800
    blind = clock.monotonic() + 300
    while clock.monotonic() < end:
        host.drop_connection()
        try:
            told = answers.status(host.ask("status", run=run, result=True))
            known = told["runs"].get(run)
        except HostFailure:
            if clock.monotonic() > blind:
                break
            clock.sleep(PAUSE)
            continue
        if known is None and (told["owner"] or {}).get("run") == run:
            known = {"phase": "applying"}  # it has only just begun
        if known is None or known["phase"] == "damaged":
            raise failure
        if known["phase"] in ("switched", "rolled_back", "confirmed"):
            return _told(known, count, failure)
        blind = clock.monotonic() + 300
        clock.sleep(PAUSE)
    raise failure


def _told(known, count, failure):
    if isinstance(known["result"], dict):
        return answers.applied({**known["result"], "ok": True}, count)
    if known["phase"] != "rolled_back":
        raise failure
    nothing = [{"index": index, "status": "undone", "reason": known["why"]} for index in range(count)]
    return {"phase": "rolled_back", "results": nothing, "failed": {}, "followed": [], "why": known["why"], "healed": [],
            "conflicts": known["conflicts"], "problems": known["problems"]}  # fmt: skip


def _confirmed(host, run, end, clock):
    """Come in anew and confirm; return None, or the last failure when the time is over."""
    failure = None
    while True:
        left = end - clock.monotonic()
        if left <= 0:
            return failure
        host.drop_connection()
        try:
            host.prove(min(left, 30.0))
            answer = answers.opened(host.ask("confirm", timeout=min(30.0, end - clock.monotonic()), run=run))
            if answer.get("phase") == "confirmed":
                return None
            failure = HostFailure("unconfirmed", "it does not say that it is confirmed")
        except HostFailure as error:
            failure = error
            if error.code in answers.CODES:  # we got in, and it is too late: the host has undone it
                return failure
        clock.sleep(min(PAUSE, max(0.0, end - clock.monotonic())))


def _healed(host, run, told, failure, end, clock):
    """Nobody came in: wait until the host has undone the change, and see it."""
    why = f"not confirmed: {failure.text}"
    while clock.monotonic() < end:
        host.drop_connection()
        try:
            known = answers.status(host.ask("status", timeout=15.0, run=run))["runs"].get(run)
        except HostFailure:
            known = None
        if known is not None and known["phase"] == "confirmed":
            return _result("confirmed", told)  # the answer to our confirmation was lost, not the confirmation
        if known is not None and known["phase"] == "rolled_back":
            again = {**told, "why": why, "conflicts": known["conflicts"], "problems": known["problems"]}
            return _result("rolled_back", again, healed=True)
        clock.sleep(PAUSE)
    return _result("rolled_back", {**told, "why": why}, healed=None)

"""The verbs of the change engine: plan, apply, confirm, rollback, status. See answer.py for requests and answers."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os
import time

from ..text import rfc3339
from . import deadman, spec
from . import journal as journals
from .applying import Applying, planned
from .hostlock import HostLock, boot_id, process_start
from .target import Problem, Target
from .undo import Dropped, undo


def plan(request, target=None):
    """Say what each operation would change. Nothing is written."""
    target = target or Target(request.get("root", "/"))
    spec.check_operations(request["operations"])
    rows = planned(request["operations"], target)
    return {"digest": spec.digest(request["operations"]), "operations": rows, "owner": owner(target)}


def owner(target):
    """Who changes this host now (``{run, since}``), or None; reading leaves no lock file behind."""
    lock = HostLock(target.tree.root)
    found = lock.owner() if os.path.exists(lock.path) else None
    if found is not None and _alone(journals.Journal(target.tree.root, found["run"])):
        return None  # nobody is at it any more: the next change undoes first what was left
    return found


def apply(request, target=None):
    """Carry out the operations of an approved plan, with the dead-man switch armed.

    ``digest`` is the plan's, ``before`` {index: digest_before} as ``plan`` gave them, ``after`` the seconds until the
    switch fires. Raise Refused, Problem.
    """
    target = target or Target(request.get("root", "/"))
    root, operations = target.tree.root, request["operations"]
    spec.check_operations(operations)
    if request["digest"] != spec.digest(operations):
        raise Problem("these are not the operations of the plan: its digest is another one")
    if os.geteuid() != 0 and target.live:
        raise Problem("changing a host needs root")
    journals.make_base(root)
    healed = heal(target)
    lock = HostLock(root)
    lock.claim(request["run"])
    journal = journals.Journal(root, request["run"])
    try:
        journals.prune(root)
        if journal.exists() and not journal.records():
            descriptor = journal.lock(wait=False)
            if descriptor is None:
                raise Problem("run %s is being carried out on this host right now" % journal.run)
            os.close(descriptor)
            journal.remove()  # a run that was ended before it changed anything
        journal.create({"run": request["run"], "digest": request["digest"], "operations": operations})
        with _Locked(journal):
            result = Applying(target, journal, operations, request).run()
    except BaseException:
        if journal.state().get("phase") not in journals.OPEN_PHASES:
            lock.release(request["run"])
        raise
    if result["phase"] not in journals.OPEN_PHASES:
        lock.release(request["run"])
    return dict(result, healed=healed)


class _Locked:
    def __init__(self, journal):
        self.journal = journal

    def __enter__(self):
        self.descriptor = self.journal.lock()

    def __exit__(self, *_error):
        os.close(self.descriptor)


def confirm(request, target=None):
    """The controller came in again: the change stays, the switch is taken away. Raise Problem when it is too late."""
    target = target or Target(request.get("root", "/"))
    journal = _journal(request, target)
    with _Locked(journal):
        state = journal.state()
        if state.get("phase") == "confirmed":
            if deadman.left_over(target, journal):  # whoever confirmed was ended before it came to this
                deadman.disarm(target, journal)
            return {"phase": "confirmed"}
        if state.get("phase") != "switched":
            raise Problem("run %s cannot be confirmed: it is %s" % (journal.run, _phase(state)))
        if state.get("boot_id") != boot_id():
            raise Problem("run %s cannot be confirmed: the host was restarted" % journal.run)
        journal.set_state(phase="confirmed", confirmed=rfc3339(time.time()))
        deadman.disarm(target, journal)
        HostLock(target.tree.root).release(journal.run)
    return {"phase": "confirmed"}


def _phase(state):
    why = state.get("why")
    return "%s (%s)" % (state.get("phase", "not there"), why) if why else state.get("phase", "not there")


def _journal(request, target):
    journal = journals.Journal(target.tree.root, request["run"])
    if not journal.exists():
        raise Problem(
            "run %s left nothing on this host: it changed nothing here, or more than %d days ago"
            % (request["run"], journals.KEEP_DAYS)
        )
    return journal


def roll_back(target, journal, why, fired=False, boot=False, controls=None):
    """Undo a run (or what only these controls wanted of it) under its lock; return and record what came of it."""
    whole = controls is None
    if whole:
        deadline = deadman.now() + deadman.APPLY_SECONDS
        pid = os.getpid()
        journal.set_state(phase="rolling_back", why=why, fired=fired, deadline=deadline, pid=pid,
                          started=process_start(pid))  # fmt: skip
    operations = journal.read("plan.json")["operations"]
    result = undo(target, journal, operations, Dropped(everything=whole, controls=controls or ()), boot)
    journal.close()
    past = journal.state().get("conflicts") or []
    told = {"conflicts": result["conflicts"][:100], "problems": result["problems"][:100]}
    if whole:
        journal.set_state(phase="rolled_back", ended=rfc3339(time.time()), **told)
        deadman.disarm(target, journal)
        HostLock(target.tree.root).release(journal.run)
    else:
        gone = sorted(set(journal.state().get("undone_controls") or []) | set(controls))
        journal.set_state(undone_controls=gone, conflicts=(past + told["conflicts"])[:100])
    return dict(result, phase=journal.state()["phase"])


def rollback(request, target=None):
    """Undo a run, or ``controls`` of it. Raise Refused, Problem."""
    target = target or Target(request.get("root", "/"))
    heal(target, but=request["run"])
    journal = _journal(request, target)
    lock = HostLock(target.tree.root)
    lock.claim(journal.run)
    try:
        with _Locked(journal):
            phase = journal.state().get("phase")
            if phase == "rolled_back" and not journal.state().get("conflicts"):
                return {"phase": phase, "undone": [], "conflicts": [], "problems": []}
            return roll_back(target, journal, "asked for", controls=request.get("controls"))
    finally:
        if journal.state().get("phase") not in journals.OPEN_PHASES:
            lock.release(journal.run)


def _alone(journal):
    """True if a run is neither confirmed nor undone, and nobody is left who would see to it."""
    try:
        state = journal.state()
    except Problem:
        return False
    if state.get("phase") not in journals.OPEN_PHASES:
        return False
    return state.get("boot_id") != boot_id() or not (
        deadman.watched(journal) or process_start(state.get("pid", 0)) == state.get("started")
    )


def heal(target, but=None):
    """Undo runs whose switch should have fired and did not (its process is gone too); return their names."""
    healed = []
    for name in journals.runs(target.tree.root):
        journal = journals.Journal(target.tree.root, name)
        if name != but and target.live and _alone(journal):
            deadman.fire(_Engine, target, journal, "its rollback did not run: made up for now", False)
            healed.append(name)
    return healed


class _Engine:
    """What ``deadman.fire`` needs of this module."""

    roll_back = staticmethod(roll_back)


def status(request, target=None):
    """What is known of a run (``run``) or of all runs on this host."""
    target = target or Target(request.get("root", "/"))
    names = [request["run"]] if request.get("run") else journals.runs(target.tree.root)
    found = {}
    for name in names:
        journal = journals.Journal(target.tree.root, name)
        if not journal.exists():
            continue
        try:
            state = journal.state()
        except Problem as error:
            state = {"phase": "damaged", "why": str(error)}
        found[name] = {
            key: state.get(key)
            for key in ("phase", "since", "after", "fired", "why", "ended", "confirmed", "conflicts", "problems")
        }
        if state.get("phase") in journals.OPEN_PHASES:
            found[name]["left"] = round(state["deadline"] - deadman.now(), 1)
            found[name]["watched"] = deadman.watched(journal)
        found[name]["result"] = journal.read("result.json") if request.get("result") else None
    return {"runs": found, "owner": owner(target), "boot_id": boot_id()}


VERBS = {"plan": plan, "apply": apply, "confirm": confirm, "rollback": rollback, "status": status}

"""Hardening of one host, in its worker: its plan, what is asked of the engine, what came of it."""

from __future__ import annotations

import datetime
import json
import os
import re

from ..changes import undoing
from ..content import compile_content
from ..evidence import atomic, hostfile, ledger, runs
from ..evidence.state import open_state
from ..hardening import health, outcome, windows
from ..hardening import plan as plans
from ..snapshots.view import Snapshot
from . import planning
from .hosts import carried_on

PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
AGAIN = "after_packages"
KERNEL = re.compile(r"linux-(image|headers|modules|kbuild).*|kernel(-.*)?")
ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,31}")


class Refused(Exception):
    """A host must not be changed now; the message says why. It is left as it is."""


def path_of(run, host, folder="plans"):
    """Where a host's plan lies: ``<state>/runs/<run>/plans/<host>.json``; odd names are written as their digest.

    ``folder`` AGAIN: the same plan with what its operations met after packages came or went.
    """
    name = host if PLAIN_NAME.fullmatch(host) else hostfile.file_name(host).split(".", 1)[0]
    return os.path.join(run.path, "plans", *([folder] if folder != "plans" else []), f"{name}.json")


def read_plan(state, run_id, host):
    """Return the plan that ``plan_host`` saved, or None. Raise Refused when its digest is not that of its content."""
    path = path_of(runs.load_run(state, run_id), host)
    try:
        with open(path, encoding="utf-8") as file:
            plan = json.load(file)
    except FileNotFoundError:
        return None
    except ValueError:
        raise Refused(f"{path} is damaged: plan anew") from None
    if plan.get("host") != host or plans.sealed(plan)["digest"] != plan.get("digest"):
        raise Refused(f"{path} is not what was planned: its digest is another one. Plan anew")
    return plan


def _save(path, plan):
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    atomic.write_json(path, plan)
    return path


def snapshot_of_run(state, run, host):
    """Return ``(Snapshot, host file)`` of a host in a run; ``(None, file)`` when it was not assessed."""
    file = run.host(host)
    if file is None or file["state"] != "assessed":
        return None, file
    tables = {name: carried_on(name, last, state, file["received"]) for name, last in file["tables"].items()}
    return Snapshot(tables, file.get("taken", ""), host), file


def plan_host(host, begun, options, wanted, ask, alone):
    """Make and save the plan of one host; return ``(small result {state, digest, ...}, text of the plan)``.

    ``options``: as for ``assess_host``, and ``connection``. ``wanted``: ``{selection, plan, windows, check}``.
    ``ask(operations)`` -> the engine's ``{operations, owner}``; ``alone(names, family)`` -> {package: what would go
    with it} for packages that are to be removed. Raise Refused, SelectionError, HostFailure.
    """
    state = open_state(begun["state"])
    run = runs.load_run(state, begun["run"])
    snapshot, file = snapshot_of_run(state, run, host)
    if snapshot is None:
        reason = (file or {}).get("reason") or {}
        text = reason.get("text", "it was not assessed")
        return {"state": "not_assessed", "reason": text, "changes": False}, ""
    context = {
        "content": compile_content(digest=begun["content"], cache=state.cache),
        "parameters": options.get("parameters") or {},
        "roles": options.get("roles") or [],
        "benchmarks": options.get("benchmarks"),
        "host": file["inventory"],
        "dispositions": run.header["dispositions"],
        "now": file["received"],
        "scope": run.header["scope"],
    }
    plan = planning.plan_of(snapshot, context, wanted["selection"], options.get("connection"))
    if plan["packages"]["remove"]:
        plan = plans.without_company(
            plan, alone(plan["packages"]["remove"], snapshot.row("platform", "host")["family"])
        )
    plan = seen(plan, ask)
    path = _save(path_of(run, host), plan)
    result = {
        "state": "planned",
        "digest": plan["digest"],
        "changes": not plans.nothing(plan),
        "operations": len(plan["operations"]),
        "install": plan["packages"]["install"],
        "remove": plan["packages"]["remove"],
        "held": len(plan["held"]),
        "left": len(plan["left"]),
        "path": path,
        "family": snapshot.row("platform", "host")["family"],
    }
    refusal = _refusal(plan, wanted)
    if refusal:
        result.update(state="refused", reason=refusal)
    elif result["changes"] and not wanted.get("check"):
        undoing.entry(state, "harden", run.id, host, run.header["scope"], plan=plan["digest"], **_actor(run))
    return result, planning.render(plan)


def _refusal(plan, wanted):
    demanded = wanted.get("plan")
    demanded = [demanded] if isinstance(demanded, str) else demanded or []
    if demanded and plan["digest"] not in demanded:
        return f"its plan is {plan['digest']} and not the one that ringwall_plan demands: look at it again"
    if wanted.get("check"):
        return ""
    return windows.refusal(wanted.get("windows"), datetime.datetime.now(datetime.UTC))


def seen(plan, ask):
    """Return the plan of what changes on the host, by the engine's own word. Raise Refused when it cannot tell."""
    if not plan["operations"]:
        return plan
    answer = ask(plan["operations"])
    owner = answer.get("owner")
    if owner:
        raise Refused(f"run {owner.get('run')} is changing this host since {owner.get('since')}")
    return plans.observed(plan, answer["operations"], pending=bool(plan["packages"]["install"]))


def look_again(host, begun, ask):
    """After packages came or went: what was there before is another thing now; the operations stay the plan's.

    Return the path of the plan to carry out.
    """
    state = open_state(begun["state"])
    plan = read_plan(state, begun["run"], host)
    if plan["operations"]:
        rows = ask(plan["operations"])["operations"]
        plan = plans.sealed({**plan, "changes": [plans.change_of(row) for row in rows]})
    return _save(path_of(runs.load_run(state, begun["run"]), host, AGAIN), plan)


def finish_host(host, begun, verified, applied, packages, problems):
    """Judge what came of it, write it to the ledger, return the small result with a text for people.

    ``verified``: what ``begin`` of the second assessment returned; ``problems``: of the user's health checks.
    """
    state = open_state(begun["state"])
    run = runs.load_run(state, begun["run"])
    plan = read_plan(state, begun["run"], host)
    first, file = snapshot_of_run(state, run, host)
    second, later = snapshot_of_run(state, runs.load_run(state, verified["run"]), host)
    unwell = list(problems)
    if first is not None and second is not None:
        rows = (first.table("units").rows, second.table("units").rows)
        unwell += [f"{name} failed after the change" for name in health.newly_failed(*rows)]
    after = later["findings"] if second is not None else None
    installed, removed = _moved(first, second)
    missed = _missed(plan["packages"], packages, second)
    found = outcome.outcome(plan, applied, missed, file["findings"], after, unwell)
    names = ("reason", "changed_controls", "failed_controls", "held", "broken", "reboot")
    entry = {name: found[name] for name in names}
    family = (first or second).row("platform", "host")["family"] if first or second else None
    more = {
        "plan": plan["digest"],
        "outcome": found["state"],
        "family": family,
        "verified": verified["run"],
        "installed": installed,
        "removed": removed,
        "accounts": _new(first, second, "users"),
        "groups": [name for name in _new(first, second, "groups") if name not in _made_groups(plan)],
    }
    undoing.entry(state, "hardened", run.id, host, run.header["scope"], **more, **entry, **_actor(run))
    return {**found, "text": outcome.words(host, found)}


def _installed(snapshot):
    return {row.get("name") for row in snapshot.table("packages").rows.values() if row.get("installed") is True}


def _moved(first, second):
    """Names of packages that came and that went between two snapshots."""
    if first is None or second is None:
        return [], []
    return sorted(_installed(second) - _installed(first)), sorted(_installed(first) - _installed(second))


def _new(first, second, table):
    """Names of system accounts or groups that packages brought between two snapshots."""
    if first is None or second is None:
        return []
    number, known = {"users": "uid", "groups": "gid"}[table], first.table(table).rows
    return sorted(
        str(row["name"])
        for key, row in second.table(table).rows.items()
        if key not in known
        and row.get("kind") == "local"
        and ACCOUNT.fullmatch(str(row.get("name")))
        and isinstance(row.get(number), int)
        and 0 < row[number] < 1000
    )


def _made_groups(plan):
    """Names of groups that the engine makes, and takes away itself if nobody is in them."""
    return {one["name"] for one in plan["operations"] if one["op"] == "group" and one.get("present")}


def _missed(wanted, errors, second):
    """{package: reason} of those that are not as they should be; ``errors``: ``{install: text, remove: text}``."""
    there = _installed(second) if second is not None else set()
    found = {name: errors.get("install") or "it is not installed" for name in wanted["install"] if name not in there}
    gone = {name: errors.get("remove") or "it is still installed" for name in wanted["remove"] if name in there}
    return {**found, **gone}


def _actor(run):
    return {"actor": run.header["actor"]}


def packages_of(state, run_id, host, controls=None):
    """What packages a rollback undoes: ``{remove: came by the run, install: went by it, family, accounts, groups}``.

    With ``controls``: those alone that only these controls wanted, without what came along with them. Of a run that
    ended before it could say what came of it, those of its plan. Kernels stay: an upgrade may have come meanwhile.
    """
    came, gone, family = set(), set(), None
    accounts, groups = set(), set()
    begun = ended = False
    for line in ledger.read(state, undoing.NOUN):
        if line.get("run") != run_id or line.get("host") != host:
            continue
        begun = begun or line.get("action") == "harden"
        if line.get("action") == "hardened":
            ended = True
            came |= set(line.get("installed") or ())
            gone |= set(line.get("removed") or ())
            family = line.get("family")
            accounts |= set(line.get("accounts") or ())
            groups |= set(line.get("groups") or ())
    if begun and not ended:
        came, gone, family = _interrupted(state, run_id, host)
    came = {name for name in came if not KERNEL.fullmatch(name)}
    if controls is not None:
        plan = read_plan(state, run_id, host)
        wanted = plan["packages"]["controls"] if plan else {}
        mine = {name for name, some in wanted.items() if set(some) <= set(controls)}
        came, gone, accounts, groups = came & mine, gone & mine, set(), set()
    found = {"remove": sorted(came), "install": sorted(gone), "family": family}
    return {**found, "accounts": sorted(accounts), "groups": sorted(groups - accounts)}


def _interrupted(state, run_id, host):
    """``(packages to install, to remove, family)`` of the plan of a run that nobody brought to its end."""
    plan = read_plan(state, run_id, host)
    before, _file = snapshot_of_run(state, runs.load_run(state, run_id), host)
    if plan is None or before is None:
        return set(), set(), None
    packages = plan["packages"]
    return set(packages["install"]), set(packages["remove"]), before.row("platform", "host")["family"]

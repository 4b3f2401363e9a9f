"""The plan of one host: what is done, what is held back and why, what is left to people. Pure, plain data, a digest.

``{schema, host, mode, selection, benchmarks, operations, kinds, packages, controls, held, left, exempt, conflicts,
reboot, digest}``. ``operations`` are the engine's vocabulary (``module_utils/changes/spec.py``), ``kinds`` maps a kind
to the indexes of its operations. The same host in the same state gives the same plan: it tells no time and no run.
"""

from __future__ import annotations

import hashlib

from ...module_utils.changes import spec
from . import holds
from .kinds import KINDS
from .merging import merge
from .selection import SelectionError, read, select

SCHEMA = "ringwall.hardening/1"
STATUS = {"harden": "fail", "keep": "pass"}


def make_plan(entries, facts, options, own, host=""):
    """Return the plan of one host.

    ``entries``: what ``Posture.settings`` returned; ``options``: of ``selection.read``; ``own``: ids of the benchmarks
    that served the host. Raise SelectionError for options that are malformed or name what there is not.
    """
    selection = read(options)
    odd = [name for name in selection.release if "." not in name and name not in holds.RULES]
    if odd:
        known = ", ".join(sorted(holds.RULES))
        raise SelectionError(f"ringwall_hardening_release names {', '.join(odd)}; expected ids of controls or {known}")
    asked = select(entries, selection, list(own))
    chosen, held, left, exempt = _sorted_out(asked, facts, selection)
    settings, conflicts = merge(chosen)
    if selection.mode == "keep":
        settings = [item for item in settings if _lasts(item["setting"], facts)]
    operations, kinds, packages, others = _operations(settings, facts)
    controls = {}
    for entry in asked:
        about = controls.setdefault(
            entry["control"], {"title": entry["title"], "severity": entry["severity"], "sections": []}
        )
        about["sections"].append(f"{entry['benchmark']} {entry['section']}")
    plan = {
        "schema": SCHEMA,
        "host": host,
        "mode": selection.mode,
        "selection": selection.plain(),
        "benchmarks": list(selection.benchmarks or list(own)[:1]),
        "operations": operations,
        "kinds": kinds,
        "packages": packages,
        "held": held,
        "left": [] if selection.mode == "keep" else left + others["left"],
        "exempt": exempt,
        "conflicts": conflicts,
        "reboot": others["reboot"],
    }
    named = _named(plan)
    plan["controls"] = {name: about for name, about in sorted(controls.items()) if name in named}
    return sealed(plan)


def sealed(plan):
    """Return the plan with its digest: SHA-256 of everything else in it."""
    body = {name: value for name, value in plan.items() if name != "digest"}
    return {**body, "digest": hashlib.sha256(spec.canonical(body)).hexdigest()}


def _lasts(setting, facts):
    """False for what keeps itself: packages, and units that are not there."""
    if setting["kind"] == "service":
        return facts.row("units", setting["name"]) is not None
    return setting["kind"] != "package"


def _named(plan):
    """Ids of all controls that the plan speaks of."""
    found = {name for item in plan["operations"] for name in item["controls"]}
    found |= {name for names in plan["packages"]["controls"].values() for name in names}
    found |= {item["control"] for key in ("held", "exempt", "conflicts") for item in plan[key]}
    return found | {name for key in ("left", "reboot") for item in plan[key] for name in item["controls"]}


def _sorted_out(asked, facts, selection):
    """Return ``(chosen entries, held, left, exempt)``; a control is exempt or held as a whole."""
    status = STATUS[selection.mode]
    concerned = [entry for entry in asked if entry["status"] == status]
    exempted = {entry["control"]: entry["disposition"] for entry in asked if entry["disposition"]}
    chosen, held, left, exempt, done = [], [], [], [], {}
    for entry in concerned:
        name = entry["control"]
        if name in exempted:
            if name not in done:
                exempt.append({"control": name, "disposition": exempted[name]})
            done[name] = False
        elif any(setting.get("kind") == "sshd" and setting.get("value") in ("", []) for setting in entry["settings"]):
            if selection.mode == "harden" and name not in done:
                left.append({"controls": [name], "reason": f"nobody is named: set {_parameters(entry)}"})
            done[name] = False
        elif not entry["settings"] and "partition" not in entry["hold"]:
            if selection.mode == "harden" and name not in done:
                left.append({"controls": [name], "reason": entry["fix"] or "what to do here is for a person to decide"})
            done.setdefault(name, False)
        elif done.get(name) is not False:
            reasons = holds.held(entry, facts)
            kept = holds.released(entry, [item["name"] for item in reasons], selection.release)
            if kept and selection.mode == "harden":
                held.append({"control": name, "holds": [item for item in reasons if item["name"] in kept]})
            done[name] = not kept
            chosen += [] if kept else [entry]
    return [entry for entry in chosen if done[entry["control"]]], held, left, exempt


def _parameters(entry):
    return f"ringwall_parameters ({', '.join(sorted(entry['values']))})" if entry["values"] else "a value"


def _operations(settings, facts):
    """Return ``(operations, kind -> indexes, packages, {"left", "reboot"})`` of merged settings."""
    operations, kinds, others = [], {}, {"left": [], "reboot": []}
    packages = {"install": [], "remove": [], "controls": {}}
    by_kind, waiting = {}, []
    for item in settings:
        by_kind.setdefault(item["setting"]["kind"], []).append(item)
    for kind in sorted(set(by_kind) - set(KINDS)):
        for item in by_kind[kind]:
            others["left"].append({"controls": item["controls"], "reason": f"nothing here sets a {kind}"})
    for kind in (name for name in KINDS if name in by_kind):
        for operation in KINDS[kind].operations(by_kind[kind], facts):
            if operation.get("unless") or operation.get("about"):
                waiting.append((kind, operation))
            elif operation["op"] in others:
                others[operation["op"]].append({key: operation[key] for key in ("controls", "reason")})
            elif operation["op"] == "package":
                _add_package(operation, packages, others)
            else:
                _add(operation, kind, operations, kinds, others)
    made = {one["path"] for one in operations if one["op"] == "write" or (one["op"] == "edit" and one.get("create"))}
    later = {path for one in operations for path in one.get("makes") or ()}
    for kind, operation in waiting:
        if (operation["unless"] or {}).get("path") in made:
            _add(operation["unless"], kind, operations, kinds, others)
        elif operation["about"] in later:
            reason = f"{operation['about']} is made some minutes after the change"
            others["left"].append({"controls": operation["controls"], "reason": reason})
        else:
            others["left"].append({key: operation[key] for key in ("controls", "reason")})
    return operations, kinds, packages, others


def _add_package(operation, packages, others):
    """Kinds may want packages of their own: each is named once, and never both ways."""
    name = operation["name"]
    wanted, other = ("install", "remove") if operation["state"] == "installed" else ("remove", "install")
    if name in packages[other]:
        reason = f"one control wants {name} installed, another one wants it gone"
        others["left"].append({"controls": operation["controls"], "reason": reason})
        return
    if name not in packages[wanted]:
        packages[wanted].append(name)
    packages["controls"][name] = sorted({*packages["controls"].get(name, ()), *operation["controls"]})


def _add(operation, kind, operations, kinds, others):
    try:
        spec.check_operation(operation)
    except spec.SpecError as error:
        # Nothing is sent that the engine would refuse; the rest goes on.
        others["left"].append({"controls": operation["controls"], "reason": f"{kind}: {error}"[:300]})
        return
    for index, other in enumerate(operations):
        if _same(operation, other):
            operations[index] = {**other, "controls": sorted({*other["controls"], *operation["controls"]})}
            return
    kinds.setdefault(kind, []).append(len(operations))
    operations.append(operation)


def _same(one, other):
    return all(one.get(key) == other.get(key) for key in {*one, *other} - {"controls"})


def nothing(plan):
    """True if the plan changes nothing."""
    return not plan["operations"] and not plan["packages"]["install"] and not plan["packages"]["remove"]


def without_company(plan, company):
    """Return the plan without removals that would take other packages along; ``company``: {package: [others]}."""
    packages, left = plan["packages"], list(plan["left"])
    for name in packages["remove"]:
        others = [other for other in company.get(name, ()) if other not in packages["remove"]]
        if others:
            reason = f"removing {name} would take {', '.join(others[:5])} along"
            left.append({"controls": packages["controls"][name], "reason": reason})
    gone = [name for name in packages["remove"] if all(other in packages["remove"] for other in company.get(name, ()))]
    kept = {name: some for name, some in packages["controls"].items() if name in gone or name in packages["install"]}
    return sealed({**plan, "packages": {**packages, "remove": gone, "controls": kept}, "left": left})


def change_of(row):
    """What a plan keeps of the engine's word on one operation."""
    return {"digest_before": row.get("digest_before"), "diff": row.get("diff") or []}


def observed(plan, results, pending=False):
    """Return the plan of what really changes on the host, sealed anew.

    ``results``: what the engine said of each operation (``mode=plan``): ``{index, changes, before, after, diff,
    digest_before, problem?}``. Operations that change nothing are dropped; one that cannot be done is left with the
    engine's reason, unless packages are still to come (``pending``), which may bring what it needs; so may they the
    file that one is about. Every one that is kept bears the digest of what was there, which the engine compares again
    before it changes it.
    """
    by_index = {item["index"]: item for item in results}
    operations, changes, kinds, left = [], [], {}, list(plan["left"])
    for kind, indexes in plan["kinds"].items():
        for index in indexes:
            operation, result = plan["operations"][index], by_index.get(index, {})
            left += [
                {"controls": item["controls"], "reason": str(item["problem"])[:300]}
                for item in (() if pending else result.get("left") or ())
            ]
            if result.get("problem") and not pending:
                left.append({"controls": operation["controls"], "reason": str(result["problem"])[:300]})
            elif result.get("changes", True) or result.get("problem") or (pending and operation.get("missing_ok")):
                kinds.setdefault(kind, []).append(len(operations))
                operations.append(operation)
                changes.append(change_of(result))
    whole = {**plan, "operations": operations, "kinds": kinds, "changes": changes, "left": left}
    named = _named(whole)
    whole["controls"] = {name: about for name, about in plan["controls"].items() if name in named}
    return sealed(whole)

"""What is done for each host, in its worker: read, judge, write its file of the run."""

from __future__ import annotations

import difflib
import os
import traceback

from ...module_utils.tables import TABLES
from ..changes.signals import signals as change_signals
from ..content import compile_content
from ..evidence import objects, past, runs
from ..evidence.state import open_state
from ..findings.score import score
from ..snapshots.gather import address_space, deadline
from ..snapshots.limits import JUDGING_SECONDS, WORKER_ADDRESS_SPACE, HostFailure, harmless
from ..snapshots.view import Snapshot, TableView
from . import clock
from .capabilities import CAPABILITIES, VOLATILE, table_options

HOST_SCHEMA = "ringwall.host/1"


def python_of(state, before):
    """The magic number of the Python that the host had when it was read last, or None. A hint, and no more."""
    try:
        platform = objects.get(state, before["tables"]["platform"]["digest"])
        return platform["rows"]["host"]["python_magic"]
    except (KeyError, TypeError, OSError, objects.ObjectError):
        return None


def tables_to_read(wanted, before, cadence, at):
    """Return the tables to read now. Deep ones are due when no complete reading is younger than half their maximum."""
    chosen = set()
    for name in wanted:
        spec = TABLES[name].TABLE
        if spec.cadence == "fast" or cadence == "deep":
            chosen.add(name)
        elif cadence == "auto":
            last = before.get("tables", {}).get(name)
            if (
                not last
                or last.get("state") != "ok"
                or clock.age_hours(last["observed_at"], at) > spec.max_age_hours / 2
            ):
                chosen.add(name)
    return chosen


def snapshot_of(raw, state, before, wanted, at, host):
    """Turn a checked raw snapshot into a Snapshot; tables not read now come from the past, marked with their age."""
    views = {}
    digests = objects.put_many(state, {name: (table, VOLATILE[name]) for name, table in raw["tables"].items()})
    for name, table in raw["tables"].items():
        views[name] = TableView(
            name, table["version"], table["state"], table.get("why", ""), table["rows"], at, False, digests[name]
        )
    for name in wanted - set(views):
        last = before.get("tables", {}).get(name)
        if not last:
            continue
        views[name] = carried_on(name, last, state, at)
    return Snapshot(views, raw["taken"], host)


def carried_on(name, last, state, at):
    """The TableView of what was read before, brought to the version of today; ``error`` if that cannot be.

    An error is no reading: the next run asks for the table again.
    """
    spec = TABLES[name].TABLE
    try:
        table = objects.get(state, last["digest"])
        if table["version"] > spec.version:
            raise ValueError(f"it is of version {table['version']}, known here is {spec.version}")
        rows = table["rows"]
        for version in range(table["version"], spec.version):
            if version not in spec.upgrades:
                raise ValueError(f"it is of version {version}, which has no way to {spec.version}")
            rows = spec.upgrades[version](rows)
    except (objects.ObjectError, ValueError) as error:
        why = f"what was read {last['observed_at']} cannot be used: {error}"
        lost = {"version": spec.version, "state": "error", "why": why, "rows": {}}
        return TableView(name, spec.version, "error", why, {}, at, False, objects.put(state, lost))
    stale = clock.age_hours(last["observed_at"], at) > spec.max_age_hours
    why = table.get("why", "")
    return TableView(name, spec.version, table["state"], why, rows, last["observed_at"], stale, last["digest"])


def assess_host(host, begun, inventory, options, gather):
    """Assess one host, write its file of the run, return the small summary (< 2 kB). Never raises for the host's sake.

    ``gather(tables, options)`` returns a checked raw snapshot or raises HostFailure. ``inventory`` is
    ``{groups, owner, team, environment, criticality, tags}``; ``options`` the host's own (parameters,
    roles, benchmarks, cadence, root, privilege).
    """
    state = open_state(begun["state"])
    run = runs.load_run(state, begun["run"])
    received = clock.now()
    file = {
        "schema": HOST_SCHEMA,
        "run": run.id,
        "scope": run.header["scope"],
        "host": host,
        "inventory": inventory,
        "state": "failed",
        "reason": None,
        "findings": [],
        "alerts": [],
        "errors": [],
        "tables": {},
        "benchmarks": [],
    }
    try:
        content = compile_content(digest=begun["content"], cache=state.cache)
        check_benchmarks(content, options.get("benchmarks"))
        before = past.read(run, host)
        wanted = set(begun["tables"])
        reading = tables_to_read(wanted, before, options["cadence"], received)
        asking = {**table_options(begun["paths"], begun["configs"]), "root": options.get("root") or "/"}
        raw = gather(reading, dict(asking, python=python_of(state, before)))
        received = clock.now()
        # A host that cannot flood us may still try to be expensive to judge.
        with address_space(WORKER_ADDRESS_SPACE), deadline(JUDGING_SECONDS, _too_slow()):
            snapshot = snapshot_of(raw, state, before, wanted, received, host)
            found = judged(snapshot, raw, run, content, before, inventory, options, received)
        file.update(found, judged_with=judged_with(options))
    except HostFailure as failure:
        file.update(state=failure.state, reason=failure.reason())
    except MemoryError:
        file["reason"] = {
            "code": "too_large",
            "text": "judging this host needs more memory than a host may use",
            "fix": "",
        }
    except Exception as error:  # a host's answer must not end the run, whatever we did wrong with it
        line = traceback.extract_tb(error.__traceback__)[-1]
        file["reason"] = {
            "code": "defect",
            "text": f"{type(error).__name__} in {os.path.basename(line.filename)}:{line.lineno}: "
            + harmless(str(error)[:200]),
            "fix": "This is a defect of Ringwall: please report it with this text.",
        }
    file["received"] = received
    run.write_host(file)
    return summary(file)


def _too_slow():
    return HostFailure(
        "too_slow",
        f"judging what the host sent took more than {JUDGING_SECONDS:g} s",
        "This host sends what no usual server has: look at what runs there before you trust it.",
    )


def check_benchmarks(content, names):
    """Raise HostFailure when ``ringwall_benchmarks`` names one that there is not: judging by another would be a lie."""
    for name in names or ():
        if name not in content.benchmarks:
            near = difflib.get_close_matches(str(name), content.benchmarks, 1) or sorted(content.benchmarks)
            raise HostFailure(
                "no_benchmark",
                f"ringwall_benchmarks names {name}, which there is not",
                f"Did you mean {', '.join(near)}?",
            )


def judged_with(options):
    """What a host's own variables say about judging it: kept with the host, to judge it again."""
    names = ("parameters", "parameter_origins", "roles", "benchmarks")
    return {name: options[name] for name in names if options.get(name)}


def judged(snapshot, raw, run, content, before, inventory, options, at, decided=None):
    """Return the part of a host's file that judging gives: findings, alerts, benchmarks, notes, tables, ...

    ``raw``: ``{taken, collector, errors, euid, tables: {name: {cost}}}``. ``at``: when it was received, ``decided``:
    when it is judged, if that is another time.
    """
    context = {
        "content": content,
        "parameter_origins": options.get("parameter_origins") or {},
        "parameters": options.get("parameters") or {},
        "roles": options.get("roles") or [],
        "benchmarks": options.get("benchmarks"),
        "past": before,
        "host": inventory,
        "now": at,
        "dispositions": run.header["dispositions"],
        "scope": run.header["scope"],
        "decided": decided,
    }
    result = {"findings": [], "alerts": [], "benchmarks": [], "notes": []}
    for capability in CAPABILITIES:
        for key, items in capability.evaluate(snapshot, context).items():
            result.setdefault(key, []).extend(items)
    result["alerts"] += change_signals(snapshot, snapshot.host, at, run.header["scope"])
    identity = snapshot.table("identity").rows.get("host", {})
    told = identity.get("clock")
    result.update(
        state="assessed",
        taken=raw["taken"],
        collector=raw["collector"],
        errors=raw["errors"],
        privilege="root" if raw["euid"] == 0 else "user",
        clock_skew_s=round(clock.age_hours(at, told) * 3600) if isinstance(told, str) else None,
        platform=snapshot.table("platform").rows.get("host", {}),
        identity=identity,
        score=score([{"name": "", "state": "assessed", "findings": result["findings"]}], content.controls)["hosts"][""][
            "percent"
        ],
        tables={
            name: {
                "digest": view.digest,
                "version": view.version,
                "state": view.state,
                "why": view.why,
                "rows": len(view.rows),
                "observed_at": view.observed_at,
                "stale": view.stale,
                "cost": raw["tables"].get(name, {}).get("cost", {}),
            }
            for name, view in snapshot.tables.items()
        },
    )
    return result


def summary(file):
    """The small result that goes through Ansible's queue: counts and the reason, no other text that a host wrote."""
    counts = {}
    worst = {}
    for finding in file["findings"]:
        counts[finding["status"]] = counts.get(finding["status"], 0) + 1
        if finding["status"] == "fail" and not finding.get("disposition"):
            worst[finding["severity"]] = worst.get(finding["severity"], 0) + 1
    return {
        "state": file["state"],
        "reason": file["reason"],
        "counts": counts,
        "failed_by_severity": worst,
        "score": file.get("score"),
        "unreadable_tables": sorted(name for name, table in file["tables"].items() if table["state"] != "ok")[:20],
    }

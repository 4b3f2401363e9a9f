"""The flow of an assessment above all capabilities: begin, one host, record, report.

The only module that imports several capabilities. What a capability is: a ``noun``, ``needs(content,
options)`` -> ``{tables, paths}`` and ``evaluate(snapshot, context)`` -> ``{findings, alerts, benchmarks}``.
"""

from __future__ import annotations

import datetime
import difflib
import itertools
import os
import traceback

from ..module_utils.collect import VERSION as COLLECTOR
from ..module_utils.tables import TABLES
from . import provenance
from .content import compile_content, roots
from .evidence import atomic, objects, past, runs
from .evidence.state import open_state
from .findings.disposition_files import load_dispositions
from .findings.score import score
from .posture import VOCABULARY, Posture
from .snapshots import payload
from .snapshots.gather import address_space, deadline
from .snapshots.limits import JUDGING_SECONDS, WORKER_ADDRESS_SPACE, HostFailure, harmless
from .snapshots.view import Snapshot, TableView

HOST_SCHEMA = "ringwall.host/1"
CAPABILITIES = (Posture(),)
RUN_ID = runs.new_run_id()
"""Made once in the process that starts the play: workers are forked from it and share this value. See ``run_id``."""

VOLATILE = {
    name: {column.name for column in module.TABLE.columns if column.volatile} for name, module in TABLES.items()
}
"""Columns that do not make a table's content another one."""


def now():
    """The controller's time as RFC 3339 UTC with seconds."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _age_hours(moment, at):
    return (datetime.datetime.fromisoformat(at) - datetime.datetime.fromisoformat(moment)).total_seconds() / 3600


# Once: begin --------------------------------------------------------------------------------------------


def begin(settings, asked, options, known):
    """Open the run (or find it open: a later batch of the same play) and return what ``assess_host`` needs.

    ``asked`` are inventory names, ``options`` ``{cadence, benchmarks, check_mode, ...}``, ``known`` a function
    (scope, hosts) -> {host: what the store knows of it}. Raise ContentError, StateError with file, line and what to do.
    """
    state = open_state(settings.state)
    content = load_content(settings, state)
    header = {
        "pid": os.getppid(),  # the play's own process: this worker ends with its task
        "scope": settings.scope,
        "asked": sorted(asked),
        "started": now(),
        "collector": COLLECTOR,
        "actor": provenance.actor(),
        "version": provenance.version(),
        "project_commit": provenance.commit(settings.project_dir),
        "inventory": provenance.digest_of_files(settings.inventory_dirs),
        "content": content.digest,
        # What the score goes by: the store must be able to compute it again when the content is another one.
        "controls": {
            name: {key: control.get(key) for key in ("severity", "score")} for name, control in content.controls.items()
        },
        "dispositions": load_dispositions(settings.dispositions),
        "options": options,
    }
    run = runs.open_run(state, settings.run or run_id(state), header)
    past.write(run, known(settings.scope, sorted(asked)))
    # For all benchmarks: a host may name others (ringwall_benchmarks) than the one that this step runs as.
    tables, paths = needs(content, {**options, "benchmarks": None})
    return {
        "run": run.id,
        "state": settings.state,
        "content": content.digest,
        "collectors": collectors(state),
        "tables": sorted(tables),
        "paths": sorted(paths),
    }


def run_id(state):
    """Return RUN_ID; with a number behind it when this process has sealed a run of that id: a later play is another."""

    def sealed(name):
        try:
            return runs.load_run(state, name).header["state"] != "running"  # a later batch joins a running one
        except runs.RunError:
            return False

    names = itertools.chain([RUN_ID], (f"{RUN_ID}.{number}" for number in itertools.count(2)))
    return next(name for name in names if not sealed(name))


def collectors(state):
    """Return ``{source, bytecode, magic}``: paths of the packed collector in the state's cache, made when it is new.

    ``magic`` is the magic number (hexadecimal) of the Python that the bytecode is for: this one.
    """
    digest, magic = payload.digest(), payload.MAGIC.hex()
    paths = {"source": f"collector-{digest}.bin", "bytecode": f"collector-{digest}-{magic}.bin"}
    for kind, code in (("source", payload.SOURCE), ("bytecode", payload.BYTECODE)):
        paths[kind] = os.path.join(state.cache, paths[kind])
        if not os.path.exists(paths[kind]):
            atomic.write(paths[kind], payload.pack(code))
    return dict(paths, magic=magic)


def python_of(state, before):
    """The magic number of the Python that the host had when it was read last, or None. A hint, and no more."""
    try:
        platform = objects.get(state, before["tables"]["platform"]["digest"])
        return platform["rows"]["host"]["python_magic"]
    except (KeyError, TypeError, OSError, objects.ObjectError):
        return None


def load_content(settings, state):
    """Return the compiled Content of our collection and the user's directories, through the cache in the state."""
    return compile_content(roots(extra=settings.content), VOCABULARY, cache=state.cache)


def needs(content, options):
    """Return (table names, file paths) to read: every fast table, and what the capabilities ask for beyond."""
    tables, paths = {name for name, module in TABLES.items() if module.TABLE.cadence == "fast"}, set()
    for capability in CAPABILITIES:
        wanted = capability.needs(content, options)
        tables |= wanted["tables"]
        paths |= wanted["paths"]
    return tables, paths


# Each host, in its worker: assess -----------------------------------------------------------------------


def tables_to_read(wanted, before, cadence, at):
    """Return the tables to read now. Deep ones are due when no complete reading is younger than half their maximum."""
    chosen = set()
    for name in wanted:
        spec = TABLES[name].TABLE
        if spec.cadence == "fast" or cadence == "deep":
            chosen.add(name)
        elif cadence == "auto":
            last = before.get("tables", {}).get(name)
            if not last or last.get("state") != "ok" or _age_hours(last["observed_at"], at) > spec.max_age_hours / 2:
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
        views[name] = _carried_on(name, last, state, at)
    return Snapshot(views, raw["taken"], host)


def _carried_on(name, last, state, at):
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
    stale = _age_hours(last["observed_at"], at) > spec.max_age_hours
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
    received = now()
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
        asking = {"file_attributes": {"paths": begun["paths"]}, "root": options.get("root") or "/"}
        raw = gather(reading, dict(asking, python=python_of(state, before)))
        received = now()
        # A host that cannot flood us may still try to be expensive to judge.
        with address_space(WORKER_ADDRESS_SPACE), deadline(JUDGING_SECONDS, _too_slow()):
            snapshot = snapshot_of(raw, state, before, wanted, received, host)
            judged = _judged(snapshot, raw, run, content, before, inventory, options, received)
        file.update(judged)
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


def _judged(snapshot, raw, run, content, before, inventory, options, at):
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
    }
    result = {"findings": [], "alerts": [], "benchmarks": [], "notes": []}
    for capability in CAPABILITIES:
        for key, items in capability.evaluate(snapshot, context).items():
            result.setdefault(key, []).extend(items)
    identity = snapshot.table("identity").rows.get("host", {})
    clock = identity.get("clock")
    result.update(
        state="assessed",
        taken=raw["taken"],
        collector=raw["collector"],
        errors=raw["errors"],
        privilege="root" if raw["euid"] == 0 else "user",
        clock_skew_s=round(_age_hours(at, clock) * 3600) if isinstance(clock, str) else None,
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


def record(settings, begun, asked, active):
    """Seal the run when no other batch is to come and bring it into the store, after runs that were interrupted.

    ``asked`` are all hosts of the play, ``active`` those that Ansible has not dropped. Returns the store's summary.
    """
    from .store import open_store

    state = open_state(begun["state"])
    run = runs.load_run(state, begun["run"])
    if not not_assessed(run, asked, active):
        run.finish()
        past.forget(run, asked)
    store = open_store(settings.store, state)
    try:
        for old in runs.interrupted(state):
            store.record(old, settings.score_drop)
        return store.record(run.id, settings.score_drop)
    finally:
        store.close()


def not_assessed(run, asked, active):
    """Write a failed file for hosts that ended before they were assessed; return those of a batch still to come."""
    done = run.host_names()
    waiting = [host for host in asked if host not in done and host in active]
    for host in asked:
        if host not in done and host not in active:
            run.write_host(
                {
                    "schema": HOST_SCHEMA,
                    "run": run.id,
                    "scope": run.header["scope"],
                    "host": host,
                    "inventory": {},
                    "state": "failed",
                    "received": now(),
                    "findings": [],
                    "alerts": [],
                    "errors": [],
                    "tables": {},
                    "benchmarks": [],
                    "reason": {
                        "code": "not_assessed",
                        "text": "it left the play before it was assessed",
                        "fix": "The play's output above says why (a variable that is not defined, for example).",
                    },
                }
            )
    return waiting

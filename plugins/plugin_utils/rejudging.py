"""Judge a run again by today's content, from what was read then: no host is visited.

The result is a run of its own, ``rejudged_from`` the one that read the hosts. What was not read then is unreadable,
never absent, and what ends by it ended by ``content``: the hosts are as they were.
"""

from __future__ import annotations

import contextlib
import dataclasses

from ..module_utils.tables import TABLES
from . import assessment
from .content import ContentError
from .evidence import runs
from .evidence.state import open_state
from .snapshots.limits import HostFailure
from .snapshots.view import Snapshot, TableView
from .store import open_store

NOT_READ = "was not read when the host was visited"
KEPT = ("host", "scope", "inventory", "received", "judged_with")
"""What the new file of a host takes over from the old one, whatever was judged."""


def rejudge(settings, run_id=None, benchmarks=None):
    """Judge a run again, record it, return ``{run, rejudged_from, hosts, judged, late, opened, closed}``.

    ``run_id``: default the newest recorded run of the scope. ``benchmarks``: ids, in place of those that the hosts'
    variables or systems chose. ``late`` counts hosts that were visited again since: their history does not change, only
    this run's own report shows what was judged. Raise RunError, StateError, StoreError, ContentError.
    """
    state = open_state(settings.state)
    with contextlib.closing(open_store(settings.store, state)) as store:
        source = _source(store, settings.scope, run_id)
        settings = dataclasses.replace(settings, scope=source.header["scope"])
        content = assessment.load_content(settings, state)
        for name in benchmarks or ():
            if name not in content.benchmarks:
                known = ", ".join(sorted(content.benchmarks))
                raise runs.RunError(f"there is no benchmark {name}; there are {known}")
        run = _open(settings, state, source, content, benchmarks)
        judged = sum(_host(state, run, content, store, old, benchmarks) for old in source.hosts())
        run.finish()
        summary = store.record(run.id, settings.score_drop)
    counts = {name: summary[name] for name in ("hosts", "late", "opened", "closed")}
    return {"run": run.id, "rejudged_from": source.id, "judged": judged, **counts}


def _source(store, scope, run_id):
    """The run that visited the hosts: the one that is named or, of one that was judged again, the one behind it."""
    run = store.evidence_of(run_id or store.run(scope=scope)["id"])
    behind = run.header.get("rejudged_from")
    run = store.evidence_of(behind) if behind else run
    if run.header["state"] not in runs.ENDINGS:
        raise runs.RunError(f"run {run.id} is {run.header['state']}: only one that has ended can be judged again")
    return run


def _open(settings, state, source, content, benchmarks):
    then = source.header
    options = {**(then.get("options") or {}), "limited": True, "benchmarks": benchmarks}
    header = assessment.header_of(settings, content, then.get("asked") or (), options)
    header.update(rejudged_from=source.id, inventory=then.get("inventory"), collector=then.get("collector"))
    return runs.open_run(state, assessment.run_id(state), header)


def _host(state, run, content, store, old, benchmarks):
    """Write one host's file of the new run; True if it was judged. Never raises for what stands in the old file."""
    if old["state"] != "assessed":
        run.write_host({**old, "run": run.id})
        return False
    file = {**{name: old.get(name) for name in KEPT}, "schema": assessment.HOST_SCHEMA, "run": run.id}
    options = {**(old.get("judged_with") or {}), **({"benchmarks": benchmarks} if benchmarks else {})}
    try:
        assessment.check_benchmarks(content, options.get("benchmarks"))
        store.bring_objects(sorted({table["digest"] for table in old["tables"].values() if table.get("digest")}))
        snapshot = snapshot_of(state, old)
        raw = {
            "taken": old.get("taken"),
            "collector": old.get("collector"),
            "errors": old.get("errors") or [],
            "euid": 0 if old.get("privilege") == "root" else 1,
            "tables": old["tables"],
        }
        inventory = old.get("inventory") or {}
        now = assessment.clock.now()
        found = assessment.judged(snapshot, raw, run, content, {}, inventory, options, old["received"], now)
        found["findings"] = [_certain(finding, content, snapshot) for finding in found["findings"]]
        file.update(found, alerts=[], clock_skew_s=old.get("clock_skew_s"))
    except (HostFailure, ContentError) as failure:
        reason = {"code": "no_judging", "text": str(failure), "fix": ""}
        file.update(
            state="failed",
            reason=failure.reason() if isinstance(failure, HostFailure) else reason,
            findings=[], alerts=[], errors=[], tables={}, benchmarks=[],
        )  # fmt: skip
    file.setdefault("reason", None)
    run.write_host(file)
    return file["state"] == "assessed"


def snapshot_of(state, old):
    """Return the Snapshot that a host's file names, its tables brought to the versions of today.

    What cannot be used any more, and a column that nobody read then, is unreadable with that reason.
    """
    views = {name: _view(state, name, entry, old["received"])
             for name, entry in old["tables"].items() if name in TABLES}  # fmt: skip
    return Snapshot(views, old.get("taken") or "", old["host"])


def _view(state, name, entry, received):
    view = assessment.carried_on(name, entry, state, received)
    if view.state == "error" and entry["state"] != "error":
        return dataclasses.replace(view, state="unsupported")  # no defect: it is not at hand
    if view.state != entry["state"]:  # the same content may have been read under another state
        view = dataclasses.replace(view, state=entry["state"], why=entry.get("why") or "")
    known = set().union(*(row.keys() for row in view.rows.values())) if view.rows else set()
    missing = [column.name for column in TABLES[name].TABLE.columns if view.rows and column.name not in known]
    if not missing:
        return view
    blank = {column: {"!": "partial", "why": f"{column} {NOT_READ}"} for column in missing}
    return dataclasses.replace(view, rows={key: {**row, **blank} for key, row in view.rows.items()})


def _certain(finding, content, snapshot):
    """A finding that passes although a path or file that its control names was never looked at is unreadable."""
    if finding["status"] != "pass" or not finding["control"]:
        return finding
    control = content.controls[finding["control"]]
    asked = {"file_attributes": control["paths"], "config": [one["file"] for one in control["configs"]]}
    for table, names in asked.items():
        rows = snapshot.tables.get(table, TableView(table)).rows
        lost = [name for name in names if name not in rows]
        if lost:
            reason = f"{', '.join(lost[:3])} {NOT_READ}"
            return {**finding, "status": "unreadable", "actual": None, "evidence": [], "reason": reason}
    return finding

"""Is the evidence what it was when it was written? Every digest is computed anew."""

from __future__ import annotations

from . import chain, hostfile, ledger, objects, runs
from .canonical import sha256


def verify(state, scope=None, contents=False):
    """Return the problems found as ``[{where, problem}]``; an empty list is evidence that holds.

    Checks the host files of each sealed run against run.json, run.json against the run that follows it in its scope
    (missing runs must be named in the ledger of pruning), and each ledger's own chain. ``contents`` also unpacks
    every object and looks for those that host files name.
    """
    problems, sealed, known = [], {}, {}
    for run_id in runs.list_runs(state):
        run = runs.Run(state, run_id)
        try:
            header = run.header
        except runs.RunError as error:
            problems.append({"where": run_id, "problem": str(error)})
            continue
        known[sha256(run.raw())] = run_id
        if header["state"] == "running" or (scope is not None and header["scope"] != scope):
            continue
        sealed.setdefault(header["scope"], []).append((header["chain"]["seq"], run_id, header["chain"]["previous"]))
        problems += _host_problems(run, header)
        if contents:
            problems += _object_problems(run)
    removed = chain.pruned(state)
    for name, links in sealed.items():
        problems += _link_problems(name, sorted(links), known, removed, chain.head(state, name))
    for name in chain.scopes(state):
        gone = chain.lost(state, name) if scope in (None, name) else None
        if gone:
            problems.append({"where": gone, "problem": f"the last run of scope {name!r} is gone"})
    for noun in ledger.nouns(state):
        problems += [{"where": f"ledger {noun}", "problem": text} for text in ledger.verify(state, noun)]
    return problems


def _link_problems(scope, links, known, removed, head):
    found = []
    expected = None
    for seq, run_id, previous in links:
        if expected is not None and seq < expected:
            found.append({"where": run_id, "problem": f"place {seq} of scope {scope!r} is taken twice"})
        if previous is None:
            if seq != 1:
                found.append({"where": run_id, "problem": f"place {seq} of scope {scope!r} follows nothing"})
        elif previous["sha256"] not in known and previous["sha256"] not in removed:
            text = f"follows run {previous['run']}, which is changed or gone without being pruned"
            found.append({"where": run_id, "problem": text})
        expected = seq + 1
    if head is None or head["run"] != links[-1][1]:
        found.append({"where": links[-1][1], "problem": f"is not the head of scope {scope!r} that was written last"})
    return found


def _host_problems(run, header):
    found, there = [], set(run.file_names())
    for name, entry in header.get("hosts", {}).items():
        if name not in there:
            found.append({"where": f"{run.id}/{name}", "problem": f"the file of host {entry['host']!r} is gone"})
        elif sha256(run.host_raw(name)) != entry["sha256"]:
            found.append({"where": f"{run.id}/{name}", "problem": f"the file of host {entry['host']!r} was changed"})
    found += [
        {"where": f"{run.id}/{name}", "problem": "was added after the run was sealed"}
        for name in sorted(there - set(header.get("hosts", {})))
    ]
    return found


def _object_problems(run):
    found = []
    for name in run.file_names():
        try:
            tables = hostfile.decode(run.host_raw(name)).get("tables", {})
        except hostfile.HostFileError as error:
            found.append({"where": f"{run.id}/{name}", "problem": str(error)})
            continue
        for table, entry in tables.items():
            try:
                objects.get(run.state, entry["digest"])
            except objects.ObjectError as error:
                found.append({"where": f"{run.id}/{name}", "problem": f"table {table}: {error}"})
    return found

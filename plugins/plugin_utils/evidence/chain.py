"""The chain: each sealed run of a scope holds the digest of the one before it.

``heads.json`` names the last run of each scope and the one before. It is written before the run it names, so that a
kill between the two leaves a head that does not match its file; then the one before counts.
"""

from __future__ import annotations

import json
import os

from . import atomic, ledger
from .canonical import canonical, sha256

PRUNED = "prune"
"""The ledger noun in which removed runs are named with their digests."""


def heads(state):
    """``{scope: {run, sha256, seq, before}}`` as it was written last."""
    try:
        with open(os.path.join(state.runs, "heads.json"), "rb") as file:
            return json.loads(file.read())
    except FileNotFoundError:
        return {}


def _matches(state, link):
    if link is None:
        return False
    try:
        with open(os.path.join(state.runs, link["run"], "run.json"), "rb") as file:
            return sha256(file.read()) == link["sha256"]
    except FileNotFoundError:
        return link["sha256"] in pruned(state)


def pruned(state):
    """Digests of the runs that pruning removed: ``{sha256: run id}``."""
    return {
        digest: run_id for entry in ledger.read(state, PRUNED) for run_id, digest in entry.get("removed", {}).items()
    }


def head(state, scope):
    """The last sealed run of a scope as ``{run, sha256, seq}``, or None."""
    entry = heads(state).get(scope)
    if entry is None:
        return None
    last = {name: entry[name] for name in ("run", "sha256", "seq")}
    return last if _matches(state, last) else entry["before"]


def lost(state, scope):
    """Id of the last run that was sealed if its file is gone, else None."""
    entry = heads(state).get(scope)
    if entry is None or os.path.exists(os.path.join(state.runs, entry["run"], "run.json")):
        return None
    return None if entry["sha256"] in pruned(state) else entry["run"]


def scopes(state):
    """Names of the scopes that have a sealed run."""
    return sorted(heads(state))


def is_head(state, run):
    """True if no later run of its scope follows ``run``."""
    last = head(state, run.header["scope"])
    return last is not None and last["run"] == run.id


def seal(run, header):
    """Write run.json with its place in the chain. The caller holds the lock of the runs directory."""
    state, scope = run.state, header["scope"]
    last = head(state, scope)
    # A run that is sealed again keeps its place.
    again = last is not None and last["run"] == run.id
    previous = run.header.get("chain", {}).get("previous") if again else last
    header["chain"] = {"seq": previous["seq"] + 1 if previous else 1, "previous": previous}
    data = canonical(header).encode("ascii")
    known = heads(state)
    known[scope] = {"run": run.id, "sha256": sha256(data), "seq": header["chain"]["seq"], "before": last}
    atomic.write(os.path.join(state.runs, "heads.json"), canonical(known).encode("ascii"))
    atomic.write(run.file, data)

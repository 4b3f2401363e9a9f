"""One run of several disks: what jobs on different machines did under one run id, and the place of each run in its
chain, come together in the database. Everything here is done while the writer's lock is held.
"""

from __future__ import annotations

import hashlib
import json
import os

from ..evidence import atomic, chain, hostfile, runs
from ..evidence.canonical import canonical
from . import mirror
from .mirror import UNITED


def join(connection, run):
    """Make a run of this disk one with what the database holds of it.

    A run that the database has not takes its place behind the last one there: whoever was recorded first comes first,
    whatever each disk thought when it sealed. A run that it has gets the hosts of all slices. Raises RunError when a
    later run follows it already and this disk brings new hosts.
    """
    state, ours = run.state, run.header
    data = mirror.get(connection, f"runs/{run.id}/run.json")
    if data is None:
        mirror.pull_heads(connection, state)
        if ours["state"] in runs.ENDINGS and not chain.is_head(state, run):
            _seal(run, ours)
        return
    theirs = json.loads(data)
    if theirs["scope"] != ours["scope"]:
        raise runs.RunError(
            f"run {run.id} is of scope {theirs['scope']!r}, not {ours['scope']!r}; use another ringwall_run"
        )
    atomic.write(run.file, data)
    mirror.pull_heads(connection, state)
    brought = _pull_hosts(connection, run)
    united = {name: _union(theirs.get(name), ours.get(name)) for name in UNITED}
    ends = theirs["state"] not in runs.ENDINGS and ours["state"] in runs.ENDINGS
    if not brought and not ends and all(theirs.get(name) == united[name] for name in UNITED):
        return  # nothing that the database has not
    if theirs["state"] in runs.ENDINGS and not chain.is_head(state, run):
        raise runs.RunError(f"run {run.id} is recorded and followed by another; use another ringwall_run")
    if ours["state"] in runs.ENDINGS:
        run.finish(ours["state"], **united)
    else:
        atomic.write(run.file, canonical({**theirs, **united, "state": ours["state"]}).encode("ascii"))


def move_in(connection, state, run_ids):
    """Copy the runs (ids in the order of recording) and checkpoints of this disk that the database has not.

    Into an empty database with the chain that they have, else behind what is there.
    """
    alone = mirror.get(connection, mirror.HEADS) is None
    there = {path.split("/")[1] for path in mirror.paths(connection, "runs/") if path.endswith("/run.json")}
    for run_id in dict.fromkeys(run_ids):
        run = runs.Run(state, run_id)
        if run_id not in there and os.path.exists(run.file):
            if not alone:
                join(connection, run)
            mirror.push_run(connection, run)
    mirror.push_checkpoints(connection, state)


def _seal(run, header):
    with atomic.locked(os.path.join(run.state.runs, ".lock")):
        chain.seal(run, header)


def _union(theirs, ours):
    found = list(theirs or ())
    found += [one for one in ours or () if one not in found]
    return sorted(found) if all(isinstance(one, str) for one in found) else found


def _pull_hosts(connection, run):
    """Bring the hosts of other slices; of a host that both assessed the later answer stays. True if we bring any."""
    prefix = f"runs/{run.id}/hosts/"
    theirs, brought = mirror.digests(connection, prefix), False
    mirror.pull_files(connection, run.state, list(theirs))
    for name in run.file_names():
        data = run.host_raw(name)
        mark = theirs.get(prefix + name)
        if mark == hashlib.md5(data, usedforsecurity=False).hexdigest():
            continue
        other = mirror.get(connection, prefix + name) if mark else None
        if other is not None and _received(other) > _received(data):
            atomic.write(os.path.join(run.hosts_path, name), other)
        else:
            brought = True
    return brought


def _received(data):
    try:
        return hostfile.decode_summary(data).get("received") or ""
    except hostfile.HostFileError:
        return ""

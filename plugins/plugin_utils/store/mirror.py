"""Evidence in the database: the ledger's lines always, whole files with PostgreSQL (a job's disk does not last)."""

from __future__ import annotations

import hashlib
import json
import os

from ..evidence import atomic, ledger, objects, runs
from ..evidence.canonical import canonical
from ..third_party import present
from . import bulk, schema

sa = present("sqlalchemy")

RECORD = "record"
"""The ledger noun that says in which order runs were recorded and hosts retired."""

_HEADS = "runs/heads.json"


def push_ledgers(connection, state):
    """Copy the lines that the database has not yet."""
    table = schema.LEDGER
    query = sa.select(table.c.noun, sa.func.max(table.c.seq)).group_by(table.c.noun)
    known = dict(connection.execute(query).all())
    for noun in ledger.nouns(state):
        after = known.get(noun, 0)
        rows = [
            (noun, seq, line.decode("ascii")) for seq, line in enumerate(ledger.lines(state, noun), 1) if seq > after
        ]
        bulk.insert(connection, table, rows)


def pull_ledgers(connection, state):
    """Bring each ledger on this disk to that of the database; what only this disk has goes behind it, chained anew."""
    table = schema.LEDGER
    query = sa.select(table.c.noun, table.c.line).order_by(table.c.noun, table.c.seq)
    shared = {}
    for noun, line in connection.execute(query):
        shared.setdefault(noun, []).append(line.encode("ascii"))
    for noun, theirs in shared.items():
        path = ledger.path_of(state, noun)
        with atomic.locked(path + ".lock"):
            ours = list(ledger.lines(state, noun))
            if ours[: len(theirs)] == theirs:
                continue  # ours is theirs, or goes on behind it
            same = next(
                (at for at, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]), len(ours)
            )
            atomic.write(path, b"".join(line + b"\n" for line in theirs))
            for line in ours[same:]:
                entry = json.loads(line)
                ledger.append(state, noun, {k: v for k, v in entry.items() if k not in ledger.RESERVED})


def _put(connection, path, data):
    table = schema.EVIDENCE
    connection.execute(sa.delete(table).where(table.c.path == path))
    connection.execute(sa.insert(table).values(path=path, data=data))


def _get(connection, path):
    table = schema.EVIDENCE
    found = connection.execute(sa.select(table.c.data).where(table.c.path == path)).scalar()
    return None if found is None else bytes(found)


def _paths(connection, prefix):
    table = schema.EVIDENCE
    return connection.execute(sa.select(table.c.path).where(table.c.path.startswith(prefix, autoescape=True))).scalars()


def push_run(connection, run):
    """Copy a run's files, the objects that the database has not yet, and the heads of the chains."""
    prefix = f"runs/{run.id}/"
    table = schema.EVIDENCE
    query = sa.select(table.c.path, sa.func.md5(table.c.data)).where(table.c.path.startswith(prefix, autoescape=True))
    known = dict(connection.execute(query).all())
    files = {f"{prefix}hosts/{name}": run.host_raw(name) for name in run.file_names()}
    files[f"{prefix}run.json"] = run.raw()
    for path, data in files.items():
        if known.get(path) != hashlib.md5(data, usedforsecurity=False).hexdigest():
            _put(connection, path, data)
    there = set(_paths(connection, "objects/"))
    for name in objects.names(run.state):
        path = f"objects/{name[:2]}/{name}.json.gz"
        if path not in there:
            _put(connection, path, objects.get_raw(run.state, name))
    heads = os.path.join(run.state.path, _HEADS)
    if os.path.exists(heads):
        with open(heads, "rb") as file:
            ours = json.loads(file.read())
        theirs = json.loads(_get(connection, _HEADS) or b"{}")
        for scope, head in ours.items():
            if scope not in theirs or theirs[scope]["seq"] <= head["seq"]:
                theirs[scope] = head
        _put(connection, _HEADS, canonical(theirs).encode("ascii"))


def pull_heads(connection, state):
    """Bring the heads of the chains, and run.json of the runs they name, to a disk that has none."""
    theirs = _get(connection, _HEADS)
    if theirs is None:
        return
    path = os.path.join(state.path, _HEADS)
    with atomic.locked(os.path.join(state.runs, ".lock")):
        ours = {}
        if os.path.exists(path):
            with open(path, "rb") as file:
                ours = json.loads(file.read())
        for scope, head in json.loads(theirs).items():
            if scope not in ours or ours[scope]["seq"] < head["seq"]:
                ours[scope] = head
                for link in (head, head.get("before")):
                    if link:
                        _pull_file(connection, state, f"runs/{link['run']}/run.json")
        atomic.write(path, canonical(ours).encode("ascii"))


def _pull_file(connection, state, path):
    """Write one copied file to this disk unless it is there."""
    target = os.path.join(state.path, path)
    if os.path.exists(target):
        return
    data = _get(connection, path)
    if data is not None:
        atomic.make_directory(os.path.dirname(target))
        atomic.write(target, data)


def pull_run(connection, state, run_id):
    """Bring a run's files to this disk, run.json last."""
    prefix = f"runs/{runs.check_run_id(run_id)}/"
    for path in sorted(_paths(connection, prefix)):  # hosts/ sorts before run.json
        _pull_file(connection, state, path)


def pull_objects(connection, state, digests):
    """Bring objects to this disk; those that the database has not are left out."""
    for name in digests:
        path = objects.path_of(state, name)
        if not os.path.exists(path):
            data = _get(connection, f"objects/{name[:2]}/{name}.json.gz")
            if data is not None:
                objects.put_raw(state, name, data)


def pull_all(connection, state):
    """Bring everything to this disk: what rebuild() and verify() read."""
    pull_ledgers(connection, state)
    pull_heads(connection, state)
    for prefix in ("objects/", "checkpoints/", "runs/"):
        for path in sorted(_paths(connection, prefix)):
            if path != _HEADS:
                _pull_file(connection, state, path)


def push_file(connection, state, path):
    """Copy one file below the state directory."""
    with open(os.path.join(state.path, path), "rb") as file:
        _put(connection, path, file.read())


def remove(connection, prefixes):
    """Remove the copies whose paths start with one of ``prefixes``."""
    table = schema.EVIDENCE
    for prefix in prefixes:
        connection.execute(sa.delete(table).where(table.c.path.startswith(prefix, autoescape=True)))

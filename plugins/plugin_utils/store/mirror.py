"""Evidence in the database: the ledger's lines always, whole files with PostgreSQL (a job's disk does not last)."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os

from ..evidence import atomic, chain, hostfile, ledger, objects, runs
from ..evidence.canonical import canonical, sha256
from ..third_party import present
from . import bulk, schema

sa = present("sqlalchemy")

RECORD = "record"
"""The ledger noun that says in which order runs were recorded and hosts retired."""

HEADS = "runs/heads.json"
UNITED = ("asked", "owners")
"""Fields of run.json that each slice of a run adds to."""

BATCH = 200
"""Files copied at once, which bounds what is held in memory."""


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


def _replace(connection, rows, known=()):
    """Write ``[(path, bytes)]``, those of ``known`` in place of what is there."""
    table = schema.EVIDENCE
    for part in bulk.chunks(path for path, _data in rows if path in known):
        connection.execute(sa.delete(table).where(table.c.path.in_(part)))
    bulk.insert(connection, table, rows)


def _put(connection, path, data):
    _replace(connection, [(path, data)], (path,))


def get(connection, path):
    """The bytes of one copied file, or None."""
    table = schema.EVIDENCE
    found = connection.execute(sa.select(table.c.data).where(table.c.path == path)).scalar()
    return None if found is None else bytes(found)


def _below(prefix):
    # A range, not LIKE: the index serves it whatever the pattern. Paths are compared byte by byte (see the schema).
    path = schema.EVIDENCE.c.path
    return sa.and_(path >= prefix, path < prefix[:-1] + chr(ord(prefix[-1]) + 1))


def paths(connection, prefix):
    """Paths of the copied files below ``prefix``, which ends in a slash."""
    return list(connection.execute(sa.select(schema.EVIDENCE.c.path).where(_below(prefix))).scalars())


def digests(connection, prefix):
    """``{path: MD5}`` of the copied files below ``prefix``: to tell what is there already, not to vouch for it."""
    table = schema.EVIDENCE
    return dict(connection.execute(sa.select(table.c.path, sa.func.md5(table.c.data)).where(_below(prefix))).all())


def _object_path(name):
    return f"objects/{name[:2]}/{name}.json.gz"


def push_run(connection, run):
    """Copy what the database has not as it is here: a run's files, the objects that they name, the chains' heads."""
    prefix = f"runs/{run.id}/"
    known = digests(connection, prefix)
    rows, named = [], set()
    for name in [*run.file_names(), None]:
        path, data = (f"{prefix}hosts/{name}", run.host_raw(name)) if name else (f"{prefix}run.json", run.raw())
        if known.get(path) == hashlib.md5(data, usedforsecurity=False).hexdigest():
            continue
        rows.append((path, data))
        if name:
            with contextlib.suppress(hostfile.HostFileError):  # damaged evidence is evidence, too
                named.update(hostfile.objects_named(data))
        if len(rows) >= BATCH:
            _replace(connection, rows, known)
            rows = []
    _replace(connection, rows, known)
    push_objects(connection, run.state, named)
    push_heads(connection, run)


def push_checkpoints(connection, state):
    """Copy the checkpoints of this disk that are not there."""
    there = set(paths(connection, "checkpoints/"))
    for name in os.listdir(state.checkpoints):
        if not name.startswith(".") and f"checkpoints/{name}" not in there:
            push_file(connection, state, f"checkpoints/{name}")


def push_objects(connection, state, names):
    """Copy the objects of these digests that the database has not; one that is not here either is left out."""
    for part in bulk.chunks(sorted(names)):
        there = set(_present(connection, [_object_path(name) for name in part]))
        rows = []
        for name in part:
            if _object_path(name) not in there:
                with contextlib.suppress(objects.ObjectError):
                    rows.append((_object_path(name), objects.get_raw(state, name)))
        bulk.insert(connection, schema.EVIDENCE, rows)


def _present(connection, wanted):
    table = schema.EVIDENCE
    return connection.execute(sa.select(table.c.path).where(table.c.path.in_(wanted))).scalars()


def keep_objects(connection, used):
    """Remove the copies of all objects but ``used`` (digests); return the digests of those that went."""
    there = {path.rpartition("/")[2].partition(".")[0]: path for path in paths(connection, "objects/")}
    gone = there.keys() - used
    remove(connection, [there[name] for name in gone])
    return gone


def push_heads(connection, run):
    """Copy the head of the chain of a run's scope."""
    scope = run.header["scope"]
    head = chain.heads(run.state).get(scope)
    theirs = json.loads(get(connection, HEADS) or b"{}")
    if head is not None and theirs.get(scope) != head:
        theirs[scope] = head
        _put(connection, HEADS, canonical(theirs).encode("ascii"))


def pull_heads(connection, state):
    """Bring the heads of the chains, and run.json of the runs they name, to this disk.

    What the database says counts: a run that was sealed here behind another one, but not recorded, is sealed anew when
    it is (see shared_runs.join).
    """
    theirs = get(connection, HEADS)
    if theirs is None:
        return
    with atomic.locked(os.path.join(state.runs, ".lock")):
        ours = chain.heads(state)
        after = {**ours, **json.loads(theirs)}
        for link in [link for head in after.values() for link in (head, head.get("before")) if link]:
            _pull_link(connection, state, link)
        if after != ours:
            atomic.write(os.path.join(state.path, HEADS), canonical(after).encode("ascii"))


def _pull_link(connection, state, link):
    """Bring run.json of a run that the chain names, also in place of one that other slices have added to since."""
    run = runs.Run(state, link["run"])
    if not os.path.exists(run.file):
        pull_files(connection, state, [f"runs/{run.id}/run.json"])
        return
    if sha256(run.raw()) == link["sha256"]:
        return
    data = get(connection, f"runs/{run.id}/run.json")
    if data is None or sha256(data) != link["sha256"]:
        return
    ours, theirs = run.header, json.loads(data)
    if all(one in theirs.get(name, ()) for name in UNITED for one in ours.get(name, ())):
        pull_files(connection, state, paths(connection, f"runs/{run.id}/hosts/"))
        atomic.write(run.file, data)


def pull_files(connection, state, wanted):
    """Bring copied files to this disk, those that are not there."""
    table = schema.EVIDENCE
    missing = [path for path in wanted if not os.path.exists(os.path.join(state.path, path))]
    for part in bulk.chunks(missing):
        query = sa.select(table.c.path, table.c.data).where(table.c.path.in_(part))
        atomic.write_many({os.path.join(state.path, path): bytes(data) for path, data in connection.execute(query)})


def pull_run(connection, state, run_id):
    """Bring a run's files to this disk, run.json last."""
    prefix = f"runs/{runs.check_run_id(run_id)}/"
    found = paths(connection, prefix)
    pull_files(connection, state, [path for path in found if path != f"{prefix}run.json"])
    pull_files(connection, state, [f"{prefix}run.json"])


def pull_objects(connection, state, wanted):
    """Bring objects to this disk, checked against their digests; those that the database has not are left out."""
    table = schema.EVIDENCE
    missing = {_object_path(name): name for name in wanted if not os.path.exists(objects.path_of(state, name))}
    for part in bulk.chunks(missing):
        query = sa.select(table.c.path, table.c.data).where(table.c.path.in_(part))
        for path, data in connection.execute(query):
            objects.put_raw(state, missing[path], bytes(data))


def pull_all(connection, state):
    """Bring everything to this disk: what rebuild() and verify() read."""
    pull_ledgers(connection, state)
    pull_heads(connection, state)
    for prefix in ("objects/", "checkpoints/"):
        pull_files(connection, state, paths(connection, prefix))
    pull_runs(connection, state)


def pull_runs(connection, state):
    """Bring all runs to this disk, each run.json after its hosts."""
    found = [path for path in paths(connection, "runs/") if path != HEADS]
    pull_files(connection, state, sorted(found, key=lambda path: path.endswith("/run.json")))


def push_file(connection, state, path):
    """Copy one file below the state directory."""
    with open(os.path.join(state.path, path), "rb") as file:
        _put(connection, path, file.read())


def remove(connection, gone):
    """Remove the copies at these paths; a path that ends in a slash stands for all below it."""
    table = schema.EVIDENCE
    for path in gone:
        if path.endswith("/"):
            connection.execute(sa.delete(table).where(_below(path)))
    for part in bulk.chunks(path for path in gone if not path.endswith("/")):
        connection.execute(sa.delete(table).where(table.c.path.in_(part)))

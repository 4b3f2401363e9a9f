"""Undoing: each resource goes back to what it would be without the operations that are undone, three-way.

A resource is touched only if it is what we made it (or, after a kill, what it was before, or a step between); anything
else was done by somebody else and is a conflict, reported and left.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import errno
import os

from . import follow as follows
from .compute import changes_of
from .journal import Images
from .kinds import Resources, account_file, same
from .spec import ordered
from .target import Problem, sha256
from .view import View

STATIC = ("content", "attributes", "field", "entry", "made")
"""Kinds that lie on disk: undone before the follow-ups run, the others behind them."""


PASSING = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.ENOMEM, errno.EMFILE, errno.ENFILE)
"""Errors that say nothing about what is to be undone: it has to be tried again, not to be given up."""


class Dropped:
    """What is undone: everything, or all operations and edits that only these controls want."""

    def __init__(self, everything=False, controls=(), operations=()):
        self.everything = everything
        self.controls = set(controls)
        self.operations = set(operations)

    def add(self, other):
        """Undo that as well."""
        self.everything = self.everything or other.everything
        self.controls |= other.controls
        self.operations |= other.operations

    def plain(self):
        """As JSON."""
        return {"all": self.everything, "controls": sorted(self.controls), "ops": sorted(self.operations)}

    @classmethod
    def of(cls, value):
        """From JSON."""
        return cls(value["all"], value["controls"], value["ops"])

    def _gone(self, controls):
        return bool(controls) and set(controls) <= self.controls

    def rest(self, index, operation):
        """What is left of an operation: itself, itself with fewer edits, or None."""
        controls = operation.get("controls") or []
        if self.everything or index in self.operations:
            return None
        if operation["op"] == "edit":
            edits = [edit for edit in operation["edits"] if not self._gone(edit.get("controls") or controls)]
            if not edits:
                return None
            return operation if len(edits) == len(operation["edits"]) else dict(operation, edits=edits)
        return None if self._gone(controls) else operation


class _Chain:
    """All that was done to one resource."""

    def __init__(self, kind, key, before):
        self.kind, self.key, self.base = kind, key, before
        self.steps = []  # (before, after or None, finished)
        self.last = 0  # number of the last record

    def ours(self, state):
        """True if the state is one that we left."""
        before, after, finished = self.steps[-1]
        if after is None or self.kind == "made":
            return True
        if same(self.kind, state, after):
            return True
        if finished:
            return False
        if same(self.kind, state, before):
            return True
        if self.kind == "attributes" and state["type"] == after["type"] == before.get("type"):
            return all(state[name] in (before[name], after[name]) for name in ("mode", "uid", "gid"))
        return False


def chains(records):
    """Return {(kind, key): _Chain} of the journal's records, in the order in which they were touched first."""
    found = {}
    for record in records:
        for change in record["changes"]:
            name = change["kind"], change["key"]
            if name not in found:
                found[name] = _Chain(change["kind"], change["key"], change["before"])
            found[name].steps.append((change["before"], change["after"], record["finished"]))
            found[name].last = record["n"]
    return found


def desired(target, journal, operations, records, dropped):
    """Return {(kind, key): state} that the touched resources shall have, with the contents known to the target."""
    base = {name: chain.base for name, chain in chains(records).items()}
    target.blobs = Images(journal)
    if dropped.everything:
        return base
    applied = sorted({record["op"] for record in records if "op" in record})
    view = View(target, base)
    for index in applied:
        operation = dropped.rest(index, operations[index])
        if operation is not None:
            changes = changes_of(operation, view)
            view.set(change for change in changes if (change["kind"], change["key"]) in base)
    for record in records:  # what a follow-up wrote stays as it is while somebody still wants it
        if "follow" in record and _still_wanted(record["follow"], operations, applied, dropped):
            for change in record["changes"]:
                view.states.pop((change["kind"], change["key"]), None)
    return {name: view.read(*name) for name in base}


def _still_wanted(follow, operations, applied, dropped):
    return any(
        follow in ordered(follows.wanted(operations[index]))
        for index in applied
        if dropped.rest(index, operations[index]) is not None
    )


def undo(target, journal, operations, what, boot=False):
    """Undo ``what`` (Dropped); return {undone: [...], conflicts: [...], problems: [...]}, lists of texts.

    Raise Problem when something has to be tried again: the rest is undone by then.
    """
    records = journal.records()
    dropped = Dropped()
    for record in records:
        if "undo" in record:
            dropped.add(Dropped.of(record["undo"]))
    dropped.add(what)
    result = {"undone": [], "conflicts": [], "problems": []}
    if not records:
        return result
    result["again"] = []
    wanted = desired(target, journal, operations, records, dropped)
    known = chains(records)
    resources = Resources(target)
    resources.kinds["active"].wait = not boot
    _sweep(target, known)
    todo = _todo(known, wanted, resources, result)
    number = records[-1]["n"] + 1
    journal.append({"n": number, "undo": what.plain(), "changes": todo, "times": {}})
    journal.save_images(todo, target.blobs)
    static = [change for change in todo if change["kind"] in STATIC]
    for change in static:
        _put(change, wanted, resources, target, result)
    _follow(target, operations, records, dropped, todo, boot, result)
    for change in todo:
        if change["kind"] not in STATIC:
            _put(change, wanted, resources, target, result)
    _again(target, records, known, wanted, resources, result)
    if result["again"]:
        raise Problem("not undone yet, make room and undo it again: " + "; ".join(result.pop("again")[:3]))
    del result["again"]
    journal.append({"done": number})
    if dropped.everything:
        _times(target, records)
    return result


def _sweep(target, known):
    """Take away temporary files that a killed process left beside what it was changing."""
    from . import durable

    folders = {}
    for kind, key in known:
        path = account_file(kind, key) or key
        if kind in STATIC:
            folders.setdefault(os.path.dirname(path), []).append(os.path.basename(path))
    for folder, names in folders.items():
        try:
            descriptor = target.tree.directory(folder or "/")
        except Exception:
            continue
        try:
            durable.sweep(descriptor, names)
        finally:
            os.close(descriptor)


def _todo(known, wanted, resources, result):
    found = []
    for name, chain in reversed(list(known.items())):
        try:
            now = resources.read(*name)
        except Problem as error:
            result["conflicts"].append("%s: %s" % (chain.key, error))
            continue
        if same(chain.kind, now, wanted[name]):
            continue
        if not chain.ours(now):
            result["conflicts"].append("%s %s is not what was written: left as it is" % (chain.kind, chain.key))
            continue
        found.append({"kind": chain.kind, "key": chain.key, "before": now, "after": wanted[name]})
    return found


def _put(change, wanted, resources, target, result):
    try:
        resources.put(change["kind"], change["key"], change["after"], lambda digest: target.blobs[digest])
        result["undone"].append("%s %s" % (change["kind"], change["key"]))
    except Problem as error:
        result["conflicts"].append("%s: %s" % (change["key"], error))
    except OSError as error:
        if error.errno in PASSING:
            result["again"].append("%s: %s" % (change["key"], error.strerror))
        else:
            result["conflicts"].append("%s: %s" % (change["key"], error.strerror))


def _follow(target, operations, records, dropped, todo, boot, result):
    """Run again what makes files take effect, for all that is undone now and was not before."""
    if not target.live:
        return
    wanted = []
    ran = {record["follow"] for record in records if "follow" in record}
    for index, operation in enumerate(operations):
        rest = dropped.rest(index, operation)
        if rest is not operation:
            wanted += follows.wanted(operation)
    for name in ordered(wanted + (["daemon-reload"] if follows.units_changed(todo) else [])):
        # One that never began has nothing to take back, and its files were not saved.
        if name in ran or name == "daemon-reload":
            try:
                follows.run(name, target, boot)
            except Problem as error:
                result["problems"].append("%s: %s" % (name, error))


def _again(target, records, known, wanted, resources, result):
    """Follow-ups write files anew: those go back byte for byte, with their times."""
    for record in records:
        if "follow" not in record:
            continue
        for change in record["changes"]:
            name = change["kind"], change["key"]
            if change["kind"] == "content" and not any(change["key"] in text for text in result["conflicts"]):
                try:
                    now, then = resources.read(*name), wanted[name]
                    if now != then and then["type"] in ("file", "link", "absent"):
                        resources.put(name[0], name[1], then, lambda digest: target.blobs[digest])
                except (Problem, OSError) as error:
                    passing = getattr(error, "errno", None) in PASSING
                    result["again" if passing else "conflicts"].append("%s: %s" % (change["key"], error))


def _times(target, records):
    """Give directories and account files the times that they had."""
    for record in reversed(records):
        for path, (mtime, digest) in (record.get("times") or {}).items():
            try:
                if digest is not None and sha256(target.tree.read(path, 64 << 20)) != digest:
                    continue
                info = target.lstat(path)
                if info is not None and digest is None:
                    target.set_folder_time(path, mtime)
                elif info is not None:
                    with target._opened(path) as descriptor:
                        os.utime(descriptor, ns=(mtime, mtime))
            except Exception:
                continue  # a time is a nicety

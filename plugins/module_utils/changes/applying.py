"""Carrying out a plan: looked at again, staged, validated, journaled, switched; what fails is taken back alone."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os

from . import deadman, validate
from . import follow as follows
from .compute import changes_of, narrowed
from .kinds import Resources, account_file, same
from .spec import canonical, ordered
from .target import Conflict, Problem, sha256
from .undo import STATIC, Dropped, undo
from .view import View, diff, digest_before, shown

RUNNING = ("unit", "sysctl", "unload", "remount")
"""Operations that (also) change the running system: that comes when all files are in place."""

LISTENERS = ("ssh.service", "sshd.service", "ssh.socket", "sshd.socket")
"""Units by which people come in: those that ran before must run afterwards."""


def planned(operations, target):
    """Return a row for each operation: ``{index, changes, before, after, diff, digest_before, problem, left}``.

    ``left``: ``{controls, problem}`` of edits that cannot be made. Each is looked at as if those before it had been
    carried out.
    """
    view, rows = View(target), []
    for index, operation in enumerate(operations):
        row = {"index": index, "changes": False, "before": "", "after": "", "diff": [], "problem": None, "left": []}
        try:
            changes, row["left"] = narrowed(operation, view)
        except Problem as error:
            changes, row["problem"] = [], str(error)
        row["before"], row["after"] = shown(changes)
        row.update(changes=bool(changes), diff=diff(changes, view.blobs), digest_before=digest_before(changes))
        view.set(changes)
        rows.append(row)
    return rows


class Applying:
    """One run of ``apply``, under the run's lock."""

    def __init__(self, target, journal, operations, request):
        self.target, self.journal, self.operations = target, journal, operations
        self.before = request.get("before")
        self.after = float(request.get("after") or 120)
        self.resources = Resources(target)
        self.dropped = Dropped()
        self.failed = {}  # index -> (status, reason)
        self.left = {}  # control -> reason, where only some edits of an operation failed
        self.changed = set()
        self.followed = []
        self.seen = set()  # paths whose times are noted
        self.number = 0

    def run(self):
        """Return ``{phase, results, failed, followed, why}``; ``phase`` is unchanged, switched or rolled_back."""
        changes = self._looked_at()
        validate.clean(self.journal)
        if not any(changes.values()):
            self.journal.remove()
            return self._result("unchanged")
        listening = self._listening()
        deadman.arm(self.target, self.journal, self.after)
        try:
            self._switch(STATIC)
            self._reload()
            self._switch(None)
            self._follow()
            problems = validate.after_switch(self._changed_operations(), self.target)
            problems += self._unheard(listening)
        except Exception as error:
            problems = ["%s: %s" % (type(error).__name__, error)]
        if not problems and self.changed:
            self.journal.set_state(phase="switched", deadline=deadman.now() + self.after)
            result = self._result("switched")
            self.journal.write("result.json", canonical(result))
            return result
        return self._rolled_back(problems)

    def _rolled_back(self, problems):
        """Undo all of it at once: nothing of it may stand, or nothing is left of it."""
        from .engine import roll_back

        why = "; ".join(problems) or "every operation failed"
        told = roll_back(self.target, self.journal, why)
        result = dict(self._result("rolled_back"), why=why, conflicts=told["conflicts"], problems=told["problems"])
        self.journal.write("result.json", canonical(result))
        return result

    # Before anything changes -------------------------------------------------------------------------

    def _looked_at(self):
        """Return {index: changes} of what can be carried out and passes validation."""
        first = True
        while True:
            failures = len(self.failed) + len(self.left)
            view, found, staged = View(self.target), {}, {}
            for index, operation in enumerate(self.operations):
                rest = self.dropped.rest(index, operation)
                if rest is None:
                    continue
                try:
                    found[index], left = narrowed(rest, view)
                    for item in left:
                        self._fail_controls(item["controls"], item["problem"])
                except Problem as error:
                    self._fail(index, "failed", str(error))
                    found[index] = []
                if first and self._moved(index, found[index]):
                    self._fail(index, "conflict", "what is there is not what the plan saw")
                view.set(found[index])
                paths = [one["key"] for one in found[index] if one["kind"] == "content"]
                if operation.get("validate") and paths:
                    staged.setdefault(operation["validate"], {}).setdefault(index, []).extend(paths)
            first = False
            if len(self.failed) + len(self.left) == failures:
                self._validate(staged, view)
            if len(self.failed) + len(self.left) == failures:
                return found

    def _moved(self, index, changes):
        return self.before is not None and self.before.get(str(index)) != digest_before(changes)

    def _validate(self, staged, view):
        for name, by_operation in sorted(staged.items()):
            paths = sorted({path for found in by_operation.values() for path in found})
            try:
                validate.check(name, paths, view, self.journal)
            except Problem as error:
                for index in self._guilty(name, by_operation, view):
                    controls = self._guilty_controls(name, index)
                    if controls:
                        self._fail_controls(controls, str(error))
                    else:
                        self._fail(index, "failed", str(error))

    def _guilty(self, name, by_operation, view):
        """The operations whose files alone do not pass; all of them when only the whole does not."""
        if len(by_operation) == 1:
            return list(by_operation)
        found = []
        for index, paths in by_operation.items():
            try:
                validate.check(name, paths, view, self.journal)
            except Problem:
                found.append(index)
        return found or list(by_operation)

    def _guilty_controls(self, name, index):
        """Controls of one edit without which everything passes; None when no single one is to blame."""
        operation = self.dropped.rest(index, self.operations[index]) or {}
        sets = sorted({tuple(edit.get("controls") or ()) for edit in operation.get("edits") or ()})
        for controls in sets if len(sets) > 1 else ():
            without = Dropped(controls=controls)
            without.add(self.dropped)
            view, paths = View(self.target), []
            try:
                for number, one in enumerate(self.operations):
                    rest = without.rest(number, one) if controls else None
                    changes = changes_of(rest, view) if rest is not None else []
                    view.set(changes)
                    if rest is not None and rest.get("validate") == name:
                        paths += [change["key"] for change in changes if change["kind"] == "content"]
                if controls:
                    validate.check(name, sorted(set(paths)), view, self.journal)
                    return controls
            except Problem:
                continue
        return None

    def _fail_controls(self, controls, reason):
        """These controls cannot be carried out; operations that others want, too, go on without their edits."""
        for control in controls:
            self.left.setdefault(control, reason)
        self.dropped.add(Dropped(controls=controls))

    def _fail(self, index, status, reason):
        self.failed[index] = (status, reason)
        gone = Dropped(controls=self.operations[index].get("controls") or (), operations=[index])
        self.dropped.add(gone)
        return gone

    # The change --------------------------------------------------------------------------------------

    def _switch(self, kinds):
        """Carry out the changes on disk (``kinds`` STATIC) or those of the running system (None)."""
        for index, operation in enumerate(self.operations):
            rest = self.dropped.rest(index, operation)
            if rest is None or (kinds is None and operation["op"] not in RUNNING):
                continue
            try:
                changes = changes_of(rest, View(self.target))
                changes = [one for one in changes if (one["kind"] in STATIC) == (kinds is not None)]
                if changes:
                    self._carry_out(index, changes)
                    self.changed.add(index)
            except (Problem, Conflict) as error:
                self._take_back(self._fail(index, "failed", str(error)))
            except OSError as error:
                self._take_back(self._fail(index, "failed", "%s: %s" % (error.filename or "", error.strerror)))

    def _carry_out(self, index, changes):
        number = self._note({"op": index, "changes": changes}, changes)
        for change in changes:
            now = self.resources.read(change["kind"], change["key"])
            if not same(change["kind"], now, change["before"]):
                raise Conflict("%s changed while we were at it" % change["key"])
            self.resources.put(change["kind"], change["key"], change["after"], lambda digest: self.target.blobs[digest])
        self.journal.append({"done": number}, sync=False)

    def _note(self, entry, changes):
        """The journal's line, durable with all that is needed to go back, before anything is changed."""
        self.journal.save_images(changes, self.target.blobs)
        records = self.journal.records() if not self.number else None
        self.number = (records[-1]["n"] if records else self.number) + 1
        self.journal.append(dict(entry, n=self.number, times=self._times(changes)))
        return self.number

    def _times(self, changes):
        found = {}
        for change in changes:
            path = account_file(change["kind"], change["key"])
            if path:
                data = self.target.tree.read(path, 64 << 20)
                self._time(found, path, sha256(data))
                self._time(found, os.path.dirname(path), None)
            elif change["kind"] == "content":
                self._time(found, os.path.dirname(change["key"]), None)
        return found

    def _time(self, found, path, digest):
        if path not in self.seen:
            self.seen.add(path)
            mtime = self.target.folder_time(path)
            if mtime is not None:
                found[path] = [mtime, digest]

    def _take_back(self, gone):
        result = undo(self.target, self.journal, self.operations, gone)
        self.number = self.journal.records()[-1]["n"] if self.journal.records() else self.number
        if result["conflicts"]:
            raise Problem("taking back a failed operation: " + "; ".join(result["conflicts"][:3]))
        return result

    def _reload(self):
        records = self.journal.records()
        if any(follows.units_changed(record["changes"]) for record in records):
            follows.run("daemon-reload", self.target)

    def _changed_operations(self):
        rest = [(index, self.dropped.rest(index, self.operations[index])) for index in sorted(self.changed)]
        return [operation for _index, operation in rest if operation is not None]

    def _follow(self):
        for name in ordered(one for operation in self._changed_operations() for one in follows.wanted(operation)):
            wanting = [
                index for index in sorted(self.changed)
                if self.dropped.rest(index, self.operations[index])
                and name in ordered(follows.wanted(self.operations[index]))
            ]  # fmt: skip
            if not wanting:
                continue
            changes = []
            for kind, key in follows.touched(name, self.target):
                state = self.resources.read(kind, key)
                changes.append({"kind": kind, "key": key, "before": state, "after": None})
            number = self._note({"follow": name, "changes": changes}, changes)
            problem = None
            try:
                follows.run(name, self.target)
            except Problem as error:
                problem = str(error)
            self.journal.append({"done": number, "changes": self._what_it_wrote(name, changes)})
            self.followed.append(name)
            if problem is None:
                continue
            for index in wanting:
                told = self._take_back(self._fail(index, "failed", "%s: %s" % (name, problem)))
                if told["problems"]:
                    raise Problem("; ".join(told["problems"][:3]))

    def _what_it_wrote(self, name, changes):
        found = {(one["kind"], one["key"]): one["before"] for one in changes}
        for kind, key in follows.touched(name, self.target):
            found.setdefault((kind, key), {"type": "absent"} if kind == "content" else {"absent": True})
        return [
            {"kind": kind, "key": key, "before": before, "after": self.resources.read(kind, key)}
            for (kind, key), before in found.items()
        ]

    # Afterwards --------------------------------------------------------------------------------------

    def _listening(self):
        if not self.target.host.systemd():
            return []
        return [name for name in LISTENERS if self.resources.read("active", name)["active"]]

    def _unheard(self, before):
        stopped = {operation["name"] for operation in self._changed_operations() if operation.get("active") is False}
        now = self._listening() if before else []
        return ["%s does not run any more" % name for name in before if name not in now and name not in stopped]

    def _result(self, phase):
        results, controls = [], dict(self.left)
        for index, operation in enumerate(self.operations):
            status, reason = self.failed.get(index, (None, None))
            if status is None and self.dropped.rest(index, operation) is None:
                status, reason = "undone", "another operation of the same control failed"
            results.append(
                {
                    "index": index,
                    "status": status or ("changed" if index in self.changed else "unchanged"),
                    "reason": reason,
                }
            )
            if index in self.failed:
                for control in operation.get("controls") or ():
                    controls.setdefault(control, reason)
        return {"phase": phase, "results": results, "failed": controls, "followed": self.followed, "after": self.after}

"""What a run did to this host, on disk before it does it: ``/var/lib/ringwall/<run>/``, root's alone.

- ``journal.jsonl``: ``{n, op|follow|undo, changes: [{kind, key, before, after}], times}`` before a step, ``{done: n}``
  behind it. ``times``: {path: [mtime, digest or null]} of directories and account files before they were touched first.
- ``images/<digest>``: contents of files before; checked by their digest before they are used.
- ``plan.json``: the operations. ``state.json``: ``{run, phase, boot_id, deadline, ...}``. ``engine.pyz``: this code.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import errno
import fcntl
import json
import os
import shutil
import stat
import time

from ..text import rfc3339
from . import durable
from .spec import RUN, canonical
from .target import Problem, sha256

BASE = "/var/lib/ringwall"
KEEP_DAYS = 30
OPEN_PHASES = ("applying", "switched", "rolling_back")
"""Phases in which the dead-man switch is armed: neither confirmed nor undone."""


def base_of(root):
    """Directory of all runs below a root."""
    return os.path.join(root, BASE[1:])


def make_base(root):
    """Make the directory of runs if it is not there; raise Problem when others than root could write it."""
    path = base_of(root)
    try:
        os.makedirs(path, 0o700)
    except FileExistsError:
        pass
    info = os.lstat(path)
    if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.geteuid() or info.st_mode & 0o077:
        raise Problem("%s must be a directory of root with mode 0700: look who changed it" % BASE)
    return path


def runs(root):
    """Names of the runs that are there, sorted."""
    try:
        return sorted(name for name in os.listdir(base_of(root)) if RUN.fullmatch(name) and name != "armed")
    except FileNotFoundError:
        return []


def prune(root, now=None):
    """Remove runs older than KEEP_DAYS that nothing waits for; return their names."""
    gone = []
    for name in runs(root):
        journal = Journal(root, name)
        try:
            if journal.state().get("phase") in OPEN_PHASES:
                continue
        except Problem:
            continue  # damaged: for a person to look at, and no reason to change nothing ever again
        try:
            age = (now or time.time()) - os.stat(journal.path).st_mtime
        except FileNotFoundError:
            continue
        if age > KEEP_DAYS * 86400:
            shutil.rmtree(journal.path, ignore_errors=True)
            gone.append(name)
    return gone


class Images(dict):
    """Contents by digest; what was not read in this process comes from the run's images."""

    def __init__(self, journal):
        super().__init__()
        self.journal = journal

    def __missing__(self, digest):
        return self.journal.image(digest)


class Journal:
    """One run's directory."""

    def __init__(self, root, run):
        if not RUN.fullmatch(run):
            raise Problem("%r is no name of a run" % run)
        self.run = run
        self.path = os.path.join(base_of(root), run)
        self._file = None

    # The directory -----------------------------------------------------------------------------------

    def exists(self):
        """True if the run left something here."""
        return os.path.isdir(self.path)

    def create(self, plan):
        """Make the directory with the plan; raise Problem when the run is there already."""
        try:
            os.mkdir(self.path, 0o700)
        except FileExistsError:
            raise Problem("run %s has changed this host before; a new change needs a new run" % self.run) from None
        os.mkdir(os.path.join(self.path, "images"), 0o700)
        self.write("plan.json", canonical(plan))
        self._sync(os.path.dirname(self.path))

    def remove(self):
        """Forget the run: nothing was changed by it."""
        self.close()
        shutil.rmtree(self.path, ignore_errors=True)

    def write(self, name, data):
        """Put a file there, whole or not at all."""
        folder, name = os.path.split(os.path.join(self.path, name))
        directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            durable.replace_file(directory, name, data, 0o600, os.geteuid(), os.getegid())
        finally:
            os.close(directory)

    def read(self, name, default=None):
        """Parsed JSON of a file there."""
        try:
            with open(os.path.join(self.path, name), "rb") as file:
                return json.loads(file.read())
        except FileNotFoundError:
            return default
        except ValueError:
            raise Problem("%s of run %s is damaged" % (name, self.run)) from None

    @staticmethod
    def _sync(path):
        directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            durable.sync_directory(directory)
        finally:
            os.close(directory)

    # State and lock ----------------------------------------------------------------------------------

    def state(self):
        """The run's state; empty when there is none."""
        return self.read("state.json", {}) or {}

    def set_state(self, **values):
        """Change values of the state, durable on return; return it."""
        state = dict(self.state(), run=self.run, **values)
        state.setdefault("since", rfc3339(time.time()))
        self.write("state.json", canonical(state))
        return state

    def lock(self, wait=True):
        """Take the run's lock (held until the returned descriptor is closed); None when it is taken and not waited."""
        descriptor = os.open(os.path.join(self.path, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError as error:
            os.close(descriptor)
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            return None
        return descriptor

    # Records -----------------------------------------------------------------------------------------

    def records(self):
        """Steps in order, each with ``finished`` (bool); the states behind a follow-up are filled in."""
        found = []
        try:
            with open(os.path.join(self.path, "journal.jsonl"), "rb") as file:
                lines = file.read().split(b"\n")
        except FileNotFoundError:
            return found
        numbered = {}
        for line in lines[:-1]:  # behind the last newline stands nothing, or a line that was never acted upon
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if "done" in entry:
                record = numbered.get(entry["done"])
                if record:
                    record["finished"] = True
                    if "changes" in entry:
                        record["changes"] = entry["changes"]
            else:
                entry["finished"] = False
                numbered[entry["n"]] = entry
                found.append(entry)
        return found

    def append(self, entry, sync=True):
        """Append one line; durable on return unless told otherwise."""
        if self._file is None:
            path = os.path.join(self.path, "journal.jsonl")
            new = not os.path.exists(path)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            size = os.fstat(self._file).st_size
            if size and os.pread(self._file, 1, size - 1) != b"\n":
                os.write(self._file, b"\n")  # a torn line of a killed process: set apart
            if new:
                self._sync(self.path)
        durable.step("before the journal's line")
        os.write(self._file, canonical(entry) + b"\n")
        if sync:
            durable.step("before fsync of the journal")
            os.fsync(self._file)
        durable.step("after the journal's line")

    def close(self):
        """Close the journal's file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    # Images ------------------------------------------------------------------------------------------

    def save_images(self, changes, blobs):
        """Keep the contents before; durable on return."""
        made = False
        for change in changes:
            digest = change["before"].get("digest") if change["kind"] == "content" else None
            if digest and not os.path.exists(os.path.join(self.path, "images", digest)):
                self.write("images/" + digest, blobs[digest])
                made = True
        return made

    def image(self, digest):
        """A saved content; raise Problem when it is not what its name says."""
        try:
            with open(os.path.join(self.path, "images", digest), "rb") as file:
                data = file.read()
        except FileNotFoundError:
            raise Problem("the saved content %s is gone" % digest[:12]) from None
        if sha256(data) != digest:
            raise Problem("the saved content %s is damaged" % digest[:12])
        return data

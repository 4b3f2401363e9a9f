"""One changing run a host at a time: who holds the lock, since when, and whether it still does."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import fcntl
import json
import os
import time

from ..text import rfc3339
from . import journal as journals

PATH = "/run/ringwall.lock"


class Refused(Exception):
    """Another run changes this host; the message names it."""

    def __init__(self, owner):
        super().__init__(
            "run %s changes this host since %s; try again when it has ended" % (owner["run"], owner["since"])
        )
        self.owner = owner


def boot_id():
    """Identity of this boot."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def process_start(pid):
    """When a process began (clock ticks since boot, text), None when it is not there: tells a pid from a later one."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as file:
            return file.read().rsplit(b")", 1)[1].split()[19].decode("ascii")
    except (OSError, IndexError):
        return None


class HostLock:
    """The lock's file: a flock for whoever looks at it, a record of the owner inside."""

    def __init__(self, root):
        self.root = root
        self.path = os.path.join(root, PATH[1:])

    def _open(self):
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return descriptor

    @staticmethod
    def _record(descriptor):
        try:
            found = json.loads(os.pread(descriptor, 4096, 0) or b"{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def owner(self):
        """The record of whoever holds it, or None."""
        descriptor = self._open()
        try:
            record = self._record(descriptor)
            return record if self._holds(record) else None
        finally:
            os.close(descriptor)

    def _holds(self, record):
        """True while the recorded process lives, or its run waits to be confirmed or undone."""
        if not record.get("run") or record.get("boot_id") != boot_id():
            return False
        if process_start(record.get("pid", 0)) == record.get("started") and record.get("started"):
            return True
        try:
            state = journals.Journal(self.root, record["run"]).state()
        except Exception:
            return True  # damaged: nobody may change anything before somebody has looked
        return state.get("phase") in journals.OPEN_PHASES

    def claim(self, run):
        """Take the lock for a run; raise Refused naming the other one."""
        descriptor = self._open()
        try:
            record = self._record(descriptor)
            if record.get("run") != run and self._holds(record):
                raise Refused(record)
            pid = os.getpid()
            mine = {"run": run, "since": rfc3339(time.time()), "pid": pid, "started": process_start(pid),
                    "boot_id": boot_id()}  # fmt: skip
            data = json.dumps(mine).encode("ascii")
            os.pwrite(descriptor, data, 0)
            os.ftruncate(descriptor, len(data))
        finally:
            os.close(descriptor)

    def release(self, run):
        """Give it back, if that run holds it."""
        descriptor = self._open()
        try:
            if self._record(descriptor).get("run") == run:
                os.ftruncate(descriptor, 0)
        finally:
            os.close(descriptor)

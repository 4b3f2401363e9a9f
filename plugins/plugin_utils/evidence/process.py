"""Which process owns a run, told apart from a later process with the same number."""

from __future__ import annotations

import os
import time

UNKNOWN_HOURS = 24
"""A run of a machine we cannot ask counts as running for that long after its last sign of life."""


def _read(path):
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return None


def _namespace():
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return None


def start_time(pid):
    """Start of a process in clock ticks since boot (field 22 of /proc/<pid>/stat), or None."""
    stat = _read(f"/proc/{int(pid)}/stat")
    # The command in parentheses may hold spaces and parentheses: count from its end.
    fields = stat.rpartition(")")[2].split() if stat else []
    return int(fields[19]) if len(fields) > 19 and fields[0] != "Z" else None


def describe(pid=None):
    """Return ``{pid, started, boot, namespace, node}`` of a process of this machine (default: this one)."""
    pid = os.getpid() if pid is None else int(pid)
    return {
        "pid": pid,
        "started": start_time(pid),
        "boot": _read("/proc/sys/kernel/random/boot_id"),
        "namespace": _namespace(),
        "node": os.uname().nodename,
    }


def alive(owner, last_sign, now=None):
    """True while the process described by ``owner`` may still be running.

    ``last_sign`` (Unix seconds) is when it last wrote; it decides only where the process cannot be asked (another
    machine or container on shared storage).
    """
    here = describe()
    pid = owner.get("pid")
    if not isinstance(pid, int) or pid <= 0:
        return False
    if owner.get("boot") != here["boot"] or owner.get("namespace") != here["namespace"]:
        if owner.get("node") == here["node"]:
            return False  # this machine or container started anew
        return (time.time() if now is None else now) - last_sign < UNKNOWN_HOURS * 3600
    if owner.get("started") is not None:
        return start_time(pid) == owner["started"]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

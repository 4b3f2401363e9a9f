"""Running processes from /proc, read once for all tables that need them.

Source: proc(5), ``PF_KTHREAD`` of include/linux/sched.h.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os
import re

from .spec import Unreadable, unreadable
from .text import text

KERNEL_THREAD = 0x00200000
"""Bit of field 9 of /proc/PID/stat: the process is a thread of the kernel."""

PROCESS_CAP = 20000
COMMAND_CAP = 4096
DELETED = b" (deleted)"
SESSION_ROOTS = ("sshd", "dropbear", "systemd", "init", "tmux", "screen", "cron")
"""Names at which the chain of our own ancestors ends: what lies above serves others as well."""

_CONTAINER = re.compile(r"(?:^|[/:.-])(?:docker-|libpod-|cri-containerd-|crio-)?([0-9a-f]{64})(?:\.scope)?(?:/|$)")
_NAMED_CONTAINER = re.compile(
    r"/(?:lxc(?:\.payload)?[./]|machine\.slice/(?:machine|systemd-nspawn@))([^/]+?)(?:\.scope|\.service)?(?:/|$)"
)
_UNIT = re.compile(r"([^/]+\.(?:service|scope|socket|mount|swap))(?:/|$)")


def read_small(path, limit=COMMAND_CAP):
    """At most ``limit`` bytes of a /proc file of the running system; raise OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        return os.read(descriptor, limit)
    finally:
        os.close(descriptor)


def parse_stat(data):
    """Return (name, ppid, flags, start time in clock ticks since boot) of /proc/PID/stat.

    The name stands in brackets and may itself hold brackets, blanks and line ends.
    """
    left, right = data.index(b"("), data.rindex(b")")
    fields = data[right + 2 :].split()
    return text(data[left + 1 : right]), int(fields[1]), int(fields[6]), int(fields[19])


def parse_uid(data):
    """Effective uid from /proc/PID/status, or None."""
    start = data.find(b"\nUid:")
    if start < 0:
        return None
    fields = data[start + 5 : data.find(b"\n", start + 5)].split()
    return int(fields[1])


def parse_cgroup(content):
    """Return (systemd unit or None, container id or name or None) of /proc/PID/cgroup.

    Version 2 has one line; of version 1 the line of ``name=systemd`` counts. A container's id is cut to the
    12 characters that docker and podman print.
    """
    chosen = ""
    for line in content.split("\n"):
        _number, _colon, rest = line.partition(":")
        controllers, _colon, path = rest.partition(":")
        if controllers == "name=systemd" or (controllers == "" and path and not chosen):
            chosen = path
    if not chosen:
        # A container without systemd on version 1: any controller names it.
        chosen = next((line.split(":", 2)[2] for line in content.split("\n") if line.count(":") >= 2), "")
    match = _CONTAINER.search(chosen)
    container = match.group(1)[:12] if match else None
    if container is None:
        match = _NAMED_CONTAINER.search(chosen)
        container = match.group(1) if match else None
    match = _UNIT.search(chosen)
    units = _UNIT.findall(chosen)
    # The innermost unit is the one that systemctl shows; init.scope is systemd itself.
    return (units[-1] if match else None), container


def parse_exe(target):
    """Return (path, deleted) of the link /proc/PID/exe (bytes)."""
    if target.endswith(DELETED):
        return text(target[: -len(DELETED)]), True
    return text(target), False


def parse_cmdline(data):
    """Arguments joined by blanks, at most COMMAND_CAP characters; None without any."""
    command = text(data.rstrip(b"\0").replace(b"\0", b" ").replace(b"\n", b" "))
    return command[:COMMAND_CAP] or None


def _read(pid):
    """Return one process as a dict, None for one that is gone or a kernel thread."""
    base = "/proc/%d/" % pid
    try:
        name, ppid, flags, started = parse_stat(read_small(base + "stat"))
        if flags & KERNEL_THREAD:
            return None
        uid = parse_uid(read_small(base + "status"))
        command = parse_cmdline(read_small(base + "cmdline"))
        unit, container = parse_cgroup(text(read_small(base + "cgroup")))
    except PermissionError:
        return None
    except (OSError, ValueError):
        return None  # it ended meanwhile
    process = {
        "pid": pid,
        "ppid": ppid,
        "name": name,
        "uid": uid,
        "command": command,
        "unit": unit,
        "container": container,
        "ticks": started,
        "exe": None,
        "deleted": None,
    }
    try:
        process["exe"], process["deleted"] = parse_exe(os.readlink(os.fsencode(base + "exe")))
    except PermissionError:
        process["exe"] = process["deleted"] = unreadable("denied", "the program of another user's process")
    except OSError:
        pass
    return process


def without_ancestors(found, pid):
    """Leave out process ``pid`` and those that started it, up to sshd or init.

    They are this very reading (shells, sudo, the temporary module), under another name in every run.
    """
    parents = {process["pid"]: process for process in found}
    ours = set()
    while pid in parents and pid != 1 and pid not in ours and not parents[pid]["name"].startswith(SESSION_ROOTS):
        ours.add(pid)
        pid = parents[pid]["ppid"]
    return [process for process in found if process["pid"] not in ours]


def processes(host):
    """All processes but kernel threads: list of dicts by pid, read once a snapshot.

    Keys: pid, ppid, name, uid, command (not redacted), unit, container, ticks (start, since boot), exe, deleted.
    Raise Unsupported under a root that is not running; Unreadable when /proc hides other users' processes.
    """
    return host.cached("processes", lambda: _processes(host))


def _processes(host):
    pids = host.pids()
    if 1 not in pids:
        raise Unreadable("denied", "/proc hides the processes of other users")
    found = []
    for pid in pids:
        process = _read(pid)
        if process is not None:
            found.append(process)
        if len(found) > PROCESS_CAP:
            break
    return found


def boot_time(host):
    """Unix time (seconds) at which this boot began."""
    for line in host.lines("/proc/stat", 1 << 24):
        if line.startswith("btime "):
            return int(line.split()[1])
    return None

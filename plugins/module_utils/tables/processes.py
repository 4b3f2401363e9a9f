"""Running processes: program, command line, owner, unit and container."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import hashlib
import os

from ..name_service import user_names
from ..procfs import PROCESS_CAP, boot_time, processes, without_ancestors
from ..redact import redact
from ..spec import Column, Result, Table, is_unreadable
from ..text import rfc3339

TABLE = Table(
    name="processes",
    description="Running processes without kernel threads, the collector and what started it. Of other users' "
    "processes only root sees the program.",
    key="`<name> <user> <8 hex digits of program and command line>`, `#2`, `#3` for further ones alike: a restarted "
    "service keeps its key",
    columns=(
        Column("pid", "int", "process id", volatile=True),
        Column("ppid", "int", "parent's process id", volatile=True),
        Column("name", "text", "name of its main thread, at most 15 bytes"),
        Column("exe", "text", "program file; null when the kernel names none"),
        Column("exe_deleted", "bool", "the program file was deleted or replaced since; null when not known"),
        Column("command", "text_sensitive", "command line, cut at 1024 characters"),
        Column("uid", "int", "effective user id"),
        Column("user", "text", "its name in the local files; null when they have none"),
        Column("unit", "text", "systemd unit of its cgroup"),
        Column("container", "text", "container (12 digits of its id, or its name)"),
        Column("started", "time", "when it was started", volatile=True),
    ),
    max_rows=PROCESS_CAP,
    live_only=True,
)

COMMAND_SHOWN = 1024


def key_of(process, user):
    """Key without its number: stable over restarts, different for different command lines."""
    exe = process["exe"] if not is_unreadable(process["exe"]) else ""
    text = "%s\0%s\0%s" % (exe, process["command"], process["container"])
    return "%s %s %s" % (process["name"], user, hashlib.sha256(text.encode("utf-8")).hexdigest()[:8])


def collect(host, options):
    """Return one row a process."""
    names = user_names(host)
    booted = boot_time(host)
    ticks = os.sysconf("SC_CLK_TCK")
    found = without_ancestors(processes(host), os.getpid())
    rows, seen = {}, {}
    for process in found[:PROCESS_CAP]:
        uid = process["uid"]
        user = names.get(uid)
        key = key_of(process, user or uid)
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > 1:
            key = "%s#%d" % (key, seen[key])
        command = process["command"]
        rows[key] = {
            "pid": process["pid"],
            "ppid": process["ppid"],
            "name": process["name"],
            "exe": process["exe"],
            "exe_deleted": process["deleted"],
            "command": redact(command)[:COMMAND_SHOWN] if command else None,
            "uid": uid,
            "user": user,
            "unit": process["unit"],
            "container": process["container"],
            "started": rfc3339(booted + process["ticks"] // ticks) if booted else None,
        }
    if len(found) > PROCESS_CAP:
        return Result(rows, "partial", "more than %d processes" % PROCESS_CAP)
    return rows

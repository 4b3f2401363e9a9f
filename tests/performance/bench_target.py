"""What the collector takes on a target: peak memory and niceness, the piped form itself, run in a test host's file system."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tempfile

from rows import row

WATCHED = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as file:
    file.write("%f %f" % (usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime))
sys.exit(code)
"""
"""Runs a command from a small process of its own: a process starts with the peak memory of the one that forked it."""


def answer(hosts, tables=None, options=None):
    """Run the collector as SSH would, inside the file system of a running test host.

    Return (its standard output, peak MiB of its largest process, CPU seconds).
    """
    from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots import payload

    enter = [
        "nsenter",
        f"--target={hosts.first_process()}",
        "--mount",
        "--uts",
        "--ipc",
        "--net",
        "--pid",
        "--root",
        "--wd",
    ]
    with tempfile.NamedTemporaryFile("r") as told:
        watched = ["/usr/bin/python3", "-I", "-S", "-c", WATCHED, told.name]
        done = subprocess.run(
            [*watched, *enter, "/bin/sh", "-c", payload.command(shlex.quote, "/usr/bin/python3")],
            input=payload.build({"tables": tables, "options": options or {}}), stdout=subprocess.PIPE, check=True,
        )  # fmt: skip
        peak, cpu = map(float, told.read().split())
    return done.stdout, peak, cpu


def rows(hosts):
    """Return the row of peak memory; what each table costs goes to standard error."""
    from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots import wire

    output, peak, cpu = answer(hosts)
    snapshot = wire.unpack(wire.find(output.decode("ascii")))
    costs = sorted(((table["cost"]["cpu"], name) for name, table in snapshot["tables"].items()), reverse=True)
    print(f"  collector: {cpu:.3f} CPU s, {len(json.dumps(snapshot)) >> 10} KiB; dearest: "
          + ", ".join(f"{name} {spent * 1000:.0f} ms" for spent, name in costs[:8]), file=sys.stderr)  # fmt: skip
    partial = [
        f"{name} was read only in part"
        for name, table in snapshot["tables"].items()
        if table["state"] in ("partial", "error")
    ]
    return [row("target memory of all fast tables, largest process", peak, "MiB", 60, None, "", partial)]

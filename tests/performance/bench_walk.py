"""The deep walk of this machine's own file systems: CPU for a million inodes, all questions at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from rows import median, row

ROUNDS = 3
LEAST = 200_000
WALK = """
import json, os, resource, sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.ringwall.servers.plugins.module_utils.collect import collect

def high_water():
    # Not ru_maxrss: that remembers the process that started this one.
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:")) / 1024

before = resource.getrusage(resource.RUSAGE_SELF)
shot = json.loads(collect({"tables": json.loads(sys.argv[2]), "timeout": 3000.0, "table_timeout": 1000.0}))
usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
walk = shot["tables"].get("file_walk", {"rows": {}, "state": "ok", "why": ""})
print(json.dumps({
    "cpu": sum(one.ru_utime + one.ru_stime for one in usage) - before.ru_utime - before.ru_stime,
    "peak": max(high_water(), usage[1].ru_maxrss / 1024),
    "inodes": sum(row["inodes"] for row in walk["rows"].values() if row["kind"] == "filesystem"),
    "rows": sorted(key for key in walk["rows"]), "state": walk["state"], "why": walk["why"]}))
"""


def walk(tables=("file_walk",)):
    """Collect some tables of this machine in a process of their own; return what WALK prints."""
    from bench import ROOT

    done = subprocess.run([sys.executable, "-I", "-c", WALK, str(ROOT / "collections"), json.dumps(tables)],
                          capture_output=True, text=True, check=True)  # fmt: skip
    return json.loads(done.stdout)


def rows():
    """Return the rows of the walk; the first round, which nobody measures, is the cold one."""
    if os.geteuid() != 0:
        return [row("deep walk", None, "s", 6, 4, problems=["it needs root to read every directory"])]
    cold = walk()
    done = [walk() for _round in range(ROUNDS)]
    bad = [f"the walk was not complete: {one['why']}" for one in (cold, *done) if one["state"] != "ok"]
    if cold["inodes"] < LEAST:
        bad.append(f"this machine has {cold['inodes']} files; {LEAST} are needed to tell")
    # Others may work on this machine: a file that is gone for good was not missed.
    missed = [path for path in set(cold["rows"]) - set(done[-1]["rows"]) if os.path.lexists(path)]
    if missed:
        bad.append(f"the walk missed {len(missed)} files that the cold one found: {sorted(missed)[:3]}")
    against = (
        f"{done[-1]['inodes']} inodes; the first pass took {cold['cpu'] * 1e6 / cold['inodes']:.1f} CPU s a million"
    )
    return [
        row(
            "deep walk, CPU for a million inodes",
            median([one["cpu"] * 1e6 / one["inodes"] for one in done]),
            "s",
            6,
            4,
            against,
            bad,
        ),
        row("deep walk, memory of the largest process", max(one["peak"] for one in done), "MiB", 60, None, "", bad),
    ]

"""Memory of the main process with a thousand hosts against ten: each replays a recorded answer over a local connection."""

from __future__ import annotations

import pathlib
import sys
import tempfile
import uuid

import meters
import plays
import recorded
import yaml
from rows import row

FEW, MANY = 10, 1000
STUB = """#!/bin/sh
# Stands for the remote Python: takes the collector, gives a recorded answer of this host.
cat >/dev/null
exec cat "$0.answer"
"""


def hosts(folder, count):
    """Make so many simulated hosts; return the inventory's path."""
    folder.mkdir()
    raw = recorded.snapshot()
    found = {}
    for number in range(count):
        name = f"simulated{number:04d}"
        path = folder / name
        path.write_text(STUB)
        path.chmod(0o755)
        pathlib.Path(f"{path}.answer").write_bytes(recorded.answer(raw, uuid.uuid5(uuid.NAMESPACE_DNS, name).hex))
        found[name] = {"ansible_python_interpreter": str(path)}
    shared = {"ansible_connection": "local", "ringwall_become": False, "ringwall_cadence": "deep"}
    path = folder / "hosts.yml"
    path.write_text(yaml.safe_dump({"all": {"hosts": found, "vars": shared}}))
    return path


def rows():
    """Return the row of memory; time and the report's size go to standard error."""
    peaks, bad = [], []
    with tempfile.TemporaryDirectory(prefix="rwbench-") as temporary, meters.Group("controller") as controller:
        folder = pathlib.Path(temporary)
        player = plays.Player(folder / "play", controller)
        for count in (FEW, MANY):
            inventory = hosts(folder / f"n{count}", count)
            cost, phases = player.assess(inventory, folder / f"state{count}")
            peaks.append(cost.peak)
            found = plays.newest(folder / f"state{count}")
            assessed = [host for host in found.values() if host["state"] == "assessed"]
            if cost.code or len(assessed) != count:
                bad.append(f"{len(assessed)} of {count} hosts assessed, exit code {cost.code}: {cost.output[-300:]}")
            if len({tuple(plays.findings(host)) for host in assessed}) != 1:
                bad.append("hosts with the same answer have different findings")
            print(f"  {count} hosts: {cost.wall:.1f} s, controller CPU {cost.cpu:.1f} s, main process {cost.peak:.0f} MiB; "
                  + ", ".join(f"{task} {wall:.1f} s (CPU {cpu:.1f})" for task, (wall, cpu) in plays.spent(phases).items()), file=sys.stderr)  # fmt: skip
    return [row(f"main process, {MANY} simulated hosts beyond {FEW}", peaks[1] - peaks[0], "MiB", 64, None,
                f"{peaks[0]:.0f} MiB with {FEW}, {peaks[1]:.0f} MiB with {MANY}", bad)]  # fmt: skip

"""Ten hosts behind round trips of 40 ms, one of them dead and one that hangs after log-in: do the others wait for those?"""

from __future__ import annotations

import pathlib
import sys
import tempfile

import bench_fleet
import furnish
import meters
import plays
from rows import median, row

ROUND_TRIP = 0.040  # seconds
TIMEOUT = 20  # seconds a host may take
SUBNET = "10.213.77"
LIVE = [f"far{number}" for number in range(1, 9)]
HANGING, DEAD = "hanging", "dead"


def addresses():
    """Name -> address of the hosts that run, the hanging one last."""
    return {name: f"{SUBNET}.{101 + number}" for number, name in enumerate([*LIVE, HANGING])}


def hang(name, upper):
    """Make Python of one host a program that never answers."""
    if name == HANGING:
        program = upper / "usr/bin/python3"
        program.parent.mkdir(parents=True)
        program.write_text("#!/bin/sh\nexec sleep 100000\n")
        program.chmod(0o755)


def rows():
    """Return the row: time of the live hosts, less the one timeout, against a ping of the live hosts alone."""
    from lab.chroots import Chroots
    from lab.namespaces import Network, linked

    with tempfile.TemporaryDirectory(prefix="rwbench-") as temporary, meters.Group("controller") as controller, \
            Network() as here, Network() as there, linked(here, there, SUBNET, ROUND_TRIP / 2):  # fmt: skip
        folder = pathlib.Path(temporary)
        lists = furnish.Furnish(folder)
        player = plays.Player(folder / "play", controller, None, here)

        def prepare(name, upper):
            lists(name, upper)
            hang(name, upper)

        with Chroots(addresses(), there, prepare=prepare) as hosts:
            python = {"ansible_python_interpreter": "/usr/bin/python3"}
            live = hosts.inventory(folder / "live", LIVE, **python)
            everybody = hosts.inventory(folder / "all", extra={DEAD: f"{SUBNET}.250"}, **python)
            state = folder / "state"
            cold = player.assess(live, state, **bench_fleet.UNBUDGETED)
            bad = bench_fleet.failures([cold])
            reference = plays.newest(state)
            pings, ours = [], []
            for _round in range(bench_fleet.ROUNDS):
                player.cold()
                pings.append(player.ping(live))
                player.cold()
                ours.append(player.assess(everybody, state, ringwall_cadence="fast", ringwall_timeout=TIMEOUT))
                print(
                    f"  ping {pings[-1][0].wall:.2f} s, assess with a dead and a hanging host {ours[-1][0].wall:.2f} s",
                    file=sys.stderr,
                )
            bad += bench_fleet.failures(pings)
            found = plays.newest(state)
            bad += plays.problems(found, reference)
            for name, code in ((DEAD, "unreachable"), (HANGING, "timeout")):
                reason = found[name]["reason"] or {}
                if reason.get("code") != code:
                    bad.append(f"{name} ended as {reason}, not {code}")
    ping, our = median([cost.wall for cost, _ in pings]), median([cost.wall for cost, _ in ours])
    return [row("40 ms round trips, one dead, one hanging: less one timeout, to ping", (our - TIMEOUT) / ping, "x", 2.0, None,
                f"ping of the live ones {ping:.2f} s, assess {our:.2f} s with its timeout of {TIMEOUT} s, both cold", bad)]  # fmt: skip

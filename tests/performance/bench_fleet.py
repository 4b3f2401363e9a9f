"""An assessment of real SSH hosts against a playbook that only pings them: wall time, CPU of both sides.

Both run with the same forks, pipelining, interpreter and open connections (a run that nobody measures opens
them), in turn, the order changing; each figure is the median of its rounds.
"""

from __future__ import annotations

import sys
import tempfile

import meters
import plays
from rows import median, row

ROUNDS = 3
SIZES = (1, 10, 50)
UNBUDGETED = {"ringwall_cadence": "deep", "ringwall_timeout": 3000}
"""The run that the measured ones are held against: nothing known, no open connection, all the time in the world."""


def addresses(count):
    """Name -> address of so many hosts."""
    return {f"host{number:02d}": f"127.0.1.{number}" for number in range(1, count + 1)}


def rounds(player, inventory, state, count):
    """Return ([(cost, phases) of ping], [of assess]), each ``ROUNDS`` long."""
    pings, ours = [], []
    for number in range(ROUNDS):
        for which in ("ping", "assess") if number % 2 else ("assess", "ping"):
            if which == "ping":
                pings.append(player.ping(inventory))
            else:
                ours.append(player.assess(inventory, state, ringwall_cadence="fast"))
        print(f"  N={count}: ping {pings[-1][0].wall:.2f} s, assess {ours[-1][0].wall:.2f} s; controller "
              f"{pings[-1][0].cpu:.2f} and {ours[-1][0].cpu:.2f}, targets {pings[-1][0].targets:.2f} and "
              f"{ours[-1][0].targets:.2f}", file=sys.stderr, flush=True)  # fmt: skip
    return pings, ours


def failures(costs):
    """Sentences about plays that did not end well."""
    return [f"a play ended with {cost.code}: {cost.output[-300:]}" for cost, _phases in costs if cost.code]


def size(player, hosts, folder, count):
    """Measure one size of fleet; return (its ping and assess rounds, problems)."""
    inventory = hosts.inventory(
        folder / f"n{count}", list(hosts.names)[:count], ansible_python_interpreter="/usr/bin/python3"
    )
    state = folder / f"state{count}"
    player.cold()
    first = player.assess(inventory, state, **UNBUDGETED)
    bad = failures([first])
    reference = plays.newest(state)
    not_whole = {
        name
        for host in reference.values()
        for name, table in host.get("tables", {}).items()
        if table["state"] in ("partial", "error")
    }
    bad += [f"the cold run read {name} only in part" for name in sorted(not_whole)]
    player.ping(inventory)
    pings, ours = rounds(player, inventory, state, count)
    bad += failures(pings + ours) + plays.problems(plays.newest(state), reference)
    for task, (wall, cpu) in plays.spent(ours[-1][1]).items():
        print(f"    {task}: {wall:.2f} s, controller CPU {cpu:.2f} s", file=sys.stderr)
    return pings, ours, bad


def wall_rows(results):
    """Rows of wall time."""
    found = []
    for count, (pings, ours, bad) in results.items():
        ping, our = (median([cost.wall for cost, _ in costs]) for costs in (pings, ours))
        against = f"ping {ping:.2f} s, assess {our:.2f} s, warm, forks {plays.FORKS}"
        if count == 1:
            found.append(row("wall of one host beyond ping", our - ping, "s", 1.5, 0.5, against, bad))
        else:
            found.append(row(f"wall against ping, N={count}, all fast tables", our / ping, "x", 2.0, 1.0, against, bad))
    return found


def cpu_rows(count, pings, ours, bad):
    """Rows of CPU, a host, beyond what ping costs."""
    upto = [plays.cpu_until(phases, "report") for _cost, phases in ours]
    ping = median([cost.cpu for cost, _ in pings])
    found = []
    value = (median(upto) - ping) / count if None not in upto else None
    found.append(row(f"controller CPU a host beyond ping, start to record, N={count}", value, "s", 0.15, 0.05,
                     f"ping {ping / count:.3f} s a host", bad))  # fmt: skip
    theirs, our = (median([cost.targets for cost, _ in costs]) / count for costs in (pings, ours))
    found.append(row(f"target CPU of all fast tables beyond ping, N={count}", our - theirs, "s", 0.5, 0.0,
                     f"ping {theirs:.3f} s, assess {our:.3f} s a host, with their SSH session", bad))  # fmt: skip
    return found


def rows():
    """Return all rows of the fleet."""
    import pathlib

    import bench_target
    import furnish

    from lab.chroots import Chroots
    from lab.namespaces import Network

    with tempfile.TemporaryDirectory(prefix="rwbench-") as temporary, meters.Group("controller") as controller, \
            meters.Group("targets") as targets, Network() as network:  # fmt: skip
        folder = pathlib.Path(temporary)
        player = plays.Player(folder / "play", controller, targets, network)
        with Chroots(addresses(max(SIZES)), network, joined=targets.join, prepare=furnish.Furnish(folder)) as hosts:
            results = {count: size(player, hosts, folder, count) for count in SIZES}
            memory = bench_target.rows(hosts)
    return [*cpu_rows(max(SIZES), *results[max(SIZES)]), *memory, *wall_rows(results)]

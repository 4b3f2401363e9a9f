"""Hardening of container hosts: the wall time of L1 on one host, on ten against one, and of an assessment by L2.

All of it is measured: both assessments, the packages from wherever the hosts get them, the change itself and its
confirmation by a new log-in.
"""

from __future__ import annotations

import json
import tempfile
import time

from rows import row

from lab import hosts as lab_hosts
from lab import plays
from lab.engine import Engine
from lab.image import NotHere

TEN = 10
BAR_ONE, BAR_RATIO, BAR_ASSESS = 60.0, 4.0, 5.0
FAST = {"ringwall_cadence": "fast"}


def timed(folder, inventory, playbook, **extra):
    """Return (seconds, Played)."""
    start = time.monotonic()
    played = plays.play(folder, inventory, playbook, **FAST, **extra)
    return time.monotonic() - start, played


def problems(played, names):
    """Sentences about hosts that were not hardened."""
    found = [] if played.code == 0 else [f"the play ended with {played.code}: {played.output[-300:]}"]
    path = played.state / "ledger" / "hardening.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    outcomes = {line["host"]: line for line in lines if line["action"] == "hardened"}
    return found + [
        f"{name} was not hardened: {outcomes.get(name, {}).get('reason', 'no line in the ledger')}"
        for name in names
        if outcomes.get(name, {}).get("outcome") not in ("changed", "partly")
    ]


def fleet(engine, folder, names):
    """Start hosts; return the path of their inventory."""
    addresses = {name: engine.start(name) for name in names}
    for address in addresses.values():
        lab_hosts.wait(address, seconds=120)
    return lab_hosts.inventory(folder, {name: {"ansible_host": address} for name, address in addresses.items()})


def rows():
    """Measure; return the rows."""
    try:
        with Engine() as engine, tempfile.TemporaryDirectory() as folder:
            return measured(engine, folder)
    except NotHere as reason:
        return [row("hardening of container hosts", None, "", 0, problems=[str(reason)])]


def measured(engine, folder):
    """Harden one host, then ten others at once; assess the one."""
    one = fleet(engine, f"{folder}/one", ["one"])
    assess, read = timed(f"{folder}/assess", one, "playbooks/assess.yml")
    assess, read = min(
        [(assess, read), timed(f"{folder}/assess", one, "playbooks/assess.yml")], key=lambda item: item[0]
    )
    bad = [] if read.code == 0 else [f"the assessment ended with {read.code}"]
    single, played = timed(f"{folder}/harden1", one, "playbooks/harden.yml", ringwall_hardening_level="l1")
    names = [f"host{number:02d}" for number in range(TEN)]
    many = fleet(engine, f"{folder}/ten", names)
    all_at_once = {"ringwall_waves": ["100%"], "ringwall_hardening_level": "l1"}
    ten, other = timed(f"{folder}/harden10", many, "playbooks/harden.yml", **all_at_once)
    against = f"one host {single:.1f} s, ten in one wave {ten:.1f} s"
    return [
        row("harden L1, one container host", single, "s", BAR_ONE, None, "", problems(played, ["one"])),
        row("harden L1, ten container hosts", ten, "s", BAR_RATIO * BAR_ONE, None, "four times the bar of one"),
        row("harden L1, ten hosts against one", ten / single, "x", BAR_RATIO, None, against, problems(other, names)),
        row("assess by all of CIS (L2), one container host", assess, "s", BAR_ASSESS, None, "", bad),
    ]

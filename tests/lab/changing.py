"""Playing guarded changes at lab hosts, and looking at what is left of them."""

from __future__ import annotations

import json
import pathlib
import shlex
import subprocess

import yaml

from . import hosts as lab_hosts
from . import plays
from .image import key

PRINT = (
    "cd /etc && find . \\( -type f -o -type l -o -type d \\) -printf '%p %y %m %u %g %l %T@\\n' | sort; "
    "find . -type f -print0 | sort -z | xargs -0 sha256sum"
)


def fingerprint(engine, name):
    """Everything below /etc of a host: kinds, modes, owners, times, contents."""
    return engine.shell(name, PRINT)


def differences(before, after):
    """The lines of two fingerprints that differ."""
    return sorted(set(before.splitlines()) ^ set(after.splitlines()))


def playbook(folder, operations, run, after=5, **arguments):
    """Write a playbook with one guarded change; return its path."""
    path = pathlib.Path(folder) / "change.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    task = {
        "name": "Change",
        "ringwall.servers.guarded_change": {"run": run, "operations": operations, "rollback_after": after, **arguments},
        "become": True,
    }
    play = {"name": "Change", "hosts": "all", "gather_facts": False, "strategy": "linear", "tasks": [task]}
    path.write_text(yaml.safe_dump([play], sort_keys=False))
    return path


def change(folder, inventory, operations, run, after=5, cmdline=None, **arguments):
    """Play it; return (Played, result of the task by host)."""
    book = playbook(folder, operations, run, after, **arguments)
    options = {"cmdline": cmdline} if cmdline else {}
    # ansible-runner switches the check of host keys off unless told otherwise.
    played = plays.play(
        folder, inventory, book, environment={"ANSIBLE_HOST_KEY_CHECKING": "True", "ANSIBLE_TIMEOUT": "4"}, **options
    )
    results = {}
    for event in played.events:
        data = event.get("event_data", {})
        if event["event"] in ("runner_on_ok", "runner_on_failed", "runner_on_unreachable") and data.get("res"):
            results[data["host"]] = data["res"]
    return played, results


def ask(engine, name, verb, **request):
    """Ask the engine on a host without any connection, as its rescuer would; return the answer."""
    from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots import payload

    command = ["sh", "-c", payload.command(shlex.quote, "/usr/bin/python3")]
    return _answer(lambda data: engine.feed(name, command, data), verb, request)


def ask_machine(machine, verb, **request):
    """The same over SSH as root to a virtual machine."""
    from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots import payload

    command = [
        "ssh", "-i", str(key()), "-p", str(machine.port), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
        "-o", "LogLevel=ERROR", "-o", "BatchMode=yes", f"root@{machine.address}", payload.command(shlex.quote, "/usr/bin/python3"),
    ]  # fmt: skip
    return _answer(lambda data: subprocess.run(command, input=data, capture_output=True).stdout, verb, request)


def _answer(send, verb, request):
    from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots import payload, wire

    out = send(payload.build({"verb": verb, **request}, entry=payload.CHANGES))
    return wire.unpack(wire.find(out.decode()))


def status(engine, name, run):
    """State of a run on a host, read from its directory."""
    return json.loads(engine.shell(name, f"cat /var/lib/ringwall/{run}/state.json"))


def start(engine, folder, name):
    """Start a host; return its inventory."""
    address = engine.start(name)
    lab_hosts.wait(address)
    return lab_hosts.inventory(folder, {name: {"ansible_host": address}})

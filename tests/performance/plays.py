"""Playbooks under the meters: `assess` and its peer, a playbook that only pings, in the same conditions."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import pathlib
import shutil
import sys

import meters

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(sys.executable).parent
FORKS = 25
PING = """---
- name: Ping
  hosts: all
  gather_facts: false
  tasks:
    - name: Ping
      ansible.builtin.ping:
"""
SAME = ("benchmark", "section", "control", "status", "expected", "actual", "disposition")
"""Fields of a finding that must not depend on how fast or how often it was read."""


class Player:
    """Runs playbooks as `make assess` does, with the meters on. ``sockets`` holds the open SSH connections."""

    def __init__(self, folder, group, targets=None, network=None):
        self.folder, self.group, self.targets, self.network = pathlib.Path(folder), group, targets, network
        self.folder.mkdir(parents=True, exist_ok=True)
        self._count = 0
        self.sockets = self.folder / "sockets"
        (self.folder / "ping.yml").write_text(PING)

    def cold(self):
        """Forget all open connections: the next play makes its own."""
        self._count += 1
        self.sockets = self.folder / f"s{self._count}"

    def ping(self, inventory, **options):
        """Run the peer; return (Cost, phases)."""
        return self._play(self.folder / "ping.yml", inventory, self.folder / "ping-state", options)

    def assess(self, inventory, state, **options):
        """Run the assessment into the state directory ``state``; return (Cost, phases)."""
        return self._play(ROOT / "playbooks" / "assess.yml", inventory, state, options)

    def _play(self, playbook, inventory, state, options):
        forks = options.pop("forks", FORKS)
        phases = self.folder / "phases.jsonl"
        phases.unlink(missing_ok=True)
        self.sockets.mkdir(mode=0o700, exist_ok=True)
        environment = {
            "PATH": f"{BIN}:{os.environ['PATH']}", "HOME": os.environ.get("HOME", "/root"), "LANG": "C.UTF-8",
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "RINGWALL_STATE": str(state), "ANSIBLE_FORKS": str(forks),
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.sockets), "ANSIBLE_LOCAL_TEMP": str(self.folder / "tmp"),
            "ANSIBLE_CALLBACK_PLUGINS": str(pathlib.Path(__file__).with_name("callback")),
            "ANSIBLE_CALLBACKS_ENABLED": "phases", "RINGWALL_PHASES": str(phases),
            "RINGWALL_PHASES_CPU": str(self.group.file),
        }  # fmt: skip
        enter = self.network.enter() if self.network else []
        command = [*enter, str(BIN / "ansible-playbook"), "-i", str(inventory), str(playbook)]
        if options:
            command += ["-e", json.dumps(options)]
        begun = self.group.used()
        cost = meters.measure(command, self.group, self.targets, environment, ROOT)
        noted = [json.loads(line) for line in phases.read_text().splitlines()] if phases.exists() else []
        return cost, [dict(one, cpu=one["cpu"] - begun) for one in noted]


def cpu_until(phases, name):
    """CPU seconds of the controller from the command's start until the first task ``name`` began."""
    return next((one["cpu"] for one in phases if one["name"] == name), None)


def spent(phases):
    """Return {task: (wall seconds, CPU seconds)} between its start and the next task's."""
    found = {}
    for one, after in itertools.pairwise(phases):
        wall, cpu = found.get(one["name"], (0.0, 0.0))
        found[one["name"]] = (wall + after["wall"] - one["wall"], cpu + after["cpu"] - one["cpu"])
    return found


def newest(state):
    """Return {host: host file} of the newest run in a state directory."""
    runs = pathlib.Path(state, "runs")
    done = [path for path in runs.iterdir() if (path / "run.json").exists()]
    latest = max(done, key=lambda path: (path / "run.json").stat().st_mtime_ns)
    files = [json.loads(gzip.decompress(path.read_bytes())) for path in (latest / "hosts").glob("*.json.gz")]
    return {file["host"]: file for file in files}


def problems(hosts, reference, partial_before=()):
    """Return why a measured run does not count: hosts missing, tables not whole, findings other than the reference's.

    ``partial_before`` names tables that are not whole in the reference either, by nature of the test host.
    """
    found = []
    for name, wanted in sorted(reference.items()):
        host = hosts.get(name)
        if host is None or host["state"] != "assessed":
            found.append(f"{name} was not assessed: {(host or {}).get('reason')}")
            continue
        cut = [table for table, entry in host["tables"].items()
               if entry["state"] in ("partial", "error") and table not in partial_before]  # fmt: skip
        if cut:
            found.append(f"{name}: not read in full: {', '.join(cut)}")
        if findings(host) != findings(wanted):
            found.append(f"{name}: findings differ from the cold run's: {difference(findings(host), findings(wanted))}")
    return found


def findings(host):
    """A host's findings without times, in order."""
    return sorted(json.dumps({field: one[field] for field in SAME}, sort_keys=True) for one in host["findings"])


def difference(one, other):
    """A few findings that only one of two lists has."""
    return "; ".join(sorted(set(one) ^ set(other)))[:400]


def clear(path):
    """Remove a directory and all below."""
    shutil.rmtree(path, ignore_errors=True)

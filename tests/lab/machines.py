"""A virtual machine that is hardened and rolled back by the playbooks, and what is compared of it in between."""

from __future__ import annotations

import collections
import json
import os
import re

import pytest

from . import hosts as lab_hosts
from . import plays
from .image import NotHere

NAME = "machine"
ETC = "cd /etc && find . -type f -print0 | sort -z | xargs -0 sha256sum; find . -printf '%p %y %m %U:%G %l\\n' | sort"
"""Everything below /etc: contents, kinds, modes, owners, links."""
VERDICTS = ("fail", "error", "unreadable", "manual", "pass", "not_applicable")
"""The verdict on a section is the first of these that one of its controls has."""
BENCHMARK = "cis_debian12"


def machine(folder):
    """A machine that has not been started; where none can run, the test is skipped or, if hosts are required, fails."""
    from .vm import Machine

    try:
        return Machine(folder)
    except NotHere as reason:
        if os.environ.get("RINGWALL_REQUIRE_HOSTS") == "1":
            pytest.fail(f"hosts are required and cannot run here: {reason}")
        pytest.skip(f"no virtual machine here: {reason}")


def plain(text):
    """Output without colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


class Story:
    """Plays against one machine with one state directory; ``played`` keeps them by name."""

    def __init__(self, machine, folder):
        self.machine, self.folder, self.state = machine, folder, folder / "state"
        self.played, self.etcs = {}, {}

    def inventory(self, **variables):
        """The inventory as the machine is reached now: its port changes when it starts anew."""
        return lab_hosts.inventory(self.folder, {NAME: {**self.machine.variables(), **variables}})

    def etc(self, name):
        """Keep what /etc is like."""
        self.etcs[name] = self.machine.ssh(ETC).stdout.splitlines()

    def play(self, name, playbook, **extra):
        """Play; the runs that it made stand in ``runs`` of what it left."""
        before = {path.name for path in self.runs()}
        played = plays.play(self.folder, self.inventory(), f"playbooks/{playbook}.yml", state=self.state, **extra)
        played.made = [path.name for path in played.runs() if path.name not in before]
        self.played[name] = played
        return played

    def runs(self):
        """Directories of all runs."""
        return list((self.state / "runs").iterdir()) if (self.state / "runs").exists() else []

    def text(self, name):
        """Plain output of a play."""
        return plain(self.played[name].output)

    def ended(self, name):
        """The code with which a play ended; its output is printed when that is no success."""
        if self.played[name].code:
            print(self.text(name)[-6000:])
        return self.played[name].code

    def recap(self, name):
        """Ansible's numbers about the machine: ``{ok, changed, unreachable, failed, skipped, ...}``."""
        line = next(line for line in self.text(name).splitlines() if line.startswith(f"{NAME} ") and "ok=" in line)
        return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", line)}

    def host(self, run):
        """The host file of a run."""
        from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence import runs
        from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence.state import open_state

        return runs.load_run(open_state(str(self.state)), run).host(NAME)

    def sections(self, name, number=-1):
        """Section -> verdict of the first (0) or last (-1) assessment of a play."""
        found = collections.defaultdict(set)
        for one in self.host(self.played[name].made[number])["findings"]:
            if one["benchmark"] == BENCHMARK:
                found[one["section"]].add(one["status"])
        return {key: next(word for word in VERDICTS if word in words) for key, words in found.items()}

    def findings(self, name, number=-1):
        """(section, control) -> status, of the machine's own benchmark."""
        findings = self.host(self.played[name].made[number])["findings"]
        return {(one["section"], one["control"]): one["status"] for one in findings if one["benchmark"] == BENCHMARK}

    def plan(self, name):
        """The plan that a play saved."""
        path = self.state / "runs" / self.played[name].made[0] / "plans" / f"{NAME}.json"
        return json.loads(path.read_text())

    def held(self, name):
        """control -> names of the holds, of the plan that a play saved."""
        return {item["control"]: sorted(hold["name"] for hold in item["holds"]) for item in self.plan(name)["held"]}

    def ledger(self, name):
        """Lines of the ledger about the run of a play."""
        path = self.state / "ledger" / "hardening.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        return [line for line in lines if line["run"] == self.played[name].made[0]]


def held(which):
    """What is checked in as held on ``machine`` or ``machine_l2``."""
    import yaml

    return yaml.safe_load((plays.ROOT / "tests" / "fixtures" / "hardening" / "held.yml").read_text())[which]


def automated(level):
    """Automated sections of the benchmark for servers at a level (``l1``, or ``l2`` that holds it)."""
    import yaml

    path = plays.ROOT / "benchmarks" / f"{BENCHMARK}.yml"
    sections = yaml.safe_load(path.read_text())["sections"]
    levels = ("l1",) if level == "l1" else ("l1", "l2")
    return {
        name
        for name, about in sections.items()
        if about.get("level") in levels and about.get("assessment", "automated") == "automated"
    }


def differences(before, after, but=()):
    """Lines of two listings that are in one alone, without those whose path a pattern of ``but`` finds."""
    found = sorted(set(before) ^ set(after))
    return [line for line in found if not any(re.search(one, line) for one in but)]

"""Playbooks run as AWX would run them: through ansible-runner, with a state directory of their own."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import sys
from dataclasses import dataclass

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(sys.executable).parent
HERE = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "ringwall_become": False}
DEAD = {"ansible_host": "127.0.0.1", "ansible_port": 9, "ringwall_become": False}
"""A host that refuses the connection: nothing listens on the discard port."""


@dataclass
class Played:
    """What a playbook left: exit code, output, host statistics and the state directory."""

    code: int
    output: str
    stats: dict
    state: pathlib.Path
    events: list

    def run(self):
        """run.json of the newest run."""
        return json.loads((self.runs()[-1] / "run.json").read_text())

    def runs(self):
        """Directories of the runs, oldest first (as they were opened)."""
        found = [path for path in (self.state / "runs").iterdir() if (path / "run.json").exists()]
        return sorted(found, key=lambda path: (json.loads((path / "run.json").read_text())["started"], path.name))

    def report(self):
        """report.json of the newest report."""
        return json.loads((self.state / "reports" / "latest" / "report.json").read_text())

    def hosts(self):
        """Host name -> its entry in the newest report."""
        return {host["name"]: host for host in self.report()["hosts"]}


def write_inventory(folder, hosts, groups=None, variables=None):
    """Write an inventory of ``hosts`` (name -> variables); return its path."""
    path = pathlib.Path(folder) / "inventory" / "hosts.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    children = {name: {"hosts": dict.fromkeys(names)} for name, names in (groups or {}).items()}
    path.write_text(yaml.safe_dump({"all": {"hosts": hosts, "vars": variables or {}, "children": children}}))
    return path


def play(folder, inventory, playbook="playbooks/assess.yml", state=None, environment=None, project=ROOT, **extra):
    """Run a playbook; ``extra`` are extra variables, ``limit``, ``cmdline`` and ``verbosity`` go to ansible-runner."""
    import ansible_runner

    folder = pathlib.Path(folder)
    state = pathlib.Path(state or folder / "state")
    private = folder / "runner"
    shutil.rmtree(private, ignore_errors=True)
    private.mkdir(parents=True)
    options = {name: extra.pop(name) for name in ("limit", "cmdline", "verbosity") if name in extra}
    variables = {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "RINGWALL_STATE": str(state),
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
        **(environment or {}),
    }
    result = ansible_runner.run(
        private_data_dir=str(private),
        project_dir=str(project),
        playbook=str(playbook),
        inventory=str(inventory),
        quiet=True,
        envvars=variables,
        extravars=extra or None,
        **options,
    )
    stats = result.stats or {}
    with result.stdout as output:
        text = output.read()
    return Played(
        result.rc,
        text,
        {name: sorted(stats.get(name) or {}) for name in ("ok", "failures", "dark")},
        state,
        list(result.events),
    )

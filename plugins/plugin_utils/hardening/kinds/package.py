"""Packages: ``{kind: package, name, state: installed|absent}``; carried out by Ansible's modules, not the engine."""

from __future__ import annotations

import re

from ..operations import left

KIND = "package"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]{0,127}")
NEEDED = ("openssh-server", "sudo", "systemd", "python3", "python3-minimal", "bash", "coreutils", "libc6", "glibc")
"""What we reach the host by: never removed."""


def operations(settings, facts):
    """Return ``{"op": "package", "name", "state", "controls"}`` each. What is wanted both ways is left to people."""
    wanted = {}
    for item in settings:
        states = wanted.setdefault(item["setting"]["name"], {})
        states.setdefault(item["setting"].get("state", "installed"), []).extend(item["controls"])
    found = []
    for name, states in sorted(wanted.items()):
        controls = sorted({control for some in states.values() for control in some})
        if not NAME.fullmatch(name):
            found.append(left(controls, f"{name} is no name of a package"))
        elif len(states) > 1:
            found.append(left(controls, f"one control wants {name} installed, another one wants it gone"))
        elif "absent" in states and (name in NEEDED or name == f"python{_version(facts)}"):
            found.append(left(controls, f"{name} is what this host is managed by"))
        else:
            found.append({"op": "package", "name": name, "state": next(iter(states)), "controls": controls})
    return found


def _version(facts):
    return ".".join(str(facts.platform.get("python") or "").split(".")[:2])

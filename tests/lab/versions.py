"""Environments with another ansible-core than ours; made once, cached by what goes into them."""

from __future__ import annotations

import fcntl
import hashlib
import pathlib
import re
import subprocess
import sys
import tomllib

from .image import NotHere

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "ansible"
FREE = ("ansible-core", "resolvelib")
"""What the other ansible-core chooses for itself; all else has the versions of our lock file."""


def constraints():
    """The lock file's pins without hashes: they are those of our own environment, not of this one."""
    text = (ROOT / "requirements" / "base.txt").read_text(encoding="utf-8")
    pins = re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)", text, re.MULTILINE)
    return [f"{name}=={version}" for name, version in pins if name not in FREE]


def dependencies(version):
    """What the project asks for, with ansible-core held to ``version`` (``2.17``)."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    return [f"ansible-core=={version}.*", *(line for line in declared if not line.startswith("ansible-core"))]


def environment(version):
    """Return the ``bin`` directory of an environment with that ansible-core; raise NotHere when it cannot be made."""
    pins, wanted = constraints(), dependencies(version)
    digest = hashlib.sha256("\n".join([sys.version, *pins, *wanted]).encode()).hexdigest()[:12]
    folder = CACHE / f"{version}-{digest}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f".{version}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            _make(folder, pins, wanted)
    return folder / "bin"


def _make(folder, pins, wanted):
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
    (folder / "constraints.txt").write_text("\n".join(pins) + "\n")
    pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    result = subprocess.run([*pip, "-c", folder / "constraints.txt", *wanted], capture_output=True, text=True)
    if result.returncode:
        raise NotHere(f"pip cannot install {wanted[0]}: {result.stderr[-300:]}")
    (folder / "made").touch()

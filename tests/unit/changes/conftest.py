"""A root of its own for the change engine, and a fingerprint of everything in it."""

from __future__ import annotations

import hashlib
import os
import pathlib

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.changes import engine, spec
from ansible_collections.ringwall.servers.plugins.module_utils.changes.target import Target

PASSWD = "root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000::/home/alice:/bin/bash\n"
SHADOW = "root:*:19000:0:99999:7:::\nalice:$y$j9T$salt$hash:19000:0:99999:7:::\n"


def fingerprint(root):
    """Every path below etc with type, content, mode, owner and time of change."""
    found = {}
    for folder, folders, files in os.walk(pathlib.Path(root) / "etc"):
        for name in [*folders, *files, "."]:
            path = os.path.normpath(os.path.join(folder, name))
            info = os.lstat(path)
            if os.path.islink(path):
                found[path] = ("link", os.readlink(path), info.st_mtime_ns)
            elif os.path.isdir(path):
                found[path] = ("dir", info.st_mode, info.st_uid, info.st_gid, info.st_mtime_ns)
            else:
                data = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
                found[path] = ("file", data, info.st_mode, info.st_uid, info.st_gid, info.st_mtime_ns)
    return found


class Box:
    """A tree with the engine upon it."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        for folder in (
            "etc/ssh",
            "etc/systemd/system/multi-user.target.wants",
            "usr/lib/systemd/system",
            "var/lib",
            "run",
            "proc",
            "home/alice",
        ):
            (self.root / folder).mkdir(parents=True)
        self.write("etc/passwd", PASSWD)
        self.write("etc/shadow", SHADOW, 0o640)
        self.write("etc/group", "root:x:0:\nsudo:x:27:alice\n")
        self.write("etc/gshadow", "root:*::\nsudo:*::alice\n", 0o640)
        self.write("etc/login.defs", "# ages\nPASS_MAX_DAYS\t99999\nUMASK 022\n")
        self.write("etc/issue", "Debian\n")
        self.write(
            "usr/lib/systemd/system/cups.service",
            "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\nAlias=printer.service\n",
        )

    def write(self, path, text, mode=0o644):
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text if isinstance(text, bytes) else text.encode())
        place.chmod(mode)
        os.utime(place, ns=(10**18, 10**18))
        return place

    def target(self):
        return Target(str(self.root))

    def plan(self, operations):
        return engine.plan({"operations": operations}, self.target())

    def apply(self, operations, run="r1", **more):
        told = self.plan(operations)
        before = {str(row["index"]): row["digest_before"] for row in told["operations"]}
        request = {
            "run": run,
            "operations": operations,
            "digest": spec.digest(operations),
            "before": before,
            "after": 5,
        }
        return engine.apply({**request, **more}, self.target())

    def confirm(self, run="r1"):
        return engine.confirm({"run": run}, self.target())

    def rollback(self, run="r1", controls=None):
        return engine.rollback({"run": run, "controls": controls}, self.target())

    def status(self):
        return engine.status({}, self.target())

    def text(self, path):
        return (self.root / path).read_text()

    def fingerprint(self):
        return fingerprint(self.root)


@pytest.fixture
def box(tmp_path):
    return Box(tmp_path / "root")


@pytest.fixture(scope="session")
def make_box():
    return Box

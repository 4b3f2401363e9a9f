"""Who ran what: the facts of a run's header that make it evidence."""

from __future__ import annotations

import functools
import getpass
import hashlib
import os
import pathlib
import re

COLLECTION = pathlib.Path(__file__).resolve().parents[2]


def actor():
    """Return ``{name, source}``: the AWX user of the job, else the OS user (which nobody authenticated here).

    Sources: AWX sets AWX_USER_NAME / TOWER_USER_NAME in a job's extra variables and JOB_ID in its environment.
    """
    for name in ("AWX_USER_NAME", "TOWER_USER_NAME"):
        if os.environ.get(name) and os.environ.get("JOB_ID"):
            return {"name": os.environ[name], "source": "awx", "job": os.environ["JOB_ID"]}
    try:
        return {"name": os.environ.get("SUDO_USER") or getpass.getuser(), "source": "os"}
    except (KeyError, OSError):
        return {"name": f"uid {os.getuid()}", "source": "os"}


@functools.lru_cache(maxsize=1)
def version():
    """The collection's version, from galaxy.yml (clone) or MANIFEST.json (installed)."""
    for name, pattern in (
        ("galaxy.yml", r"^version:\s*[\"']?([^\s\"']+)"),
        ("MANIFEST.json", r'"version":\s*"([^"]+)"'),
    ):
        try:
            found = re.search(pattern, (COLLECTION / name).read_text(encoding="utf-8"), re.MULTILINE)
        except OSError:
            continue
        if found:
            return found.group(1)
    return "unknown"


def commit(directory):
    """The commit checked out in ``directory`` (40 hex digits), or None. Reads .git itself: no process, no hooks."""
    folder = pathlib.Path(directory) / ".git"
    try:
        head = (folder / "HEAD").read_text(encoding="ascii").strip()
        if not head.startswith("ref: "):
            return head or None
        reference = head[5:]
        if (folder / reference).is_file():
            return (folder / reference).read_text(encoding="ascii").strip()
        for line in (folder / "packed-refs").read_text(encoding="ascii").splitlines():
            if line.endswith(" " + reference):
                return line.split()[0]
    except (OSError, UnicodeDecodeError):
        pass
    return None


def digest_of_files(directories, limit=2000):
    """SHA-256 over names and contents of the files in these directories (at most ``limit``), but hidden ones."""
    digest = hashlib.sha256()
    count = 0
    for directory in directories:
        for folder, names, files in os.walk(directory):
            names[:] = sorted(name for name in names if not name.startswith(".") and name != "state")
            for name in sorted(files):
                count += 1
                if name.startswith(".") or count > limit:
                    continue
                path = os.path.join(folder, name)
                digest.update(os.path.relpath(path, directory).encode("utf-8", "surrogateescape") + b"\0")
                try:
                    with open(path, "rb") as file:
                        digest.update(hashlib.sha256(file.read()).digest())
                except OSError:
                    digest.update(b"unreadable")
    return digest.hexdigest()

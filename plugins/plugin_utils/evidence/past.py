"""What judging a host needs from the past, laid beside the run for the host's worker: derived, and no evidence."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os

from . import atomic


def file_of(run, host):
    """Path of one host's small file."""
    return os.path.join(run.path, "past", hashlib.sha256(host.encode()).hexdigest()[:16] + ".json")


def write(run, known):
    """Write ``known`` (host -> ``{tables, generation, statuses, ...}``), one small file a host."""
    atomic.make_directory(os.path.join(run.path, "past"))
    for host, facts in known.items():
        atomic.write(file_of(run, host), json.dumps(facts).encode())


def read(run, host):
    """Return what was written for this host, empty for one that is new."""
    try:
        with open(file_of(run, host), encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def forget(run, hosts):
    """Remove the files of these hosts. Other slices of the run keep theirs."""
    for host in hosts:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(file_of(run, host))
    with contextlib.suppress(OSError):  # not empty: another slice is not done
        os.rmdir(os.path.join(run.path, "past"))

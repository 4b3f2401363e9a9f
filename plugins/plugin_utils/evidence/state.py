"""The state directory: where evidence lies, readable by its owner alone."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from . import atomic

ENVIRONMENT = "RINGWALL_STATE"
DEFAULT = "state"
ROOMS = ("runs", "objects", "ledger", "checkpoints", "cache", "reports")


class StateError(Exception):
    """The state directory must not be used; the message says why and what to do."""


@dataclass(frozen=True)
class State:
    """A state directory that passed its checks. All paths are absolute text."""

    path: str

    @property
    def runs(self):
        """Directory of runs, one directory a run."""
        return os.path.join(self.path, "runs")

    @property
    def objects(self):
        """Directory of content-addressed table contents."""
        return os.path.join(self.path, "objects")

    @property
    def ledger(self):
        """Directory of append-only decisions, one file a noun."""
        return os.path.join(self.path, "ledger")

    @property
    def checkpoints(self):
        """Directory of what the store held when older runs were pruned."""
        return os.path.join(self.path, "checkpoints")

    @property
    def cache(self):
        """Directory of what can be made again: compiled content, slices of the past."""
        return os.path.join(self.path, "cache")

    @property
    def reports(self):
        """Directory of written reports, one directory a run."""
        return os.path.join(self.path, "reports")

    @property
    def database(self):
        """Path of the default SQLite store."""
        return os.path.join(self.path, "ringwall.db")


def check_private(path):
    """Raise StateError unless ``path`` is a directory of this user (or we are root), closed to group and others."""
    info = os.stat(path)
    if not stat.S_ISDIR(info.st_mode):
        raise StateError(f"{path} is not a directory; name another one in {ENVIRONMENT} or ringwall_state")
    mode = stat.S_IMODE(info.st_mode)
    if mode & 0o077:
        raise StateError(f"{path} has mode {mode:04o}: group or others could read evidence; run: chmod -R go= '{path}'")
    user = os.geteuid()
    if user not in (0, info.st_uid):
        raise StateError(f"{path} belongs to user {info.st_uid}, not to {user}; use the same account as before")


def open_state(path=None):
    """Return the State at ``path`` (else $RINGWALL_STATE, else ``state``), making what is missing with mode 0700.

    Raises StateError when the directory, or one of its rooms, is open to group or others or belongs to someone else.
    """
    path = os.path.abspath(os.path.expanduser(str(path or os.environ.get(ENVIRONMENT) or DEFAULT)))
    try:
        atomic.make_directory(path)
        check_private(path)
        state = State(path)
        for room in ROOMS:
            place = os.path.join(path, room)
            atomic.make_directory(place)
            check_private(place)
    except OSError as error:
        raise StateError(f"{path} cannot be used as state directory: {error.strerror}") from error
    return state

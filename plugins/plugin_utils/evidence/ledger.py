"""What people decided and what was learned: append-only lines, durable before they take effect.

Each line names the digest of the line before it, so that a line changed or taken out later shows.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import time

from ...module_utils.text import rfc3339
from . import atomic
from .canonical import canonical, sha256

_NOUN = re.compile(r"[a-z][a-z0-9_]{0,63}")
RESERVED = ("seq", "previous")
_TAIL = 1 << 16


class LedgerError(Exception):
    """A ledger cannot be read or was tampered with; the message names file and line."""


def path_of(state, noun):
    """Path of a noun's ledger; raise ValueError if it is no noun."""
    if not _NOUN.fullmatch(noun):
        raise ValueError(f"{noun!r} is not a ledger noun: lower case letters, digits, underscore")
    return os.path.join(state.ledger, noun + ".jsonl")


def nouns(state):
    """Names of the ledgers that exist, sorted."""
    return sorted(
        name[: -len(".jsonl")]
        for name in os.listdir(state.ledger)
        if name.endswith(".jsonl") and _NOUN.fullmatch(name[: -len(".jsonl")])
    )


def _last_line(descriptor, size):
    """Return (last whole line without its newline or None, length up to and with its newline)."""
    step = _TAIL
    while True:
        start = max(0, size - step)
        tail = os.pread(descriptor, size - start, start)
        end = tail.rfind(b"\n")
        if end >= 0:
            before = tail.rfind(b"\n", 0, end)
            if before >= 0 or start == 0:
                return tail[before + 1 : end], start + end + 1
        elif start == 0:
            return None, 0
        step *= 8


def _heal(state, noun, descriptor, whole, size):
    """Set a torn last line aside: it was never acknowledged, yet it is kept for whoever wants to see it."""
    torn = os.pread(descriptor, size - whole, whole)
    aside = os.path.join(state.ledger, f"{noun}.torn")
    keeper = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.write(keeper, torn + b"\n")
        os.fsync(keeper)
    finally:
        os.close(keeper)
    os.ftruncate(descriptor, whole)
    os.fsync(descriptor)


def append(state, noun, entry):
    """Append one JSON object; return it as written, with ``seq``, ``at`` (RFC 3339, unless given) and ``previous``.

    It is on disk when this returns. Any number of processes may append at once. Raises ValueError for an entry that
    is no JSON object or uses a reserved name.
    """
    for name in RESERVED:
        if name in entry:
            raise ValueError(f"a ledger entry must not bring its own {name!r}")
    path = path_of(state, noun)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        last, whole = _last_line(descriptor, size)
        if whole < size:
            _heal(state, noun, descriptor, whole, size)
        written = dict(entry)
        written.setdefault("at", rfc3339(time.time()))
        written["seq"] = _parse(path, 0, last)["seq"] + 1 if last is not None else 1
        written["previous"] = sha256(last) if last is not None else None
        line = canonical(written).encode("ascii") + b"\n"
        done = 0
        try:
            while done < len(line):
                done += os.write(descriptor, line[done:])
            os.fsync(descriptor)
        except OSError:
            # A full disk must not leave half a line that the next reader trips over.
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, whole)
            raise
    finally:
        os.close(descriptor)
    # Always: whoever made the file may have been killed before its name was durable.
    atomic.fsync_directory(state.ledger)
    return written


def _parse(path, number, line):
    try:
        entry = json.loads(line)
    except ValueError:
        entry = None
    if not isinstance(entry, dict) or not isinstance(entry.get("seq"), int):
        raise LedgerError(f"{path}:{number}: is not a ledger entry; restore the file from a backup")
    return entry


def lines(state, noun):
    """Iterate over the whole lines (bytes, without newline) of a ledger; a torn last line is not there yet."""
    path = path_of(state, noun)
    if not os.path.exists(path):
        return
    with open(path, "rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield line[:-1]


def read(state, noun):
    """Iterate over the entries of a ledger, oldest first; raise LedgerError at a line that is none."""
    path = path_of(state, noun)
    for number, line in enumerate(lines(state, noun), 1):
        yield _parse(path, number, line)


def verify(state, noun):
    """Return the problems of a ledger's chain as sentences; an empty list is a whole chain."""
    path, problems, before, expected = path_of(state, noun), [], None, 1
    for number, line in enumerate(lines(state, noun), 1):
        try:
            entry = _parse(path, number, line)
        except LedgerError as error:
            problems.append(str(error))
            before, expected = line, expected + 1
            continue
        if entry["seq"] != expected or entry.get("previous") != (sha256(before) if before is not None else None):
            problems.append(f"{path}:{number}: does not follow the line before it")
        before, expected = line, entry["seq"] + 1
    return problems

"""What a row of the table ``file_walk`` can be marked with: what stands out, and for what reason."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass

from .view import Gap, cell

FIRST_USER = 1000
"""Ids below are those of the system (UID_MIN and GID_MIN of login.defs in every distribution that we know)."""

LIBRARY = re.compile(r"\.so(\.|$)")


@dataclass(frozen=True)
class Mark:
    """``text`` says of a file what is wrong; ``test(row, path)``; ``column`` is what a walk must have looked for."""

    text: str
    test: object
    column: str | None = None


def _cell_of(name):
    return lambda row, path: cell(row, name)


def _among(place, kind, wrong, named=None):
    """Rows of a place of the system and of a type, for which ``wrong(row)`` holds."""

    def test(row, path):
        fits = row.get("place") == place and row.get("type") == kind and (named is None or named.search(path))
        return bool(fits) and wrong(row)

    return test


def _loose(row):
    return bool(cell(row, "mode") & 0o022)


def _foreign(row):
    return cell(row, "uid") != 0


def _group(row):
    return cell(row, "gid") != 0


def _user_group(row):
    return cell(row, "gid") >= FIRST_USER


def _shared(wrong):
    return lambda row, path: bool(cell(row, "shared")) and wrong(row)


MARKS = {
    "world_writable": Mark("can be written by everybody", _cell_of("world_writable")),
    "unowned": Mark("has an owner that does not exist", _cell_of("unowned")),
    "ungrouped": Mark("has a group that does not exist", _cell_of("ungrouped")),
    "setuid": Mark("runs as its owner", _cell_of("setuid")),
    "setgid": Mark("runs with its group", _cell_of("setgid")),
    "device": Mark("is a device outside /dev", _cell_of("device")),
    "open_file": Mark(
        "is a file that everybody can write",
        lambda row, path: row.get("type") == "file" and cell(row, "world_writable"),
    ),
    "open_directory": Mark(
        "is a directory in which everybody can remove what others made",
        lambda row, path: row.get("type") == "directory" and cell(row, "world_writable"),
    ),
    "shared_not_root": Mark("is a directory for everybody that root does not own", _shared(_foreign), "shared"),
    "shared_of_user": Mark(
        "is a directory for everybody that a user owns", _shared(lambda row: cell(row, "uid") >= FIRST_USER), "shared"
    ),
    "shared_of_group": Mark("is a directory for everybody that a users' group owns", _shared(_user_group), "shared"),
    "host_trust": Mark(
        "lets users of other hosts in",
        lambda row, path: cell(row, "trust") and not path.rsplit("/", 1)[-1].startswith("."),
        "trust",
    ),
    "user_trust": Mark(
        "lets users of other hosts in as its owner",
        lambda row, path: cell(row, "trust") and path.rsplit("/", 1)[-1].startswith("."),
        "trust",
    ),
    "program_loose": Mark(
        "is a program that not only its owner can change", _among("programs", "file", _loose), "place"
    ),
    "program_owner": Mark("is a program that root does not own", _among("programs", "file", _foreign), "place"),
    "program_group": Mark("is a program with a group of users", _among("programs", "file", _user_group), "place"),
    "program_directory_loose": Mark(
        "is a directory of programs that not only its owner can change",
        _among("programs", "directory", _loose),
        "place",
    ),
    "program_directory_owner": Mark(
        "is a directory of programs that root does not own", _among("programs", "directory", _foreign), "place"
    ),
    "program_directory_group": Mark(
        "is a directory of programs with another group than root", _among("programs", "directory", _group), "place"
    ),
    "library_loose": Mark(
        "is a library that not only its owner can change", _among("libraries", "file", _loose, LIBRARY), "place"
    ),
    "library_owner": Mark(
        "is a library that root does not own", _among("libraries", "file", _foreign, LIBRARY), "place"
    ),
    "library_group": Mark(
        "is a library with a group of users", _among("libraries", "file", _user_group, LIBRARY), "place"
    ),
    "library_directory_loose": Mark(
        "is a directory of libraries that not only its owner can change",
        _among("libraries", "directory", _loose),
        "place",
    ),
    "library_directory_owner": Mark(
        "is a directory of libraries that root does not own", _among("libraries", "directory", _foreign), "place"
    ),
    "library_directory_group": Mark(
        "is a directory of libraries with a group of users", _among("libraries", "directory", _user_group), "place"
    ),
}
"""Mark -> Mark."""

SETTABLE = ("open_file", "open_directory", "world_writable")
"""Marks that hardening can take away without knowing what a file is for: others lose the right to write or remove."""


def offenders(rows, marks, patterns):
    """Return ``({path: [what is wrong]}, the Gap of a cell that could not be read or None)``."""
    found, hidden = {}, None
    for path, row in rows.items():
        if row.get("kind") != "found" or any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns):
            continue
        for mark in marks.values():
            try:
                if mark.test(row, path):
                    found.setdefault(path, []).append(mark.text)
            except Gap as gap:
                hidden = hidden or gap
    return found, hidden

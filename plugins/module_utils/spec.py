"""What a table is: its columns, how often it is read, and what a collector hands back.

A snapshot is a set of named tables; a table maps a stable key to a row of typed columns. Everything in
this file ships to targets: standard library only, Python 3.8+.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from dataclasses import dataclass, field

COLUMN_TYPES = ("text", "text_sensitive", "int", "float", "bool", "time", "list", "map")
"""Types of a cell: ``time`` is RFC 3339 UTC text; ``list`` and ``map`` hold plain JSON values;
``text_sensitive`` was redacted on the target before it left."""

TABLE_STATES = ("ok", "partial", "denied", "unsupported", "error")
"""How completely a table was read. Absence may be concluded only from ``ok``."""

UNREADABLE_KINDS = ("denied", "timeout", "invalid", "partial")
"""Why one cell could not be read."""


class Unreadable(Exception):
    """Something exists, or may exist, and could not be read.

    ``kind`` is one of UNREADABLE_KINDS, ``why`` a sentence for the user without any content of the file.
    """

    def __init__(self, kind, why):
        super().__init__(why)
        self.kind = kind
        self.why = why

    def cell(self):
        """The cell that stands in a row for what could not be read."""
        return unreadable(self.kind, self.why)


class Absent(Exception):
    """The file, directory or program is certainly not there (ENOENT, ENOTDIR)."""


class Unsupported(Exception):
    """The system has no such thing, or it cannot be asked there (for example under ``root:``)."""


def unreadable(kind, why):
    """Return the cell value that says: this exists and could not be read."""
    if kind not in UNREADABLE_KINDS:
        raise ValueError("unknown kind %r" % (kind,))
    return {"!": kind, "why": why}


def is_unreadable(cell):
    """True if the cell says that it could not be read."""
    return isinstance(cell, dict) and "!" in cell


@dataclass(frozen=True)
class Column:
    """One column: name, type (COLUMN_TYPES) and its meaning, with unit and sentinel values.

    ``volatile`` columns (pids, counters, uptimes) stay out of the comparison of two snapshots.
    """

    name: str
    type: str
    text: str
    volatile: bool = False

    def __post_init__(self):
        if self.type not in COLUMN_TYPES:
            raise ValueError("column %s: unknown type %s" % (self.name, self.type))


@dataclass(frozen=True)
class Table:
    """The specification of a table, the one source of its schema, its documentation and its checks.

    ``key`` says what a row's key is made of. ``cadence`` is ``fast`` (every run) or ``deep`` (walks file
    systems). Data older than ``max_age_hours`` is stale and never passes. ``max_rows`` bounds what the
    controller accepts. ``live_only`` tables are ``unsupported`` when a mounted root is read.
    ``upgrades`` maps an old version to a function that turns its rows into the next version's.
    """

    name: str
    description: str
    key: str
    columns: tuple
    version: int = 1
    platforms: tuple = ("linux",)
    cadence: str = "fast"
    max_age_hours: int = 24
    max_rows: int = 20000
    live_only: bool = False
    upgrades: dict = field(default_factory=dict)

    def column(self, name):
        """Return the column of that name, or None."""
        for column in self.columns:
            if column.name == name:
                return column
        return None


@dataclass
class Result:
    """What ``collect`` may return in place of bare rows when it has more to say than ``ok``.

    ``why`` names what is missing; it is shown to the user.
    """

    rows: dict
    state: str = "ok"
    why: str = ""

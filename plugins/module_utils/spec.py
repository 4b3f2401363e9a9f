"""What a table is: its columns, how often it is read, and what a collector hands back.

A snapshot is a set of named tables; a table maps a stable key to a row of typed columns. Everything in
this file ships to targets: standard library only, Python 3.8+.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

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


class _Values:
    """Named values, compared and shown by them.

    No dataclass: importing that takes 7 ms of a target's CPU, more than most tables.
    """

    def __init__(self, **values):
        self.__dict__.update(values)

    def __eq__(self, other):
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __repr__(self):
        return "%s(%s)" % (type(self).__name__, ", ".join("%s=%r" % item for item in self.__dict__.items()))

    __hash__ = None


class _Fixed(_Values):
    """Values that do not change."""

    def __setattr__(self, name, value):
        raise AttributeError("%s.%s cannot be changed" % (type(self).__name__, name))

    def __eq__(self, other):
        return super().__eq__(other)

    def __hash__(self):
        return hash(tuple(self.__dict__.items()))


class Column(_Fixed):
    """One column: name, type (COLUMN_TYPES) and its meaning, with unit and sentinel values.

    ``volatile`` columns (pids, counters, uptimes) stay out of the comparison of two snapshots.
    """

    def __init__(self, name, type, text, volatile=False):  # noqa: A002 - the contract's own word
        if type not in COLUMN_TYPES:
            raise ValueError("column %s: unknown type %s" % (name, type))
        super().__init__(name=name, type=type, text=text, volatile=volatile)


class Table(_Fixed):
    """The specification of a table, the one source of its schema, its documentation and its checks.

    ``key`` says what a row's key is made of. ``cadence`` is ``fast`` (every run) or ``deep`` (walks file
    systems). Data older than ``max_age_hours`` is stale and never passes. ``max_rows`` bounds what the
    controller accepts. ``live_only`` tables are ``unsupported`` when a mounted root is read.
    ``upgrades`` maps an old version to a function that turns its rows into the next version's.
    """

    def __init__(
        self, name, description, key, columns, version=1, platforms=("linux",), cadence="fast", max_age_hours=24,
        max_rows=20000, live_only=False, upgrades=None,
    ):  # fmt: skip
        super().__init__(
            name=name, description=description, key=key, columns=columns, version=version, platforms=platforms,
            cadence=cadence, max_age_hours=max_age_hours, max_rows=max_rows, live_only=live_only,
            upgrades=upgrades or {},
        )  # fmt: skip

    def column(self, name):
        """Return the column of that name, or None."""
        for column in self.columns:
            if column.name == name:
                return column
        return None


class Result(_Values):
    """What ``collect`` may return in place of bare rows when it has more to say than ``ok``.

    ``why`` names what is missing; it is shown to the user.
    """

    def __init__(self, rows, state="ok", why=""):
        super().__init__(rows=rows, state=state, why=why)

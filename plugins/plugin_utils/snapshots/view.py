"""A checked snapshot as judging sees it: tables by name, gaps as exceptions, never as absence."""

from __future__ import annotations

from dataclasses import dataclass, field

STATUS_OF_STATE = {"partial": "unreadable", "denied": "unreadable", "unsupported": "unreadable", "error": "error"}
STATUS_OF_CELL = {"denied": "unreadable", "timeout": "unreadable", "partial": "unreadable", "invalid": "error"}


class Gap(Exception):
    """What judging asked for could not be read. ``status`` is unreadable or error, ``why`` says the reason."""

    def __init__(self, status, why):
        super().__init__(why)
        self.status = status
        self.why = why


@dataclass(frozen=True)
class TableView:
    """One table: ``state`` of TABLE_STATES, ``rows`` key -> row, ``observed_at`` RFC 3339 UTC."""

    name: str
    version: int = 1
    state: str = "ok"
    why: str = ""
    rows: dict = field(default_factory=dict)
    observed_at: str = ""
    stale: bool = False
    digest: str = ""

    def gap(self):
        """The Gap that stands for a table that is not (or no longer) good for conclusions, else None."""
        if self.stale:
            return Gap("unreadable", f"{self.name}: read {self.observed_at}, too old to tell")
        if self.state != "ok":
            return Gap(STATUS_OF_STATE[self.state], f"{self.name}: {self.why or self.state}")
        return None


class Snapshot:
    """Tables of one host at one moment. ``tables`` maps name -> TableView."""

    def __init__(self, tables, taken="", host=""):
        self.tables = tables
        self.taken = taken
        self.host = host

    def table(self, name):
        """Return the TableView; one that was not read is ``unsupported`` with that reason."""
        found = self.tables.get(name)
        return found or TableView(name, state="unsupported", why="was not read")

    def rows(self, name):
        """All rows of a table from which absence may be concluded; raise Gap for any other state."""
        view = self.table(name)
        gap = view.gap()
        if gap:
            raise gap
        return view.rows

    def row(self, name, key):
        """One row, or None if it is certainly absent; raise Gap if that cannot be told.

        A row that was read counts although its table is partial; only absence needs the whole table.
        """
        view = self.table(name)
        if key in view.rows and not view.stale:
            return view.rows[key]
        gap = view.gap()
        if gap:
            raise gap
        return None


def cell(row, column):
    """Return ``row[column]`` (None when missing); raise Gap when the cell says that it could not be read."""
    value = row.get(column)
    if isinstance(value, dict) and "!" in value:
        raise Gap(STATUS_OF_CELL.get(value["!"], "error"), value.get("why", value["!"]))
    return value

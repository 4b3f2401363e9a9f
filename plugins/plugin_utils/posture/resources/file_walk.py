"""``file_walk``: what must be found nowhere on the local file systems."""

from __future__ import annotations

import fnmatch

from ...content.errors import ContentError
from ...content.lines import near
from ...snapshots.view import Gap, cell
from .base import Resource, Verdict

TABLE = "file_walk"
MARKS = {
    "world_writable": "can be written by everybody",
    "unowned": "has an owner that does not exist",
    "ungrouped": "has a group that does not exist",
    "setuid": "runs as its owner",
    "setgid": "runs with its group",
    "device": "is a device outside /dev",
}
"""Column of the table -> what it means for a file."""

KEYS = ("none", "except")


class FileWalk(Resource):
    """See ``summary``."""

    name = "file_walk"
    summary = (
        "`file_walk: {none: [world_writable, unowned, ungrouped, setuid, setgid, device], except: [<pattern>]}`: no "
        "local file has one of these marks, but for the paths that match. What was found counts although the walk was "
        "not completed; that there is nothing takes a complete one."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        self.expect_map(statement, where)
        for key in statement:
            if key not in KEYS:
                raise ContentError(where, f"file_walk: unknown key {key}{near(key, KEYS)}", "none, except")
        marks = statement.get("none")
        if not isinstance(marks, list) or not marks:
            raise ContentError(where, "file_walk names no mark", "none: [world_writable]")
        for mark in marks:
            if mark not in MARKS:
                raise ContentError(where, f"unknown mark {mark}{near(mark, MARKS)}", "one of " + ", ".join(MARKS))
        patterns = statement.get("except", [])
        if not isinstance(patterns, list) or not all(isinstance(one, str) and one.startswith("/") for one in patterns):
            raise ContentError(where, "except is not a list of absolute patterns", "except: [/srv/drop/*]")

    def tables(self, statement):
        """The one table it reads."""
        return (TABLE,)

    def judge(self, statement, snapshot):
        """Return one Verdict."""
        marks, patterns = statement["none"], statement.get("except", [])
        view = snapshot.table(TABLE)
        if view.stale:
            raise view.gap()
        found, hidden = {}, None
        for path, row in view.rows.items():
            if row.get("kind") != "found" or any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns):
                continue
            for mark in marks:
                try:
                    if cell(row, mark):
                        found.setdefault(path, []).append(MARKS[mark])
                except Gap as gap:
                    hidden = hidden or gap
        expected = f"no file that {' or '.join(MARKS[mark] for mark in marks)}"
        if found:
            evidence = [
                {"where": path, "what": f"{', '.join(what)} (mode {view.rows[path].get('mode_text')})"}
                for path, what in sorted(found.items())
            ]
            return [Verdict("fail", expected, f"{len(found)} found", evidence)]
        gap = view.gap() or hidden
        if gap:
            raise gap
        places = [path.split(":", 1)[1] for path, row in view.rows.items() if row.get("kind") == "filesystem"]
        evidence = [{"where": place, "what": "walked, none found"} for place in sorted(places)]
        return [Verdict("pass", expected, "none found", evidence)]

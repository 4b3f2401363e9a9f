"""``file_walk``: what must be found nowhere on the local file systems."""

from __future__ import annotations

from ...content.errors import ContentError
from ...content.lines import near
from ...snapshots.view import Gap
from ...snapshots.walk_marks import MARKS, SETTABLE, offenders
from .base import Resource, Verdict

TABLE = "file_walk"
KEYS = ("none", "except")


class FileWalk(Resource):
    """See ``summary``."""

    name = "file_walk"
    summary = (
        "`file_walk: {none: [<mark>, ...], except: [<pattern>]}`: no local file has one of these marks, but for the "
        "paths that match. What was found counts although the walk was not completed; that there is nothing takes a "
        "complete one. Marks: " + ", ".join(f"`{name}` ({mark.text})" for name, mark in MARKS.items()) + "."
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

    def settings(self, statement):
        """One ``file_walk`` setting with the marks that a machine can take away; the host tells which files."""
        marks = [mark for mark in statement["none"] if mark in SETTABLE]
        return [{"kind": "file_walk", "none": marks, "except": statement.get("except", [])}] if marks else []

    def judge(self, statement, snapshot):
        """Return one Verdict."""
        view = snapshot.table(TABLE)
        if view.stale:
            raise view.gap()
        marks = {name: MARKS[name] for name in statement["none"]}
        found, hidden = offenders(view.rows, marks, statement.get("except", []))
        expected = f"no file that {' or '.join(mark.text for mark in marks.values())}"
        if found:
            evidence = [
                {"where": path, "what": f"{', '.join(what)} (mode {view.rows[path].get('mode_text')})"}
                for path, what in sorted(found.items())
            ]
            return [Verdict("fail", expected, f"{len(found)} found", evidence)]
        gap = view.gap() or hidden
        if gap:
            raise gap
        walks = {path.split(":", 1)[1]: row for path, row in view.rows.items() if row.get("kind") == "filesystem"}
        needed = {mark.column for mark in marks.values() if mark.column}
        for row in walks.values():
            if not needed.issubset(row.get("looked_for") or ()):
                raise Gap("unreadable", "file_walk: the walk that was made did not look for this")
        evidence = [{"where": place, "what": "walked, none found"} for place in sorted(walks)]
        return [Verdict("pass", expected, "none found", evidence)]

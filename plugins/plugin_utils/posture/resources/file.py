"""``file``: mode, owner and group of named paths."""

from __future__ import annotations

import re

from ...content.errors import ContentError
from ...content.lines import near
from ...snapshots.view import Gap, cell
from .. import comparison
from .base import Resource, Verdict

TABLE = "file_attributes"
STATES = ("present", "absent", "if_present")
KEYS = ("mode", "owner", "group", "state", "type", "link")
TYPES = ("file", "directory")
_MODE = re.compile(r"0?[0-7]{3,4}")


def is_pattern(path):
    """True if the path holds wildcards."""
    return any(char in path for char in "*?[")


def _names(value):
    return value if isinstance(value, list) else [value]


class File(Resource):
    """See ``summary``."""

    name = "file"
    entries = True
    summary = (
        '`file: {<path or pattern>: {mode: "0640", owner: root, group: [root, shadow], type: file, state: present}}`. '
        "`mode` holds the bits that may be set: fewer are fine. `owner` and `group` are a name or number, or a list of "
        "those that may be. `state` is `present` (default; of a pattern: something matches), `absent` or `if_present` "
        "(what is not there does not apply). With `type`, matches of another type do not count. `link` is a "
        "regular expression that is found in the text of a symbolic link."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        self.expect_map(statement, where)
        for path, wanted in statement.items():
            if not isinstance(path, str) or not path.startswith("/"):
                raise ContentError(where, f"file: {path} is not absolute", "file: {/etc/passwd: {...}}")
            if not isinstance(wanted, dict) or not wanted:
                raise ContentError(where, f"file {path} expects nothing", 'mode: "0644", owner: root, group: root')
            for key in wanted:
                if key not in KEYS:
                    raise ContentError(where, f"file: unknown key {key}{near(key, KEYS)}", "one of " + ", ".join(KEYS))
            self._check_values(path, wanted, where)

    @staticmethod
    def _check_values(path, wanted, where):
        mode = wanted.get("mode")
        if mode is not None and not (isinstance(mode, str) and _MODE.fullmatch(mode)):
            raise ContentError(where, f"file {path}: mode {mode!r}", 'octal digits in quotes: mode: "0640"')
        for key, known in (("state", STATES), ("type", TYPES)):
            if wanted.get(key) is not None and wanted[key] not in known:
                raise ContentError(where, f"file {path}: {key} {wanted[key]!r}", "one of " + ", ".join(known))
        for key in ("owner", "group"):
            names = _names(wanted.get(key, []))
            if not all(isinstance(name, (str, int)) and not isinstance(name, bool) for name in names):
                raise ContentError(where, f"file {path}: {key} {wanted[key]!r}", f"{key}: root")
        if "link" in wanted:
            comparison.check({"matches": wanted["link"]}, where)
        if wanted.get("state") == "absent" and len(wanted) > 1:
            raise ContentError(where, f"file {path}: what is absent has no mode or owner", "state: absent alone")

    def tables(self, statement):
        """The one table it reads."""
        return (TABLE,)

    def paths(self, statement):
        """The paths and patterns it names."""
        return tuple(statement)

    def judge(self, statement, snapshot):
        """Return a Verdict a path that is there, or one for a path that is not."""
        return [verdict for path, wanted in statement.items() for verdict in self._path(path, wanted, snapshot)]

    def settings(self, statement):
        """One ``file`` setting a path. Where a link leads is not a question of rights."""
        return [{"kind": "file", "path": path, **wanted} for path, wanted in statement.items() if "link" not in wanted]

    def _path(self, path, wanted, snapshot):
        try:
            row = _row(snapshot, path)
            found = [path] if cell(row, "exists") else []
            if found and is_pattern(path):
                found = cell(row, "matches") or []
        except Gap as gap:
            return [Verdict(gap.status, {path: _words(wanted)}, reason=gap.why)]
        state = wanted.get("state", "present")
        if state == "absent":
            actual = {path: found or "absent"}
            evidence = [{"where": one, "what": "exists"} for one in found] or [
                {"where": path, "what": "does not exist"}
            ]
            return [Verdict("fail" if found else "pass", {path: "absent"}, actual, evidence)]
        verdicts = [self._one(one, wanted, snapshot) for one in found]
        verdicts = [verdict for verdict in verdicts if verdict is not None]
        if verdicts:
            return verdicts
        missing = f"{path}: nothing matches" if is_pattern(path) else f"{path} does not exist"
        if state == "if_present":
            return [Verdict("not_applicable", {path: _words(wanted)}, reason=missing)]
        return [Verdict("fail", {path: _words(wanted)}, {path: "absent"}, [{"where": path, "what": missing}], missing)]

    def _one(self, path, wanted, snapshot):
        """Return the Verdict of one path that is there, None for one of another type than wanted."""
        try:
            row = _row(snapshot, path)
            if wanted.get("type") and cell(row, "type") != wanted["type"]:
                return None
            wrong, shown = _compare(row, wanted)
        except Gap as gap:
            return Verdict(gap.status, {path: _words(wanted)}, reason=gap.why)
        what = " ".join(shown[key] for key in ("mode", "owner", "group"))
        target = row.get("link_target")
        evidence = [{"where": path, "what": f"{what} (link to {target})" if target else what}]
        status = "fail" if wrong else "pass"
        return Verdict(
            status, {path: _words(wanted)}, {path: {key: shown[key] for key in wanted if key in shown}}, evidence
        )


def _row(snapshot, path):
    row = snapshot.row(TABLE, path)
    if row is None:
        raise Gap("unreadable", f"{path} was not asked for")
    return row


def _compare(row, wanted):
    """Return ``(wrong keys, {mode, owner, group} as text)``; raise Gap for a cell that could not be read."""
    mode = cell(row, "mode")
    shown = {"mode": f"{mode:04o}"}
    wrong = []
    if "mode" in wanted and mode & ~int(wanted["mode"], 8):
        wrong.append("mode")
    for key, number in (("owner", "uid"), ("group", "gid")):
        ident, name = cell(row, number), cell(row, key)
        shown[key] = name if isinstance(name, str) else str(ident)
        if key in wanted and not any(_same(one, ident, name) for one in _names(wanted[key])):
            wrong.append(key)
    if "link" in wanted:
        shown["link"] = cell(row, "link_target")
        if not comparison.holds({"matches": wanted["link"]}, shown["link"]):
            wrong.append("link")
    return wrong, shown


def _same(expected, ident, name):
    # Names are the host's own: that of number 0 is root whatever its /etc/passwd says.
    if expected in ("root", 0, "0"):
        return ident == 0
    return str(ident) == str(expected) or name == expected


def _words(wanted):
    """What is expected, for people."""
    parts = []
    if "mode" in wanted:
        parts.append(f"mode {int(wanted['mode'], 8):04o} or stricter")
    parts += [
        f"{key} {' or '.join(str(name) for name in _names(wanted[key]))}" for key in ("owner", "group") if key in wanted
    ]
    if "link" in wanted:
        parts.append(f"a link to {wanted['link']}")
    return ", ".join(parts) or wanted.get("state", "present")

"""``home``: home directories of people and of root, and what lies in them."""

from __future__ import annotations

import re

from ...content.errors import ContentError
from ...content.lines import near
from ...snapshots.view import Gap, cell
from .. import comparison
from .base import Resource, Verdict

TABLE = "homes"
DEEP = "home_files"
WHO = ("people", "root", "all")
MODES = ("mode", "dot_mode")
SWITCHES = (
    "defined", "exists", "owner", "group", "dot_owner", "dot_group", "own_paths", "tight_programs", "tight_files",
    "own_groups",
)  # fmt: skip
KEYS = ("who", "dot_names", "umask", *MODES, *SWITCHES)
SETTABLE = ("owner", "group", "mode", "dot_owner", "dot_group", "dot_mode", "umask")


class Home(Resource):
    """See ``summary``."""

    name = "home"
    summary = (
        '`home: {who: people, mode: "0750", owner: true, group: true}`: of each account of a person (a log-in shell, '
        "an id in the range of login.defs; `who: root` or `all`) the home is `defined`, `exists`, has no bits beyond "
        "`mode`, belongs to it (`owner`) and to its primary group (`group`). Of its files that begin with a dot, or "
        "those whose name fits `dot_names`: `dot_mode`, `dot_owner`, `dot_group`. Of its start-up files: "
        '`umask: "077"` (none is weaker), `own_paths` (PATH names nothing outside the home), `tight_programs` (none '
        "they name is writable by all). Of everything in it (a deep table): `tight_files` (no bits beyond 0750), "
        "`own_groups`."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        self.expect_map(statement, where)
        for key, value in statement.items():
            if key not in KEYS:
                raise ContentError(where, f"home: unknown key {key}{near(key, KEYS)}", "one of " + ", ".join(KEYS))
            if key in SWITCHES and value is not True:
                raise ContentError(where, f"home: {key} is true or not there", f"{key}: true")
            if key in (*MODES, "umask") and comparison.octal(value) is None:
                raise ContentError(where, f"home: {key} {value!r}", f'{key}: "0750"')
        if statement.get("who", "people") not in WHO:
            raise ContentError(where, f"home: who {statement['who']!r}", "one of " + ", ".join(WHO))
        if not set(statement) - {"who", "dot_names"}:
            raise ContentError(where, "home expects nothing", 'mode: "0750"')
        comparison.check({"matches": statement.get("dot_names", "")}, where)

    def tables(self, statement):
        """The tables it reads."""
        names = [TABLE] if set(statement) - {"who", "tight_files", "own_groups"} else []
        return (*names, *([DEEP] if {"tight_files", "own_groups"} & set(statement) else []))

    def judge(self, statement, snapshot):
        """Return a Verdict a key."""
        return [_judge(key, statement, snapshot) for key in statement if key not in ("who", "dot_names")]

    def settings(self, statement):
        """One ``account`` setting for all that can be set of it."""
        kept = {key: value for key, value in statement.items() if key in (*SETTABLE, "dot_names")}
        if not set(kept) & set(SETTABLE):
            return []
        return [{"kind": "account", "do": "home", "who": statement.get("who", "people"), **kept}]


def _judge(key, statement, snapshot):
    table = DEEP if key in ("tight_files", "own_groups") else TABLE
    who, wanted = statement.get("who", "people"), {key: statement[key]}
    view = snapshot.table(table)
    offenders, seen, gap = [], 0, view.gap()
    for name, row in ({} if view.stale else view.rows).items():
        root = row.get("uid") == 0
        if table == TABLE and ((who == "people" and root) or (who == "root" and not root)):
            continue
        seen += 1
        try:
            offenders += [(row.get("home") or name, f"{name}: {what}") for what in _TESTS[key](row, statement)]
        except Gap as error:
            gap = gap or error
    if offenders:
        evidence = [{"where": where, "what": what} for where, what in offenders]
        return Verdict("fail", wanted, [what for _where, what in offenders], evidence)
    if gap:
        return Verdict(gap.status, wanted, reason=gap.why)
    shown = f"{seen} accounts were looked at" if seen else "there is no such account"
    return Verdict("pass", wanted, shown, [{"where": table, "what": shown}])


def _there(row):
    return bool(cell(row, "exists"))


def _defined(row, statement):
    home = cell(row, "home")
    return [] if home and home.startswith("/") and home != "/" else [f"its home is {home or 'not named'}"]


def _exists(row, statement):
    return [] if _there(row) else [f"{cell(row, 'home')} is not there"]


def _owner(row, statement):
    wrong = _there(row) and cell(row, "owner") != cell(row, "uid")
    return [f"its home belongs to the id {row['owner']}"] if wrong else []


def _group(row, statement):
    wrong = _there(row) and cell(row, "group") != cell(row, "gids")[0]
    return [f"its home belongs to the group {row['group']}"] if wrong else []


def beyond(mode, allowed):
    """True if ``mode`` has bits that ``allowed`` has not; both octal text."""
    return bool(int(mode, 8) & ~int(allowed, 8))


def _mode(row, statement):
    wrong = _there(row) and beyond(cell(row, "mode"), statement["mode"])
    return [f"its home has the mode {row['mode']}"] if wrong else []


def dot_entries(row, statement):
    """Return the dot files of a home that count: files, and those whose name fits where a pattern is given."""
    pattern = statement.get("dot_names")
    return [
        entry
        for entry in cell(row, "dot_files") or []
        if entry["type"] == "file" and (not pattern or re.search(pattern, entry["name"]))
    ]


def _dots(test):
    def found(row, statement):
        return [test(row, entry) for entry in dot_entries(row, statement) if test(row, entry)]

    return found


def _dot_mode(row, statement):
    return [
        f"{entry['name']} has the mode {entry['mode']}"
        for entry in dot_entries(row, statement)
        if beyond(entry["mode"], statement["dot_mode"])
    ]


def _foreign_owner(row, entry):
    return f"{entry['name']} belongs to the id {entry['uid']}" if entry["uid"] != row["uid"] else ""


def _foreign_group(row, entry):
    return f"{entry['name']} belongs to the group {entry['gid']}" if entry["gid"] != row["gids"][0] else ""


def _umask(row, statement):
    found = [
        entry
        for entry in cell(row, "umasks") or []
        if not comparison.holds({"mask": statement["umask"]}, entry["value"])
    ]
    return [f"umask {entry['value'] or 'that is not told by the text'} ({entry['where']})" for entry in found]


def _own_paths(row, statement):
    home = (cell(row, "home") or "").rstrip("/")
    inside = ("$HOME/", "${HOME}/", "~/", home + "/", "$HOME:", "${HOME}:")
    wrong = [
        entry
        for entry in cell(row, "paths") or []
        if not (entry["part"] + ":").startswith(inside) and entry["part"] != home
    ]
    return [f"PATH names {entry['part'] or 'an empty part'} ({entry['where']})" for entry in wrong]


def _programs(row, statement):
    return [
        f"{entry['path']} has the mode {entry['mode']} ({entry['where']})"
        for entry in cell(row, "loose_programs") or []
    ]


def _open(row, statement):
    return [f"{entry['path']} has the mode {entry['mode']}" for entry in cell(row, "open") or []]


def _foreign(row, statement):
    return [f"{entry['path']} belongs to the group {entry['gid']}" for entry in cell(row, "foreign") or []]


_TESTS = {
    "defined": _defined,
    "exists": _exists,
    "owner": _owner,
    "group": _group,
    "mode": _mode,
    "dot_mode": _dot_mode,
    "dot_owner": _dots(_foreign_owner),
    "dot_group": _dots(_foreign_group),
    "umask": _umask,
    "own_paths": _own_paths,
    "tight_programs": _programs,
    "tight_files": _open,
    "own_groups": _foreign,
}

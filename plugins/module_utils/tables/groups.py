"""Groups: every line of the local files and what a directory lists."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from ..accounts import MEMBER_CAP, numbered, parse_gshadow
from ..name_service import enumerate_directory, file_entries
from ..spec import Absent, Column, Result, Table, Unreadable

TABLE = Table(
    name="groups",
    description="Groups of the local files, line by line, and those that a directory in use lists. "
    "`partial` when a directory in use does not answer.",
    key="the name; `name#2`, `name#3` for further lines of the same name; `(malformed)` for lines that are none",
    columns=(
        Column("name", "text", "group name as written; null for a malformed line"),
        Column("kind", "text", "local, directory, dynamic (made by systemd), nis (a `+` or `-` line) or malformed"),
        Column("where", "list", "file:line of every line with this name; empty for a directory"),
        Column("gid", "int", "group id"),
        Column("members", "list", "members of group and gshadow, sorted, the first 200"),
        Column("member_count", "int", "how many members there are"),
        Column("primary_of", "list", "users whose primary group this is, sorted, the first 200"),
        Column("admins", "list", "who may change the members, from gshadow; root only; null without gshadow"),
        Column(
            "password",
            "text",
            "of the group line and of gshadow: set when one of them holds a hash, empty when "
            "anyone may join, else locked; root only",
        ),
        Column("same_gid", "list", "other names with the same gid, sorted"),
    ),
)


def _gshadow(host):
    """Return parsed gshadow, None without one, or the cell that says why it cannot be read."""
    try:
        return parse_gshadow(host.lines("/etc/gshadow"))
    except Absent:
        return None
    except Unreadable as error:
        return error


def _password(line_kind, shadowed):
    """Kind of the password that counts: gshadow's, unless the group line itself holds a hash."""
    if line_kind == "set":
        return "set"
    if shadowed is None:
        return "locked" if line_kind == "shadowed" else line_kind
    # An empty gshadow field lets nobody but members in, gshadow(5).
    return "set" if shadowed["password"] == "set" else "locked"


def _row(entry, facts):
    name, kind = entry["name"], entry["kind"]
    row = {column.name: None for column in TABLE.columns}
    row.update(
        name=name,
        kind=kind,
        where=facts["where"].get(name, []),
        gid=entry["gid"],
        members=[],
        member_count=0,
        primary_of=[],
        same_gid=[],
    )
    if kind in ("malformed", "nis"):
        if kind == "malformed":
            row["where"] = ["%s:%d" % (entry["path"], entry["line"])]
        return row
    members = set(entry["members"])
    gshadow = facts["gshadow"]
    if kind == "local":
        if isinstance(gshadow, Unreadable):
            row["admins"] = gshadow.cell()
            row["password"] = "set" if entry["password"] == "set" else gshadow.cell()
        else:
            shadowed = (gshadow or {}).get(name)
            row["password"] = _password(entry["password"], shadowed)
            if shadowed:
                row["admins"] = sorted(set(shadowed["admins"]))[:100]
                members |= set(shadowed["members"])
    row["members"] = sorted(members)[:MEMBER_CAP]
    row["member_count"] = len(members)
    row["primary_of"] = sorted(facts["primary_of"].get(entry["gid"], ()))[:MEMBER_CAP]
    row["same_gid"] = sorted(facts["by_gid"].get(entry["gid"], set()) - {name})[:100]
    return row


def collect(host, options):
    """Return one row a line of the local files and one a listed directory group."""
    entries = list(file_entries(host, "group"))
    listed, gap = enumerate_directory(host, "group")
    for entry in listed:
        kind = "dynamic" if 61184 <= (entry["gid"] or 0) <= 65519 else "directory"
        entries.append(dict(entry, kind=kind, path=None))
    facts = {"where": {}, "by_gid": {}, "primary_of": {}, "gshadow": _gshadow(host)}
    for entry in entries:
        if entry["name"] and entry["path"]:
            facts["where"].setdefault(entry["name"], []).append("%s:%d" % (entry["path"], entry["line"]))
        if entry["gid"] is not None:
            facts["by_gid"].setdefault(entry["gid"], set()).add(entry["name"])
    users, users_gap = enumerate_directory(host, "passwd")
    for user in list(file_entries(host, "passwd")) + users:
        if user["gid"] is not None:
            facts["primary_of"].setdefault(user["gid"], set()).add(user["name"])
    gap = gap or users_gap
    keyed = numbered(entries)
    if len(keyed) > TABLE.max_rows:
        gap = "only %d of %d groups" % (TABLE.max_rows, len(keyed))
        keyed = keyed[: TABLE.max_rows]
    rows = {key: _row(entry, facts) for key, entry in keyed}
    return Result(rows, "partial" if gap else "ok", gap)

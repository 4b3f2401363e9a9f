"""User accounts: every line of the local files and what a directory lists."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import stat

from ..accounts import numbered, parse_shells, parse_subids
from ..home_directories import lets_in, uid_range
from ..name_service import enumerate_directory, file_entries, may_hang
from ..spec import Absent, Column, Result, Table, Unreadable, unreadable

TABLE = Table(
    name="users",
    description="User accounts of the local files, line by line, and those that a directory in use lists. "
    "`partial` when a directory in use does not answer: its accounts are then unknown, not absent.",
    key="the name; `name#2`, `name#3` for further lines of the same name; `(malformed)` for lines that are none",
    columns=(
        Column("name", "text", "log-in name as written; null for a malformed line"),
        Column(
            "kind",
            "text",
            "local (a file), directory, dynamic (made by systemd while a service runs), "
            "nis (a `+` or `-` line of compat) or malformed",
        ),
        Column("where", "list", "file:line of every line with this name; empty for a directory"),
        Column("uid", "int", "user id; null where the line has none"),
        Column("gid", "int", "primary group id"),
        Column("primary_group", "text", "name of the primary group; null when no group has that id"),
        Column("groups", "list", "names of the groups that list the user as a member, sorted"),
        Column("full_name", "text", "first part of the comment field"),
        Column("home", "text", "home directory as written"),
        Column("home_exists", "bool", "the home directory is there and is a directory; null without one"),
        Column("home_uid", "int", "owner of the home directory; null when it is not there"),
        Column("home_gid", "int", "group of the home directory; null when it is not there"),
        Column("home_mode", "text", "its permission bits, four octal digits; null when it is not there"),
        Column(
            "dot_files",
            "list",
            "of accounts with a log-in shell: {name, uid, gid, mode, type} of the files in "
            "the home directory that decide who gets in or what runs at log-in; null for others",
        ),
        Column("shell", "text", "log-in shell as written; null means /bin/sh"),
        Column("shell_valid", "bool", "the shell is listed in /etc/shells; null without that file"),
        Column("login_shell", "bool", "the shell lets a person in: valid, and neither nologin nor false"),
        Column("password", "text", "second field of the line: shadowed, empty, locked, set (a hash that all can read)"),
        Column("regular", "bool", "uid lies between UID_MIN and UID_MAX of login.defs: a person's account"),
        Column("same_uid", "list", "other names with the same uid, sorted"),
        Column("subuid", "list", "subordinate user ids as start:count"),
        Column("subgid", "list", "subordinate group ids as start:count"),
    ),
)

DOT_FILES = (
    ".netrc",
    ".rhosts",
    ".shosts",
    ".forward",
    ".bash_history",
    ".bashrc",
    ".bash_profile",
    ".bash_login",
    ".bash_logout",
    ".profile",
    ".zshrc",
    ".zprofile",
    ".zshenv",
    ".login",
    ".cshrc",
    ".kshrc",
    ".config/fish/config.fish",
    ".ssh/authorized_keys",
    ".ssh/rc",
    ".ssh/environment",
)
"""Files that decide who gets in, or what runs, at log-in: ssh(1), sshd(8), bash(1), hosts.equiv(5)."""

KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}


def _optional(host, path):
    try:
        return host.lines(path)
    except Absent:
        return []


def _home(host, path):
    """Return the four home cells and True if the directory may be looked into."""
    cells = dict.fromkeys(("home_exists", "home_uid", "home_gid", "home_mode"))
    if not path or not path.startswith("/"):
        return cells, False
    where = may_hang(host, path)
    if where:
        gap = unreadable("partial", "%s is on %s, a network file system: not touched" % (path, where))
        return dict.fromkeys(cells, gap), False
    try:
        info = host.stat(path)
    except Absent:
        return dict(cells, home_exists=False), False
    except Unreadable as error:
        return dict.fromkeys(cells, error.cell()), False
    there = stat.S_ISDIR(info.st_mode)
    return {
        "home_exists": there,
        "home_uid": info.st_uid,
        "home_gid": info.st_gid,
        "home_mode": "%04o" % stat.S_IMODE(info.st_mode),
    }, there


def _dot_files(host, home):
    found = []
    for name in DOT_FILES:
        try:
            info = host.lstat(home.rstrip("/") + "/" + name)
        except Absent:
            continue
        except Unreadable as error:
            return error.cell()
        found.append(
            {
                "name": name,
                "uid": info.st_uid,
                "gid": info.st_gid,
                "mode": "%04o" % stat.S_IMODE(info.st_mode),
                "type": KINDS.get(stat.S_IFMT(info.st_mode), "other"),
            }
        )
    return found


def _row(host, entry, facts):
    name, uid, shell = entry["name"], entry["uid"], entry["shell"]
    kind = entry["kind"]
    row = {column.name: None for column in TABLE.columns}
    row.update(
        name=name,
        kind=kind,
        where=facts["where"].get(name, []),
        uid=uid,
        gid=entry["gid"],
        full_name=entry["full_name"],
        home=entry["home"],
        shell=shell,
        password=entry["password"],
        groups=[],
        same_uid=[],
        subuid=[],
        subgid=[],
    )
    if kind in ("malformed", "nis"):
        if kind == "malformed":
            row["where"] = ["%s:%d" % (entry["path"], entry["line"])]
        return row
    shells = facts["shells"]
    row["shell_valid"] = None if shells is None else (shell or "/bin/sh") in shells
    row["login_shell"] = lets_in(shell, shells)
    row["regular"] = facts["range"][0] <= uid <= facts["range"][1]
    row["primary_group"] = facts["group_names"].get(entry["gid"]) or facts["no_group"]
    row["groups"] = sorted(facts["memberships"].get(name, ()))[:100]
    row["same_uid"] = sorted(facts["by_uid"].get(uid, set()) - {name})[:100]
    for column in ("subuid", "subgid"):
        row[column] = (facts[column].get(name, []) + facts[column].get(str(uid), []))[:20]
    cells, there = _home(host, entry["home"])
    row.update(cells)
    if there and row["login_shell"]:
        row["dot_files"] = _dot_files(host, entry["home"])
    return row


def _facts(host, entries):
    where, by_uid = {}, {}
    for entry in entries:
        if entry["name"] and entry.get("path"):
            where.setdefault(entry["name"], []).append("%s:%d" % (entry["path"], entry["line"]))
        if entry["uid"] is not None:
            by_uid.setdefault(entry["uid"], set()).add(entry["name"])
    groups = file_entries(host, "group")
    listed, gap = enumerate_directory(host, "group")
    group_names, memberships = {}, {}
    for group in groups + listed:
        if group["gid"] is not None:
            group_names.setdefault(group["gid"], group["name"])
        for member in group["members"]:
            memberships.setdefault(member, set()).add(group["name"])
    try:
        shells = parse_shells(host.lines("/etc/shells"))
    except Absent:
        shells = None
    return {
        "where": where,
        "by_uid": by_uid,
        "group_names": group_names,
        "memberships": memberships,
        "shells": shells,
        # A group that no file knows may be one of a directory that is down.
        "no_group": unreadable("partial", gap) if gap else None,
        "range": uid_range(_optional(host, "/etc/login.defs")),
        "subuid": parse_subids(_optional(host, "/etc/subuid")),
        "subgid": parse_subids(_optional(host, "/etc/subgid")),
    }


def collect(host, options):
    """Return one row a line of the local files and one a listed directory account."""
    entries = list(file_entries(host, "passwd"))
    listed, gap = enumerate_directory(host, "passwd")
    for entry in listed:
        kind = "dynamic" if 61184 <= (entry["uid"] or 0) <= 65519 else "directory"
        entries.append(dict(entry, kind=kind, path=None))
    facts = _facts(host, entries)
    keyed = numbered(entries)
    if len(keyed) > TABLE.max_rows:
        gap = "only %d of %d accounts" % (TABLE.max_rows, len(keyed))
        keyed = keyed[: TABLE.max_rows]
    rows = {key: _row(host, entry, facts) for key, entry in keyed}
    return Result(rows, "partial" if gap else "ok", gap)

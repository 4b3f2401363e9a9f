"""Home directories of people: every dot file, and what their start-up files set."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os
import stat

from ..home_directories import INIT_FILES, init_facts, people
from ..name_service import may_hang
from ..spec import Absent, Column, Result, Table, Unreadable, unreadable
from ..text import text

TABLE = Table(
    name="homes",
    description="Home directories of root and of people (accounts with a log-in shell and an id between UID_MIN and "
    "UID_MAX). Nothing in them is followed, run or opened but their start-up files. A home on a network file system "
    "is not touched. `partial` when a directory in use does not list its accounts.",
    key="the account's name",
    columns=(
        Column("uid", "int", "user id"),
        Column("gids", "list", "ids of its groups, the primary one first"),
        Column("kind", "text", "local or directory"),
        Column("home", "text", "home directory as written; null without one"),
        Column("exists", "bool", "it is there and is a directory"),
        Column("owner", "int", "owner of the directory"),
        Column("group", "int", "group of the directory"),
        Column("mode", "text", "its permission bits, four octal digits"),
        Column("dot_files", "list", "{name, uid, gid, mode, type} of what begins with a dot, but for directories; 300"),
        Column("umasks", "list", "{value, where} of umask in start-up files; value null where it cannot be told"),
        Column(
            "paths", "list", "{part, where} of what start-up files add to PATH, without what was in it; at most 100"
        ),
        Column("loose_programs", "list", "{path, where, mode} of files named there that everybody may write"),
    ),
    max_rows=5000,
)

MAX_DOT_FILES = 300
MAX_READ = 500
"""Homes whose start-up files are read; of the others the cells say so."""
KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link", stat.S_IFIFO: "fifo"}
_LOOKED_INTO = ("dot_files", "umasks", "paths", "loose_programs")


def dot_files(host, home):
    """Return the entries of a home that begin with a dot, directories left out; raise Absent or Unreadable."""
    found = []
    names = [name for name in host.listdir(home) if name.startswith(".")]
    if len(names) > MAX_DOT_FILES:
        raise Unreadable("partial", "%s: more than %d names with a dot" % (home, MAX_DOT_FILES))
    for name in names:
        try:
            info = host.lstat(home + "/" + name)
        except Absent:  # gone meanwhile
            continue
        if stat.S_ISDIR(info.st_mode):
            continue
        found.append(
            {
                "name": text(os.fsencode(name))[:255],
                "uid": info.st_uid,
                "gid": info.st_gid,
                "mode": "%04o" % stat.S_IMODE(info.st_mode),
                "type": KINDS.get(stat.S_IFMT(info.st_mode), "other"),
            }
        )
    return found


def _row(host, person, number):
    row = dict.fromkeys(column.name for column in TABLE.columns)
    row.update(uid=person["uid"], gids=person["gids"], kind=person["kind"], home=person["home"])
    home = (person["home"] or "").rstrip("/")
    if not home.startswith("/"):
        row["exists"] = False
        return row
    where = may_hang(host, home)
    try:
        if where:
            raise Unreadable("partial", "%s is on %s, a network file system: not touched" % (home, where))
        info = host.stat(home)
    except Absent:
        row["exists"] = False
        return row
    except Unreadable as error:
        row.update(dict.fromkeys(("exists", "owner", "group", "mode") + _LOOKED_INTO, error.cell()))
        return row
    row.update(owner=info.st_uid, group=info.st_gid, mode="%04o" % stat.S_IMODE(info.st_mode))
    row["exists"] = stat.S_ISDIR(info.st_mode)
    if not row["exists"]:
        return row
    if number >= MAX_READ:
        gap = unreadable("partial", "only the first %d homes are looked into" % MAX_READ)
        row.update(dict.fromkeys(_LOOKED_INTO, gap))
        return row
    try:
        row["dot_files"] = dot_files(host, home)
        present = [entry["name"] for entry in row["dot_files"] if entry["name"] in INIT_FILES]
    except (Absent, Unreadable) as error:
        cell = error.cell() if isinstance(error, Unreadable) else unreadable("partial", "%s: changed" % home)
        row.update(dict.fromkeys(_LOOKED_INTO, cell))
        return row
    try:
        row.update(init_facts(host, home, present))
    except Unreadable as error:
        row.update(dict.fromkeys(_LOOKED_INTO[1:], error.cell()))
    return row


def collect(host, options):
    """Return one row an account of a person, and root's."""
    found, gap = people(host)
    rows = {person["name"]: _row(host, person, number) for number, person in enumerate(found[: TABLE.max_rows])}
    if len(found) > TABLE.max_rows:
        gap = "only %d of %d homes" % (TABLE.max_rows, len(found))
    return Result(rows, "partial" if gap else "ok", gap)

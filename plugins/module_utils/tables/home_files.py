"""What lies in the homes of people and is open to others."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os
import stat

from ..home_directories import people
from ..name_service import may_hang
from ..spec import Absent, Column, Result, Table, Unreadable
from ..text import text

TABLE = Table(
    name="home_files",
    description="Files and directories below the homes of people that others than owner and group may use, that the "
    "group may write, or that belong to a group their person is not in. Links are not followed, other file systems not "
    "entered.",
    key="the account's name",
    columns=(
        Column("home", "text", "home directory"),
        Column("entries", "int", "how many files and directories were looked at", True),
        Column("open", "list", "{path, mode} with bits beyond 0750; the first 50 by path"),
        Column("open_count", "int", "how many there are"),
        Column("foreign", "list", "{path, gid} of those whose group is none of the person's; the first 50"),
        Column("foreign_count", "int", "how many there are"),
    ),
    cadence="deep",
    max_age_hours=168,
    max_rows=5000,
)

MAX_ENTRIES = 20000
"""Entries looked at in one home; beyond that its cells say partial."""
MAX_TOTAL = 300000
MAX_DEPTH = 20
LISTED = 50


def walk(host, home, device, limit):
    """Yield (path, lstat) of what lies below ``home`` on the same device; raise Unreadable at the limit."""
    todo, seen = [(home, 0)], 0
    while todo:
        directory, depth = todo.pop()
        try:
            names = host.listdir(directory)
        except Absent:
            continue
        for name in names:
            path = directory + "/" + name
            try:
                info = host.lstat(path)
            except Absent:
                continue
            seen += 1
            if seen > limit:
                raise Unreadable("partial", "%s: more than %d files" % (home, limit))
            if stat.S_ISLNK(info.st_mode):
                continue
            yield path, info
            if stat.S_ISDIR(info.st_mode) and info.st_dev == device:
                if depth >= MAX_DEPTH:
                    raise Unreadable("partial", "%s: deeper than %d directories" % (home, MAX_DEPTH))
                todo.append((path, depth + 1))


def _row(host, person, limit):
    home = (person["home"] or "").rstrip("/")
    row = dict.fromkeys(column.name for column in TABLE.columns)
    row["home"] = person["home"]
    if not home.startswith("/"):
        return row, 0
    opened, foreign, count = [], [], 0
    try:
        where = may_hang(host, home)
        if where:
            raise Unreadable("partial", "%s is on %s, a network file system: not touched" % (home, where))
        device = host.stat(home).st_dev
        for path, info in walk(host, home, device, limit):
            count += 1
            mode = stat.S_IMODE(info.st_mode)
            shown = text(os.fsencode(path))[:500]
            if mode & ~0o750:
                opened.append({"path": shown, "mode": "%04o" % mode})
            if info.st_gid not in person["gids"]:
                foreign.append({"path": shown, "gid": info.st_gid})
    except Absent:
        return row, 0
    except Unreadable as error:
        row.update(dict.fromkeys(("open", "open_count", "foreign", "foreign_count"), error.cell()), entries=count)
        return row, count
    for name, found in (("open", opened), ("foreign", foreign)):
        row[name] = sorted(found, key=lambda entry: entry["path"])[:LISTED]
        row[name + "_count"] = len(found)
    row["entries"] = count
    return row, count


def collect(host, options):
    """Return one row a person with a home."""
    found, gap = people(host)
    rows, total = {}, 0
    for person in found:
        if person["uid"] == 0:
            continue
        if total >= MAX_TOTAL:
            gap = "more than %d files: not all homes were looked into" % MAX_TOTAL
            break
        rows[person["name"]], count = _row(host, person, min(MAX_ENTRIES, MAX_TOTAL - total))
        total += count
    return Result(rows, "partial" if gap else "ok", gap)

"""Type, mode and owner of the files that controls name."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import fnmatch
import os
import stat

from ..name_service import file_entries, may_hang, user_names
from ..spec import Absent, Column, Table, Unreadable, unreadable
from ..text import rfc3339, text

MAX_PATTERNS = 2000
MAX_MATCHES = 1000
"""Paths that one pattern may match; beyond that its ``matches`` cell is unreadable, never a short list."""
MAX_KEY = 4000
"""Characters of a path that still make a key."""
MAX_DEPTH = 12
"""Directories below the one that a ``/**`` names."""

TABLE = Table(
    name="file_attributes",
    description="Attributes of the paths and patterns asked for (option `paths`). Wildcards do not cross `/`; a "
    "pattern that ends in `/**` means everything below. Links are followed where that is safe. Every path and pattern "
    "asked for has a row, also when nothing is there: a missing row was not asked for. What cannot be read has "
    "unreadable cells in its own row and does not spoil the table.",
    key="the path, or the pattern as it was asked for",
    columns=(
        Column("exists", "bool", "the path is there; of a pattern: something matches"),
        Column(
            "type",
            "text",
            "file, directory, fifo, socket, block, char; link for one that leads nowhere; pattern; null when absent",
        ),
        Column("mode", "int", "permission bits with setuid, setgid and sticky (0 to 0o7777)"),
        Column("mode_text", "text", "mode as four octal digits, for example 0644"),
        Column("uid", "int", "owner"),
        Column("gid", "int", "group"),
        Column("owner", "text", "name of the owner in the local files; null when it has none there"),
        Column("group", "text", "name of the group in the local files; null when it has none there"),
        Column("size", "int", "bytes", True),
        Column("mtime", "time", "last modification of the content", True),
        Column("is_link", "bool", "the path itself is a symbolic link; the other columns tell what it leads to"),
        Column("link_target", "text", "text of the link; null when it is none"),
        Column("matches", "list", "of a pattern: sorted paths that match, each with its own row; null otherwise"),
    ),
)

_TYPES = (
    (stat.S_ISREG, "file"),
    (stat.S_ISDIR, "directory"),
    (stat.S_ISLNK, "link"),
    (stat.S_ISFIFO, "fifo"),
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISBLK, "block"),
    (stat.S_ISCHR, "char"),
)
_NOTHING = dict.fromkeys(column.name for column in TABLE.columns)
_FROM_STAT = ("type", "mode", "mode_text", "uid", "gid", "owner", "group", "size", "mtime")


def type_name(mode):
    """The word of column ``type`` for the mode of a stat result."""
    return next((name for test, name in _TYPES if test(mode)), None)


def described(info, users, groups):
    """The columns that a stat result gives; ``users`` and ``groups`` map ids to names."""
    mode = stat.S_IMODE(info.st_mode)
    return {
        "type": type_name(info.st_mode),
        "mode": mode,
        "mode_text": "%04o" % mode,
        "uid": info.st_uid,
        "gid": info.st_gid,
        "owner": users.get(info.st_uid),
        "group": groups.get(info.st_gid),
        "size": info.st_size,
        "mtime": rfc3339(info.st_mtime),
    }


def group_names(host):
    """Map gid to name from the local files, the first line of a gid wins; {} when they cannot be read."""

    def read():
        names = {}
        try:
            for entry in file_entries(host, "group"):
                if entry["gid"] is not None:
                    names.setdefault(entry["gid"], entry["name"])
        except (Absent, Unreadable):
            pass
        return names

    return host.cached("group names", read)


def is_pattern(path):
    """True if the path asked for has wildcards."""
    return any(character in path for character in "*?[")


def _row(host, path, users, groups):
    hanging = may_hang(host, text(os.fsencode(path)))
    if hanging:
        cell = unreadable("partial", "on a file system that may hang (%s): not looked at" % hanging)
        return dict(_NOTHING, exists=cell, **dict.fromkeys(_FROM_STAT + ("is_link",), cell))
    try:
        info = host.lstat(path)
    except Absent:
        return dict(_NOTHING, exists=False)
    except Unreadable as error:
        return dict(_NOTHING, exists=error.cell(), **dict.fromkeys(_FROM_STAT + ("is_link",), error.cell()))
    row = dict(_NOTHING, exists=True, is_link=stat.S_ISLNK(info.st_mode))
    if row["is_link"]:
        try:
            row["link_target"] = host.readlink(path)
            info = host.stat(path)
        except Absent:
            pass  # it leads nowhere: the row tells of the link itself
        except Unreadable as error:
            row.update(dict.fromkeys(_FROM_STAT, error.cell()))
            return row
    row.update(described(info, users, groups))
    return row


def expand(host, pattern):
    """Return the sorted paths that match. Raise Unreadable when a directory on the way cannot be read or there are
    more than MAX_MATCHES.
    """
    parts = [part for part in pattern.split("/") if part]
    below = bool(parts) and parts[-1] == "**"
    found = [""]
    for part in parts[:-1] if below else parts:
        if not is_pattern(part):
            found = [base + "/" + part for base in found]
            continue
        following = []
        for base in found:
            following.extend(
                base + "/" + name
                for name in _names(host, base or "/")
                if fnmatch.fnmatchcase(name, part) and (part.startswith(".") or not name.startswith("."))
            )
        found = following
        _bound(found, pattern)
    if below:
        return sorted(_below(host, found, pattern))
    return sorted(path for path in found if _there(host, path))


def _bound(found, pattern):
    if len(found) > MAX_MATCHES:
        raise Unreadable("partial", "%s: more than %d paths match" % (pattern, MAX_MATCHES))


def _names(host, path):
    hanging = may_hang(host, text(os.fsencode(path)))
    if hanging:
        raise Unreadable("partial", "on a file system that may hang (%s): not looked at" % hanging)
    try:
        return host.listdir(path)
    except Absent:
        return []


def _there(host, path):
    try:
        host.lstat(path)
    except Absent:
        return False
    return True


def _below(host, tops, pattern):
    """Everything below the directories ``tops``, no link followed."""
    found = []
    todo = [(top, 0) for top in tops]
    while todo:
        directory, depth = todo.pop()
        for name in _names(host, directory or "/"):
            path = directory + "/" + name
            try:
                mode = host.lstat(path).st_mode
            except Absent:
                continue
            found.append(path)
            if stat.S_ISDIR(mode):
                if depth >= MAX_DEPTH:
                    raise Unreadable("partial", "%s: deeper than %d directories" % (pattern, MAX_DEPTH))
                todo.append((path, depth + 1))
        _bound(found, pattern)
    return found


def collect(host, options):
    """Return one row for each path and pattern in ``options["paths"]`` and one for each path that matched."""
    asked = list(dict.fromkeys(options.get("paths") or ()))
    if len(asked) > MAX_PATTERNS:
        raise Unreadable("partial", "more than %d paths asked for" % MAX_PATTERNS)
    users, groups = user_names(host), group_names(host)
    rows = {}
    for path in asked:
        if not path.startswith("/"):
            cell = unreadable("invalid", "not an absolute path")
            rows[path] = dict(_NOTHING, exists=cell, **dict.fromkeys(_FROM_STAT, cell))
            continue
        if not is_pattern(path):
            rows[path] = _row(host, path, users, groups)
            continue
        try:
            matches = expand(host, path)
        except Unreadable as error:
            rows[path] = dict(_NOTHING, exists=error.cell(), type="pattern", matches=error.cell())
            continue
        keys = []
        for match in matches:
            key = text(os.fsencode(match))
            if len(key) > MAX_KEY:
                continue
            keys.append(key)
            if key not in rows:
                rows[key] = _row(host, match, users, groups)
        row = dict(_NOTHING, exists=bool(matches), type="pattern", matches=keys)
        if len(keys) < len(matches):
            row["matches"] = unreadable("partial", "paths of more than %d characters match" % MAX_KEY)
        rows[path] = row
    if len(rows) > TABLE.max_rows:
        raise Unreadable("partial", "more than %d paths match" % TABLE.max_rows)
    return rows

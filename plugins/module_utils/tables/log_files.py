"""What lies below /var/log, and who may read and change it."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os
import stat

from ..name_service import may_hang, user_names
from ..spec import Absent, Column, Result, Table, Unreadable
from ..text import text
from .file_attributes import described, group_names

TOP = "/var/log"
MAX_FILES = 10000
MAX_DEPTH = 12

TABLE = Table(
    name="log_files",
    description="Files and directories of /var/log and below, no link followed. `partial` when a directory could not "
    "be read, lies on a file system that may hang, or there are more than %d files." % MAX_FILES,
    key="the path",
    columns=(
        Column("type", "text", "file, directory, fifo, socket, block, char, link"),
        Column("mode", "int", "permission bits with setuid, setgid and sticky (0 to 0o7777)"),
        Column("mode_text", "text", "mode as four octal digits, for example 0640"),
        Column("uid", "int", "owner"),
        Column("gid", "int", "group"),
        Column("owner", "text", "name of the owner in the local files; null when it has none there"),
        Column("group", "text", "name of the group in the local files; null when it has none there"),
        Column("space", "int", "of a directory that is a mount point: bytes that its file system holds; else null"),
    ),
    max_rows=MAX_FILES + 1000,
)

_KEPT = ("type", "mode", "mode_text", "uid", "gid", "owner", "group")


def _row(info, users, groups, space=None):
    row = described(info, users, groups)
    return dict({name: row[name] for name in _KEPT}, space=space)


def _space(host, path, info, above):
    """Bytes of the file system that is mounted there, None where none is or it cannot be told."""
    if not host.live or info.st_dev == above.st_dev:
        return None
    try:
        found = os.statvfs(path)
    except OSError:
        return None
    return found.f_blocks * found.f_frsize


def collect(host, options):
    """Return a row for each path."""
    users, groups = user_names(host), group_names(host)
    try:
        top, parent = host.lstat(TOP), host.lstat("/var")
    except Absent:
        return {}
    rows, gaps = {TOP: _row(top, users, groups, _space(host, TOP, top, parent))}, []
    todo = [(TOP, top, 0)]
    while todo:
        directory, above, depth = todo.pop()
        hanging = may_hang(host, text(os.fsencode(directory)))
        if hanging:
            gaps.append("%s: on a file system that may hang (%s)" % (text(os.fsencode(directory)), hanging))
            continue
        try:
            names = host.listdir(directory)
        except Absent:
            continue
        except Unreadable as error:
            gaps.append(error.why)
            continue
        for name in names:
            path = directory + "/" + name
            try:
                info = host.lstat(path)
            except Absent:
                continue
            except Unreadable as error:
                gaps.append(error.why)
                continue
            if len(rows) > MAX_FILES:
                return Result(rows, "partial", "%s: more than %d files" % (TOP, MAX_FILES))
            below = stat.S_ISDIR(info.st_mode)
            space = _space(host, path, info, above) if below else None
            rows[text(os.fsencode(path))] = _row(info, users, groups, space)
            if below and depth < MAX_DEPTH:
                todo.append((path, info, depth + 1))
            elif below:
                gaps.append("%s: deeper than %d directories" % (TOP, MAX_DEPTH))
    return Result(rows, "partial", "; ".join(gaps[:5])) if gaps else rows

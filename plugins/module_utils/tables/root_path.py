"""Where root looks for programs: the parts of PATH in every file that sets it for root's log-ins."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import re
import stat

from ..shell_settings import parse, path_parts
from ..spec import Absent, Column, Result, Table, Unreadable
from . import login_defs as login_definitions
from .shell_profiles import LIMIT, SCOPES

TABLE = Table(
    name="root_path",
    description="Directories in which root's shells look for programs, from login.defs (ENV_SUPATH), /etc/environment "
    "and the start-up files of /etc and /root. Read as text: root's shell is not run.",
    key="the part as written; `(empty)` for an empty one, which means the directory one is in",
    columns=(
        Column("where", "list", "file:line of each place that names it"),
        Column(
            "form", "text", "absolute, home (below root's home), empty, relative, or variable: not told by the text"
        ),
        Column("path", "text", "absolute path; null for other forms"),
        Column("exists", "bool", "something is there; null when the path is not known"),
        Column("type", "text", "directory, file or other, links followed"),
        Column("uid", "int", "owner"),
        Column("gid", "int", "group"),
        Column("mode", "text", "permission bits, four octal digits"),
        Column("writable", "bool", "group or others may write it"),
        Column("optional", "bool", "only lines under a condition name it"),
    ),
    max_rows=500,
)

_ENVIRONMENT = re.compile(r"\s*(?:export\s+)?PATH\s*=\s*(.*)")
_HOME = ("~/", "$HOME/", "${HOME}/")


def form(part):
    """Return ``(form, absolute path or None)`` of one part."""
    if part == "":
        return "empty", None
    for prefix in _HOME:
        if part.startswith(prefix) and "$" not in part[len(prefix) :]:
            return "home", "/root/" + part[len(prefix) :]
    if part in ("~", "$HOME", "${HOME}"):
        return "home", "/root"
    if "$" in part or "`" in part:
        return "variable", None
    return ("absolute", part) if part.startswith("/") else ("relative", None)


def _sources(host):
    """Yield (value, where, conditional)."""
    row = login_definitions.collect(host, {}).get("ENV_SUPATH")
    if row:
        yield re.sub(r"^PATH=", "", row["value"]), row["where"], False
    try:
        for number, line in enumerate(host.lines("/etc/environment", LIMIT), 1):
            match = _ENVIRONMENT.fullmatch(line)
            if match:
                yield match.group(1).strip().strip("\"'"), "/etc/environment:%d" % number, False
    except Absent:
        pass
    for scope, patterns in SCOPES:
        if scope not in ("login", "bash", "root"):
            continue
        for pattern in patterns:
            for path in host.glob(pattern) if "*" in pattern else [pattern]:
                try:
                    lines = host.lines(path, LIMIT)
                except Absent:
                    continue
                for entry in parse(lines):
                    if entry["setting"] == "PATH":
                        yield entry["value"], "%s:%d" % (path, entry["line"]), entry["conditional"]


def _described(host, row):
    if row["path"] is None:
        return
    try:
        info = host.stat(row["path"])
    except Absent:
        row["exists"] = False
        return
    except Unreadable as error:
        row.update(dict.fromkeys(("exists", "type", "uid", "gid", "mode", "writable"), error.cell()))
        return
    mode = info.st_mode
    row.update(
        exists=True,
        type="directory" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else "other",
        uid=info.st_uid,
        gid=info.st_gid,
        mode="%04o" % stat.S_IMODE(mode),
        writable=bool(mode & (stat.S_IWGRP | stat.S_IWOTH)),
    )


def collect(host, options):
    """Return one row a part of PATH."""
    rows = {}
    for value, where, conditional in _sources(host):
        for part in path_parts(value):
            key = part[:500] or "(empty)"
            row = rows.get(key)
            if row is None:
                row = rows[key] = dict.fromkeys(column.name for column in TABLE.columns)
                row.update(where=[], optional=True)
                row["form"], row["path"] = form(part)
            if len(row["where"]) < 20:
                row["where"].append(where)
            row["optional"] = row["optional"] and conditional
    for row in rows.values():
        _described(host, row)
    return Result(dict(list(rows.items())[: TABLE.max_rows]))

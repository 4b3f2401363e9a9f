"""What the system's start-up files of shells set: umask, TMOUT, PATH, autologout."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from ..shell_settings import parse
from ..spec import Absent, Column, Table, Unreadable

TABLE = Table(
    name="shell_profiles",
    description="Settings of umask, TMOUT, PATH and autologout in the start-up files that shells of all users, and "
    "root's, read. Each file that is there has a row of its own too (`setting` is null).",
    key="`<file>` of a file; `<file>:<line> <setting>` of a setting",
    columns=(
        Column("path", "text", "the file"),
        Column(
            "scope",
            "text",
            "login (/etc/profile and profile.d: log-in shells), bash (/etc/bash.bashrc or /etc/bashrc: interactive "
            "bash), zsh, csh (csh.cshrc, csh.login, profile.d/*.csh) or root (root's own files)",
        ),
        Column("position", "int", "order in which the files of a scope are read, from 1"),
        Column("setting", "text", "umask, TMOUT, PATH or autologout (csh, minutes); null in the row of a file"),
        Column(
            "value",
            "text",
            "a mask as four octal digits, null when the text does not tell it; else as set; of a file: why unread",
        ),
        Column("written", "text", "as it stands in the file, at most 512 characters"),
        Column("where", "text", "file:line"),
        Column("conditional", "bool", "inside if, for, case or behind &&: set only at times"),
        Column("readonly", "bool", "of a variable: marked readonly without a condition in this file"),
        Column("exported", "bool", "of a variable: marked for export without a condition in this file"),
    ),
    max_rows=5000,
)

SCOPES = (
    ("login", ("/etc/profile", "/etc/profile.d/*.sh")),
    ("bash", ("/etc/bash.bashrc", "/etc/bashrc")),
    ("zsh", ("/etc/zsh/zshenv", "/etc/zsh/zprofile", "/etc/zsh/zshrc", "/etc/zshenv", "/etc/zprofile", "/etc/zshrc")),
    ("csh", ("/etc/csh.cshrc", "/etc/csh.login", "/etc/profile.d/*.csh")),
    ("root", ("/root/.bash_profile", "/root/.bash_login", "/root/.profile", "/root/.bashrc")),
)
MAX_FILES = 300
LIMIT = 256 * 1024


def rows_of(path, scope, position, lines):
    """Return the rows of one file."""
    blank = dict.fromkeys(column.name for column in TABLE.columns)
    common = dict(blank, path=path, scope=scope, position=position)
    rows = {path: dict(common, where=path)}
    for entry in parse(lines, csh=scope == "csh"):
        where = "%s:%d" % (path, entry.pop("line"))
        key = "%s %s" % (where, entry["setting"])
        while key in rows:
            key += "+"
        rows[key] = dict(common, where=where, **entry)
    return rows


def collect(host, options):
    """Return the rows of all files; one that could not be read has a row whose ``value`` says why."""
    rows = {}
    for scope, patterns in SCOPES:
        position = 0
        for pattern in patterns:
            for path in (host.glob(pattern) if "*" in pattern else [pattern])[:MAX_FILES]:
                try:
                    lines = host.lines(path, LIMIT)
                except Absent:
                    continue
                except Unreadable as error:
                    # Of this file alone nothing is known: what the others set stands.
                    row = dict.fromkeys(column.name for column in TABLE.columns)
                    rows[path] = dict(row, path=path, scope=scope, where=path, value=error.cell())
                    continue
                position += 1
                rows.update(rows_of(path, scope, position, lines))
    return rows

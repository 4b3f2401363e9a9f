"""Settings of the shadow tools: /etc/login.defs."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from ..spec import Absent, Column, Table

TABLE = Table(
    name="login_defs",
    description="Settings of login.defs(5) that the shadow tools and pam_umask read.",
    key="name of the setting, upper case as in the file",
    columns=(
        Column("value", "text", "value in force, quotes removed; empty when the name stands alone"),
        Column("where", "text", "file:line of the value in force"),
        Column("earlier", "list", "file:line of lines of the same name that a later one replaces"),
    ),
    max_rows=1000,
)

PATHS = ("/etc/login.defs", "/usr/etc/login.defs")
"""The first one there is read (the second is the vendor's on systems that keep /etc for the administrator)."""


def parse(lines, path):
    """Return rows by name. The last line of a name counts (getdef.c of shadow)."""
    rows = {}
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if not line or line[0] == "#":
            continue
        parts = line.split(None, 1)
        name = parts[0][:128]
        # getdef.c: the value begins after blanks and quotes and ends at its last character that is neither.
        value = (parts[1] if len(parts) > 1 else "").strip(' \t"')[:1024]
        where = "%s:%d" % (path, number)
        earlier = rows[name]["earlier"] + [rows[name]["where"]] if name in rows else []
        rows[name] = {"value": value, "where": where, "earlier": earlier[-20:]}
        if len(rows) >= TABLE.max_rows:
            break
    return rows


def collect(host, options):
    """Return a row for each setting; none when the system has no such file."""
    for path in PATHS:
        try:
            return parse(host.lines(path), path)
        except Absent:
            continue
    return {}

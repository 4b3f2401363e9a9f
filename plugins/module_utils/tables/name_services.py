"""Where accounts are looked up: the sources of nsswitch.conf and whether each one answers."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from ..name_service import FILE_SOURCES, LOCAL_SOURCES, directories, enumerate_directory, sources
from ..spec import Column, Table

TABLE = Table(
    name="name_services",
    description="Sources in which this system looks up users and groups, from nsswitch.conf.",
    key="`<database> <source>`, for example `passwd sss`; `nis` also stands for the `+` lines of compat",
    columns=(
        Column("position", "int", "order in which the source is asked, from 1"),
        Column("kind", "text", "files, system (this machine itself) or directory"),
        Column("in_use", "bool", "false for a directory that is named but has no settings"),
        Column("accounts", "int", "entries that the directories of this database list; null for other kinds", True),
        Column("gap", "text", "why its entries are not all known; null when they are"),
    ),
    max_rows=100,
)


def collect(host, options):
    """Return one row a database and source."""
    rows = {}
    for database in ("passwd", "group"):
        in_use = directories(host, database)
        listed = sources(host, database)
        entries, gap = enumerate_directory(host, database)
        for position, source in enumerate(listed + [name for name in in_use if name not in listed], 1):
            directory = source in in_use
            known = source in FILE_SOURCES or source in LOCAL_SOURCES
            rows["%s %s" % (database, source[:64])] = {
                "position": position,
                "kind": "files" if source in FILE_SOURCES else "system" if known else "directory",
                "in_use": known or directory,
                "accounts": len(entries) if directory else None,
                "gap": gap or None if directory else None,
            }
    return rows

"""dconf: what administrators set and lock for GNOME, and whether the databases are made of it."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os
import stat

from ..dconf_files import parse_keyfile, parse_locks, parse_profile, plain
from ..reading import names_in
from ..redact import redact_named
from ..spec import Absent, Column, Result, Table, Unreadable
from ..text import rfc3339, text

TABLE = Table(
    name="dconf",
    description="System databases of dconf below /etc/dconf/db, their settings and locks. The defaults of the greeter "
    "(greeter.dconf-defaults of gdm) count as the database `greeter`.",
    key="`<database>` of a database; `<database> <path>` of a setting or a lock",
    columns=(
        Column("kind", "text", "database or setting"),
        Column("database", "text", "name of the database"),
        Column("profiles", "list", "profiles that name the database: user, gdm, ..."),
        Column("path", "text", "of a setting: its path, as /org/gnome/desktop/session/idle-delay"),
        Column("value", "text", "of a setting: without type and quotes; null for a lock without a setting"),
        Column("where", "text", "file:line of the value that counts: the file that sorts last"),
        Column("locked", "bool", "of a setting: a lock of this database holds it"),
        Column("lock_where", "text", "file:line of the lock"),
        Column("compiled", "bool", "of a database: its binary file is there; null for the greeter's defaults"),
        Column("up_to_date", "bool", "of a database: the binary file is no older than the keyfiles and locks"),
        Column("newest", "time", "of a database: last change of its keyfiles, locks and their directories"),
    ),
    max_rows=5000,
)

ROOT = "/etc/dconf/db"
PROFILES = ("/usr/share/dconf/profile", "/etc/dconf/profile")
"""Read in this order: a profile in /etc replaces the packaged one of that name."""
GREETER = ("/etc/gdm3/greeter.dconf-defaults", "/usr/share/gdm/greeter-dconf-defaults")
LIMIT = 256 * 1024
MAX_FILES = 200


def profiles(host):
    """Return database -> names of the profiles that list it, sorted."""
    lists = {}
    for directory in PROFILES:
        for name in names_in(host, directory)[:MAX_FILES]:
            try:
                lists[text(os.fsencode(name))] = parse_profile(host.lines(directory + "/" + name, LIMIT))
            except Absent:
                continue
    found = {}
    for name, databases in lists.items():
        for database in databases:
            if database.startswith("file-db:"):
                database = "greeter" if "greeter" in database else database
            found.setdefault(database, set()).add(name)
    return {database: sorted(names) for database, names in found.items()}


def _files(host, directory):
    """Return the regular files in a directory, sorted, and the newest change of it and them (Unix time)."""
    try:
        newest = host.stat(directory).st_mtime
    except Absent:
        return [], None
    found = []
    for name in names_in(host, directory)[:MAX_FILES]:
        path = directory + "/" + name
        try:
            info = host.stat(path)
        except Absent:
            continue
        if stat.S_ISREG(info.st_mode):
            newest = max(newest, info.st_mtime)
            found.append(path)
    return found, newest


def _setting(database, path, named):
    row = dict.fromkeys(column.name for column in TABLE.columns)
    row.update(kind="setting", database=database, profiles=named, path=path, locked=False)
    return row


def _settings(host, database, files, locks, named, rows):
    for path in files:
        shown = text(os.fsencode(path))
        for key, value, number in parse_keyfile(host.lines(path, LIMIT)):
            row = rows.setdefault("%s %s" % (database, key[:300]), _setting(database, key[:300], named))
            row["value"] = redact_named(key.rsplit("/", 1)[-1], plain(value))[:4000]
            row["where"] = "%s:%d" % (shown, number)
    for path in locks:
        shown = text(os.fsencode(path))
        for key, number in parse_locks(host.lines(path, LIMIT)):
            row = rows.setdefault("%s %s" % (database, key[:300]), _setting(database, key[:300], named))
            row["locked"] = True
            row["lock_where"] = "%s:%d" % (shown, number)


def _database(host, name, named, rows):
    directory = "%s/%s.d" % (ROOT, name)
    row = dict.fromkeys(column.name for column in TABLE.columns)
    row.update(kind="database", database=name, profiles=named)
    rows[name] = row
    files, newest = _files(host, directory)
    locks, locked = _files(host, directory + "/locks")
    newest = max([moment for moment in (newest, locked) if moment is not None], default=None)
    row["newest"] = rfc3339(newest)
    try:
        made = host.stat("%s/%s" % (ROOT, name)).st_mtime
        row["compiled"] = True
        row["up_to_date"] = newest is None or made >= newest
    except Absent:
        row["compiled"] = False
        row["up_to_date"] = newest is None
    _settings(host, name, files, locks, named, rows)


def collect(host, options):
    """Return the rows of all databases; no rows where dconf has none."""
    named, rows, gaps = profiles(host), {}, []
    databases = {name[:-2] for name in names_in(host, ROOT) if name.endswith(".d")}
    for name in sorted(databases)[:50]:
        shown = text(os.fsencode(name))
        try:
            _database(host, shown, named.get(shown, []), rows)
        except (Absent, Unreadable) as error:
            gaps.append(getattr(error, "why", "%s: changed while it was read" % shown))
    for path in GREETER:
        try:
            _settings(host, "greeter", [path], [], sorted(set(named.get("greeter", [])) | {"gdm"}), rows)
        except Absent:
            continue
        except Unreadable as error:
            gaps.append(error.why)
        break
    if len(rows) > TABLE.max_rows:
        gaps.append("only %d of %d settings" % (TABLE.max_rows, len(rows)))
        rows = dict(list(rows.items())[: TABLE.max_rows])
    return Result(rows, "partial" if gaps else "ok", "; ".join(gaps[:5]))

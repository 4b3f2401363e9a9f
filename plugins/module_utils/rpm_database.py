"""The rpm database: asked through rpm, or its SQLite form read directly where rpm cannot be asked.

The query's fields are parted by TAB and its records by a newline; no such field may hold either.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os
import struct

from .host import Host
from .reading import there
from .spec import Absent, Unreadable
from .text import rfc3339, text

DIRECTORIES = ("/usr/lib/sysimage/rpm", "/var/lib/rpm")
FILES = ("rpmdb.sqlite", "Packages.db", "Packages")
FIELDS = ("NAME", "EPOCHNUM", "VERSION", "RELEASE", "ARCH", "SOURCERPM", "VENDOR", "INSTALLTIME")
QUERY = "\\t".join("%{" + name + "}" for name in FIELDS) + "\\t%|MODULARITYLABEL?{%{MODULARITYLABEL}}:{}|\\n"
OLD_QUERY = "\\t".join("%{" + name + "}" for name in FIELDS) + "\\t\\n"
"""rpm before 4.15 does not know the tag MODULARITYLABEL and refuses the whole query."""

# lib/rpmtag.h: numbers of the tags in a header.
TAGS = {
    1000: "NAME",
    1001: "VERSION",
    1002: "RELEASE",
    1003: "EPOCHNUM",
    1008: "INSTALLTIME",
    1011: "VENDOR",
    1022: "ARCH",
    1044: "SOURCERPM",
    5096: "MODULARITYLABEL",
}
_INT32, _STRINGS = 4, (6, 9)
HEADER_LIMIT = 64 << 20
MAX_ENTRIES = 65536


def evr(epoch, version, release):
    """Return ``[epoch:]version[-release]`` as rpm prints it; an epoch of 0 or (none) is left out."""
    result = version if not release or release == "(none)" else "%s-%s" % (version, release)
    return result if epoch in (None, "", "0", "(none)") else "%s:%s" % (epoch, result)


def source_of(file_name):
    """Return (name, version-release) of a SOURCERPM file name, (None, None) when it is none."""
    for ending in (".src.rpm", ".nosrc.rpm"):
        if file_name.endswith(ending):
            parts = file_name[: -len(ending)].rsplit("-", 2)
            return (parts[0], "%s-%s" % (parts[1], parts[2])) if len(parts) == 3 else (None, None)
    return None, None


def row_of(values):
    """Return the row of one package from {field of FIELDS or MODULARITYLABEL: text}; None without a name."""
    name = values.get("NAME")
    if not name or name == "(none)":
        return None
    known = {field: (None if value in ("(none)", "") else value) for field, value in values.items()}
    epoch = known.get("EPOCHNUM")
    version = evr(epoch, known.get("VERSION") or "", known.get("RELEASE"))
    source, source_version = source_of(known.get("SOURCERPM") or "")
    installed = known.get("INSTALLTIME") or ""
    return {
        "name": name,
        "version": version,
        "architecture": known.get("ARCH"),
        "manager": "rpm",
        "state": "installed",
        "selection": "install",
        "installed": True,
        "broken": False,
        "source": source,
        # rpm keeps no epoch of the source; a binary package nearly always shares it.
        "source_version": evr(epoch, source_version, None) if source_version else None,
        "origin": known.get("VENDOR"),
        "module": known.get("MODULARITYLABEL"),
        "installed_at": rfc3339(int(installed)) if installed.isdigit() else None,
    }


def parse_query(output):
    """Yield the rows of the output (bytes) of ``rpm -qa --queryformat QUERY``."""
    names = FIELDS + ("MODULARITYLABEL",)
    for line in output.split(b"\n"):
        parts = text(line).split("\t")
        if len(parts) == len(names):
            row = row_of({name: parts[index] for index, name in enumerate(names)})
            if row is not None:
                yield row


def parse_header(blob):
    """Return {field: text} of one header blob of the database (rpm's lib/header.c); ValueError when malformed."""
    if len(blob) < 8:
        raise ValueError("short header")
    entries, size = struct.unpack_from(">II", blob)
    start = 8 + 16 * entries
    if entries > MAX_ENTRIES or start + size > len(blob):
        raise ValueError("header longer than its blob")
    values = {}
    for tag, kind, offset, _count in struct.iter_unpack(">IIII", blob[8:start]):
        if tag not in TAGS:
            continue
        name = TAGS[tag]
        if offset >= size:
            raise ValueError("offset outside the header")
        place = start + offset
        if kind == _INT32:
            values[name] = "%d" % struct.unpack_from(">I", blob, place)
        elif kind in _STRINGS:
            end = blob.find(b"\0", place)
            values[name] = text(blob[place : end if end >= 0 else start + size])
    return values


def keyed(rows):
    """Return {``name:architecture``: row}. Of packages installed several times (kernels) the latest installed has
    the plain key, older ones ``name:architecture=version``.
    """
    result = {}
    for row in sorted(rows, key=lambda row: (row["installed_at"] or "", row["version"]), reverse=True):
        key = "%s:%s" % (row["name"], row["architecture"] or "none")
        if key in result:
            key = "%s=%s" % (key, row["version"])
        result[key] = row
    return result


def locate(host):
    """Return (directory, file) of the rpm database; raise Absent without one."""
    for directory in DIRECTORIES:
        for name in FILES:
            path = "%s/%s" % (directory, name)
            if there(host, path) and host.stat(path).st_size:
                return directory, name
    raise Absent(DIRECTORIES[-1])


def read_database(host):
    """Return the rows of all rpm packages; raise Absent without a database, Unreadable when it cannot be read."""
    return host.cached("rpm", lambda: _read_database(host))


def _read_database(host):
    directory, name = locate(host)
    path = "%s/%s" % (directory, name)
    failed = Unreadable("invalid", "%s: needs the program rpm to be read" % path)
    if name == "rpmdb.sqlite" and not _has_journal(host, path):
        # Several times cheaper than rpm -qa, which loads every header whole.
        try:
            return keyed(read_sqlite(host, path))
        except Unreadable as error:
            failed = error
    try:
        return _ask_rpm(host, directory)
    except Absent:
        raise failed from None


def _has_journal(host, path):
    try:
        return host.stat(path + "-wal").st_size > 0
    except Absent:
        return False


def _ask_rpm(host, directory):
    # Named, since some builds (Debian's) look into the home directory and would make a database there.
    arguments = ["--dbpath", directory, "-qa", "--queryformat"]
    if host.live:
        live = host
    else:
        # Like all of rpm's --root, this reads inside the given tree only (rpm enters it by chroot).
        live = Host("/")
        arguments = ["--root", host.root] + arguments
    for query in (QUERY, OLD_QUERY):
        done = live.run(["rpm"] + arguments + [query], timeout=30.0)
        if done.code == 0:
            return keyed(parse_query(done.out))
        if b"unknown tag" not in done.err:
            break
    if host.live:
        raise Unreadable("invalid", "rpm -qa ended with code %d" % done.code)
    raise Absent("rpm")


def read_sqlite(host, path):
    """Return the rows of a database in SQLite form, opened read-only by descriptor and without its journal."""
    import sqlite3  # only here: few hosts need it

    descriptor = host.tree.open(path)
    try:
        database = sqlite3.connect("file:/proc/self/fd/%d?mode=ro&immutable=1" % descriptor, uri=True)
        try:
            rows = []
            for (blob,) in database.execute("SELECT blob FROM Packages"):
                if not isinstance(blob, bytes) or len(blob) > HEADER_LIMIT:
                    raise ValueError("not a header")
                row = row_of(parse_header(blob))
                if row is not None:
                    rows.append(row)
            return rows
        finally:
            database.close()
    except (sqlite3.Error, ValueError, struct.error, MemoryError) as error:
        raise Unreadable("invalid", "%s: %s" % (path, type(error).__name__)) from None
    finally:
        os.close(descriptor)

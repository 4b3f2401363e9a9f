"""Installed software as the package managers know it."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from .. import dpkg, rpm_database
from ..spec import Absent, Column, Result, Table, Unreadable, Unsupported
from ..text import text

TABLE = Table(
    name="packages",
    description="Packages of dpkg, rpm and apk, read from their databases.",
    key=(
        "`name:architecture`; of rpm packages installed several times (kernels) the latest installed has that key, the"
        " others `name:architecture=version`; beside another manager, rpm's and apk's keys begin with `rpm/`, `apk/`"
    ),
    columns=(
        Column("name", "text", "name of the binary package"),
        Column("version", "text", "full version as the manager writes it, with epoch when it has one"),
        Column("architecture", "text", "architecture of the package (amd64, all, x86_64, noarch, ...)"),
        Column("manager", "text", "dpkg, rpm or apk"),
        Column(
            "state",
            "text",
            "installed; for dpkg also config-files (removed, configuration left), half-installed, unpacked,"
            " half-configured, triggers-awaited, triggers-pending",
        ),
        Column("selection", "text", "what is wanted: install, hold, deinstall, purge, unknown (dpkg); else install"),
        Column(
            "installed",
            "bool",
            "true when unpacked and configured (also while triggers wait); false for removed or half-done packages",
        ),
        Column("broken", "bool", "dpkg marks the package as needing reinstallation"),
        Column("source", "text", "name of the source package (its own name when it has none; apk: origin)"),
        Column("source_version", "text", "version of the source package; null when the manager does not keep it"),
        Column("origin", "text", "Origin field of dpkg (third parties set it), vendor of rpm; null when unknown"),
        Column("module", "text", "modularity label of rpm: name:stream:version:context"),
        Column("installed_at", "time", "when it was installed or upgraded (rpm only)"),
    ),
    max_rows=50000,
)


def parse_apk(data):
    """Yield the rows of /lib/apk/db/installed (bytes): one letter, a colon, a value a line (apk-tools database)."""
    for stanza in data.split(b"\n\n"):
        fields = {}
        for line in stanza.split(b"\n"):
            if line[1:2] == b":" and line[:1] not in b"FRZaM":
                fields.setdefault(line[:1], line[2:])
        if not fields.get(b"P"):
            continue
        name = text(fields[b"P"].strip())
        version = text(fields.get(b"V", b"").strip()) or None
        yield {
            "name": name,
            "version": version,
            "architecture": text(fields.get(b"A", b"").strip()) or None,
            "manager": "apk",
            "state": "installed",
            "selection": "install",
            "installed": True,
            "broken": b"f" in fields.get(b"f", b""),
            "source": text(fields[b"o"].strip()) if fields.get(b"o") else name,
            "source_version": version,
            "origin": None,
            "module": None,
            "installed_at": None,
        }


def _apk(host):
    for path in ("/lib/apk/db/installed", "/usr/lib/apk/db/installed"):
        try:
            data = host.read(path, dpkg.STATUS_LIMIT)
        except Absent:
            continue
        return {"%s:%s" % (row["name"], row["architecture"] or "none"): row for row in parse_apk(data)}
    raise Absent("/lib/apk/db/installed")


def collect(host, options):
    """Return the rows of every manager that has a database. Raise Unsupported when none has."""
    rows = {}
    missing = []
    found = []
    for manager, read in (("dpkg", dpkg.read_database), ("rpm", rpm_database.read_database), ("apk", _apk)):
        try:
            table = read(host)
        except Absent:
            continue
        except Unreadable as error:
            missing.append(error.why)
            continue
        prefix = "%s/" % manager if rows and table else ""
        found.append(manager)
        for key, row in table.items():
            rows[prefix + key] = row
    if missing:
        if not found:
            raise Unreadable("denied" if "permission" in missing[0] else "invalid", "; ".join(missing))
        return Result(rows, "partial", "; ".join(missing))
    if not found:
        raise Unsupported("no database of dpkg, rpm or apk is there")
    return Result(rows)

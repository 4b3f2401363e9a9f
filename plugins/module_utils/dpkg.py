"""The dpkg database read as dpkg reads it, without dpkg."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import re

from .reading import names_in
from .spec import Absent
from .text import text

STATUS_LIMIT = 64 << 20
DIRECTORY = "/var/lib/dpkg"

_FIELD = re.compile(rb"^(Package|Status|Version|Architecture|Source|Origin): *(.*)$", re.MULTILINE)
_SOURCE = re.compile(r"(\S+)(?:\s+\(([^)]*)\))?")
PRESENT_STATES = ("installed", "triggers-awaited", "triggers-pending")


def parse_stanza(stanza):
    """Return the row of one stanza (bytes) of a status file, or None when it names no package.

    A stanza without Status (distroless images) is an installed package.
    """
    fields = dict(_FIELD.findall(stanza))
    package = fields.get(b"Package")
    if not package:
        return None
    name = text(package.strip())
    version = text(fields[b"Version"].strip()) if fields.get(b"Version") else None
    status = text(fields.get(b"Status", b"install ok installed")).split()
    selection, flag, state = status if len(status) == 3 else ("unknown", "ok", "unknown")
    source, source_version = name, version
    if b"Source" in fields:
        match = _SOURCE.match(text(fields[b"Source"]))
        if match:
            source, source_version = match.group(1), match.group(2) or version
    return {
        "name": name,
        "version": version,
        "architecture": text(fields.get(b"Architecture", b"").strip()) or None,
        "manager": "dpkg",
        "state": state,
        "selection": selection,
        "installed": state in PRESENT_STATES,
        "broken": flag != "ok",
        "source": source,
        "source_version": source_version,
        "origin": text(fields[b"Origin"].strip()) if b"Origin" in fields else None,
        "module": None,
        "installed_at": None,
    }


def parse_status(data):
    """Yield the rows of a status file (bytes), in its order."""
    for stanza in data.split(b"\n\n"):
        row = parse_stanza(stanza)
        if row is not None:
            yield row


def read_database(host):
    """Return {``name:architecture``: row} of all packages dpkg knows; raise Absent without a database.

    Sources: ``status``, the journal ``updates/`` that dpkg has not merged yet (dpkg reads it on top), and
    ``status.d/`` of distroless images. Packages that are ``not-installed`` are left out, as ``dpkg -l`` does.
    """
    return host.cached("dpkg", lambda: _read_database(host))


def _read_database(host):
    found = False
    rows = {}
    parts = []
    try:
        parts.append(host.read(DIRECTORY + "/status", STATUS_LIMIT))
        found = True
        parts.extend(
            host.read("%s/updates/%s" % (DIRECTORY, name))
            for name in names_in(host, DIRECTORY + "/updates")
            if name.isdigit()
        )
    except Absent:
        if found:  # the journal was merged while it was read
            parts = [host.read(DIRECTORY + "/status", STATUS_LIMIT)]
    names = names_in(host, DIRECTORY + "/status.d")
    for name in names:
        if not name.endswith((".md5sums", ".preinst", ".postinst")):
            found = True
            parts.append(host.read("%s/status.d/%s" % (DIRECTORY, name)))
    if not found:
        raise Absent(DIRECTORY + "/status")
    for data in parts:
        for row in parse_status(data):
            key = "%s:%s" % (row["name"], row["architecture"] or "all")
            if row["state"] == "not-installed":
                rows.pop(key, None)
            else:
                rows[key] = row
    return rows

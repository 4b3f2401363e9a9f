"""Pending updates of whichever package manager the host has, read once for the tables that need them."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import re

from . import apt_lists, dpkg, rpm_database
from .spec import Absent, Unreadable, Unsupported

_ADVISORY = re.compile(r"(\S+)\s+\S*/?Sec\.\s+(\S+)\.(\w+)$")


def parse_updateinfo(lines):
    """Return {``name:architecture``: {installed, candidate, security, advisory}} of ``dnf updateinfo list --security``.

    A line is advisory, severity, name-version-release.arch; the version that is installed is not said.
    """
    found = {}
    for line in lines:
        match = _ADVISORY.match(line.strip())
        parts = match.group(2).rsplit("-", 2) if match else ()
        if len(parts) == 3:
            found["%s:%s" % (parts[0], match.group(3))] = {
                "installed": None,
                "candidate": "%s-%s" % (parts[1], parts[2]),
                "security": True,
                "advisory": match.group(1),
            }
    return found


def known_packages(host):
    """Rows of dpkg or rpm, {} when neither can be read (the table packages says why)."""
    for read in (dpkg.read_database, rpm_database.read_database):
        try:
            return read(host)
        except (Absent, Unreadable):
            continue
    return {}


def read_pending(host, everything=False):
    """Return {package key: {installed, candidate, security, advisory}}; raise Unreadable when it cannot be told.

    With apt the lists on disk answer, those of security archives only unless ``everything``. dnf is asked for the
    security updates in its cache, and only if ``everything``: that takes seconds.
    """
    return host.cached(("pending", everything), lambda: _read_pending(host, everything))


def _read_pending(host, everything):
    packages = known_packages(host)
    managers = {row["manager"] for row in packages.values()}
    if "dpkg" in managers:
        found = apt_lists.pending(host, packages, everything)
        return {
            key: {"installed": current, "candidate": candidate, "security": security, "advisory": None}
            for key, (current, candidate, security) in found.items()
        }
    if not managers:
        raise Unreadable("partial", "no package database that names updates could be read")
    if not everything:
        raise Unreadable("partial", "dnf is asked for updates only with the option pending")
    try:
        done = host.run(["dnf", "-C", "-q", "updateinfo", "list", "--security"], timeout=60.0)
    except (Absent, Unsupported) as error:
        raise Unreadable("invalid", "%s cannot be asked for updates" % error) from None
    if done.code != 0:
        raise Unreadable("invalid", "dnf updateinfo ended with code %d" % done.code)
    found = parse_updateinfo(done.lines())
    for key, update in found.items():
        update["installed"] = packages[key]["version"] if key in packages else None
    return found

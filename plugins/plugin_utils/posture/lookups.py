"""Questions about packages, units and mounts that several resource types and conditions ask."""

from __future__ import annotations

import fnmatch

from ..snapshots.view import cell
from .comparison import same
from .memo import memo

UNIT_TYPES = (".service", ".socket", ".timer", ".target", ".mount", ".automount", ".path", ".slice", ".scope", ".swap")
PULLED = ("static", "indirect", "generated", "linked")
"""States that alone start nothing; what is enabled or linked in /run is forgotten before the next boot."""
STARTED = ("active", "activating", "reloading", "deactivating")


def packages(snapshot):
    """Return package name -> list of rows of all that left files (every dpkg state but config-files); raise Gap."""

    def build():
        found = {}
        for key, row in snapshot.rows("packages").items():
            if cell(row, "state") != "config-files":
                found.setdefault(row.get("name") or key.split(":", 1)[0], []).append(row)
        return found

    return memo(snapshot, "packages by name", build)


def present(snapshot, pattern):
    """Return the sorted names of packages on the host, also half-installed ones, that match a name or a glob pattern.

    One that was removed and left its configuration (dpkg state ``rc``) is not present.
    """
    known = packages(snapshot)
    if not any(character in pattern for character in "*?["):
        return [pattern] if pattern in known else []
    return sorted(fnmatch.filter(known, pattern))


def installed(snapshot, pattern):
    """As ``present``, but only those that are wholly installed: unpacked and configured."""
    known = packages(snapshot)
    return [name for name in present(snapshot, pattern) if any(cell(row, "installed") for row in known[name])]


def unit_name(name):
    """Return the unit name with its suffix: ``cron`` means ``cron.service``."""
    return name if name.endswith(UNIT_TYPES) else name + ".service"


def unit(snapshot, name):
    """Return the row of a unit by its name or an alias of it, None when there is none; raise Gap."""
    name = unit_name(name)
    row = snapshot.row("units", name)
    for _step in range(4):  # an alias of an alias is rare, a circle must end
        if row is None or not cell(row, "alias_of"):
            break
        row = snapshot.row("units", cell(row, "alias_of")) or row
    if row is not None:
        return row

    def build():
        found = {}
        for row in snapshot.rows("units").values():
            for alias in row.get("aliases") or ():
                found.setdefault(alias, row)
        return found

    return memo(snapshot, "units by alias", build).get(name)


def active(snapshot, name):
    """True if the unit runs or is starting; raise Gap."""
    row = unit(snapshot, name)
    return row is not None and cell(row, "active") in STARTED


def starts(row):
    """True if the unit of that row is started at the next boot: it is enabled, or another unit pulls it in."""
    state = cell(row, "enabled")
    return state == "enabled" or (state in PULLED and bool(cell(row, "wanted_by")))


def enabled(snapshot, name):
    """True if the unit starts at boot; raise Gap."""
    row = unit(snapshot, name)
    return row is not None and starts(row)


def mounted(snapshot, path):
    """True if the path is a mount point now; raise Gap."""
    row = snapshot.row("mounts", path)
    return row is not None and bool(cell(row, "live"))


def ipv6(snapshot):
    """Return ``(True or False, the fact that tells)``: whether IPv6 is on; raise Gap."""
    row = snapshot.row("sysctl", "net.ipv6.conf.all.disable_ipv6")
    live = cell(row, "runtime") if row else None
    if live is None:
        return False, "the kernel has no IPv6"
    off = same(live, 1)
    return not off, f"IPv6 is {'off' if off else 'on'} (net.ipv6.conf.all.disable_ipv6 = {live})"

"""Persistent sysctl settings: which files are read at boot, in which order, and which setting wins.

Sources: sysctl.d(5), systemd-sysctl.service(8) and its source (explicit keys beat globs whatever the order),
sysctl(8) of procps, ufw-framework(8).
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import fnmatch

from .drop_ins import CONFIG_PREFIXES, UNIT_DIRS, fragments
from .spec import Absent, Unreadable

GLOB_CHARACTERS = "*?["
LEGACY = "/etc/sysctl.conf"
VOLATILE = "/run"
"""What lies there is in force now, and so among the running values, but empty when the system boots."""


def _swap(key):
    return key.translate({ord("."): "/", ord("/"): "."})


def path_of(key):
    """Return the path below /proc/sys of a key in either notation.

    The first separator decides: with ``/`` first, dots are literal; with ``.`` first, dots separate and
    slashes are literal dots (sysctl.d(5)).
    """
    for character in key:
        if character == "/":
            return key
        if character == ".":
            return _swap(key)
    return key


def canonical(key):
    """Return the dotted name of a key in either notation (a literal dot becomes ``/``)."""
    return _swap(path_of(key).strip("/"))


def is_glob(key):
    """True if a key holds a wildcard."""
    return any(character in key for character in GLOB_CHARACTERS)


def matches(pattern, name):
    """True if a dotted pattern matches a dotted name; wildcards stay inside one component (glob(7))."""
    left, right = pattern.split("."), name.split(".")
    return len(left) == len(right) and all(map(fnmatch.fnmatchcase, right, left))


class Setting:
    """One line of one file. ``value`` None excludes the key from globs (``-key`` without ``=``)."""

    __slots__ = ("counts", "ignore", "key", "note", "order", "source", "value", "where")

    def __init__(self, key, value, where, ignore=False):
        self.key = key
        self.value = value
        self.where = where
        self.ignore = ignore  # failures are not reported (leading "-")
        self.order = 0
        self.source = "boot"
        self.note = "excluded from wildcards" if value is None else ""
        self.counts = True


class Settings:
    """All settings in the order of reading; ``gaps`` names what could not be read."""

    def __init__(self):
        self.items = []
        self.gaps = []

    def add(self, found, source="boot", counts=True, note=""):
        """Append settings of one file. ``counts`` False: nothing applies them at boot; ``note`` says why."""
        for item in found:
            item.order = len(self.items)
            item.source = source
            item.counts = counts
            item.note = "; ".join(part for part in (item.note, note) if part)
            self.items.append(item)

    @staticmethod
    def winner(name, items):
        """Return the setting among ``items`` (all that concern ``name``) whose value is in force, or None.

        ufw writes after the boot service; then any explicit setting, also an exclusion, keeps wildcards
        away; among equals the last one wins.
        """
        counting = [item for item in items if item.counts]
        for source in ("ufw", "boot"):
            layer = [item for item in counting if item.source == source]
            explicit = [item for item in layer if item.key == name]
            assigned = [item for item in explicit if item.value is not None]
            if assigned:
                last = max(assigned, key=lambda item: item.order)
                # A later "-key" replaces the entry altogether: nothing is written then.
                removed = max((item.order for item in explicit if item.value is None), default=-1)
                if removed < last.order:
                    return last
            if explicit:
                continue
            if layer:
                return max(layer, key=lambda item: item.order)
        return None


def parse(lines, path):
    """Return the Settings lines of one file: list of Setting; lines that are no setting are left out."""
    found = []
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if not line or line[0] in "#;":
            continue
        where = "%s:%d" % (path, number)
        ignore = line.startswith("-")
        key, separator, value = line.lstrip("-").partition("=") if ignore else line.partition("=")
        key = key.strip()
        if not key or len(key) > 512 or " " in key:
            continue
        if separator:
            found.append(Setting(canonical(key), value.strip(), where, ignore))
        elif ignore:
            found.append(Setting(canonical(key), None, where, True))
    return found


def _shell_value(lines, name):
    """The last ``NAME=value`` of a file of shell assignments, quotes removed; "" when there is none."""
    value = ""
    for line in lines:
        key, separator, rest = line.strip().partition("=")
        if separator and key == name:
            value = rest.split(" #")[0].strip().strip("\"'")
    return value


def _lines(host, path, gaps):
    try:
        return host.lines(path)
    except Absent:
        return None
    except Unreadable as error:
        gaps.append(error.why)
        return None


def _boot_service(host):
    """Return ``(systemd, masked)``: whether systemd-sysctl loads the files at boot, and whether it is masked."""
    for directory in UNIT_DIRS:
        try:
            target = host.readlink(directory + "/systemd-sysctl.service")
        except Absent:
            continue
        return True, target == "/dev/null"
    return False, False


def read_settings(host):
    """Return the Settings of this host. Files that cannot be read are named in ``gaps``."""
    settings = Settings()
    gaps = settings.gaps
    try:
        systemd, masked = _boot_service(host)
        files = fragments(host, [prefix + "/sysctl.d" for prefix in CONFIG_PREFIXES if prefix != VOLATILE])
        passing = fragments(host, [VOLATILE + "/sysctl.d"])
    except Unreadable as error:
        gaps.append(error.why)
        return settings
    masked_note = "systemd-sysctl.service is masked: not applied at boot" if masked else ""
    legacy_read = False
    for path, hidden in files:
        lines = _lines(host, path, gaps)
        if lines is None:
            continue
        legacy_read = legacy_read or _same(host, path, LEGACY)
        settings.add(parse(lines, path), counts=not masked, note=masked_note)
        for other in hidden:
            lines = None if _same(host, path, other) else _lines(host, other, [])
            if lines:
                settings.add(parse(lines, other), counts=False, note="hidden by %s" % path)
    stronger = {path.rpartition("/")[2]: path for path, _hidden in files if path.startswith("/etc/")}
    for path, _hidden in passing:
        other = stronger.get(path.rpartition("/")[2])
        note = "hidden by %s" % other if other else "gone before the next boot"
        settings.add(parse(_lines(host, path, gaps) or (), path), counts=False, note=note)
    if not legacy_read:
        lines = _lines(host, LEGACY, gaps)
        # systemd-sysctl reads sysctl.d alone; `sysctl --system` and other inits read this file last.
        note = "read by `sysctl --system` only, not at boot" if systemd else ""
        settings.add(parse(lines or (), LEGACY), counts=not systemd, note=note)
    _add_ufw(host, settings)
    return settings


def _same(host, path, other):
    try:
        one, two = host.stat(path), host.stat(other)
    except (Absent, Unreadable):
        return False
    return (one.st_dev, one.st_ino) == (two.st_dev, two.st_ino)


def _add_ufw(host, settings):
    enabled = _lines(host, "/etc/ufw/ufw.conf", settings.gaps)
    if enabled is None:
        return
    path = _shell_value(_lines(host, "/etc/default/ufw", settings.gaps) or (), "IPT_SYSCTL") or "/etc/ufw/sysctl.conf"
    lines = _lines(host, path, settings.gaps)
    active = _shell_value(enabled, "ENABLED").lower() == "yes"
    note = "" if active else "ufw is not enabled"
    settings.add(parse(lines or (), path), source="ufw", counts=active, note=note)

"""Configuration of chrony, ntpd/ntpsec and systemd-timesyncd: time sources and what bears on security.

Sources: chrony.conf(5), ntp.conf(5), timesyncd.conf(5).
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from .drop_ins import daemon_config, values
from .spec import Absent, Unreadable

SOURCES = ("server", "pool", "peer", "refclock")
CHRONY_SETTINGS = frozenset((
    "user", "makestep", "rtcsync", "port", "cmdport", "bindcmdaddress", "bindaddress", "allow", "deny", "cmdallow",
    "local", "leapsectz", "maxchange", "minsources", "authselectmode", "ntsdumpdir", "ntsservercert", "logdir",
    "log", "maxslewrate",
))  # fmt: skip
NTP_SETTINGS = frozenset((
    "restrict", "tos", "tinker", "interface", "disable", "enable", "driftfile", "leapfile", "nts",
))  # fmt: skip
MAX_ENTRIES = 500
MAX_FILES = 200


def parse(lines, path, kept, includes):
    """Return ``[(word, value, options, where)]`` of a file of directives (chrony and ntpd look alike).

    ``value`` is the first argument, ``options`` the rest. Words are lower case; those that are neither a
    source nor in ``kept`` or ``includes`` are left out. chrony knows four comment signs, ntpd one of them.
    """
    found = []
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0][0] in "#%!;":
            continue
        for index, word in enumerate(words):
            if word.startswith("#"):
                words = words[:index]
                break
        name = words[0].lower()
        if name in SOURCES or name in kept or name in includes:
            value = words[1][:256] if len(words) > 1 else ""
            options = [word[:128] for word in words[2:22]]
            found.append((name, value, options, "%s:%d" % (path, number)))
        if len(found) >= MAX_ENTRIES:
            break
    return found


class Reader:
    """Reads one daemon's files: ``entries`` in order, ``files``, ``gaps``."""

    def __init__(self, host, kept):
        self.host = host
        self.kept = kept
        self.entries = []
        self.files = []
        self.gaps = []

    def read(self, path, only_sources=False, depth=0):
        """Read a file and what it includes, if it is there."""
        if depth > 8 or len(self.files) >= MAX_FILES:
            self.gaps.append("%s: too many includes" % path)
            return
        try:
            lines = self.host.lines(path, 1 << 20)
        except Absent:
            return
        except Unreadable as error:
            self.gaps.append(error.why)
            return
        self.files.append(path)
        for entry in parse(lines, path, self.kept, ("include", "includefile", "confdir", "sourcedir")):
            name, value, options, _where = entry
            try:
                if name in ("include", "includefile"):
                    for item in self.host.glob(value) if value.startswith("/") else ():
                        self.read(item, only_sources, depth + 1)
                elif name == "confdir":
                    self._directories([value] + options, ".conf", False, depth)
                elif name == "sourcedir":
                    self._directories([value] + options, ".sources", True, depth)
                elif not only_sources or name in SOURCES:
                    self.entries.append(entry)
            except Unreadable as error:
                self.gaps.append(error.why)

    def _directories(self, directories, suffix, only_sources, depth):
        """Of several directories of one line, the first that has a file name counts; files are read by name."""
        found = {}
        for directory in directories[:10]:
            try:
                names = self.host.listdir(directory)
            except Absent:
                continue
            for name in names:
                if name.endswith(suffix):
                    found.setdefault(name, "%s/%s" % (directory.rstrip("/"), name))
        for name in sorted(found):
            self.read(found[name], only_sources, depth + 1)


def chrony(host):
    """Return the Reader of chrony's configuration (Debian's place, else Red Hat's)."""
    reader = Reader(host, CHRONY_SETTINGS)
    for path in ("/etc/chrony/chrony.conf", "/etc/chrony.conf"):
        reader.read(path)
        if reader.files or reader.gaps:
            break
    return reader


def ntpd(host, path):
    """Return the Reader of ntpd's or ntpsec's configuration."""
    reader = Reader(host, NTP_SETTINGS)
    reader.read(path)
    if reader.files and path.startswith("/etc/ntpsec/"):
        reader._directories(["/etc/ntpsec/ntp.d"], ".conf", False, 0)
    return reader


def timesyncd(host):
    """Return ``(entries, files)`` like a Reader's; a fallback is used only when nothing else names a server.

    Raise Unreadable.
    """
    read, files = daemon_config(host, "timesyncd.conf")
    entries = []
    for key, kind in (("NTP", "server"), ("FallbackNTP", "fallback")):
        for value, where in values(read, "Time", key):
            entries += [(kind, word[:256], [], where) for word in value.split()[:50]]
    for section, key, value, where in read:
        if section == "Time" and key not in ("NTP", "FallbackNTP"):
            entries.append((key, value[:256], [], where))
    return entries, files

"""Configuration of modprobe as kmod reads it (modprobe.d(5), libkmod-config.c)."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import fnmatch
import os
import stat

from .reading import logical_lines, names_in
from .spec import Absent, Unreadable
from .text import text

# libkmod's default_config_paths, highest precedence first; a base name counts in the first one only.
DIRECTORIES = (
    "/etc/modprobe.d",
    "/run/modprobe.d",
    "/usr/local/lib/modprobe.d",
    "/usr/lib/modprobe.d",
    "/lib/modprobe.d",
)
COMMANDS = ("blacklist", "install", "remove", "alias", "softdep", "options")


def normal(name):
    """Return a module name as the kernel writes it: ``-`` outside brackets becomes ``_``, ``.ko`` endings go."""
    for ending in (".ko", ".ko.xz", ".ko.gz", ".ko.zst"):
        if name.endswith(ending):
            name = name[: -len(ending)]
    if "-" not in name or "[" not in name:
        return name.replace("-", "_")
    result, inside = "", False
    for character in name:
        inside = character == "[" or (inside and character != "]")
        result += "_" if character == "-" and not inside else character
    return result


def parse_modprobe(data, path):
    """Yield (command, name, argument, where) of one file (bytes): ``where`` is path:line.

    ``name`` is the module, pattern or alias, normalised; ``argument`` the rest of the line, blanks folded.
    """
    for number, line in logical_lines(data):
        words = text(line).split()
        if len(words) < 2 or words[0].startswith("#") or words[0] not in COMMANDS:
            continue
        yield words[0], normal(words[1]), " ".join(words[2:]), "%s:%d" % (path, number)


class Modprobe:
    """The commands in force, in kmod's order. ``gaps`` says what could not be read."""

    def __init__(self, entries, gaps=()):
        self.entries = list(entries)
        self.gaps = list(gaps)

    def named(self):
        """Names of modules that a blacklist, install or remove command names (patterns left out)."""
        return {
            name
            for command, name, _argument, _where in self.entries
            if command in ("blacklist", "install", "remove") and not any(mark in name for mark in "*?[")
        }

    def blacklist(self, name):
        """Places (path:line) that blacklist a module."""
        return [where for command, entry, _argument, where in self.entries if command == "blacklist" and entry == name]

    def commands(self, command, name):
        """[(text of the command, path:line)] of install or remove commands that match; the first one counts."""
        return [
            (argument, where)
            for kind, pattern, argument, where in self.entries
            if kind == command and (pattern == name or fnmatch.fnmatchcase(name, pattern))
        ]

    def aliases(self, name):
        """[(alias, path:line)] that stand for a module."""
        return [
            (alias, where)
            for kind, alias, argument, where in self.entries
            if kind == "alias" and normal(argument) == name
        ]


def _mask(host, path):
    # A link to /dev/null is how a packaged file is switched off.
    try:
        return stat.S_ISCHR(host.stat(path).st_mode)
    except (Absent, Unreadable):
        return False


def read_modprobe(host):
    """Return the Modprobe configuration of the host."""
    chosen = {}
    gaps = []
    for directory in DIRECTORIES:
        try:
            for name in names_in(host, directory):
                if name.endswith(".conf"):
                    chosen.setdefault(name, directory + "/" + name)
        except Unreadable as error:
            gaps.append(error.why)
    entries = []
    for name in sorted(chosen, key=os.fsencode):
        path = chosen[name]
        try:
            entries.extend(parse_modprobe(host.read(path, 1 << 20), text(os.fsencode(path))))
        except Absent:
            continue
        except Unreadable as error:
            if not _mask(host, path):
                gaps.append(error.why)
    return Modprobe(entries, gaps)

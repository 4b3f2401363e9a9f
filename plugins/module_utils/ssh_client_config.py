"""System-wide ssh_config(5): the first value of a keyword counts; blocks of named hosts are left out."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import re

from .spec import Absent

MAIN = "/etc/ssh/ssh_config"
MAX_FILES = 100
_LINE = re.compile(r"\s*([A-Za-z][A-Za-z0-9]*)(?:\s*=\s*|\s+)(.*)")


def parse(lines, path, found, include, active=True):
    """Add ``keyword -> (value, path:line)`` of lines outside of blocks of named hosts to ``found``.

    ``include(pattern, active)`` is called for each Include. ``Host *`` and ``Match all`` hold for every host.
    """
    for number, line in enumerate(lines, 1):
        match = None if line.lstrip().startswith("#") else _LINE.match(line)
        if not match:
            continue
        keyword, value = match.group(1).lower(), match.group(2).strip().strip('"')
        if keyword == "host":
            active = "*" in value.split()
        elif keyword == "match":
            active = value.lower().split() in (["all"], ["final", "all"], ["canonical", "all"])
        elif keyword == "include":
            for pattern in value.split():
                include(pattern.strip('"'), active)
        elif active:
            found.setdefault(keyword, (value, "%s:%d" % (path, number)))


def read_settings(host):
    """Return ``(keyword -> (value, path:line), files)`` of the system-wide configuration; raise Unreadable."""
    found, files = {}, []

    def read(path, active):
        if len(files) >= MAX_FILES or path in files:
            return
        try:
            lines = host.lines(path, 1 << 20)
        except Absent:
            return
        files.append(path)
        parse(lines, path, found, include, active)

    def include(pattern, active):
        for path in sorted(host.glob(pattern if pattern.startswith("/") else "/etc/ssh/" + pattern)):
            read(path, active)

    read(MAIN, True)
    return found, files

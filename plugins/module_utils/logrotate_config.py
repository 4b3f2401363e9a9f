"""logrotate.conf(5): global directives, blocks of files, include. Scripts are skipped, never kept."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from .spec import Absent, Unreadable

SCRIPTS = ("prerotate", "postrotate", "firstaction", "lastaction", "preremove")
KEPT = frozenset((
    "hourly", "daily", "weekly", "monthly", "yearly", "rotate", "size", "minsize", "maxsize", "maxage", "minage",
    "create", "nocreate", "createolddir", "olddir", "noolddir", "compress", "nocompress", "delaycompress",
    "nodelaycompress", "copytruncate", "nocopytruncate", "missingok", "nomissingok", "notifempty", "ifempty", "su",
    "sharedscripts", "dateext", "shred", "noshred",
))  # fmt: skip
"""Directives that are kept; mail and commands are not."""

MAX_BLOCKS = 2000


def parse(lines, path):
    """Return ``(blocks, includes)``; blocks are ``[(files, where, {directive: arguments})]``.

    The global one is called ``default``. A block of several patterns has them joined by blanks; ``includes`` are the
    paths named there.
    """
    top, blocks, includes = {}, [], []
    current, names, start, script = None, [], "", False
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if script:
            script = line != "endscript"
            continue
        if not line or line[0] == "#":
            continue
        words = line.split()
        if words[0] in SCRIPTS:
            script = True
        elif line == "}":
            if current is not None and len(blocks) < MAX_BLOCKS:
                blocks.append((" ".join(names)[:1024], start, current))
            current, names = None, []
        elif current is None and (line[0] in "/\"'" or line == "{"):
            start = start if names else "%s:%d" % (path, number)
            names += [word.strip("\"'") for word in words if word != "{" and word != "}"]
            if words[-1] == "{":
                names = [name.rstrip("{") for name in names]
                current = {}
            elif line.endswith("{"):
                names[-1] = names[-1].rstrip("{")
                current = {}
        elif words[0] == "include" and len(words) > 1 and current is None:
            includes.append(words[1])
        elif words[0] in KEPT:
            target = top if current is None else current
            target[words[0]] = " ".join(words[1:])[:256]
    if top:
        blocks.insert(0, ("default", path, top))
    return blocks, includes


def read(host, path="/etc/logrotate.conf"):
    """Return ``(blocks, files, gaps)`` of the configuration and what it includes; empty when there is none."""
    blocks, files, gaps, todo = [], [], [], [path]
    while todo and len(files) < 500:
        current = todo.pop(0)
        try:
            if host.is_dir(current):
                # logrotate skips what package tools leave behind (its taboo list).
                todo += [
                    current + "/" + name
                    for name in host.listdir(current)
                    if not name.endswith((".dpkg-old", ".dpkg-new", ".dpkg-dist", ".rpmsave", ".rpmnew", "~", ".swp"))
                ]
                continue
            lines = host.lines(current, 1 << 20)
        except Absent:
            continue
        except Unreadable as error:
            gaps.append(error.why)
            continue
        files.append(current)
        found, includes = parse(lines, current)
        if len(files) > 1:
            # Directives outside a block of an included file change the defaults of what follows.
            found = [("default " + current if name == "default" else name, where, kept) for name, where, kept in found]
        blocks += found
        todo += includes
    return blocks, files, gaps

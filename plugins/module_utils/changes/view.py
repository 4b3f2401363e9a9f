"""What operations are planned against: the host as it is, or as it would be after the operations before.

A *change* is one step of an operation: ``{kind, key, before, after}``; kinds and states are those of kinds.py.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import difflib
import os

from ..redact import redact, redact_named
from ..text import text
from .kinds import Resources, identity, same
from .target import Problem, sha256

CONTEXT = 1
"""Unchanged lines shown around a change."""
MAX_DIFF = 400
"""Lines shown of one operation's difference."""


class View:
    """Reads states: those that were set here, else those of the target. Nothing is written."""

    def __init__(self, target, states=None):
        self.target = target
        self.resources = Resources(target)
        self.states = dict(states or {})  # (kind, key) -> state
        self.blobs = target.blobs

    def read(self, kind, key):
        """State of a resource; raise Problem."""
        if (kind, key) in self.states:
            return self.states[kind, key]
        if kind == "attributes" and ("content", key) in self.states:
            made = self.states["content", key]  # what is yet to be made has the attributes that it will be made with
            if made["type"] == "absent" or self.target.attributes(key)["type"] == "absent":
                return {name: made[name] for name in ("type", "mode", "uid", "gid") if name in made}
        return self.resources.read(kind, key)

    def set(self, changes):
        """From now on these changes are thought to be made."""
        for change in changes:
            self.states[change["kind"], change["key"]] = change["after"]

    def type(self, path):
        """What lies at the path: absent, file, link, dir, other."""
        if ("content", path) in self.states:
            return self.states["content", path]["type"]
        return self.target.type_of(path)

    def data(self, state):
        """Content of a file by its state."""
        return self.blobs[state["digest"]]

    def staged_lines(self, path):
        """Lines of a file as an operation before wrote it; None when none did."""
        state = self.states.get(("content", path))
        return text(self.data(state)).split("\n") if state and state["type"] == "file" else None

    def file(self, data, **more):
        """The state of a file with that content."""
        digest = sha256(data)
        self.blobs[digest] = data
        return dict(more, type="file", digest=digest)

    def change(self, kind, key, after):
        """Return [change], or [] when it is so already."""
        before = self.read(kind, key)
        return [] if same(kind, before, after) else [{"kind": kind, "key": key, "before": before, "after": after}]


class Overlaid:
    """A target's host in which some files have other contents: for what reads files to check staged ones."""

    def __init__(self, host, files):
        self._host, self._files = host, files

    def __getattr__(self, name):
        return getattr(self._host, name)

    def read(self, path, limit=8 << 20):
        """Bytes of a file, the staged ones first."""
        data = self._files.get(path)
        return self._host.read(path, limit) if data is None else data

    def lines(self, path, limit=8 << 20):
        """Lines of a file, the staged ones first."""
        if self._files.get(path) is None:
            return self._host.lines(path, limit)
        lines = text(self._files[path]).split("\n")
        if lines and lines[-1] == "":
            lines.pop()
        return lines


def digest_before(changes):
    """What an operation goes by: SHA-256 of the states that it changes, as they are before."""
    from .spec import canonical

    return sha256(canonical([[one["kind"], one["key"], identity(one["kind"], one["before"])] for one in changes]))


def _mode(state):
    if "mode" not in state:
        return state.get("type", "absent")
    return "%04o %d:%d" % (state["mode"], state["uid"], state["gid"])


def _named(kind, key, state):
    if kind == "content":
        if state["type"] == "link":
            return "%s -> %s" % (key, state["target"])
        return "%s: %s" % (key, {"absent": "not there", "dir": "a directory"}.get(state["type"], "there"))
    if kind == "attributes":
        return "%s: %s" % (key, _mode(state))
    if state.get("absent"):
        return "%s: not there" % key
    if kind == "made":
        return "%s: made later" % key
    words = ", ".join("%s %s" % (name, " ".join(v) if isinstance(v, list) else v) for name, v in sorted(state.items()))
    if kind == "entry":
        return "%s in %s: there" % tuple(reversed(key.rsplit(":", 1)))
    if kind == "field":
        path, name, number = key.rsplit(":", 2)
        return "%s in %s, field %d: %s" % (name, path, int(number) + 1, words)
    return "%s: %s" % (key, words.replace("True", "yes").replace("False", "no"))


def shown(changes):
    """Return (before, after) of an operation as texts for a reader."""
    before = "; ".join(_named(one["kind"], one["key"], one["before"]) for one in changes[:20])
    after = "; ".join(_named(one["kind"], one["key"], one["after"]) for one in changes[:20])
    return redact(_clean(before)), redact(_clean(after))


def _clean(value):
    return text(os.fsencode(value))


def _redacted(line):
    body = line[1:]
    key, equals, value = body.partition("=")
    if equals and not body.lstrip().startswith(("#", ";")):
        return line[:1] + redact(key + equals + redact_named(key.strip(), value))
    return line[:1] + redact(body)


def diff(changes, blobs):
    """Lines of a unified difference of the contents that an operation changes; secrets are replaced."""
    found = []
    for one in changes:
        if one["kind"] != "content" or "file" not in (one["before"]["type"], one["after"]["type"]):
            continue
        sides = [
            text(blobs.get(state["digest"], b"")).split("\n") if state["type"] == "file" else []
            for state in (one["before"], one["after"])
        ]
        sides = [side[:-1] if side and side[-1] == "" else side for side in sides]
        name = _clean(one["key"])
        if sides[0] and not set(sides[0]) & set(sides[1]) - {""}:
            # A text that goes as a whole is nobody's setting: what people wrote there is not ours to carry away.
            sides[0] = ["[%d lines, kept on this host]" % len(sides[0])]
        lines = difflib.unified_diff(sides[0], sides[1], name, name, n=CONTEXT, lineterm="")
        for number, line in enumerate(lines):
            if len(found) >= MAX_DIFF:
                return found + ["... more is not shown"]
            found.append(line if number < 2 else _redacted(line))
    return found


def owner_numbers(target, owner, group):
    """Return (uid or None, gid or None) of names or numbers; raise Problem for names that the host does not know."""
    found = []
    for name, path in ((owner, "/etc/passwd"), (group, "/etc/group")):
        if name is None:
            found.append(None)
        elif name.isdigit():
            found.append(int(name))
        elif name == "root":
            found.append(0)
        else:
            lines = [line.split(":") for line in target.host.lines(path, 64 << 20)] if target.host.exists(path) else []
            number = next((words[2] for words in lines if words[0] == name and len(words) > 2), None)
            if number is None or not number.isdigit():
                raise Problem("%s has no %s" % (path, name))
            found.append(int(number))
    return tuple(found)

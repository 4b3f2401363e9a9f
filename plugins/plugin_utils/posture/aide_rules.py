"""Which attributes AIDE records of which paths (aide.conf(5)): definitions unfolded, selections in order."""

from __future__ import annotations

import re

PREDEFINED = {
    "R": "p+ftype+i+l+n+u+g+s+m+c+md5+X",
    "L": "p+ftype+i+l+n+u+g+X",
    "E": "",
    "X": "acl+selinux+xattrs+e2fsattrs+caps",
    ">": "p+ftype+l+u+g+i+n+s+growing+X",
    "H": "md5+sha1+rmd160+tiger+sha256+sha512",
}
"""Groups that AIDE knows by itself; what a build leaves out changes nothing here."""

_PARTS = re.compile(r"([+-]?)([^+\-\s]+)")
WEAK = ("md5", "sha1", "rmd160", "tiger", "whirlpool", "gost", "crc32", "haval", "stribog256", "stribog512")
"""Digests that FIPS 140 does not know (or no longer)."""


def unfolded(expression, groups, depth=0):
    """Return the set of attributes of an expression such as ``R+sha512-md5``."""
    found = set()
    for sign, name in _PARTS.findall(expression):
        part = {name}
        if depth < 12 and name in groups:
            part = unfolded(groups[name], groups, depth + 1)
        elif name in PREDEFINED and depth < 12:
            part = unfolded(PREDEFINED[name], groups, depth + 1)
        found = found - part if sign == "-" else found | part
    return found


class Rules:
    """The selections of a configuration given as the table ``config`` reads it."""

    def __init__(self, directives):
        self.groups, self.selections, self.ignored = {}, [], []
        for line in directives:
            name, value = line["name"], line["value"]
            if name[:1] in ("/", "="):
                words = value.split("#", 1)[0].split()  # types of files may stand before the attributes
                self.selections.append((name.lstrip("="), words[-1] if words else "", line["where"]))
            elif name[:1] == "!":
                self.ignored.append((name[1:], "", line["where"]))
            elif name[:2] != "@@":
                self.groups[name] = value

    def of(self, path):
        """Return ``(attributes, where)`` of the selections for this very path, (None, None) when none names it."""
        found, place = None, None
        for pattern, expression, where in self.selections:
            if _plain(pattern) in _names(path):
                found = (found or set()) | unfolded(expression, self.groups)
                place = where
        return found, place

    def attributes(self):
        """Yield ``(pattern, attributes, where)`` of every selection."""
        for pattern, expression, where in self.selections:
            yield pattern, unfolded(expression, self.groups), where


def _plain(pattern):
    return pattern.replace("\\x5c", "").replace("\\", "").rstrip("$")


def _names(path):
    """A program's path in both halves of a merged system."""
    return {path, "/usr" + path} if not path.startswith("/usr/") else {path, path[4:]}

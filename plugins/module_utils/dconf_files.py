"""Parsers of dconf: keyfiles, locks and profiles. Source: dconf(7)."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import re

_TYPED = re.compile(r"(?:@\w+\s+|(?:boolean|byte|u?int16|u?int32|u?int64|handle|double|string)\s+)(.*)", re.S)
_TEXT = re.compile(r"'(.*)'|\"(.*)\"", re.S)


def plain(value):
    """Return a GVariant text as plain text: without its type word, without the quotes around a text.

    >>> plain("uint32 900")
    '900'
    """
    value = value.strip()
    match = _TYPED.fullmatch(value)
    value = match.group(1).strip() if match else value
    match = _TEXT.fullmatch(value)
    if not match:
        return value
    value = next((part for part in match.groups() if part is not None), "")
    # host.text() writes a backslash as \\x5c: these are the escapes of GVariant.
    for escape, meant in (("n", "\n"), ("t", "\t"), ("'", "'"), ('"', '"'), ("\\x5c", "\\x5c")):
        value = value.replace("\\x5c" + escape, meant)
    return value


def parse_keyfile(lines):
    r"""Return ``[("/section/key", value, line number)]``; ``[/]`` is the root. Comments begin with ``#``."""
    found, section = [], None
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if not line or line[0] == "#":
            continue
        if line[0] == "[" and line[-1] == "]":
            section = line[1:-1].strip("/ ")
            continue
        name, equals, value = line.partition("=")
        if equals and section is not None:
            found.append(("/" + "/".join(part for part in (section, name.strip()) if part), value.strip(), number))
    return found


def parse_locks(lines):
    """Return ``[(path, line number)]`` of a file of locks."""
    numbered = ((line.strip(), number) for number, line in enumerate(lines, 1))
    return [(line, number) for line, number in numbered if line.startswith("/")]


def parse_profile(lines):
    """Return the databases that a profile names, in order: ``system-db:local`` as ``local``; others as written."""
    found = []
    for line in lines:
        line = line.split("#", 1)[0].strip()
        if line:
            found.append(line[len("system-db:") :] if line.startswith("system-db:") else line)
    return found

"""Small helpers that turn what a file says, or why it says nothing, into a cell."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from .spec import Absent, Unreadable


def first_line(host, path, limit=4096):
    """The file's first line without surrounding blanks; None if absent or empty; an unreadable cell otherwise."""
    try:
        content = host.read_text(path, limit).strip()
    except Absent:
        return None
    except Unreadable as error:
        return error.cell()
    return content.split("\n", 1)[0].strip() or None


def optional(call, *arguments):
    """``call(*arguments)``, or None when what it reads is absent. Unreadable is raised on."""
    try:
        return call(*arguments)
    except Absent:
        return None


def there(host, path):
    """True or False; False also when it cannot be told, for looking at hints and evidence only."""
    try:
        return host.exists(path)
    except Unreadable:
        return False


def names_in(host, path):
    """Names in a directory, an empty list when it is absent. Unreadable is raised on."""
    try:
        return host.listdir(path)
    except Absent:
        return []


def logical_lines(data):
    """Yield (number of the first line, bytes) of lines joined at a trailing backslash, as modprobe.d and sh do.

    ``data`` are the bytes of a file; empty lines and comments stay in.
    """
    pending, start = b"", 0
    for number, line in enumerate(data.split(b"\n"), 1):
        if not pending:
            start = number
        if line.endswith(b"\\"):
            pending += line[:-1] + b" "
            continue
        yield start, pending + line
        pending = b""
    if pending:
        yield start, pending

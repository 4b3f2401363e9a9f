"""Bytes of a target as valid Unicode, reversibly, and RFC 3339 times."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import datetime
import re

_ESCAPED = re.compile(r"\\x([0-9a-f]{2})")


def text(data):
    r"""Return bytes as Unicode: what is not UTF-8, NUL and the backslash are written ``\xNN``.

    >>> text(b"a\xff")
    'a\\xff'
    """
    if b"\\" in data:
        data = data.replace(b"\\", b"\\x5c")
    result = data.decode("utf-8", "backslashreplace")
    return result.replace("\0", "\\x00") if "\0" in result else result


def raw(value):
    """The inverse of ``text``: the bytes that were on the target."""
    parts = _ESCAPED.split(value)
    return b"".join(bytes([int(part, 16)]) if index % 2 else part.encode("utf-8") for index, part in enumerate(parts))


def rfc3339(seconds):
    """Return a Unix time (seconds, int or float) as RFC 3339 UTC, or None for None and absurd times."""
    if seconds is None:
        return None
    try:
        moment = datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc)
    except (OverflowError, OSError, ValueError):
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

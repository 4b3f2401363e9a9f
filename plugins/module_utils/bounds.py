"""What the controller takes of a table, kept on the target: one odd file name must not cost the whole host.

The controller refuses a snapshot that breaks a bound (a target may be hostile). Here a table is brought inside the
bounds: texts that no JSON reader takes are escaped, what is too long or too large becomes unreadable.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import re

from .spec import unreadable

CELL_TEXT = 65536
"""Characters of one text."""

KEY_TEXT = 4096
"""Characters of a row's key and of a name inside a map."""

INT_64 = 1 << 63

_SUSPECT = re.compile(rb"\\u(?:0000|d[89a-f])|[:,\[]-?[0-9]{19}|\"[^\"]{4097}")
"""In JSON (ASCII): NUL, a surrogate (most are halves of a pair and harmless), 19 digits, a text too long for a key."""

_ODD = re.compile("[\x00\ud800-\udfff]")


def suspect(data):
    """True if the JSON (bytes) of a table may break a bound: most do not, and are spared the walk."""
    return _SUSPECT.search(data) is not None


def bounded(table, max_rows):
    """Return the table (``{version, state, why, rows, ...}``) inside all bounds; ``partial`` if rows had to go."""
    count, rows = len(table["rows"]), {}
    for number, (key, row) in enumerate(table["rows"].items()):
        if number >= max_rows:
            break
        rows[_key(key, number)] = {name: _cell(value) for name, value in row.items()}
    table = dict(table, rows=rows, why=_text(table["why"])[:CELL_TEXT])
    if len(rows) == count or table["state"] not in ("ok", "partial"):
        return table
    return dict(
        table, state="partial", why="%s%d of %d rows" % (table["why"] and table["why"] + "; ", len(rows), count)
    )


def _text(value):
    """What a file name that is no UTF-8 left behind, written as host.text() writes it."""
    return _ODD.sub(lambda match: "\\x%02x" % (ord(match.group()) & 0xFF), value)


def _key(value, number):
    value = _text(value)
    return value if len(value) <= KEY_TEXT else "%s (cut, %d)" % (value[: KEY_TEXT - 32], number)


def _cell(value):
    if isinstance(value, int) and not -INT_64 <= value < INT_64:
        return unreadable("invalid", "an integer of more than 64 bits")
    if isinstance(value, str):
        value = _text(value)
        return value if len(value) <= CELL_TEXT else unreadable("partial", "longer than %d characters" % CELL_TEXT)
    return _inner(value)


def _inner(value):
    """A value inside a list or a map: no place for a cell that says why, so it is cut."""
    if isinstance(value, str):
        return _text(value)[:CELL_TEXT]
    if isinstance(value, int) and not -INT_64 <= value < INT_64:
        return None
    if isinstance(value, (list, tuple)):
        return [_inner(item) for item in value]
    if isinstance(value, dict):
        return {_text(key)[:KEY_TEXT] if isinstance(key, str) else key: _inner(item) for key, item in value.items()}
    return value

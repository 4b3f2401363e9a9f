"""Text of hosts as people may safely read it: characters that hide, reorder or steer are written out."""

from __future__ import annotations

import json
import re

# C0 and C1 controls and DEL; soft hyphen; joiners and fillers that show as nothing; bidi marks, embeddings,
# overrides and isolates; line and paragraph separators; byte order mark; interlinear marks; noncharacters;
# lone surrogates; variation selectors and tags. The set joins Unicode's Cc, Cf and Default_Ignorable_Code_Point.
ODD_CLASS = (
    "\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u2800\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_ODD = re.compile(f"[{ODD_CLASS}]")
_ODD_IN_BLOCK = re.compile(f"(?![\n\t])[{ODD_CLASS}]")
_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def _written_out(match):
    char = match.group()
    code = ord(char)
    return _SHORT.get(char) or (f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


def visible(value, block=False):
    r"""Return a string with control, bidi, zero-width and other invisible characters written as ``\\uXXXX``.

    Line feed and tab stay as they are when ``block`` is true (text shown with its lines). What is not a string
    is returned unchanged, and so is a Markup object's type (markup of our own templates is not host text).

    >>> visible("a\u202eb")
    'a\\u202eb'
    """
    if not isinstance(value, str) or (value.isascii() and value.isprintable()) or hasattr(value, "__html__"):
        return value
    return (_ODD_IN_BLOCK if block else _ODD).sub(_written_out, value)


def as_text(value):
    """Return a JSON value as one line for people: strings as they are, None as nothing, the rest as JSON."""
    if isinstance(value, str):
        return visible(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return visible(", ".join(value))
    return visible(json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(", ", ": ")))


def shorten(value, length):
    """Return text cut to ``length`` characters, with an ellipsis as its last one when something was cut."""
    return value if len(value) <= length else value[: length - 1].rstrip() + "…"

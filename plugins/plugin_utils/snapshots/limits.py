"""Bounds on what a target may send (a target may be hostile), and the failure that names the one that was broken."""

from __future__ import annotations

import unicodedata

MEBIBYTE = 1 << 20

COMPRESSED = 64 * MEBIBYTE
DECOMPRESSED = 256 * MEBIBYTE
RATIO = 64  # decompressed : compressed; real snapshots reach 8 to 15
RATIO_FREE = 4 * MEBIBYTE  # below this size any ratio is harmless
DEPTH = 32
CELL_TEXT = 65536  # characters
KEY_TEXT = 4096
WORKER_ADDRESS_SPACE = 1024 * MEBIBYTE
ANSWER_ADDRESS_SPACE = 320 * MEBIBYTE  # beyond what the worker already maps, while the answer arrives
INT_64 = 1 << 63


JUDGING_SECONDS = 60.0
"""Time that judging one snapshot may take: a thousand times what a usual one takes."""

_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
"""Unicode categories that steer a terminal or hide in a text: controls, bidi marks, surrogates, line separators."""


def harmless(text):
    r"""Return text of a host for a terminal: one line, what steers or hides written as ``\xNN`` or ``\uNNNN``.

    >>> harmless("a" + chr(27) + "b" + chr(0x202e))
    'a\\x1bb\\u202e'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_written_out(char) if unicodedata.category(char) in _HIDDEN else char for char in text)


def _written_out(char):
    code = ord(char)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"


class HostFailure(Exception):
    """A host could not be assessed. ``code`` is a stable word, ``text`` what happened, ``fix`` what to do.

    ``text`` may quote the host: it is made harmless here, before anything prints it.

    ``state`` is ``failed`` (it answered, or should have) or ``unreachable`` (no connection).
    """

    def __init__(self, code, text, fix="", state="failed"):
        super().__init__(text)
        self.code = code
        self.text = harmless(text)
        self.fix = fix
        self.state = state

    def reason(self):
        """The ``reason`` of the host's file: ``{code, text, fix}``."""
        return {"code": self.code, "text": self.text, "fix": self.fix}

"""Bounds on what a target may send (a target may be hostile), and the failure that names the one that was broken."""

from __future__ import annotations

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


class HostFailure(Exception):
    """A host could not be assessed. ``code`` is a stable word, ``text`` what happened, ``fix`` what to do.

    ``state`` is ``failed`` (it answered, or should have) or ``unreachable`` (no connection).
    """

    def __init__(self, code, text, fix="", state="failed"):
        super().__init__(text)
        self.code = code
        self.text = text
        self.fix = fix
        self.state = state

    def reason(self):
        """The ``reason`` of the host's file: ``{code, text, fix}``."""
        return {"code": self.code, "text": self.text, "fix": self.fix}

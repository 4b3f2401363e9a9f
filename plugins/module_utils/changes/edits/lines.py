"""A text file as lines that can be changed without touching their neighbours."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type


class EditError(ValueError):
    """An edit cannot be made in this file; the message says why."""


class Lines:
    r"""Lines of a file as text without their ends; only ``\n`` ends a line, a ``\r`` before it belongs to the end.

    Bytes that are no UTF-8 are kept as lone surrogates (surrogateescape), which no edit can bring along itself.
    """

    def __init__(self, data):
        parts = data.decode("utf-8", "surrogateescape").split("\n")
        last = parts.pop()
        self._rows = [(part[:-1], "\r\n") if part.endswith("\r") else (part, "\n") for part in parts]
        if last:
            self._rows.append((last, ""))
        self._end = "\r\n" if self._rows and self._rows[0][1] == "\r\n" else "\n"

    def __len__(self):
        return len(self._rows)

    def __getitem__(self, index):
        """The text of one line."""
        return self._rows[index][0]

    def __iter__(self):
        return iter([row[0] for row in self._rows])

    def replace(self, index, value):
        """Give a line another text; its end stays."""
        self._rows[index] = (value, self._rows[index][1])

    def remove(self, indexes):
        """Remove lines by their numbers. If the last one goes, the new last one ends as it did in the file."""
        gone = set(indexes)
        self._rows = [row for index, row in enumerate(self._rows) if index not in gone]

    def insert(self, index, value):
        """Put a line before the one of that number (at the end: ``len``); a last line without an end gets one."""
        end = self._end
        if index > 0 and index == len(self._rows) and self._rows[-1][1] == "":
            self._rows[-1] = (self._rows[-1][0], self._end)
        self._rows.insert(index, (value, end))

    def data(self):
        """The file's bytes."""
        return "".join(text + end for text, end in self._rows).encode("utf-8", "surrogateescape")

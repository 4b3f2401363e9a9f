"""Edits of text files, line by line: pure functions of bytes.

``apply(data, edits)`` is the whole interface. What no edit speaks of stays byte for byte: other lines, their ends
(LF or CRLF), a missing newline at the end, bytes that are no UTF-8.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from . import fstab, grub, pam, plain
from .lines import EditError, Lines

APPLIERS = {
    "set": plain.set_value,
    "unset": plain.unset,
    "line": plain.line,
    "sub": plain.substitute,
    "fstab": fstab.options,
    "kernel_arguments": grub.kernel_arguments,
    "pam": pam.apply,
}
"""Kind of an edit -> function(Lines, edit), which changes the Lines in place or raises EditError."""


def apply(data, edits):
    """Return ``data`` (bytes) after ``edits`` (checked by spec.py) in order; raise EditError naming the edit.

    Applying the same edits again changes nothing.
    """
    lines = Lines(data)
    for index, edit in enumerate(edits):
        kind = next(name for name in APPLIERS if name in edit)
        try:
            APPLIERS[kind](lines, edit)
        except EditError as error:
            located = EditError("edits[%d] (%s): %s" % (index, kind, error))
            located.edit = index
            raise located from None
    return lines.data()

"""Debian's version order as bytes that sort the same way."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import re

_PIECES = re.compile(r"([^0-9]*)([0-9]*)")

_END = 2
"""The end of a run of letters: after ``~``, before every other character (dpkg lib/dpkg/version.c, order())."""


def _order(character):
    code = min(ord(character), 126)
    if character == "~":
        return 1
    return code if character.isalpha() else code + 128


def _part_key(part):
    key = bytearray()
    for letters, digits in _PIECES.findall(part):
        if not letters and not digits:
            continue
        key.extend(_order(character) for character in letters)
        number = digits.lstrip("0")[:255]
        key.append(_END)
        key.append(len(number))
        key.extend(number.encode("ascii"))
    if key[-2:] == b"\x02\x00":
        # A missing number is 0: "1." equals "1.0", an empty revision equals "0".
        del key[-2:]
    key.extend((_END, 0, _END))
    return bytes(key)


def version_key(version):
    """Return bytes that sort as ``dpkg --compare-versions`` orders versions (deb-version(7)).

    Missing epoch and revision are 0. Numbers of more than 255 digits are cut.
    """
    version = version.strip()
    epoch, colon, rest = version.partition(":")
    if not colon or not epoch.isdigit():
        epoch, rest = "0", version
    upstream, dash, revision = rest.rpartition("-")
    if not dash:
        upstream, revision = rest, ""
    epoch = epoch.lstrip("0")[:18]
    return bytes([len(epoch)]) + epoch.encode("ascii", "replace") + _part_key(upstream) + _part_key(revision)

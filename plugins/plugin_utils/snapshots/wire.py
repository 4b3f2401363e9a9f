"""From what a target wrote to plain data: bounded at every step, nothing believed."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import zlib

from . import limits
from .limits import HostFailure
from .payload import NO_PYTHON, OTHER_PYTHON, PYTHON

_HEAD = re.compile(r"^RINGWALL-SNAPSHOT/1 (\d{1,12}) ([0-9a-f]{64})$", re.MULTILINE)
_MALFORMED_FIX = "This host answers as our collector never does: look at what runs there before you trust it."


def malformed(problem):
    """The failure of a host whose answer does not have the form it must have."""
    return HostFailure("malformed", f"what the host sent is malformed: {problem}", _MALFORMED_FIX)


def too_large(problem):
    """The failure of a host whose answer breaks a bound."""
    return HostFailure("too_large", f"what the host sent is too large: {problem}", _MALFORMED_FIX)


def find(stdout, stderr="", code=0):
    """Return the base64 text in the standard output of the piped collector; raise HostFailure."""
    head = _HEAD.search(stdout)
    if head is None:
        raise _no_answer(stdout, stderr, code)
    length = int(head.group(1))
    if length > limits.COMPRESSED * 4 // 3 + 4:
        raise too_large(f"{length} bytes announced")
    data = stdout[head.end() + 1 : head.end() + 1 + length]
    if len(data) != length:
        raise HostFailure(
            "cut_short",
            f"the answer ended after {len(data)} of {length} bytes",
            "The connection or the collector was ended half-way. Run again.",
        )
    if hashlib.sha256(data.encode("utf-8", "replace")).hexdigest() != head.group(2):
        raise malformed("its digest does not fit")
    return data


def _no_answer(stdout, stderr, code):
    if OTHER_PYTHON in stdout:
        return HostFailure("other_python", "its Python is not the one that it had", "Run again.")
    if NO_PYTHON in stdout:
        version = ".".join(map(str, PYTHON))
        return HostFailure(
            "no_python",
            f"no Python {version} or newer was found",
            "Install python3 there, or set ansible_python_interpreter to one.",
        )
    said = " ".join((stderr or stdout).split())[-300:]
    return HostFailure(
        "no_snapshot",
        f"the collector ended with code {code} and no snapshot: {said or 'it said nothing'}",
        "Try `ssh <host> python3 --version`; a shell profile that prints or exits also does this.",
    )


def unpack(data):
    """Return the snapshot (dict) in base64(zlib(JSON)) text; raise HostFailure for anything else."""
    if len(data) > limits.COMPRESSED * 4 // 3 + 4:
        raise too_large(f"{len(data)} characters")
    try:
        packed = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise malformed("no base64") from None
    del data
    plain = inflate(packed)
    try:
        value = json.loads(plain, parse_constant=_no_constant, parse_int=_int, parse_float=_float)
    except RecursionError:
        raise malformed(f"nested deeper than {limits.DEPTH}") from None
    except UnicodeDecodeError:
        raise malformed("no UTF-8") from None
    except ValueError as error:
        raise malformed(str(error)[:120]) from None
    if not isinstance(value, dict):
        raise malformed("no JSON object")
    return value


def inflate(packed):
    """Return the decompressed bytes; raise HostFailure past DECOMPRESSED or RATIO."""
    bound = min(limits.DECOMPRESSED, max(limits.RATIO_FREE, len(packed) * limits.RATIO))
    engine = zlib.decompressobj()
    try:
        plain = engine.decompress(packed, bound + 1)
    except zlib.error:
        raise malformed("no zlib stream") from None
    if len(plain) > bound:
        raise too_large(f"more than {bound} bytes come out of {len(packed)}")
    if not engine.eof or engine.unused_data:
        raise malformed("the zlib stream does not end where it should")
    return plain


def _no_constant(name):
    raise ValueError(f"{name} is no JSON number")


def _int(digits):
    if len(digits) > 20:
        raise ValueError("an integer of more than 64 bits")
    value = int(digits)
    if not -limits.INT_64 <= value < limits.INT_64:
        raise ValueError("an integer of more than 64 bits")
    return value


def _float(digits):
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise ValueError("a number out of range")
    return value

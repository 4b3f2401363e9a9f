"""The snapshot as one line that survives log-in banners: a marker with length and digest, then base64(zlib(JSON))."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import base64
import hashlib
import zlib

from .collect import collect

MARKER = b"RINGWALL-SNAPSHOT/1"


def pack(snapshot):
    """Return base64(zlib(snapshot)) of JSON bytes."""
    return base64.b64encode(zlib.compress(snapshot, 6))


def answer(settings):
    """Collect, and return what is written to standard output (bytes)."""
    data = pack(collect(settings))
    return b"\n%s %d %s\n%s\n" % (MARKER, len(data), hashlib.sha256(data).hexdigest().encode("ascii"), data)

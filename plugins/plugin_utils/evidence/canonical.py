"""One spelling for a JSON value, so that equal content has an equal digest."""

from __future__ import annotations

import hashlib
import json

_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False, check_circular=False
)


def canonical(value):
    """Return a JSON value as canonical text: sorted keys, no spaces, ASCII; raise ValueError for NaN and infinity."""
    return _ENCODER.encode(value)


def sha256(data):
    """SHA-256 of bytes as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def digest(value):
    """SHA-256 of the canonical form of a JSON value."""
    return sha256(_ENCODER.encode(value).encode("ascii"))

"""Table contents as content-addressed blobs: an unchanged table costs one digest.

The digest leaves volatile columns (pids, counters) out; the blob keeps the whole rows of the first sight and
names the columns left out, so that it can be checked against its own name.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import zlib

from . import atomic
from .canonical import canonical, digest, sha256

SCHEMA = "ringwall.object/1"
_NAME = re.compile(r"[0-9a-f]{64}")
MOST_BYTES = 256 << 20
"""A blob that unpacks to more is damaged or hostile."""


class ObjectError(Exception):
    """A blob is missing, damaged, or not what its name says."""


def table_digest(table, volatile=()):
    """Digest of a table ``{version, state, rows, ...}`` without its volatile columns: 64 hexadecimal digits."""
    rows = table["rows"]
    if volatile:
        drop = frozenset(volatile)
        rows = {key: {name: cell for name, cell in row.items() if name not in drop} for key, row in rows.items()}
    return digest({"version": table["version"], "state": table["state"], "rows": rows})


def path_of(state, name):
    """Path of the blob of that digest; raise ObjectError if it is no digest."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ObjectError(f"{name!r} is not a digest")
    return os.path.join(state.objects, name[:2], name + ".json.gz")


def gzip_bytes(data, level=6):
    """One gzip member without time or name: equal data give equal bytes."""
    packer = zlib.compressobj(level, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


def gunzip(data, limit=MOST_BYTES):
    """Unpack all gzip members of ``data``; raise ObjectError when damaged or longer than ``limit`` bytes."""
    parts, left = [], limit
    try:
        while data:
            unpacker = zlib.decompressobj(31)
            part = unpacker.decompress(data, left + 1)
            left -= len(part)
            if left < 0:
                raise ObjectError(f"unpacks to more than {limit} bytes")
            if not unpacker.eof:
                raise ObjectError("ends in the middle")
            parts.append(part)
            data = unpacker.unused_data
    except zlib.error as error:
        raise ObjectError(f"is damaged: {error}") from error
    if not parts:
        raise ObjectError("is empty")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def encode(table, volatile=()):
    """The bytes of a table's blob."""
    value = {
        "schema": SCHEMA,
        "version": table["version"],
        "state": table["state"],
        "why": table.get("why", ""),
        "volatile": sorted(volatile),
        "rows": table["rows"],
    }
    return gzip_bytes(canonical(value).encode("ascii"))


def _digest_of_text(table, text):
    """``table_digest`` of the table in a blob's text: without volatile columns its rows are hashed as they stand there.

    Spelling a thousand rows anew costs more than all else that is done with them.
    """
    before = b'{"rows":'
    after = "," + canonical({name: table[name] for name in table if name != "rows"})[1:]
    if table["volatile"] or not text.startswith(before) or not text.endswith(after.encode("ascii")):
        return table_digest(table, table["volatile"])
    end = "," + canonical({"state": table["state"], "version": table["version"]})[1:]
    return sha256(text[: -len(after)] + end.encode("ascii"))


def decode(name, data):
    """The table in a blob's bytes; raise ObjectError unless its content has the digest ``name``."""
    try:
        text = gunzip(data)
        table = json.loads(text)
        if table["schema"] != SCHEMA:
            raise ObjectError(f"schema {table['schema']!r} is not known here")
        found = _digest_of_text(table, text)
    except ObjectError as error:
        raise ObjectError(f"object {name}: {error}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ObjectError(f"object {name}: is not a table ({type(error).__name__})") from error
    if found != name:
        raise ObjectError(f"object {name}: its content has the digest {found}")
    return table


def _seen_again(path):
    """True if the blob is there; its time is set to now: pruning leaves it to the run that is about to name it."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def put(state, table, volatile=()):
    """Store one table ``{version, state, why, rows}``; return its digest. Durable on return, safe in many processes."""
    return put_many(state, {"": (table, volatile)})[""]


def put_many(state, tables):
    """Store ``{name: (table, volatile columns)}``; return ``{name: digest}``.

    The folders are synced once for all, which is most of the wall time of a first run.
    """
    digests, folders, todo = {}, set(), []
    try:
        for label, (table, volatile) in tables.items():
            name = digests[label] = table_digest(table, volatile)
            path = path_of(state, name)
            if _seen_again(path):
                continue
            atomic.make_directory(os.path.dirname(path))
            todo.append((atomic.write_temporary(path, encode(table, volatile)), path))
        while todo:
            temporary, path = todo[-1]
            os.replace(temporary, path)
            todo.pop()
            folders.add(os.path.dirname(path))
    finally:
        for temporary, _path in todo:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
    for folder in folders:
        atomic.fsync_directory(folder)
    return digests


def put_raw(state, name, data):
    """Store a blob's bytes as they came from another store, after checking them against ``name``."""
    decode(name, data)
    path = path_of(state, name)
    if not os.path.exists(path):
        atomic.make_directory(os.path.dirname(path))
        atomic.write(path, data)


def get_raw(state, name):
    """The bytes of a blob; raise ObjectError if it is not there."""
    try:
        with open(path_of(state, name), "rb") as file:
            return file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise ObjectError(f"object {name}: is not there") from None


def get(state, name):
    """Return ``{schema, version, state, why, volatile, rows}``; raise ObjectError if missing or not what it says."""
    return decode(name, get_raw(state, name))


def names(state):
    """Iterate over the digests of all blobs."""
    for folder in sorted(os.listdir(state.objects)):
        place = os.path.join(state.objects, folder)
        if len(folder) == 2 and os.path.isdir(place):
            for entry in sorted(os.listdir(place)):
                name = entry.partition(".")[0]
                if _NAME.fullmatch(name):
                    yield name


def remove(state, name):
    """Remove a blob; nothing happens if it is gone already."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path_of(state, name))

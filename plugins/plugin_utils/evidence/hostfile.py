"""The file of one host in a run: one JSON document in two gzip members.

The first member holds a summary (state, digests, counts), the second the rest. Any gzip reader sees the whole
document; recording reads the first member alone and skips hosts in which nothing changed.
"""

from __future__ import annotations

import json
import zlib

from ...module_utils.tables import identity
from .canonical import canonical, digest, sha256
from .objects import ObjectError, gunzip, gzip_bytes

SCHEMA = "ringwall.host/1"
SUMMARY = (
    "schema", "run", "scope", "host", "state", "reason", "taken", "received", "privilege", "observed", "digests",
    "counts", "objects",
)  # fmt: skip
_VOLATILE_IDENTITY = frozenset(column.name for column in identity.TABLE.columns if column.volatile)
NOT_COMPARED = ("observed_at",)
"""Fields of a finding that move without the finding changing."""


class HostFileError(Exception):
    """A host's file is damaged or is not one; nothing of it may be used."""


def file_name(host):
    """Name of a host's file: never the host's own name, which may hold anything."""
    return sha256(host.encode("utf-8", "surrogatepass"))[:16] + ".json.gz"


def finding_value(finding):
    """What is compared of a finding: all but the moment it was observed."""
    return {name: value for name, value in finding.items() if name not in NOT_COMPARED}


def digests(host_file):
    """Digests of what the store keeps: ``{findings, tables, about}``; equal digests mean nothing to record."""
    tables = {
        name: [table.get("digest"), table.get("version"), table.get("state"), bool(table.get("stale"))]
        for name, table in host_file.get("tables", {}).items()
    }
    identity_row = host_file.get("identity") or {}
    about = {
        "state": host_file.get("state"),
        "reason": host_file.get("reason"),
        "privilege": host_file.get("privilege"),
        "inventory": host_file.get("inventory"),
        "platform": host_file.get("platform"),
        "identity": {name: value for name, value in identity_row.items() if name not in _VOLATILE_IDENTITY},
        "benchmarks": host_file.get("benchmarks"),
        "alerts": host_file.get("alerts"),
        "errors": host_file.get("errors"),
        "notes": host_file.get("notes"),
        "tailored": host_file.get("tailored"),
        "collector": host_file.get("collector"),
    }
    values = [finding_value(finding) for finding in host_file.get("findings", ())]
    return {"findings": digest(values), "tables": digest(tables), "about": digest(about)}


def _objects(host_file):
    found = {table.get("digest") for table in (host_file.get("tables") or {}).values()}
    return sorted(name for name in found if isinstance(name, str))


def objects_named(data):
    """Digests of the table contents that a host file's bytes name; raise HostFileError if damaged."""
    named = decode_summary(data).get("objects")
    if named is None:  # of a version that did not say it up front
        named = _objects(decode(data))
    return named


def encode(host_file):
    """Return a host file's bytes; filled in here are ``schema``, ``digests``, ``counts`` (findings by status),
    ``objects`` (digests of the table contents it names) and ``observed``: when tables were read that were not read in
    this run, ``{table: RFC 3339}``.
    """
    full = dict(host_file)
    full["schema"] = SCHEMA
    full["digests"] = digests(host_file)
    full["objects"] = _objects(host_file)
    full["observed"] = {
        name: table["observed_at"]
        for name, table in host_file.get("tables", {}).items()
        if table.get("observed_at") not in (None, "", host_file.get("received"))
    }
    counts = {}
    for finding in host_file.get("findings", ()):
        status = finding.get("status", "")
        counts[status] = counts.get(status, 0) + 1
    full["counts"] = counts
    head = {name: full[name] for name in SUMMARY if name in full}
    rest = {name: value for name, value in full.items() if name not in head}
    first, second = canonical(head), canonical(rest)
    second = "," + second[1:] if rest else "}"
    return gzip_bytes(first[:-1].encode("ascii")) + gzip_bytes(second.encode("ascii"), 4)


def decode(data):
    """The host file in ``data``; raise HostFileError when damaged or of an unknown schema."""
    try:
        return _checked(json.loads(gunzip(data)))
    except (ObjectError, ValueError, RecursionError) as error:
        raise HostFileError(f"the host's file {error}") from error


def decode_summary(data):
    """The first member alone (SUMMARY), also of files that hold one member only; raise HostFileError if damaged."""
    try:
        unpacker = zlib.decompressobj(31)
        first = unpacker.decompress(data, 1 << 24)
        if not unpacker.eof:
            raise HostFileError("the host's file ends in the middle")
        first = first.rstrip()
        if unpacker.unused_data:
            return _checked(json.loads(first + b"}"))
        whole = json.loads(first)
        return _checked({name: whole[name] for name in SUMMARY if name in whole})
    except (zlib.error, ValueError, RecursionError, AttributeError) as error:
        raise HostFileError(f"the host's file is damaged: {error}") from error


def _checked(value):
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        found = value.get("schema") if isinstance(value, dict) else type(value).__name__
        raise HostFileError(f"the host's file has schema {found!r}, known is {SCHEMA!r}")
    if not isinstance(value.get("host"), str):
        raise HostFileError("the host's file names no host")
    return value

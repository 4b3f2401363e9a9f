"""What the store held at one moment, as evidence: pruning may then remove the runs that it came from."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import secrets

from ..evidence import atomic
from ..evidence.canonical import canonical
from ..third_party import present
from . import bulk, schema
from .engine import StoreError

sa = present("sqlalchemy")

SCHEMA = "ringwall.checkpoint/1"
_BATCH = 5000


def _sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write(connection, state, record_seq):
    """Write all derived tables to ``checkpoints/<record_seq>-<6 hex>.jsonl.gz``; return (file name, SHA-256).

    ``record_seq``: the last line of the ledger of recording that the store stands at. Durable on return.
    """
    name = f"{record_seq:012d}-{secrets.token_hex(3)}.jsonl.gz"
    path = os.path.join(state.checkpoints, name)
    temporary = os.path.join(state.checkpoints, f".{name}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0, compresslevel=4) as packed:
                packed.write(canonical({"schema": SCHEMA, "record_seq": record_seq}).encode("ascii") + b"\n")
                for table in schema.DERIVED:
                    names = [column.name for column in table.columns]
                    packed.write(canonical({"table": table.name, "columns": names}).encode("ascii") + b"\n")
                    order = sa.select(table).order_by(*table.primary_key.columns)
                    for row in connection.execute(order, execution_options={"yield_per": _BATCH}):
                        packed.write(canonical(list(row)).encode("ascii") + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    atomic.fsync_directory(state.checkpoints)
    return name, _sha256_of(path)


def load_into(connection, state, name, sha256):
    """Fill the empty derived tables from a checkpoint; return its ``record_seq``. Raise StoreError if it is not whole.

    Columns that later versions added are null in an older checkpoint.
    """
    path = os.path.join(state.checkpoints, name)
    if not os.path.exists(path):
        raise StoreError(f"{path} is not there: the runs before it were pruned; restore it from a backup")
    if _sha256_of(path) != sha256:
        raise StoreError(f"{path} is not what the ledger of pruning says; restore it from a backup")
    tables = {table.name: table for table in schema.DERIVED}
    table, places, rows = None, [], []
    with gzip.open(path, "rt", encoding="ascii") as file:
        head = json.loads(file.readline())
        if head.get("schema") != SCHEMA:
            raise StoreError(f"{path} is of schema {head.get('schema')!r}, known is {SCHEMA}")
        for line in file:
            value = json.loads(line)
            if isinstance(value, dict):
                bulk.insert(connection, table, rows)
                table, rows = tables[value["table"]], []
                at = {name: place for place, name in enumerate(value["columns"])}
                places = [at.get(column.name) for column in table.columns]
                continue
            rows.append(tuple(None if place is None else value[place] for place in places))
            if len(rows) >= _BATCH:
                bulk.insert(connection, table, rows)
                rows = []
        bulk.insert(connection, table, rows)
    return head["record_seq"]

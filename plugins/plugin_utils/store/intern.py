"""What repeats between hosts is stored once and named by a number: values and keys of findings and rows."""

from __future__ import annotations

import hashlib
import json
import marshal
from typing import NamedTuple

from ..evidence.canonical import canonical
from ..third_party import present
from . import bulk, schema

sa = present("sqlalchemy")

MOST = 100_000
"""Values held in memory; beyond, the memory is emptied and the database asked again."""

KEY_FIELDS = ("benchmark", "section", "control")
_LEFT_OUT = frozenset((*KEY_FIELDS, "observed_at"))


class Value(NamedTuple):
    """The value of a finding: its number and what decides about intervals and scores."""

    id: int
    status: str
    severity: str
    disposition: str | None


def _marks(values):
    """Something to remember each JSON value by, ten times cheaper than its canonical text.

    Equal marks are of equal values; equal values may have two marks when their fields come in another order.
    Version 2 writes no references, which would tell how often a text is used elsewhere.
    """
    dumps = marshal.dumps
    return [dumps(value, 2) for value in values]


def _digest(body):
    return hashlib.sha256(body.encode("ascii")).hexdigest()[:40]


class Interned:
    """Numbers of values and keys within one transaction of the writer."""

    def __init__(self, connection, numbers, writes):
        self._connection = connection
        self._numbers = numbers
        self._writes = writes
        self.forget()
        # A table that is empty needs no asking while all that comes is remembered: a first record would ask for all.
        self._empty = {
            table
            for table in (schema.FINDING_VALUES, schema.CONTENTS, schema.ROW_KEYS)
            if connection.execute(sa.select(table.c.id).limit(1)).first() is None
        }

    def forget(self):
        """Empty the memory: what it holds may have been rolled back."""
        self._values, self._contents, self._keys, self._row_keys = {}, {}, {}, {}
        self._names, self._benchmarks, self._new_bodies = {}, {}, {}
        self._empty, self._marked = set(), {schema.FINDING_VALUES: {}, schema.CONTENTS: {}}

    def _held(self, memory, table, values, make_row):
        """What ``_bodies`` says of the canonical texts of ``values``; those known already go by their mark."""
        marked = self._marked[table]
        if len(marked) > MOST:
            marked.clear()
        marks = _marks(values)
        new = {mark: position for position, mark in enumerate(marks) if mark not in marked}
        if new:
            positions = list(new.values())
            bodies = [canonical(values[position]) for position in positions]
            found = self._bodies(memory, table, bodies, lambda *row, at: make_row(*row, positions[at]))
            marked.update(zip(new, found, strict=True))
        return [marked[mark] for mark in marks]

    def _bodies(self, memory, table, bodies, make_row):
        """Return [what memory holds] for bodies; ``make_row(number, digest, body, at=position)`` -> (row, held)."""
        if len(memory) > MOST:
            self._writes.flush()
            memory.clear()
            self._new_bodies.clear()
            self._empty.discard(table)
        missing = {}
        for position, body in enumerate(bodies):
            if body not in memory and body not in missing:
                missing[body] = position
        if missing:
            digests = {_digest(body): body for body in missing}
            found = {}
            for part in () if table in self._empty else bulk.chunks(digests):
                query = sa.select(table.c.id, table.c.digest).where(table.c.digest.in_(part))
                found.update((digest, number) for number, digest in self._connection.execute(query))
            rows = []
            for digest, body in digests.items():
                known = found.get(digest)
                row, held = make_row(known or self._numbers.take(table), digest, body, at=missing[body])
                if known is None:
                    rows.append(row)
                    if table is schema.FINDING_VALUES:
                        self._new_bodies[row[0]] = body
                memory[body] = held
            self._writes.insert(table, rows)
        return [memory[body] for body in bodies]

    def values(self, findings):
        """Return a Value for each finding (dicts of a host file)."""
        values = [{name: value for name, value in finding.items() if name not in _LEFT_OUT} for finding in findings]

        def make_row(number, digest, body, position):
            finding = findings[position]
            held = Value(number, finding["status"], finding["severity"], finding.get("disposition"))
            return (number, digest, held.status, held.severity, held.disposition, body), held

        return self._held(self._values, schema.FINDING_VALUES, values, make_row)

    def contents(self, values):
        """Return a number for each JSON value."""

        def make_row(number, digest, body, _position):
            return (number, digest, body), number

        return self._held(self._contents, schema.CONTENTS, values, make_row)

    def _load_keys(self):
        if not self._keys:
            table = schema.FINDING_KEYS
            for number, *key in self._connection.execute(sa.select(table)).all():
                self._keys[tuple(key)] = number

    def key_names(self):
        """Return {number of a key: ``benchmark/section/control``}."""
        self._load_keys()
        if len(self._names) != len(self._keys):
            self._names = {number: "/".join(key) for key, number in self._keys.items()}
        return self._names

    def keys(self, findings):
        """Return a number for each finding's (benchmark, section, control)."""
        self._load_keys()
        rows, numbers = [], []
        for finding in findings:
            key = (finding["benchmark"], finding["section"], finding["control"])
            number = self._keys.get(key)
            if number is None:
                number = self._keys[key] = self._numbers.take(schema.FINDING_KEYS)
                rows.append((number, *key))
            numbers.append(number)
        self._writes.insert(schema.FINDING_KEYS, rows)
        return numbers

    def benchmarks(self):
        """Return {number of a key: its benchmark}."""
        self._load_keys()
        if len(self._benchmarks) != len(self._keys):
            self._benchmarks = {number: key[0] for key, number in self._keys.items()}
        return self._benchmarks

    def row_keys(self, name, keys):
        """Return {key: number} of a table's row keys."""
        memory = self._row_keys.setdefault(name, {})
        missing = [key for key in keys if key not in memory]
        table = schema.ROW_KEYS
        for part in () if table in self._empty else bulk.chunks(missing):
            query = sa.select(table.c.key, table.c.id).where(table.c.name == name, table.c.key.in_(part))
            memory.update((key, number) for key, number in self._connection.execute(query))
        rows = []
        for key in missing:
            if key not in memory:
                memory[key] = self._numbers.take(table)
                rows.append((memory[key], name, key))
        self._writes.insert(table, rows)
        return {key: memory[key] for key in keys}

    def body(self, value_id):
        """The finding's fields (without its key) behind the number of a value."""
        table = schema.FINDING_VALUES
        body = self._new_bodies.get(value_id)
        if body is None:
            body = self._connection.execute(sa.select(table.c.body).where(table.c.id == value_id)).scalar_one()
        return json.loads(body)

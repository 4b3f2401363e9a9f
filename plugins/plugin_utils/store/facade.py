"""The store as everybody uses it: open, record, rebuild, prune, ask."""

from __future__ import annotations

import os

from ..evidence import atomic, ledger, runs
from ..findings.signals import SCORE_DROP
from . import mirror, past, queries, shared_runs, timeline
from .engine import StoreError, make_engine, migrate, reading, writing
from .maintenance import Maintenance
from .record import Recorder

__all__ = ["RECORD", "Store", "StoreError", "open_store"]

RECORD = mirror.RECORD


def open_store(url, state, fill=True):
    """Open the store at ``url`` (None: SQLite in the state directory), made or migrated if need be.

    ``state`` is an evidence State. With PostgreSQL the ledger and the heads of the chains are brought to this disk, so
    that a fresh disk carries on where others stopped. Raises StoreError and MissingDependency.

    The store is derived: one that is empty although runs were recorded in this state (its file was moved away, it was
    pointed at a new database) is filled from evidence first, unless ``fill`` is false. ``Store.refilled`` is then what
    ``rebuild`` returned, else None.
    """
    engine = make_engine(url, state)
    with atomic.locked(os.path.join(state.path, ".store.lock")):
        migrate(engine)
    store = Store(engine, state)
    if store.shared:
        with store.writer() as connection:
            mirror.pull_ledgers(connection, state)
            mirror.pull_heads(connection, state)
    if fill and store.is_missing_runs():
        try:
            store.refilled = store.rebuild()
        except BaseException:
            store.close()
            raise
    return store


class Store(Maintenance, queries.Queries, timeline.Timeline, past.Past):
    """One store. Every method is one transaction; it can be used by one thread at a time."""

    def __init__(self, engine, state):
        self.engine = engine
        self.state = state
        self.shared = engine.dialect.name == "postgresql"
        self.refilled = None

    def close(self):
        """Give back the connections."""
        self.engine.dispose()

    def reader(self):
        """A transaction that reads (context manager of a connection)."""
        return reading(self.engine)

    def writer(self):
        """The transaction of the one writer (context manager of a connection)."""
        return writing(self.engine)

    def record(self, run_id, score_drop=SCORE_DROP):
        """Bring a run into the store, again and again without doubling anything; return a summary.

        ``{run, scope, hosts, recorded, unchanged, already, late, opened, closed, quarantined: [{file, host, reason}],
        score, alerts}``. A run whose process is gone is sealed as interrupted first. Raises RunError, StoreError.
        """
        with atomic.locked(os.path.join(self.state.path, ".store.lock")):
            run = self.evidence_of(run_id)
            if run.interrupted():
                run.finish("interrupted")
            with self.writer() as connection:
                if self.shared:
                    mirror.pull_ledgers(connection, self.state)
                    shared_runs.join(connection, run)
                    mirror.push_run(connection, run)
                # Before it takes effect: rebuild() follows the order in which runs were recorded.
                ledger.append(self.state, RECORD, {"action": "record", "run": run.id, "score_drop": score_drop})
                mirror.push_ledgers(connection, self.state)
                return Recorder(connection, run, score_drop).record()

    def retire(self, scope, host, reason, actor, now=None):
        """Say that a host is gone for good: its findings end as host_retired. A later run of it starts anew.

        ``reason`` and ``actor`` are for the ledger. ``now``: RFC 3339, for tests. Raises StoreError for a host that is
        not known.
        """
        with atomic.locked(os.path.join(self.state.path, ".store.lock")), self.writer() as connection:
            if self.shared:
                mirror.pull_ledgers(connection, self.state)
            self._retire_check(connection, scope, host)
            entry = {"action": "retire", "scope": scope, "host": host, "reason": reason, "actor": actor}
            if now is not None:
                entry["at"] = now
            written = ledger.append(self.state, RECORD, entry)
            mirror.push_ledgers(connection, self.state)
            self._retire(connection, written)

    def bring_objects(self, digests):
        """Bring table contents of these digests to this disk, where the store is shared and they are not there."""
        if self.shared:
            with self.reader() as connection:
                mirror.pull_objects(connection, self.state, digests)

    def evidence_of(self, run_id):
        """The evidence Run of that id, brought to this disk where the store is shared; raise RunError without one."""
        if self.shared and not os.path.exists(runs.Run(self.state, run_id).hosts_path):
            # Without hosts: a disk that carries on a chain has the header of its last run alone.
            with self.reader() as connection:
                mirror.pull_run(connection, self.state, run_id)
        return runs.load_run(self.state, run_id)

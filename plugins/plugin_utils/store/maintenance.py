"""Rebuild the store from evidence, and retire hosts. Part of the store's face."""

from __future__ import annotations

import os

from ..evidence import atomic, chain, ledger, runs
from ..findings.signals import SCORE_DROP
from ..third_party import present
from . import bulk, checkpoint, mirror, prune, schema, shared_runs
from .bulk import Numbers
from .engine import StoreError
from .hostwriter import Host, HostWriter
from .record import Recorder

sa = present("sqlalchemy")

DECISION = "decision"
"""State of a row of runs that stands for a decision between two runs: intervals end at it."""


class Maintenance:
    """Methods of Store that change what is stored beyond one run."""

    def rebuild(self):
        """Empty the store and fill it again from checkpoint, runs, objects and ledger, in the order of recording.

        Returns ``{"runs": n, "missing": [run ids that were recorded once and are not there], "checkpoint": name or
        None}``. One transaction: until it ends the old content stays. Raises StoreError for a damaged checkpoint.
        """
        with atomic.locked(os.path.join(self.state.path, ".store.lock")), self.writer() as connection:
            if self.shared:
                mirror.pull_all(connection, self.state)
                recorded = [entry["run"] for entry in ledger.read(self.state, mirror.RECORD) if "run" in entry]
                shared_runs.move_in(connection, self.state, recorded)  # evidence that had another store until now
            for table in schema.DERIVED:
                connection.execute(sa.delete(table))
            last = None
            for last in ledger.read(self.state, chain.PRUNED):  # noqa: B007 - only the last counts
                pass
            after, missing, done = 0, [], 0
            if last is not None:
                after = checkpoint.load_into(connection, self.state, last["checkpoint"], last["sha256"])
            for entry in ledger.read(self.state, mirror.RECORD):
                if entry["seq"] <= after:
                    continue
                if entry["action"] == "retire":
                    self._retire(connection, entry)
                    continue
                try:
                    run = runs.load_run(self.state, entry["run"])
                except runs.RunError:
                    missing.append(entry["run"])
                    continue
                Recorder(connection, run, entry.get("score_drop", SCORE_DROP)).record()
                done += 1
            mirror.push_ledgers(connection, self.state)
            return {"runs": done, "missing": missing, "checkpoint": last["checkpoint"] if last else None}

    def is_missing_runs(self):
        """True if the store is empty although the ledger says that runs were recorded."""
        with self.reader() as connection:
            if connection.execute(sa.select(schema.RUNS.c.id).limit(1)).first() is not None:
                return False
        return any(entry["action"] == "record" for entry in ledger.read(self.state, mirror.RECORD))

    def bring_evidence(self):
        """Bring all evidence to this disk where the database holds it: what is verified there must be there first."""
        if self.shared:
            with atomic.locked(os.path.join(self.state.path, ".store.lock")), self.reader() as connection:
                mirror.pull_all(connection, self.state)

    def decide_on_run(self, noun, run_id, entry):
        """Append what people decided on a run to the ledger ``noun``, also to that in a shared database.

        Returns the entry as written. Raises RunError for a run that is nowhere.
        """
        with atomic.locked(os.path.join(self.state.path, ".store.lock")), self.writer() as connection:
            if self.shared:
                mirror.pull_ledgers(connection, self.state)
                mirror.pull_run(connection, self.state, run_id)
            runs.load_run(self.state, run_id)
            written = ledger.append(self.state, noun, {**entry, "run": run_id})
            mirror.push_ledgers(connection, self.state)
            return written

    def prune(self, keep_runs=50, keep_days=90, holds=(), now=None):
        """Remove old runs, alerts and closed intervals; return ``{runs, objects, alerts, intervals, checkpoint}``.

        A run stays while it is among the newest ``keep_runs`` of its scope, younger than ``keep_days``, held
        (``holds``: run ids; ledger ``hold``: ``{"action": "hold"|"release", "run": id}``), running, or not recorded.
        Alerts stay 90 days after they were seen last, the timeline 180 days. ``now``: RFC 3339, for tests.
        """
        with atomic.locked(os.path.join(self.state.path, ".store.lock")):
            with self.writer() as connection:
                if self.shared:  # what this disk does not hold would never grow old
                    mirror.pull_ledgers(connection, self.state)
                    mirror.pull_heads(connection, self.state)
                    mirror.pull_runs(connection, self.state)
                result, removed = prune.derive(connection, self.state, keep_runs, keep_days, holds, now)
                if self.shared:
                    mirror.push_file(connection, self.state, f"checkpoints/{result['checkpoint']}")
                mirror.push_ledgers(connection, self.state)
            result["objects"] = prune.clear(self, removed, holds)
            return result

    def _retire_check(self, connection, scope, host):
        table = schema.HOSTS
        query = sa.select(table.c.id).where(
            table.c.scope == scope, table.c.name == host, table.c.retired_run.is_(None)
        )  # fmt: skip
        if connection.execute(query).scalar() is None:
            raise StoreError(f"no host {host!r} is known in scope {scope!r}, or it is retired already")

    def _retire(self, connection, entry):
        table = schema.HOSTS
        row = connection.execute(
            sa.select(table).where(table.c.scope == entry["scope"], table.c.name == entry["host"])
        ).first()
        if row is None or row.retired_run is not None:
            return
        numbers = Numbers(connection)
        number = numbers.take(schema.RUNS)
        decision = (
            number, f"{DECISION}-{entry['seq']}", entry["scope"], entry["at"], DECISION, None, "{}", None, None, None, 0
        )  # fmt: skip
        bulk.insert(connection, schema.RUNS, [decision])
        host = Host(*row)
        writes = bulk.Writes(connection)
        writer = HostWriter(connection, writes, None, numbers, None, number)
        writer.end_generation(host, "host_retired")
        writer.save(host._replace(retired_run=number, findings_digest=None, tables_digest=None))
        writes.flush()

"""A run brought into the store: one transaction, nothing doubled when it is done again.

A host that cannot be recorded costs nobody else anything. What a batch of hosts writes is held back and written under
one savepoint; if that fails the batch is rolled back and done again with a savepoint a host, and the one at fault is
quarantined.
"""

from __future__ import annotations

import json

from ..evidence import hostfile, objects
from ..evidence.canonical import canonical, digest, sha256
from ..third_party import present
from . import bulk, schema, scoring
from .alerting import Alerting
from .bulk import Numbers
from .hostwriter import Host, HostWriter, about_of
from .intern import Interned

sa = present("sqlalchemy")

HEADER_LEFT_OUT = ("hosts", "owners")
BATCH = 100
"""Hosts under one savepoint: more would save little, and each host at fault costs doing its batch again."""


class Recorder:
    """Records one run on ``connection``. ``run`` is an evidence Run; ``score_drop`` as in findings.signals."""

    def __init__(self, connection, run, score_drop):
        self.connection = connection
        self.run = run
        self.header = run.header
        self.scope = self.header["scope"]
        self.numbers = Numbers(connection)
        self.writes = bulk.Writes(connection)
        self.interned = Interned(connection, self.numbers, self.writes)
        # Nothing happened on the hosts of a run that was judged again: no alert comes of it, and none ends.
        self.rejudged = bool(self.header.get("rejudged_from"))
        self.before = self._run_before()
        self.number, self.known_run = self._run_row()
        changed = self.before is not None and self.before["content"] != _content(self.header)
        self.writer = HostWriter(
            connection, self.writes, self.interned, self.numbers, lambda name: objects.get(run.state, name),
            self.number, content_changed=changed, limited=bool((self.header.get("options") or {}).get("benchmarks")),
            rejudged=self.rejudged,
        )  # fmt: skip
        self.hosts = self._hosts()
        self.scores = scoring.last_scores(connection, self.scope)
        self.alerting = Alerting(connection, self.scope, self.header, self.number, score_drop)
        self.summary = {
            "run": run.id, "scope": self.scope, "hosts": 0, "recorded": 0, "unchanged": 0, "already": 0, "late": 0,
            "opened": 0, "closed": 0, "quarantined": [],
        }  # fmt: skip
        self.run_hosts = []

    def _run_before(self):
        # Rows without content are decisions between two runs.
        table = schema.RUNS
        query = (
            sa.select(table.c.id, table.c.content, table.c.at, table.c.score, table.c.basis, table.c.counts)
            .where(table.c.scope == self.scope, table.c.run != self.run.id, table.c.content.is_not(None))
            .order_by(table.c.id.desc())
            .limit(1)
        )
        row = self.connection.execute(query).mappings().first()
        return dict(row) if row else None

    def _run_row(self):
        table = schema.RUNS
        found = self.connection.execute(sa.select(table.c.id).where(table.c.run == self.run.id)).scalar()
        header = canonical({name: value for name, value in self.header.items() if name not in HEADER_LEFT_OUT})
        if found is None:
            number = self.numbers.take(table)
            row = (
                number, self.run.id, self.scope, self.header["started"], self.header["state"], _content(self.header),
                header, None, None, None, 0,
            )  # fmt: skip
            bulk.insert(self.connection, table, [row])
            return number, False
        update = sa.update(table).where(table.c.id == found).values(state=self.header["state"], header=header)
        self.connection.execute(update)
        return found, True

    def _hosts(self):
        table = schema.HOSTS
        query = sa.select(table).where(table.c.scope == self.scope)
        return {row.name: Host(*row) for row in self.connection.execute(query)}

    def record(self):
        """Record all host files of the run; return a summary (see Store.record)."""
        done = self._recorded()
        quarantined = self._quarantined()
        names = self.run.file_names()
        self.summary["hosts"] = len(names)
        for start in range(0, len(names), BATCH):
            files = self._new_files(names[start : start + BATCH], done)
            if not self._under_savepoint(files, quarantined):
                for name, data in files.items():
                    self._under_savepoint({name: data}, quarantined)
        self._finish()
        return self.summary

    def _new_files(self, names, done):
        """{file name: bytes} of those that were not recorded as they are."""
        found = {}
        for name in names:
            try:
                data = self.run.host_raw(name)
            except FileNotFoundError:
                continue  # pruned while we looked
            if sha256(data) in done:
                self.summary["already"] += 1
            else:
                found[name] = data
        return found

    def _under_savepoint(self, files, quarantined):
        """Record these files; True if all went well. One that fails alone is quarantined, of several none is kept."""
        marked = self._mark()
        savepoint = self.connection.begin_nested()
        hosts = {}
        try:
            for name, data in files.items():
                summary = hostfile.decode_summary(data)
                hosts[name] = summary["host"]
                self._one(summary, data, name)
                if name in quarantined:
                    self._release(name)
                if self.writes.held > bulk.Writes.MOST:
                    self.writes.flush()
            self.writes.flush()
            savepoint.commit()
            return True
        except (sa.exc.OperationalError, sa.exc.InterfaceError):
            raise  # the database itself is not well: nothing to do with a host
        except Exception as error:
            savepoint.rollback()
            self._restore(marked)
            if len(files) == 1:
                (name,) = files
                self._quarantine(name, hosts.get(name), error)
            return False

    def _mark(self):
        counts = {name: value for name, value in self.summary.items() if name != "quarantined"}
        return counts, dict(self.hosts), len(self.run_hosts), self.alerting.mark()

    def _restore(self, marked):
        """Take back what was noted since ``_mark``: what was rolled back must not be remembered."""
        counts, self.hosts, length, alerting = marked
        self.summary.update(counts)
        del self.run_hosts[length:]
        self.alerting.restore(alerting)
        self.writes.drop()
        self.interned.forget()
        self.writer.tables.forget()

    def _recorded(self):
        table = schema.RUN_HOSTS
        query = sa.select(table.c.sha256).where(table.c.run_id == self.number)
        return {mark for (mark,) in self.connection.execute(query)} if self.known_run else set()

    def _quarantined(self):
        table = schema.QUARANTINE
        query = sa.select(table.c.file).where(table.c.run_id == self.number)
        return {name for (name,) in self.connection.execute(query)} if self.known_run else set()

    def _release(self, name):
        table = schema.QUARANTINE
        self.connection.execute(sa.delete(table).where(table.c.run_id == self.number, table.c.file == name))

    def _quarantine(self, name, host, error):
        self._release(name)
        reason = f"{type(error).__name__}: {str(error)[:300]}"
        printable = reason.encode("ascii", "backslashreplace").decode("ascii").replace("\0", "\\x00")
        shown = (
            None if host is None else host.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")
        )
        bulk.insert(self.connection, schema.QUARANTINE, [(self.number, name, shown, printable)])
        self.summary["quarantined"].append({"file": name, "host": shown, "reason": printable})

    def _one(self, summary, data, file_name):
        name = summary["host"]
        if summary.get("scope") != self.scope or summary.get("run") != self.run.id:
            raise ValueError(f"the file is of run {summary.get('run')!r}, scope {summary.get('scope')!r}")
        if file_name != hostfile.file_name(name):
            raise ValueError(f"the file of host {name!r} would be named {hostfile.file_name(name)}")
        host = self.hosts.get(name)
        if host is None:
            host = self.hosts[name] = self.writer.new_host(self.scope, name)
        applied = True
        if summary["state"] != "assessed":
            # The host keeps all that is known of it; it merely was not seen.
            if host.tried_run <= self.number:
                host = host._replace(tried_run=self.number)
                self.writer.save(host)
            about = None
            file = hostfile.decode(data)
        elif host.seen_at is not None and summary["received"] < host.seen_at:
            applied, about, file = False, None, None
            self.summary["late"] += 1
        elif self._unchanged(host, summary):
            host = host._replace(
                seen_run=self.number, seen_at=summary["received"], tried_run=self.number,
                observed=canonical(summary.get("observed") or {}),
            )  # fmt: skip
            self.writer.save(host)
            about, file = scoring.UNCHANGED, None
            if not self.rejudged:
                self.alerting.unchanged(host, summary["received"], self.scores.get(host.id))
            self.summary["unchanged"] += 1
        else:
            file = hostfile.decode(data)
            opened = self.writer.open_findings(host) if host.seen_run is not None else []
            previous = self.alerting.past(self.interned, host, opened)
            result = self.writer.assessed(host, file, summary, opened)
            self.summary["opened"] += result.opened
            self.summary["closed"] += result.closed
            if result.host.generation == host.generation or previous is None:
                self.scores_of(host, file, previous)
            host, about = result.host, None
            if not self.rejudged:
                self.alerting.assessed(host, file, previous)
        self.hosts[name] = host
        about_id = self._about(host, file, about)
        reason = canonical(summary["reason"]) if summary.get("reason") else None
        row = (
            name, sha256(data), summary["state"], reason, summary.get("received"), summary.get("privilege"),
            host.generation, about_id, int(applied),
        )  # fmt: skip
        self.run_hosts.append(row)
        self.summary["recorded"] += 1

    def scores_of(self, host, file, previous):
        """Put the scores of a host before and now into ``previous`` and ``file`` for the alert of a drop."""
        if previous is not None and self.scores.get(host.id):
            previous["score"] = self.scores[host.id][0]
            file["_score"] = scoring.host_score(file, self.header)

    def _unchanged(self, host, summary):
        known = (host.findings_digest, host.tables_digest, host.about_digest, host.privilege)
        digests = summary["digests"]
        return host.retired_run is None and known == (
            digests["findings"], digests["tables"], digests["about"], summary.get("privilege"),
        )  # fmt: skip

    def _about(self, host, file, about):
        if file is not None:
            return self.interned.contents([about_of(file)])[0]
        if about == scoring.UNCHANGED and self.scores.get(host.id):
            return self.scores[host.id][4]
        return None

    def _finish(self):
        """Write the hosts of the run with their scores, the fleet's score and the alerts of the fleet."""
        table = schema.RUN_HOSTS
        rows = [(self.number, self.hosts[row[0]].id, *row[1:], None, None, None, None) for row in self.run_hosts]
        if self.known_run:
            for row in rows:  # a file that was written again after it was recorded
                self.connection.execute(sa.delete(table).where(table.c.run_id == row[0], table.c.host_id == row[1]))
        bulk.insert(self.connection, table, rows)
        score = scoring.fleet(self.connection, self.number, self.header, self.before)
        self.summary["score"] = score
        self.summary["alerts"] = {"statuses": {}, "baselines": 0}
        if not self.rejudged:
            was = json.loads(self.before["score"]) if self.before and self.before["score"] else None
            self.alerting.fleet(self.hosts, was, score)
            self.summary["alerts"] = self.alerting.save()


def _content(header):
    """Digest of what judging went by: content, and the controls' weights that the score goes by."""
    return digest([header.get("content"), header.get("weights")])

"""One host's file of a run brought into the store: generation, findings, tables. Runs inside that host's savepoint."""

from __future__ import annotations

from typing import NamedTuple

from ..evidence.canonical import canonical
from ..third_party import present
from . import schema, tables
from .intervals import CONCLUSIVE, Open, closing_reason, plan_findings

sa = present("sqlalchemy")

PRIVILEGES = {"user": 0, "root": 1}


class Host(NamedTuple):
    """A row of schema.HOSTS."""

    id: int
    scope: str
    name: str
    generation: int
    machine_id: str | None
    first_run: int
    seen_run: int | None
    seen_at: str | None
    tried_run: int
    privilege: str | None
    findings_digest: str | None
    tables_digest: str | None
    about_digest: str | None
    observed: str | None
    retired_run: int | None


class Result(NamedTuple):
    """What happened to a host: the Host now, its Values by key id, how many findings opened and closed."""

    host: Host
    opened: int
    closed: int


def weaker(host, privilege):
    """True if this run could see less than an earlier one of the same machine."""
    return PRIVILEGES.get(privilege, 0) < PRIVILEGES.get(host.privilege, 0)


def _platform_known(file):
    """True if the benchmarks that apply to the host could be told."""
    return file["tables"].get("platform", {}).get("state", "ok") == "ok" if file.get("tables") else False


def about_of(file):
    """What the store keeps of a host beside findings and tables."""
    names = ("inventory", "platform", "benchmarks", "errors", "notes", "tailored", "collector", "clock_skew_s")
    about = {name: file.get(name) for name in names if file.get(name) is not None}
    identity = file.get("identity") or {}
    about["whole"] = _platform_known(file)
    about["identity"] = {
        name: identity.get(name) for name in ("machine_id", "dmi_uuid", "cloud_instance", "hostname", "ssh_host_keys")
    }
    return about


class HostWriter:
    """Writes hosts of one run.

    ``content_changed``: its content differs from that of the run before it. ``limited``: it was asked for some
    benchmarks only. ``rejudged``: its hosts were not visited, what was read before was judged again.
    """

    def __init__(self, connection, writes, interned, numbers, objects, run, content_changed=False, limited=False,
                 rejudged=False):  # fmt: skip
        self.connection = connection
        self.writes = writes
        self.interned = interned
        self.numbers = numbers
        self.run = run
        self.content_changed = content_changed
        self.limited = limited
        self.rejudged = rejudged
        self.tables = tables.TableWriter(connection, writes, interned, numbers, objects, run)

    def new_host(self, scope, name):
        """Insert and return a Host that was never heard of."""
        host = Host(
            self.numbers.take(schema.HOSTS), scope, name, 1, None, self.run, None, None, self.run,
            None, None, None, None, None, None,
        )  # fmt: skip
        self.writes.put(schema.HOSTS, host)
        self.writes.put(schema.GENERATIONS, (host.id, 1, None, self.run, None, None))
        return host

    def save(self, host):
        """Write a Host back."""
        if self.writes.has(schema.HOSTS, host.id):
            self.writes.put(schema.HOSTS, host)
        else:
            values = host._asdict()
            self.writes.update(schema.HOSTS, (values.pop("id"),), values)

    def assessed(self, host, file, summary, opened):
        """Apply an assessed host's file; return a Result. ``opened``: what ``open_findings`` says of the host."""
        host = self._generation(host, (file.get("identity") or {}).get("machine_id"))
        weak = weaker(host, file.get("privilege"))
        digests = summary["digests"]
        fresh = host.seen_run is None
        facts_changed = digests["tables"] != host.tables_digest
        if facts_changed:
            self.tables.apply(host, file["tables"], fresh, weak)
        begun = closed = 0
        if digests["findings"] != host.findings_digest or weak:
            begun, closed = self._findings(host, file, [] if fresh else opened, weak, facts_changed)
        host = host._replace(
            seen_run=self.run,
            seen_at=file["received"],
            tried_run=self.run,
            privilege=host.privilege if weak else file.get("privilege"),
            # A weaker look is no ground to skip the next one: what it could not close must be looked at again.
            findings_digest=None if weak else digests["findings"],
            tables_digest=None if weak else digests["tables"],
            about_digest=digests["about"],
            observed=canonical(summary.get("observed") or {}),
        )
        self.save(host)
        return Result(host, begun, closed)

    def _generation(self, host, machine):
        """Open a new generation if another machine answers under this name, or one that was retired came back."""
        machine = machine if isinstance(machine, str) and machine else None
        if host.retired_run is None and (machine is None or host.machine_id in (None, machine)):
            if machine is not None and host.machine_id is None:
                key = (host.id, host.generation)
                if self.writes.has(schema.GENERATIONS, *key):
                    self.writes.put(schema.GENERATIONS, (*key, machine, host.first_run, None, None))
                else:
                    self.writes.update(schema.GENERATIONS, key, {"machine_id": machine})
                return host._replace(machine_id=machine)
            return host
        if host.retired_run is None:
            self.end_generation(host, "reinstalled")
        number = host.generation + 1
        self.writes.put(schema.GENERATIONS, (host.id, number, machine, self.run, None, None))
        return host._replace(
            generation=number, machine_id=machine, seen_run=None, seen_at=None, privilege=None, findings_digest=None,
            tables_digest=None, about_digest=None, observed=None, retired_run=None,
        )  # fmt: skip

    def end_generation(self, host, reason):
        """Close all intervals of a host's machine: it is not there any more. Nothing of the host may be held back."""
        findings, values = schema.FINDINGS, schema.FINDING_VALUES
        mine = (findings.c.host_id == host.id, findings.c.closed.is_(None))
        failing = sa.select(values.c.id).where(values.c.status == "fail", values.c.disposition.is_(None))
        update = sa.update(findings).where(*mine)
        self.connection.execute(
            update.where(findings.c.gap == 0, findings.c.value_id.in_(failing)).values(
                closed=self.run, closed_by="host_retired"
            )
        )
        self.connection.execute(update.values(closed=self.run))
        for table in (schema.TABLE_STATES, schema.ROWS):
            self.connection.execute(
                sa.update(table).where(table.c.host_id == host.id, table.c.closed.is_(None)).values(closed=self.run)
            )
        table = schema.GENERATIONS
        self.connection.execute(
            sa.update(table)
            .where(table.c.host_id == host.id, table.c.number == host.generation)
            .values(closed=self.run, reason=reason)
        )

    def open_findings(self, host):
        """The open intervals of a host's findings as a list of Open."""
        table, values = schema.FINDINGS, schema.FINDING_VALUES
        query = (
            sa.select(
                table.c.id, table.c.key_id, table.c.value_id, table.c.gap, table.c.first, table.c.since,
                values.c.status, values.c.disposition,
            )
            .join(values, values.c.id == table.c.value_id)
            .where(table.c.host_id == host.id, table.c.closed.is_(None))
        )  # fmt: skip
        return [Open(*row) for row in self.connection.execute(query).all()]

    def _findings(self, host, file, opened, weak, facts_changed):
        findings = file["findings"]
        keys = self.interned.keys(findings)
        if len(set(keys)) != len(keys):
            raise ValueError("two findings have the same benchmark, section and control")
        if weak:
            findings = _doubted(findings, keys, opened, file.get("privilege"))
        seen = dict(zip(keys, self.interned.values(findings), strict=True))
        benchmark_of = self.interned.benchmarks()
        judged = {benchmark["id"] for benchmark in file.get("benchmarks") or ()}
        had = {benchmark_of[one.key_id] for one in opened}
        platform = _platform_known(file)

        def closing(last, value):
            return closing_reason(
                self.interned.body(last.value_id),
                None if value is None else self.interned.body(value.id),
                content_changed=self.content_changed,
                facts_changed=facts_changed,
                rejudged=self.rejudged,
            )

        plan = plan_findings(
            opened, seen, self.run,
            closing=closing,
            # A run that was asked for some benchmarks says nothing of the others.
            may_end=lambda key: not weak and (benchmark_of[key] in judged or (platform and not self.limited)),
            # Without its platform a known host may be judged by another benchmark: that is no new finding.
            may_begin=lambda key: not opened or platform or benchmark_of[key] in had,
        )  # fmt: skip
        self.writes.insert(
            schema.FINDINGS,
            [
                (number, host.id, host.generation, new.key_id, new.value_id, new.gap, new.first, new.since, self.run,
                 None, None)
                for number, new in enumerate(plan.opens, self.numbers.take(schema.FINDINGS, len(plan.opens)))
            ],
        )  # fmt: skip
        for number, reason in plan.closes:
            self.writes.update(schema.FINDINGS, (number,), {"closed": self.run, "closed_by": reason})
        return len(plan.opens), len(plan.closes)


def _doubted(findings, keys, opened, privilege):
    """With less privilege than before a failing finding does not end: what was seen instead becomes a gap."""
    failing = {one.key_id for one in opened if not one.gap and one.status == "fail"}
    return [
        dict(
            finding,
            status="unreadable",
            reason=f"judged {finding['status']} as {privilege}; it failed when more could be read",
        )
        if key in failing and finding["status"] != "fail" and finding["status"] in CONCLUSIVE
        else finding
        for key, finding in zip(keys, findings, strict=True)
    ]

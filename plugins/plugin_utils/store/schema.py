"""Tables of the store. Migrations bring a database to this shape; a test holds the two together.

Times of intervals are numbers of runs (``runs.id``, in the order of recording): an interval is true from the run that
opened it up to, and not in, the run that closed it. What repeats between hosts is stored once and named by number.
"""

from __future__ import annotations

from ..third_party import present

sa = present("sqlalchemy")

METADATA = sa.MetaData()
_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _id():
    return sa.Column("id", _ID, primary_key=True, autoincrement=False)


def _number(name, **options):
    return sa.Column(name, _ID, **options)


def _text(name, **options):
    return sa.Column(name, sa.Text, **options)


RUNS = sa.Table(
    "runs", METADATA, _id(),
    _text("run", nullable=False, unique=True),
    _text("scope", nullable=False),
    _text("at", nullable=False),  # when it started, RFC 3339
    _text("state", nullable=False),
    _text("content"),
    _text("header", nullable=False),  # run.json without hosts, canonical JSON
    _text("score"),  # of the fleet: findings.score without hosts, canonical JSON
    _text("basis"),  # digest of what that score was made from
    _text("counts"),  # {status: n} of the fleet, canonical JSON
    _number("pruned", nullable=False, default=0),
)  # fmt: skip

HOSTS = sa.Table(
    "hosts", METADATA, _id(),
    _text("scope", nullable=False),
    _text("name", nullable=False),
    _number("generation", nullable=False),
    _text("machine_id"),
    _number("first_run", nullable=False),
    _number("seen_run"),  # last run that assessed it
    _text("seen_at"),  # received then, RFC 3339
    _number("tried_run", nullable=False),
    _text("privilege"),  # most that was ever used in this generation: root or user
    _text("findings_digest"),
    _text("tables_digest"),
    _text("about_digest"),
    _text("observed"),  # {table: RFC 3339} of tables not read at seen_at
    _number("retired_run"),
    sa.UniqueConstraint("scope", "name"),
)  # fmt: skip

GENERATIONS = sa.Table(
    "generations", METADATA,
    _number("host_id", primary_key=True, autoincrement=False),
    _number("number", primary_key=True, autoincrement=False),
    _text("machine_id"),
    _number("opened", nullable=False),
    _number("closed"),
    _text("reason"),  # why it closed: reinstalled or host_retired
)  # fmt: skip

RUN_HOSTS = sa.Table(
    "run_hosts", METADATA,
    _number("run_id", primary_key=True, autoincrement=False),
    _number("host_id", primary_key=True, autoincrement=False),
    _text("sha256", nullable=False),
    _text("state", nullable=False),
    _text("reason"),  # canonical JSON or null
    _text("received"),
    _text("privilege"),
    _number("generation", nullable=False),
    _number("about_id"),  # contents: inventory, platform, benchmarks, errors
    _number("applied", nullable=False),  # 0: older than what was known already
    sa.Column("percent", sa.Float),
    sa.Column("weighted", sa.Float),
    sa.Column("current", sa.Float),
    sa.Column("max", sa.Float),
    sa.Index("ix_run_hosts_host", "host_id", "run_id"),
)  # fmt: skip

CONTENTS = sa.Table(
    "contents", METADATA, _id(),
    _text("digest", nullable=False, unique=True),
    _text("body", nullable=False),  # canonical JSON of a row, or of what is known about a host
)  # fmt: skip

FINDING_KEYS = sa.Table(
    "finding_keys", METADATA, _id(),
    _text("benchmark", nullable=False),
    _text("section", nullable=False),
    _text("control", nullable=False),
    sa.UniqueConstraint("benchmark", "section", "control"),
)  # fmt: skip

FINDING_VALUES = sa.Table(
    "finding_values", METADATA, _id(),
    _text("digest", nullable=False, unique=True),
    _text("status", nullable=False),
    _text("severity", nullable=False),
    _text("disposition"),
    _text("body", nullable=False),  # canonical JSON of the finding without key and observed_at
)  # fmt: skip

FINDINGS = sa.Table(
    "findings", METADATA, _id(),
    _number("host_id", nullable=False),
    _number("generation", nullable=False),
    _number("key_id", nullable=False),
    _number("value_id", nullable=False),
    _number("gap", nullable=False),  # 1: could not be told; the known value stays open beside it
    _number("first", nullable=False),  # run of the first sight of this finding in this generation
    _number("since", nullable=False),  # run since which it has this status
    _number("opened", nullable=False),
    _number("closed"),
    _text("closed_by"),  # for a failing finding that ended: findings.model.CLOSED_BY
    sa.Index("ix_findings_host", "host_id", "closed"),
)  # fmt: skip

TABLE_STATES = sa.Table(
    "table_states", METADATA, _id(),
    _number("host_id", nullable=False),
    _number("generation", nullable=False),
    _text("name", nullable=False),
    _text("digest"),
    _number("version", nullable=False),
    _text("state", nullable=False),
    _text("why", nullable=False),
    _number("gap", nullable=False),  # 1: not read completely; the last complete reading stays open beside it
    _number("opened", nullable=False),
    _number("closed"),
    sa.Index("ix_table_states_host", "host_id", "closed"),
    sa.Index("ix_table_states_digest", "digest"),
)  # fmt: skip

ROW_KEYS = sa.Table(
    "row_keys", METADATA, _id(),
    _text("name", nullable=False),  # of the table
    _text("key", nullable=False),
    sa.UniqueConstraint("name", "key"),
)  # fmt: skip

ROWS = sa.Table(
    "rows", METADATA, _id(),
    _number("host_id", nullable=False),
    _number("generation", nullable=False),
    _text("name", nullable=False),
    _number("key_id", nullable=False),
    _number("value_id", nullable=False),  # contents
    _number("opened", nullable=False),
    _number("closed"),
    sa.Index("ix_rows_host", "host_id", "name", "closed"),
)  # fmt: skip

ALERTS = sa.Table(
    "alerts", METADATA,
    _text("fingerprint", primary_key=True),
    _text("scope", nullable=False),
    _text("host", nullable=False),
    _text("rule", nullable=False),
    _text("status", nullable=False),
    _text("first_seen", nullable=False),
    _text("last_seen", nullable=False),
    _text("body", nullable=False),  # the alert, canonical JSON
    sa.Index("ix_alerts_host", "scope", "host"),
)  # fmt: skip

QUARANTINE = sa.Table(
    "quarantine", METADATA,
    _number("run_id", primary_key=True, autoincrement=False),
    _text("file", primary_key=True),
    _text("host"),
    _text("reason", nullable=False),
)  # fmt: skip

LEDGER = sa.Table(
    "ledger", METADATA,
    _text("noun", primary_key=True),
    _number("seq", primary_key=True, autoincrement=False),
    _text("line", nullable=False),  # as in the file: its bytes are what the next line's digest is of
)  # fmt: skip

EVIDENCE = sa.Table(
    "evidence", METADATA,
    # Below the state directory. Compared byte by byte, so that the primary key's index finds all below a directory.
    sa.Column("path", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), primary_key=True),
    sa.Column("data", sa.LargeBinary, nullable=False),
)  # fmt: skip
"""Copies of evidence files, with PostgreSQL only: the disk of a job is no place for evidence."""

DERIVED = (
    RUNS, HOSTS, GENERATIONS, RUN_HOSTS, CONTENTS, FINDING_KEYS, FINDING_VALUES, FINDINGS, TABLE_STATES, ROW_KEYS,
    ROWS, ALERTS, QUARANTINE,
)  # fmt: skip
"""Everything that rebuild() empties and fills again; ledger and evidence are copies of files."""

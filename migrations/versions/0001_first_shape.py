"""The first shape of the store.

Frozen: it does not follow the schema of today, later migrations do.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade():
    """Make all tables in an empty database."""
    op.create_table(
        "runs",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("run", sa.Text, nullable=False, unique=True),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("content", sa.Text),
        sa.Column("header", sa.Text, nullable=False),
        sa.Column("score", sa.Text),
        sa.Column("basis", sa.Text),
        sa.Column("counts", sa.Text),
        sa.Column("pruned", NUMBER, nullable=False),
    )
    op.create_table(
        "hosts",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("generation", NUMBER, nullable=False),
        sa.Column("machine_id", sa.Text),
        sa.Column("first_run", NUMBER, nullable=False),
        sa.Column("seen_run", NUMBER),
        sa.Column("seen_at", sa.Text),
        sa.Column("tried_run", NUMBER, nullable=False),
        sa.Column("privilege", sa.Text),
        sa.Column("findings_digest", sa.Text),
        sa.Column("tables_digest", sa.Text),
        sa.Column("about_digest", sa.Text),
        sa.Column("observed", sa.Text),
        sa.Column("retired_run", NUMBER),
        sa.UniqueConstraint("scope", "name"),
    )
    op.create_table(
        "generations",
        sa.Column("host_id", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("number", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("machine_id", sa.Text),
        sa.Column("opened", NUMBER, nullable=False),
        sa.Column("closed", NUMBER),
        sa.Column("reason", sa.Text),
    )
    op.create_table(
        "run_hosts",
        sa.Column("run_id", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("host_id", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("received", sa.Text),
        sa.Column("privilege", sa.Text),
        sa.Column("generation", NUMBER, nullable=False),
        sa.Column("about_id", NUMBER),
        sa.Column("applied", NUMBER, nullable=False),
        sa.Column("percent", sa.Float),
        sa.Column("weighted", sa.Float),
        sa.Column("current", sa.Float),
        sa.Column("max", sa.Float),
    )
    op.create_index("ix_run_hosts_host", "run_hosts", ["host_id", "run_id"])
    op.create_table(
        "contents",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.Text, nullable=False, unique=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "finding_keys",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("benchmark", sa.Text, nullable=False),
        sa.Column("section", sa.Text, nullable=False),
        sa.Column("control", sa.Text, nullable=False),
        sa.UniqueConstraint("benchmark", "section", "control"),
    )
    op.create_table(
        "finding_values",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.Text, nullable=False, unique=True),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("disposition", sa.Text),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "findings",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("host_id", NUMBER, nullable=False),
        sa.Column("generation", NUMBER, nullable=False),
        sa.Column("key_id", NUMBER, nullable=False),
        sa.Column("value_id", NUMBER, nullable=False),
        sa.Column("gap", NUMBER, nullable=False),
        sa.Column("first", NUMBER, nullable=False),
        sa.Column("since", NUMBER, nullable=False),
        sa.Column("opened", NUMBER, nullable=False),
        sa.Column("closed", NUMBER),
        sa.Column("closed_by", sa.Text),
    )
    op.create_index("ix_findings_host", "findings", ["host_id", "closed"])
    op.create_table(
        "table_states",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("host_id", NUMBER, nullable=False),
        sa.Column("generation", NUMBER, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("digest", sa.Text),
        sa.Column("version", NUMBER, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("gap", NUMBER, nullable=False),
        sa.Column("opened", NUMBER, nullable=False),
        sa.Column("closed", NUMBER),
    )
    op.create_index("ix_table_states_digest", "table_states", ["digest"])
    op.create_index("ix_table_states_host", "table_states", ["host_id", "closed"])
    op.create_table(
        "row_keys",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.UniqueConstraint("name", "key"),
    )
    op.create_table(
        "rows",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("host_id", NUMBER, nullable=False),
        sa.Column("generation", NUMBER, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("key_id", NUMBER, nullable=False),
        sa.Column("value_id", NUMBER, nullable=False),
        sa.Column("opened", NUMBER, nullable=False),
        sa.Column("closed", NUMBER),
    )
    op.create_index("ix_rows_host", "rows", ["host_id", "name", "closed"])
    op.create_table(
        "alerts",
        sa.Column("fingerprint", sa.Text, primary_key=True),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("first_seen", sa.Text, nullable=False),
        sa.Column("last_seen", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("ix_alerts_host", "alerts", ["scope", "host"])
    op.create_table(
        "quarantine",
        sa.Column("run_id", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("file", sa.Text, primary_key=True),
        sa.Column("host", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "ledger",
        sa.Column("noun", sa.Text, primary_key=True),
        sa.Column("seq", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("line", sa.Text, nullable=False),
    )
    op.create_table(
        "evidence",
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )

"""Paths of evidence are compared byte by byte: all files of a run are then one range of the primary key's index."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade():
    """Change the collation, which is PostgreSQL's affair: SQLite compares bytes anyway."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute('ALTER TABLE evidence ALTER COLUMN path TYPE text COLLATE "C"')

"""Alembic's environment for a developer's ``alembic`` command; the store itself migrates without it.

Usage: ``alembic -c migrations/alembic.ini revision -m ...`` with the URL in RINGWALL_STORE.
"""

from __future__ import annotations

import os

import sqlalchemy as sa
from alembic import context

with sa.create_engine(os.environ["RINGWALL_STORE"]).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()

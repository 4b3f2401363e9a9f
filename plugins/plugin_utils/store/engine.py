"""Connections: SQLite in WAL mode or PostgreSQL with psycopg 3, and the migrations that shape the database."""

from __future__ import annotations

import contextlib
import gc
import os
import pathlib

from ..evidence import atomic
from ..third_party import load, present

sa = present("sqlalchemy")

MIGRATIONS = pathlib.Path(__file__).resolve().parents[3] / "migrations"
"""Beside plugins/, in the clone and in the installed collection."""

LOCK_NUMBER = 0x52494E47
"""Advisory lock of PostgreSQL that stands for "the one writer of this store" ("RING")."""


class StoreError(Exception):
    """The store cannot be used as asked; the message says why and what to do."""


def make_engine(url, state):
    """Return the SQLAlchemy engine of a URL: ``sqlite:///path`` or ``postgresql://...``. None is the state's own file.

    Raises StoreError for other databases, MissingDependency when SQLAlchemy or psycopg is not there.
    """
    load("sqlalchemy")
    try:
        parsed = sa.engine.make_url(url or f"sqlite:///{state.database}")
    except sa.exc.ArgumentError:
        raise StoreError(
            "ringwall_store is no database URL; expected sqlite:///path or postgresql://user@host/name"
        ) from None
    if parsed.get_backend_name() == "postgresql":
        load("psycopg")
        return sa.create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
    if parsed.get_backend_name() != "sqlite":
        raise StoreError(f"ringwall_store names {parsed.get_backend_name()}; known are sqlite and postgresql")
    if parsed.database in (None, "", ":memory:"):
        raise StoreError(
            "ringwall_store needs a file: sqlite:///path; a database in memory would be gone with the process"
        )
    _private_file(parsed.database)
    engine = sa.create_engine(parsed)
    sa.event.listen(engine, "connect", _sqlite_connected)
    sa.event.listen(engine, "begin", _sqlite_begin)
    return engine


def _private_file(path):
    path = os.path.abspath(path)
    atomic.make_directory(os.path.dirname(path))
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if os.fstat(descriptor).st_mode & 0o077:
            raise StoreError(f"{path} can be read by group or others; run: chmod 600 '{path}'")
    finally:
        os.close(descriptor)


def _sqlite_connected(connection, _record):
    # The driver's own transactions end savepoints unasked; SQLAlchemy begins them instead.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL", "synchronous=FULL", "busy_timeout=60000", "cache_size=-65536", "temp_store=MEMORY",
    ):  # fmt: skip
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection):
    # A reader that turns writer would fail at once when another one wrote in between.
    writes = connection.get_execution_options().get("ringwall_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextlib.contextmanager
def without_collector():
    """Leave Python's cycle collector out: it walks the same hundred thousand values again and again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextlib.contextmanager
def writing(engine):
    """One transaction of the one writer; others wait for it."""
    with (
        without_collector(),
        engine.connect().execution_options(ringwall_writes=True) as connection,
        connection.begin(),
    ):
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:number)"), {"number": LOCK_NUMBER})
        yield connection


@contextlib.contextmanager
def reading(engine):
    """One transaction that sees one state of the store throughout."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


def newest_revision():
    """The newest revision that this version knows, from the names of the migrations alone (a test holds them to it)."""
    return max(path.name.split("_", 1)[0] for path in (MIGRATIONS / "versions").glob("[0-9][0-9][0-9][0-9]_*.py"))


def _is_current(engine):
    """True if the database has the newest shape, without Alembic, whose import costs more than most runs' recording."""
    try:
        with reading(engine) as connection:
            found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all()
    except sa.exc.DatabaseError:  # no such table: a new database
        return False
    return found == [newest_revision()]


def migrate(engine):
    """Bring the database to the newest shape; raise StoreError if it was made by a newer version."""
    if _is_current(engine):
        return
    script = load("alembic.script")
    environment = load("alembic.runtime.environment")
    config = load("alembic.config").Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = script.ScriptDirectory.from_config(config)
    newest = scripts.get_current_head()
    with reading(engine) as connection:
        current = load("alembic.runtime.migration").MigrationContext.configure(connection).get_current_revision()
    if current == newest:
        return
    if current is not None and current not in {revision.revision for revision in scripts.walk_revisions()}:
        raise StoreError(f"the store is of a newer version (revision {current}); update the collection")
    with writing(engine) as connection:

        def upgrade(revision, _context):
            return scripts._upgrade_revs(newest, revision)

        with environment.EnvironmentContext(config, scripts, fn=upgrade) as context:
            context.configure(connection=connection, transactional_ddl=True)
            with context.begin_transaction():
                context.run_migrations()

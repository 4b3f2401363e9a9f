"""The database itself: its shape, who may open it, and what is refused."""

from __future__ import annotations

import os
import stat

import alembic.autogenerate
import alembic.runtime.migration
import pytest
import sqlalchemy as sa
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence.state import open_state
from ansible_collections.ringwall.servers.plugins.plugin_utils.store import StoreError, open_store, schema


def test_migrations_lead_to_the_schema(bench):
    with bench.store.reader() as connection:
        context = alembic.runtime.migration.MigrationContext.configure(connection, opts={"compare_type": True})
        found = alembic.autogenerate.compare_metadata(context, schema.METADATA)
    assert found == []


def test_a_store_of_a_newer_version_is_left_alone(bench):
    with bench.store.writer() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer version"):
        open_store(bench.url, bench.state)


def test_a_migration_that_fails_leaves_nothing(tmp_path, new_url, monkeypatch):
    state, url = open_state(tmp_path / "state"), new_url()
    import alembic.op

    real, calls = alembic.op.create_table, []

    def failing(*arguments, **named):
        calls.append(arguments[0])
        if len(calls) == 5:
            raise RuntimeError("out of luck")
        return real(*arguments, **named)

    with monkeypatch.context() as patched:
        patched.setattr(alembic.op, "create_table", failing)
        with pytest.raises(RuntimeError, match="out of luck"):
            open_store(url, state)
    store = open_store(url, state)
    assert store.runs() == []
    store.close()


def test_the_file_is_closed_to_others(tmp_path):
    state = open_state(tmp_path / "state")
    store = open_store(None, state)
    store.close()
    assert stat.S_IMODE(os.stat(state.database).st_mode) == 0o600
    os.chmod(state.database, 0o644)
    with pytest.raises(StoreError, match="chmod 600"):
        open_store(None, state)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://x/y", "known are"),
        ("not a url", "no database URL"),
        ("sqlite://", "file"),
        ("sqlite:///:memory:", "file"),
    ],
)
def test_urls_that_are_refused(tmp_path, url, says):
    with pytest.raises(StoreError, match=says):
        open_store(url, open_state(tmp_path / "state"))


def test_a_password_is_in_no_message(tmp_path):
    with pytest.raises(StoreError) as caught:
        open_store("postgres ql://user:hunter2@host/db", open_state(tmp_path / "state"))
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None

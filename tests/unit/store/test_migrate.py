"""A store is brought to the newest shape, and one that has it is left alone."""

from __future__ import annotations

import sys

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.store import StoreError, engine, open_store


def test_the_newest_revision_is_the_one_that_alembic_finds():
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(engine.MIGRATIONS))
    assert engine.newest_revision() == ScriptDirectory.from_config(config).get_current_head()


def test_a_store_of_the_newest_shape_needs_no_alembic(bench, monkeypatch):
    monkeypatch.setitem(sys.modules, "alembic.config", None)
    again = open_store(bench.url, bench.state)
    assert again.runs() == []
    again.close()


def test_a_store_of_a_newer_version_is_refused(bench):
    with bench.store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="newer version"):
        open_store(bench.url, bench.state)

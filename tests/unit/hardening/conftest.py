"""Facts of a host out of a few rows."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.hardening.facts import Connection, Facts
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.view import Snapshot, TableView


@pytest.fixture
def facts():
    """``facts({table: {key: row}}, family="debian", **connection)`` -> Facts."""

    def build(tables=None, family="debian", roles=(), parameters=None, platform=None, **connection):
        views = {name: TableView(name, rows=rows) for name, rows in (tables or {}).items()}
        row = {"family": family, "own_kernel": True, **(platform or {})}
        return Facts(Snapshot(views), row, Connection(**connection), parameters or {}, tuple(roles))

    return build


@pytest.fixture
def chosen():
    """``chosen({"kind": ...}, ...)`` -> what a kind's ``operations`` takes; controls are linux.test.0, 1, ..."""
    return lambda *settings: [
        {"setting": setting, "controls": [f"linux.test.{number}"]} for number, setting in enumerate(settings)
    ]

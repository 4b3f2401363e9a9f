"""Functions that queries have beside those of JMESPath."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.queries import search
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.resources.query import Query
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.view import Gap, Snapshot, TableView

READ = "2026-03-01T12:00:00Z"


def shot(**tables):
    return Snapshot({name: TableView(name, rows=rows, observed_at=READ) for name, rows in tables.items()})


def ask(expression, rows):
    return search(shot(logons=rows), ("logons",), expression)[0]


def test_days_are_counted_from_the_reading_of_the_table():
    rows = {"ann": {"last_ever": "2026-02-27T00:00:00Z"}, "bob": {"last_ever": None}}
    assert ask("rows[?key == 'ann'].days_since(last_ever)", rows) == [3]  # the third has begun
    assert ask("rows[?key == 'ann'].days_until(last_ever)", rows) == [-3]
    assert ask("rows[?days_since(last_ever) > `2`].key", rows) == ["ann"]
    assert ask("rows[?key == 'bob'] | [0].days_since(last_ever)", rows) is None


def test_of_several_tables_the_oldest_reading_counts():
    tables = {
        "users": TableView("users", rows={"ann": {}}, observed_at="2026-02-28T12:00:00Z"),
        "logons": TableView("logons", rows={"ann": {"last_ever": "2026-02-27T12:00:00Z"}}, observed_at=READ),
    }
    expression = "join(users, logons, 'logon')[].days_since(logon.last_ever)"
    assert search(Snapshot(tables), ("users", "logons"), expression, True)[0] == [1]


def test_a_time_that_is_none_is_an_error_and_no_answer():
    with pytest.raises(ValueError, match="yesterday"):
        ask("rows[].days_since(last_ever)", {"ann": {"last_ever": "yesterday"}})


def test_join_puts_rows_of_the_same_key_together():
    users = {"ann": {"uid": 1000}, "bob": {"uid": 1001}}
    logons = {"ann": {"count": 3}, "eve": {"count": 9}}
    view = shot(users=users, logons=logons)
    found, gap = search(view, ("users", "logons"), "join(users, logons, 'logon')[].[key, logon.count]", True)
    assert found == [["ann", 3], ["bob", None]]
    assert gap is None


def test_begins():
    rows = {"a": {"exe": "/tmp/x"}, "b": {"exe": None}, "c": {"exe": "/usr/bin/x"}}
    assert ask('rows[?begins(exe, `["/tmp/", "/run/"]`)].key', rows) == ["a"]


def test_where_tables_meet_a_hidden_row_decides_nothing():
    """Of joined tables not even offenders are certain: the hidden row may be the one that clears them."""
    hidden = {"ann": {"usable": {"!": "partial", "why": "malformed"}}}
    statement = {
        "tables": ["users", "password_ages"],
        "expression": "join(users, password_ages, 'shadow')[?!(shadow.usable)].key",
        "expected": {"empty": True},
    }
    with pytest.raises(Gap, match="malformed"):
        Query().judge(statement, shot(users={"ann": {}}, password_ages=hidden))

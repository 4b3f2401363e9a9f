"""Functions that queries have beside those of JMESPath."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture import queries
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.queries import only_key, search
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


@pytest.mark.parametrize(
    ("expression", "key"),
    [
        ("rows[?key == 'a.b'].x | [0]", "a.b"),
        ("rows[?key == 'a']", "a"),
        ("rows[?key == 'a' && x].x", None),
        ("rows[?key != 'a'].x", None),
        ("length(rows[?key == 'a'])", None),
        ("rows[?key == 'a'].x || length(rows)", None),
        ("rows[?key == 'it\\'s'].x", None),
    ],
)
def test_a_query_of_one_row_reads_that_row_alone(expression, key):
    assert only_key(expression) == key


@pytest.mark.parametrize("expression", ["rows[?key == 'a'].x | [0]", "rows[?key == 'c'].x", "rows[?key == 'b'].x"])
def test_one_row_gives_what_the_whole_table_gives(expression, monkeypatch):
    rows = {"a": {"x": 1}, "b": {"x": {"!": "denied", "why": "no"}}}
    one = Snapshot({"units": TableView("units", rows=rows)})
    quick = search(one, ("units",), expression)
    monkeypatch.setattr(queries, "only_key", lambda _expression: None)
    whole = search(one, ("units",), expression)
    assert quick[0] == whole[0]
    assert str(quick[1]) == str(whole[1])


def test_one_row_of_a_table_that_is_not_complete_is_a_gap():
    one = Snapshot({"units": TableView("units", state="partial", why="no", rows={"a": {"x": 1}})})
    with pytest.raises(Gap):
        search(one, ("units",), "rows[?key == 'a'].x")

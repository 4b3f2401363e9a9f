"""A table that breaks a bound of the controller comes home inside it, and takes no other table down."""

from __future__ import annotations

import json
import os
import time
from types import SimpleNamespace

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import bounds
from ansible_collections.ringwall.servers.plugins.module_utils import collect as collector
from ansible_collections.ringwall.servers.plugins.module_utils.spec import Column, Table, is_unreadable
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots import check, limits, wire
from hypothesis import given
from hypothesis import strategies as st

COLUMNS = (Column("v", "text", ""), Column("n", "int", ""), Column("l", "list", ""), Column("m", "map", ""))


def home(monkeypatch, rows, max_rows=5):
    """The table as the controller has it after every check, read beside a good one."""
    tables = {
        name: SimpleNamespace(
            TABLE=Table(name=name, description="", key="", columns=COLUMNS, max_rows=max_rows),
            collect=lambda host, options, rows=content: rows,
        )
        for name, content in {"odd": rows, "good": {"a": {"v": "x"}}}.items()
    }
    for module in (collector, check):
        monkeypatch.setattr(module, "TABLES", tables)
    data = collector.collect({"tables": list(tables), "nice": 0})
    snapshot = check.check(json.loads(data, parse_int=wire._int), asked=set(tables))
    assert snapshot["tables"]["good"]["state"] == "ok"
    return snapshot["tables"]["odd"]


def test_the_bounds_are_those_of_the_controller():
    assert (bounds.CELL_TEXT, bounds.KEY_TEXT, bounds.INT_64) == (limits.CELL_TEXT, limits.KEY_TEXT, limits.INT_64)


@pytest.mark.parametrize(
    ("name", "shown"), [("a\udcff", "a\\xff"), ("\udce9\U0001f600", "\\xe9\U0001f600"), ("a\0b", "a\\x00b")]
)
def test_names_that_are_no_utf8_are_written_as_everywhere(monkeypatch, name, shown):
    table = home(monkeypatch, {name: {"v": name, "l": [name, {name: name}], "m": {name: [name]}}})
    assert table["state"] == "ok"
    assert table["rows"] == {shown: {"v": shown, "l": [shown, {shown: shown}], "m": {shown: [shown]}}}


@pytest.mark.parametrize("number", [1 << 63, -(1 << 63) - 1, 10**400])
def test_integers_that_nobody_can_store_are_unreadable(monkeypatch, number):
    table = home(monkeypatch, {"a": {"n": number, "l": [number]}, "b": {"n": (1 << 63) - 1}})
    assert is_unreadable(table["rows"]["a"]["n"])
    assert table["rows"]["a"]["l"] == [None]
    assert table["rows"]["b"]["n"] == (1 << 63) - 1


def test_texts_and_keys_that_are_too_long(monkeypatch):
    table = home(
        monkeypatch, {"k" * 5000 + "1": {"v": "x" * 65537}, "k" * 5000 + "2": {"v": "x" * 65536, "l": ["y" * 70000]}}
    )
    first, second = table["rows"].values()
    assert is_unreadable(first["v"])
    assert len(second["v"]) == 65536
    assert second["l"] == ["y" * 65536]


def test_rows_beyond_the_tables_bound_make_it_partial(monkeypatch):
    table = home(monkeypatch, {str(number): {} for number in range(9)})
    assert (table["state"], table["why"], len(table["rows"])) == ("partial", "5 of 9 rows", 5)
    assert home(monkeypatch, {str(number): {} for number in range(5)})["state"] == "ok"


@given(st.dictionaries(st.text(st.characters(exclude_categories=()), max_size=9), st.fixed_dictionaries({
    "v": st.text(st.characters(exclude_categories=())), "n": st.integers(-(1 << 70), 1 << 70), "l": st.lists(st.integers() | st.text())})))  # fmt: skip
def test_whatever_a_table_holds_the_controller_takes_it(rows):
    table = {"version": 1, "state": "ok", "why": "", "rows": rows, "cost": {}}
    spec = Table(name="odd", description="", key="", columns=COLUMNS)
    data = collector._encode(table)
    if bounds.suspect(data):
        data = collector._encode(bounds.bounded(table, spec.max_rows))
    else:
        assert bounds.bounded(table, spec.max_rows) == table
    check._rows("odd", spec, json.loads(data, parse_int=wire._int)["rows"])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may raise a priority again")
def test_a_table_that_waits_for_the_processor_is_no_longer_nice(monkeypatch):
    def slow(host, options):
        before = os.nice(0)
        time.sleep(0.6)
        return {"a": {"n": before}, "b": {"n": os.nice(0)}}

    tables = {"odd": SimpleNamespace(TABLE=Table(name="odd", description="", key="", columns=COLUMNS), collect=slow)}
    monkeypatch.setattr(collector, "TABLES", tables)
    mine = os.getpriority(os.PRIO_PROCESS, 0)
    data = json.loads(collector.collect({"tables": ["odd"], "table_timeout": 1.6, "nice": 7}))
    assert data["tables"]["odd"]["rows"] == {"a": {"n": min(19, mine + 7)}, "b": {"n": 0}}
    assert os.getpriority(os.PRIO_PROCESS, 0) == mine, "the watchdog keeps its priority"

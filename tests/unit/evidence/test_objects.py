"""A blob says what its name says, however its digest is found."""

from __future__ import annotations

import json

import hypothesis.strategies as st
import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence import objects
from hypothesis import given

CELLS = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text() | st.lists(st.text(), max_size=3)
ROWS = st.dictionaries(st.text(), st.dictionaries(st.sampled_from(["name", "pid", "rows", "state"]), CELLS), max_size=5)


@given(ROWS, st.sampled_from([(), ("pid",)]), st.sampled_from(["ok", "partial"]))
def test_what_is_put_comes_back_under_its_digest(rows, volatile, state):
    table = {"version": 3, "state": state, "why": "w", "rows": rows}
    name = objects.table_digest(table, volatile)
    assert objects.decode(name, objects.encode(table, volatile))["rows"] == rows


def _blob(text):
    return objects.gzip_bytes(text.encode("ascii"))


def test_rows_that_are_not_spelled_as_we_do_are_hashed_as_if_they_were():
    table = {"version": 1, "state": "ok", "why": "", "rows": {"b": {"x": 1}, "a": {}}}
    loose = json.dumps({"schema": objects.SCHEMA, "volatile": [], **table})
    assert objects.decode(objects.table_digest(table), _blob(loose))["rows"] == table["rows"]


@pytest.mark.parametrize(
    ("part", "other"), [('"x":1', '"x":2'), ('"state":"ok"', '"state":"partial"'), ('"version":1', '"version":2')]
)
def test_a_changed_blob_is_refused(part, other):
    table = {"version": 1, "state": "ok", "why": "", "rows": {"a": {"x": 1}}}
    text = objects.gunzip(objects.encode(table)).decode("ascii")
    assert part in text
    with pytest.raises(objects.ObjectError, match="has the digest"):
        objects.decode(objects.table_digest(table), _blob(text.replace(part, other)))


def test_rows_that_come_twice_are_not_taken_for_the_first():
    table = {"version": 1, "state": "ok", "why": "", "rows": {"a": {"x": 1}}}
    text = objects.gunzip(objects.encode(table)).decode("ascii")
    twice = text.replace('{"rows":{"a":{"x":1}}', '{"rows":{"a":{"x":1}},"rows":{"a":{"x":2}}')
    with pytest.raises(objects.ObjectError, match="has the digest"):
        objects.decode(objects.table_digest(table), _blob(twice))

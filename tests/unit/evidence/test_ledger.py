"""The ledger: torn ends heal, changed lines show, nothing acknowledged is lost."""

from __future__ import annotations

import os
import pathlib

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence import ledger
from hypothesis import given, settings
from hypothesis import strategies as st


def _fill(state, count=3):
    return [ledger.append(state, "accept", {"number": number}) for number in range(count)]


def test_entries_come_back_in_order(state):
    written = _fill(state)
    assert list(ledger.read(state, "accept")) == written
    assert [entry["seq"] for entry in written] == [1, 2, 3]
    assert ledger.nouns(state) == ["accept"]
    assert list(ledger.read(state, "dispose")) == []


def test_a_torn_last_line_is_healed_wherever_it_tore(state):
    written = _fill(state)
    path = ledger.path_of(state, "accept")
    whole = pathlib.Path(path).read_bytes()
    start = whole.rstrip(b"\n").rfind(b"\n") + 1
    for cut in range(start + 1, len(whole)):
        with open(path, "wb") as file:
            file.write(whole[:cut])
        assert list(ledger.read(state, "accept")) == written[:2], "a torn line is not there"
        entry = ledger.append(state, "accept", {"number": "after"})
        assert (entry["seq"], entry["previous"]) == (3, written[2]["previous"])
        assert list(ledger.read(state, "accept")) == [*written[:2], entry]
        assert ledger.verify(state, "accept") == []
    with open(os.path.join(state.ledger, "accept.torn"), "rb") as file:
        assert file.readline() == whole[start : start + 1] + b"\n"


def test_a_ledger_with_nothing_but_a_torn_line(state):
    with open(ledger.path_of(state, "accept"), "wb") as file:
        file.write(b'{"seq":')
    assert ledger.append(state, "accept", {})["seq"] == 1


@pytest.mark.parametrize("damage", ["change", "remove", "swap", "garbage"])
def test_tampering_shows(state, damage):
    _fill(state, 4)
    path = ledger.path_of(state, "accept")
    lines = pathlib.Path(path).read_bytes().splitlines(keepends=True)
    if damage == "change":
        lines[1] = lines[1].replace(b'"number":1', b'"number":9')
    elif damage == "remove":
        del lines[1]
    elif damage == "swap":
        lines[1], lines[2] = lines[2], lines[1]
    else:
        lines[1] = b"garbage\n"
    with open(path, "wb") as file:
        file.writelines(lines)
    assert ledger.verify(state, "accept")
    if damage == "garbage":
        with pytest.raises(ledger.LedgerError, match=":2:"):
            list(ledger.read(state, "accept"))


def test_a_full_disk_leaves_no_half_line(state, monkeypatch):
    written = _fill(state)
    real = os.write

    calls = []

    def full(descriptor, data):
        calls.append(descriptor)
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        return real(descriptor, data[:10])

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            ledger.append(state, "accept", {"number": "lost"})
    assert pathlib.Path(ledger.path_of(state, "accept")).read_bytes().endswith(b"\n")
    assert list(ledger.read(state, "accept")) == written


@pytest.mark.parametrize("noun", ["", "../x", "Accept", "a/b", "a.b"])
def test_what_is_no_noun(state, noun):
    with pytest.raises(ValueError, match="noun"):
        ledger.append(state, noun, {})


@pytest.mark.parametrize("name", ledger.RESERVED)
def test_reserved_names(state, name):
    with pytest.raises(ValueError, match=name):
        ledger.append(state, "accept", {name: 1})


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(entry=st.dictionaries(st.text().filter(lambda name: name not in (*ledger.RESERVED, "at")), JSON, max_size=4))
@settings(max_examples=50, deadline=None)
def test_any_entry_comes_back(tmp_path_factory, entry):
    from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence.state import open_state

    state = open_state(tmp_path_factory.mktemp("any") / "state")
    ledger.append(state, "accept", entry)
    ledger.append(state, "accept", entry)
    for found in ledger.read(state, "accept"):
        assert {name: found[name] for name in entry} == entry
    assert ledger.verify(state, "accept") == []

"""What a target sends is bounded and checked before anything looks at it."""

from __future__ import annotations

import base64
import hashlib
import json
import shlex
import subprocess
import sys
import zlib

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import frame as target
from ansible_collections.ringwall.servers.plugins.module_utils.tables import TABLES
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots import check, limits, payload, wire
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.limits import HostFailure
from hypothesis import given
from hypothesis import strategies as st


def packed(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.b64encode(zlib.compress(data)).decode()


def snapshot(**changes):
    row = dict.fromkeys(column.name for column in TABLES["identity"].TABLE.columns)
    table = {
        "version": TABLES["identity"].TABLE.version,
        "state": "ok",
        "why": "",
        "rows": {"host": row},
        "cost": {"cpu": 0.1, "wall": 1},
    }
    base = {
        "schema": "ringwall.snapshot/1",
        "collector": "1.0.0",
        "taken": "2026-01-01T00:00:00Z",
        "euid": 0,
        "root": "/",
        "errors": [],
        "tables": {"identity": table},
    }
    for path, value in changes.items():
        place = base
        *parents, last = path.split("__")
        for name in parents:
            place = place[name]
        place[last] = value
    return base


def run_collector(settings, interpreter=sys.executable):
    result = subprocess.run(
        ["sh", "-c", payload.command(shlex.quote, interpreter)],
        input=payload.build(settings),
        capture_output=True,
        timeout=60,
    )
    return wire.find(result.stdout.decode(), result.stderr.decode(), result.returncode)


def test_the_piped_collector_answers_with_a_snapshot_that_passes_every_check():
    data = check.check(wire.unpack(run_collector({"tables": ["identity"]})), asked=["identity"])
    assert data["tables"]["identity"]["state"] == "ok"
    assert set(data["tables"]["identity"]["rows"]["host"]) == {
        column.name for column in TABLES["identity"].TABLE.columns
    }


def piped(packed):
    result = subprocess.run(
        ["sh", "-c", payload.command(shlex.quote, sys.executable)],
        input=payload.build({"tables": ["identity"]}, packed),
        capture_output=True,
        timeout=60,
        check=False,
    )
    return wire.find(result.stdout.decode(), result.stderr.decode(), result.returncode)


def test_the_collector_runs_from_source_and_from_bytecode_alike():
    for kind in (payload.SOURCE, payload.BYTECODE):
        assert wire.unpack(piped(payload.pack(kind)))["tables"]["identity"]["state"] == "ok"


def test_bytecode_of_another_python_is_not_run_but_answered():
    other = payload.BYTECODE + b"\0\0\r\n" + b"this is no bytecode that anybody could run"
    with pytest.raises(HostFailure) as caught:
        piped(other)
    assert caught.value.code == "other_python"


def test_a_host_without_python_is_told_from_one_that_breaks():
    with pytest.raises(HostFailure) as caught:
        run_collector({"tables": []}, "/nonexistent/python3")
    assert caught.value.code == "no_python"
    assert "python3" in caught.value.fix


def test_banners_around_the_answer_do_no_harm():
    data = packed(snapshot())
    head = f"RINGWALL-SNAPSHOT/1 {len(data)} {hashlib.sha256(data.encode()).hexdigest()}"
    assert wire.find(f"Welcome!\nRINGWALL\n{head}\n{data}\nGoodbye") == data


@pytest.mark.parametrize(
    ("stdout", "code"),
    [
        ("", "no_snapshot"),
        ("bash: python3: not found", "no_snapshot"),
        ("RINGWALL-SNAPSHOT/1 999999999999 " + "0" * 64 + "\nx", "too_large"),
        ("RINGWALL-SNAPSHOT/1 100 " + "0" * 64 + "\nx", "cut_short"),
        ("RINGWALL-SNAPSHOT/1 1 " + "0" * 64 + "\nx", "malformed"),
    ],
)
def test_what_is_no_answer_is_named(stdout, code):
    with pytest.raises(HostFailure) as caught:
        wire.find(stdout)
    assert caught.value.code == code


DEEP = b'{"a":' * 5000 + b"1" + b"}" * 5000


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("!!!", "malformed"),
        (base64.b64encode(b"no zlib").decode(), "malformed"),
        (base64.b64encode(zlib.compress(b"{}")[:-1]).decode(), "malformed"),
        (base64.b64encode(zlib.compress(b"{}") + b"more").decode(), "malformed"),
        (packed(b"[]"), "malformed"),
        (packed(b'{"a": NaN}'), "malformed"),
        (packed(b'{"a": Infinity}'), "malformed"),
        (packed(b'{"a": 1e999}'), "malformed"),
        (packed(b'{"a": 1180591620717411303424}'), "malformed"),
        (packed(b'{"a": 9223372036854775808}'), "malformed"),
        (packed(b'{"a": "\xff"}'), "malformed"),
        (packed(DEEP), "malformed"),
        (packed(b" " * (80 << 20)), "too_large"),
    ],
)
def test_hostile_encodings_are_refused(data, code):
    with pytest.raises(HostFailure) as caught:
        wire.unpack(data)
    assert caught.value.code == code


def test_a_bomb_is_refused_after_its_bound_and_not_after_its_size():
    bomb = zlib.compress(b"\0" * (400 << 20), 9)
    with pytest.raises(HostFailure) as caught:
        wire.inflate(bomb)
    assert caught.value.code == "too_large"
    assert len(bomb) * limits.RATIO < 400 << 20


ROW = "tables__identity__rows__host__"


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": "ringwall.snapshot/2"},
        {"taken": "yesterday"},
        {"taken": "2026-13-41T00:00:00Z"},
        {"euid": "0"},
        {"tables": []},
        {"ansible_facts": {"x": 1}},
        {"tables__passwords": {}},
        {"tables__identity__state": "fine"},
        {"tables__identity__version": 99},
        {"tables__identity__rows": []},
        {"tables__identity__rows": {"a": {}, "b": {}}},
        {"tables__identity__rows": {"a\0": {}}},
        {"tables__identity__rows": {"a": []}},
        {"tables__identity__rows": {"a" * 5000: {}}},
        {"tables__identity__cost": {"cpu": "much"}},
        {"tables__identity__why": "\ud800"},
        {ROW + "boot_id": 7},
        {ROW + "boot_id": "\0"},
        {ROW + "boot_id": "\udfff"},
        {ROW + "boot_id": "x" * 70000},
        {ROW + "boot_id": {"!": "tired"}},
        {ROW + "boot_id": {"!": "denied", "why": "x", "content": "root:"}},
        {ROW + "booted": "noon"},
        {ROW + "ssh_host_keys": ["ssh-rsa"]},
        {ROW + "ssh_host_keys": {"a": {"b": {"c": "\0"}}}},
        {ROW + "unknown": 1},
    ],
)
def test_what_does_not_fit_the_spec_is_refused(changes):
    with pytest.raises(HostFailure) as caught:
        check.check(snapshot(**changes), asked={"identity"})
    assert caught.value.code == "malformed"


def test_nesting_inside_a_cell_is_bounded():
    value = "x"
    for _level in range(40):
        value = {"a": value}
    with pytest.raises(HostFailure):
        check.check(snapshot(**{ROW + "ssh_host_keys": value}))


def test_text_that_looks_like_a_template_or_a_path_is_only_text():
    odd = "{{ lookup('pipe', 'id') }}/../../etc/shadow"
    data = check.check(snapshot(**{ROW + "boot_id": odd}), asked={"identity"})
    assert data["tables"]["identity"]["rows"]["host"]["boot_id"] == odd


def test_a_table_that_was_asked_for_and_did_not_come_is_an_error_never_empty():
    data = check.check(snapshot(tables={}), asked={"identity"})
    assert data["tables"]["identity"]["state"] == "error"


def test_a_table_that_was_not_asked_for_is_refused():
    with pytest.raises(HostFailure):
        check.check(snapshot(), asked=set())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_any_json_is_either_refused_by_name_or_a_snapshot(value):
    try:
        check.check(wire.unpack(packed(value)))
    except HostFailure as failure:
        assert failure.code in ("malformed", "too_large")


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_by_name(data):
    with pytest.raises(HostFailure):
        wire.unpack(base64.b64encode(data).decode())


@given(st.text(max_size=400), st.text(max_size=100))
def test_any_output_is_refused_by_name(stdout, stderr):
    with pytest.raises(HostFailure):
        wire.find(stdout, stderr, 1)


@given(JSON, st.sampled_from([column.name for column in TABLES["identity"].TABLE.columns]))
def test_any_value_in_a_cell_is_refused_or_fits(value, column):
    try:
        check.check(json.loads(json.dumps(snapshot(**{ROW + column: value}), allow_nan=False)))
    except (HostFailure, ValueError):
        pass


def test_packing_on_the_target_is_undone_on_the_controller():
    assert wire.unpack(target.pack(json.dumps(snapshot()).encode()).decode()) == snapshot()


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("sudo: \x1b[2J\x1b]0;owned\x07", "sudo: \\x1b[2J\\x1b]0;owned\\x07"),
        ("a\u202eb\u200bc\u2028d\x9be", "a\\u202eb\\u200bc\\u2028d\\x9be"),
        ("tag \U000e0041", "tag \\U000e0041"),
        ("grün, 日本", "grün, 日本"),
    ],
)
def test_what_a_host_says_on_its_way_out_steers_no_terminal(said, shown):
    assert HostFailure("no_snapshot", said).reason()["text"] == shown

"""Runs: written by many, sealed once, chained, and read back as golden files of their schema."""

from __future__ import annotations

import gzip
import json
import os
import pathlib
import shutil

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence import (
    hostfile,
    ledger,
    objects,
    process,
    runs,
    verify,
)
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence.state import open_state
from hypothesis import given
from hypothesis import strategies as st

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "fixtures" / "evidence" / "golden_1"


def test_a_run_says_running_before_any_host(state):
    run = runs.open_run(state, "r1", {"scope": "default", "actor": {"name": "ops"}})
    header = json.loads(pathlib.Path(run.file).read_bytes())
    assert (header["state"], header["schema"], header["actor"]) == ("running", "ringwall.run/1", {"name": "ops"})
    owner = header["owners"][0]
    assert owner["pid"] == os.getpid()
    assert owner["boot"]
    assert owner["started"]


def test_the_seal_names_every_host_and_why_some_were_not_assessed(write_run):
    run = write_run("r1")
    header = run.header
    assert (header["state"], header["assessed"]) == ("complete", 1)
    assert header["not_assessed"] == {"b": {"code": "timeout"}}
    assert set(header["hosts"]) == set(run.file_names())
    assert run.host_names() == {"a", "b"}
    assert run.host("a")["findings"] == [{"status": "pass"}]
    assert run.host("c") is None
    assert [host["host"] for host in run.hosts()] == ["b", "a"]


def test_a_host_file_is_one_json_document_whose_head_reads_alone(write_run):
    run = write_run("r1")
    data = run.host_raw(hostfile.file_name("a"))
    whole = json.loads(gzip.decompress(data))
    assert whole == hostfile.decode(data)
    head = hostfile.decode_summary(data)
    assert "findings" not in head
    assert head["counts"] == {"pass": 1}
    one_member = gzip.compress(json.dumps(whole).encode())
    assert hostfile.decode_summary(one_member) == head


@pytest.mark.parametrize("scopes", [("default",), ("default", "other")])
def test_runs_of_a_scope_form_a_chain(state, write_run, scopes):
    for number in range(3):
        for scope in scopes:
            write_run(f"{scope}{number}", scope)
    assert [runs.Run(state, f"default{number}").header["chain"]["seq"] for number in range(3)] == [1, 2, 3]
    assert verify.verify(state, contents=True) == []
    assert verify.verify(state, "other") == []


def _tamper(state, kind):
    run = runs.Run(state, "r2")
    name = hostfile.file_name("a")
    path = os.path.join(run.hosts_path, name)
    if kind == "host changed":
        file = run.host("a")
        file["findings"] = []
        with open(path, "wb") as target:
            target.write(hostfile.encode(file))
    elif kind == "host removed":
        os.unlink(path)
    elif kind == "host added":
        shutil.copy(path, os.path.join(run.hosts_path, "0" * 16 + ".json.gz"))
    elif kind == "header changed":
        header = run.header
        header["actor"] = "somebody else"
        with open(run.file, "w", encoding="ascii") as target:
            json.dump(header, target)
    elif kind == "run removed":
        shutil.rmtree(run.path)
    elif kind == "last run removed":
        shutil.rmtree(runs.Run(state, "r3").path)
    elif kind == "object removed":
        objects.remove(state, run.host("a")["tables"]["t"]["digest"])
    elif kind == "ledger changed":
        ledger.append(state, "accept", {"a": 1})
        ledger.append(state, "accept", {"a": 2})
        path = ledger.path_of(state, "accept")
        data = pathlib.Path(path).read_bytes()
        with open(path, "wb") as target:
            target.write(data.replace(b'"a":1', b'"a":3'))


@pytest.mark.parametrize(
    "kind",
    [
        "host changed", "host removed", "host added", "header changed", "run removed", "last run removed",
        "object removed", "ledger changed",
    ],
)  # fmt: skip
def test_whatever_is_changed_later_shows(state, write_run, kind):
    for number in (1, 2, 3):
        write_run(f"r{number}")
    assert verify.verify(state, contents=True) == []
    _tamper(state, kind)
    assert verify.verify(state, contents=True)


def test_slices_share_a_run(state, write_run):
    run = runs.open_run(state, "shared", {"scope": "default", "asked": ["a"]})
    run.write_host({"scope": "default", "host": "a", "state": "assessed"})
    run.finish()
    again = runs.open_run(state, "shared", {"scope": "default", "asked": ["b"]})
    assert again.header["state"] == "running"
    again.write_host({"scope": "default", "host": "b", "state": "assessed"})
    header = again.finish()
    assert (header["asked"], header["assessed"], header["chain"]["seq"]) == (["a", "b"], 2, 1)
    write_run("next")
    assert verify.verify(state) == []
    with pytest.raises(runs.RunError, match="followed by another"):
        runs.open_run(state, "shared", {"scope": "default"})
    with pytest.raises(runs.RunError, match="scope"):
        runs.open_run(state, "next", {"scope": "other"})


def test_a_seal_does_not_change_when_nothing_did(write_run):
    run = write_run("r1")
    before = run.raw()
    run.finish()
    assert run.raw() == before


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "-x", "a" * 65, None, "a\n"])
def test_what_is_no_run_id(state, name):
    with pytest.raises(runs.RunError):
        runs.Run(state, name)


def test_ids_sort_by_time():
    first, second = runs.new_run_id(0), runs.new_run_id(1)
    assert first.startswith("19700101T000000Z-")
    assert first < second
    assert runs.new_run_id(0) != first


def test_a_run_is_interrupted_only_when_its_process_is_gone(state):
    runs.open_run(state, "mine", {})
    child = os.fork()
    if child == 0:
        try:
            runs.open_run(state, "gone", {})
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert runs.interrupted(state) == ["gone"]


def test_a_process_with_the_same_number_is_another_one():
    here = process.describe()
    assert process.alive(here, 0)
    assert not process.alive(dict(here, started=here["started"] + 1), 1e12)
    assert not process.alive(dict(here, boot="another boot"), 1e12), "this machine was started anew"
    elsewhere = dict(here, boot="another boot", node="another machine")
    assert process.alive(elsewhere, 1000.0, now=1000.0 + 3600)
    assert not process.alive(elsewhere, 1000.0, now=1000.0 + 25 * 3600)


def test_many_workers_write_at_once(state):
    run = runs.open_run(state, "r1", {"scope": "default"})
    children = []
    for worker in range(6):
        child = os.fork()
        if child == 0:
            try:
                for number in range(10):
                    name = f"h{worker}-{number}"
                    runs.Run(state, "r1").write_host({"scope": "default", "host": name, "state": "assessed"})
                os._exit(0)
            finally:
                os._exit(1)
        children.append(child)
    assert {os.waitpid(child, 0)[1] for child in children} == {0}
    assert run.finish()["assessed"] == 60
    assert verify.verify(state) == []


@given(name=st.text())
def test_no_host_name_is_a_path(name):
    found = hostfile.file_name(name)
    assert len(found) == len("0123456789abcdef.json.gz")
    assert "/" not in found


@given(data=st.binary(max_size=200))
def test_damaged_host_files_are_said_to_be_so(data):
    for read in (hostfile.decode, hostfile.decode_summary):
        with pytest.raises(hostfile.HostFileError):
            read(data)


@given(cut=st.integers(0, 10_000), at=st.integers(0, 10_000), byte=st.integers(1, 255))
def test_a_damaged_byte_is_an_error_or_harmless(cut, at, byte):
    whole = hostfile.encode(
        {"scope": "default", "host": "a", "state": "assessed", "findings": [{"status": "pass"}] * 9}
    )
    for data in (
        whole[: cut % len(whole)],
        bytes(b ^ byte if i == at % len(whole) else b for i, b in enumerate(whole)),
    ):
        for read in (hostfile.decode, hostfile.decode_summary):
            try:
                assert read(data)["host"] == "a"
            except hostfile.HostFileError:
                pass


def test_golden_runs_of_schema_1_stay_readable(tmp_path):
    shutil.copytree(GOLDEN, tmp_path / "state")
    for folder, _folders, files in os.walk(tmp_path / "state"):
        os.chmod(folder, 0o700)
        for name in files:
            os.chmod(os.path.join(folder, name), 0o600)
    state = open_state(tmp_path / "state")
    assert verify.verify(state, contents=True) == []
    run = runs.load_run(state, "20260101T000000Z-000001")
    assert run.header["state"] == "complete"
    host = run.host("web1.example.com")
    assert (host["state"], len(host["findings"])) == ("assessed", 3)
    assert objects.get(state, host["tables"]["packages"]["digest"])["rows"]["openssl:amd64"]["version"] == "3.0.15-1"
    assert run.host("db1.example.com")["reason"]["code"] == "timeout"
    assert [entry["reason"] for entry in ledger.read(state, "accept")] == ["planned"]

"""The state directory is its owner's alone, and its modules are light enough for every worker."""

from __future__ import annotations

import os
import pathlib
import stat
import subprocess
import sys

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils import third_party
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence import atomic, ledger, objects
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence.state import StateError, open_state


def test_everything_is_closed_to_others_whatever_the_umask(tmp_path, write_run, state):
    before = os.umask(0)
    try:
        made = open_state(tmp_path / "deep" / "er")
        write_run("r1")
        ledger.append(state, "accept", {"a": 1})
    finally:
        os.umask(before)
    for top in (made.path, state.path):
        for folder, _folders, files in os.walk(top):
            assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700, folder
            for name in files:
                assert stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) == 0o600, name


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o701, 0o770, 0o755])
@pytest.mark.parametrize("room", ["", "runs", "ledger"])
def test_a_state_that_others_can_read_is_refused(state, mode, room):
    os.chmod(os.path.join(state.path, room), mode)
    with pytest.raises(StateError, match="chmod"):
        open_state(state.path)


def test_a_file_in_place_of_the_state_is_refused(tmp_path):
    (tmp_path / "state").write_text("")
    with pytest.raises(StateError):
        open_state(tmp_path / "state")


def test_the_environment_names_the_state(tmp_path, monkeypatch):
    monkeypatch.setenv("RINGWALL_STATE", str(tmp_path / "there"))
    assert open_state().path == str(tmp_path / "there")


def test_a_write_that_fails_leaves_the_old_content_and_no_rest(tmp_path, monkeypatch):
    target = tmp_path / "file"
    atomic.write(str(target), b"old")

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            atomic.write(str(target), b"new")
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_workers_load_no_database_library():
    code = (
        "import sys; sys.path.insert(0, 'collections');"
        "import ansible_collections.ringwall.servers.plugins.plugin_utils.evidence.verify;"
        "print([name for name in ('sqlalchemy', 'alembic', 'psycopg', 'sqlite3') if name in sys.modules])"
    )
    root = os.path.join(os.path.dirname(__file__), "..", "..", "..")
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_missing_package_names_the_command():
    with pytest.raises(third_party.MissingDependency, match="pip install 'no_such_package'") as caught:
        third_party.load("no_such_package.part")
    assert caught.value.package == "no_such_package"


def test_objects_are_shared_and_checked(state):
    table = {"version": 1, "state": "ok", "why": "", "rows": {"k": {"pid": 1, "name": "sshd"}}}
    first = objects.put(state, table, {"pid"})
    second = objects.put(state, dict(table, rows={"k": {"name": "sshd", "pid": 2}}), {"pid"})
    assert first == second
    assert objects.get(state, first)["rows"] == {"k": {"pid": 1, "name": "sshd"}}
    assert objects.put(state, dict(table, state="partial"), {"pid"}) != first
    assert objects.put(state, dict(table, version=2), {"pid"}) != first
    assert objects.put(state, dict(table, why="other"), {"pid"}) == first
    path = objects.path_of(state, first)
    blob = bytearray(pathlib.Path(path).read_bytes())
    other = objects.encode(dict(table, rows={}), {"pid"})
    for damaged in (bytes(blob[:-9]), b"", other, b"not gzip"):
        with open(path, "wb") as file:
            file.write(damaged)
        with pytest.raises(objects.ObjectError):
            objects.get(state, first)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63, None, "0" * 64])
def test_a_name_that_is_no_object(state, name):
    with pytest.raises(objects.ObjectError):
        objects.get(state, name)


def test_a_bomb_is_not_unpacked():
    with pytest.raises(objects.ObjectError, match="more than"):
        objects.gunzip(objects.gzip_bytes(b"0" * 4_000_000), limit=1_000_000)


def test_many_processes_put_and_append_at_once(state):
    children = []
    for number in range(8):
        child = os.fork()
        if child == 0:
            try:
                for turn in range(20):
                    objects.put(state, {"version": 1, "state": "ok", "rows": {"k": {"turn": turn}}})
                    ledger.append(state, "accept", {"by": number, "turn": turn})
                os._exit(0)
            finally:
                os._exit(1)
        children.append(child)
    assert {os.waitpid(child, 0)[1] for child in children} == {0}
    assert len(list(objects.names(state))) == 20
    entries = list(ledger.read(state, "accept"))
    assert [entry["seq"] for entry in entries] == list(range(1, 161))
    assert ledger.verify(state, "accept") == []
    assert len({(entry["by"], entry["turn"]) for entry in entries}) == 160

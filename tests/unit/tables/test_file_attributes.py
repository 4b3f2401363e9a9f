"""Attributes of files, on real files."""

from __future__ import annotations

import json
import os
import socket

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.spec import is_unreadable
from ansible_collections.ringwall.servers.plugins.module_utils.tables import file_attributes


@pytest.fixture
def root(tmp_path):
    tmp_path.chmod(0o755)
    (tmp_path / "etc").mkdir(mode=0o755)
    (tmp_path / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:/bin/false\n")
    (tmp_path / "etc/group").write_text("root:x:0:\nshadow:x:42:\n")
    return tmp_path


def collect(root, *paths):
    return file_attributes.collect(Host(str(root)), {"paths": list(paths)})


def test_mode_owner_and_names(root):
    shadow = root / "etc/shadow"
    shadow.write_text("x")
    shadow.chmod(0o4640)
    os.utime(shadow, (0, 1700000000))
    if os.geteuid() == 0:
        os.chown(shadow, 77, 42)
        shadow.chmod(0o4640)
    row = collect(root, "/etc/shadow")["/etc/shadow"]
    assert (row["exists"], row["type"], row["mode"], row["mode_text"]) == (True, "file", 0o4640, "4640")
    assert (row["size"], row["mtime"], row["is_link"]) == (1, "2023-11-14T22:13:20Z", False)
    if os.geteuid() == 0:
        assert (row["uid"], row["owner"], row["gid"], row["group"]) == (77, None, 42, "shadow")
    assert set(row) == {column.name for column in file_attributes.TABLE.columns}


def test_absence_is_a_row_and_what_was_not_asked_for_is_none(root):
    rows = collect(root, "/etc/nothing", "/no/such/place", "/etc/passwd/below", "/none/*")
    assert {key: row["exists"] for key, row in rows.items()} == {
        "/etc/nothing": False, "/no/such/place": False, "/etc/passwd/below": False, "/none/*": False,
    }  # fmt: skip
    assert rows["/none/*"]["matches"] == []
    assert "/etc/passwd" not in rows


def test_links_tell_of_what_they_lead_to_inside_the_root(root):
    (root / "etc/real").write_text("")
    (root / "etc/real").chmod(0o600)
    (root / "etc/relative").symlink_to("real")
    (root / "etc/absolute").symlink_to("/etc/real")
    (root / "etc/escape").symlink_to("../../../../../../../../etc/hostname-of-nobody")
    (root / "etc/loop").symlink_to("loop")
    rows = collect(root, "/etc/relative", "/etc/absolute", "/etc/escape", "/etc/loop")
    for name in ("/etc/relative", "/etc/absolute"):
        assert (rows[name]["is_link"], rows[name]["type"], rows[name]["mode_text"]) == (True, "file", "0600"), name
    assert rows["/etc/absolute"]["link_target"] == "/etc/real"
    assert (rows["/etc/escape"]["exists"], rows["/etc/escape"]["type"]) == (True, "link")
    assert is_unreadable(rows["/etc/loop"]["mode"])


@pytest.mark.skipif(os.geteuid() != 0, reason="needs files of another user")
def test_a_link_of_a_user_is_not_followed(root):
    home = root / "home/eve"
    home.mkdir(parents=True)
    (home / "trap").symlink_to("/etc/passwd")
    os.chown(home, 1000, 1000)
    os.lchown(home / "trap", 1000, 1000)
    row = collect(root, "/home/eve/trap")["/home/eve/trap"]
    assert row["exists"] is True
    assert row["is_link"] is True
    assert is_unreadable(row["mode"])
    assert is_unreadable(row["uid"])


def test_other_types(root):
    os.mkfifo(root / "etc/pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.open(root / "etc", os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{here}/sock")
        os.close(here)
        rows = collect(root, "/etc/pipe", "/etc/sock", "/etc")
    assert [rows[path]["type"] for path in ("/etc/pipe", "/etc/sock", "/etc")] == ["fifo", "socket", "directory"]


def test_patterns_have_a_row_and_so_has_each_match(root):
    for name in ("ssh_host_rsa_key", "ssh_host_ed25519_key", "ssh_host_rsa_key.pub", ".ssh_host_x_key"):
        (root / "etc" / name).write_text("")
    rows = collect(root, "/etc/ssh_host_*_key")
    pattern = rows.pop("/etc/ssh_host_*_key")
    assert (pattern["exists"], pattern["type"]) == (True, "pattern")
    assert pattern["matches"] == ["/etc/ssh_host_ed25519_key", "/etc/ssh_host_rsa_key"] == sorted(rows)


def test_everything_below_a_directory_and_no_link_out_of_it(root):
    (root / "var/log/deep/er").mkdir(parents=True)
    (root / "var/log/deep/er/a.log").write_text("")
    (root / "var/log/out").symlink_to("/etc")
    rows = collect(root, "/var/log/**")
    expected = ["/var/log/deep", "/var/log/deep/er", "/var/log/deep/er/a.log", "/var/log/out"]
    assert rows["/var/log/**"]["matches"] == expected


def test_too_many_matches_are_unreadable_not_a_short_list(root, monkeypatch):
    monkeypatch.setattr(file_attributes, "MAX_MATCHES", 3)
    for number in range(4):
        (root / (f"etc/f{number}")).write_text("")
    for pattern in ("/etc/f*", "/etc/**"):
        rows = collect(root, pattern)
        assert is_unreadable(rows[pattern]["exists"])
        assert is_unreadable(rows[pattern]["matches"])
        assert len(rows) == 1


def test_paths_too_long_for_a_key_are_told_and_break_nothing(root):
    deep = os.fsencode(root) + b"/var/log"
    os.makedirs(deep)
    for _level in range(5):
        deep += b"/" + b"\xff" * 250
        os.mkdir(deep)
    rows = collect(root, "/var/log/**")
    assert is_unreadable(rows["/var/log/**"]["matches"])
    assert rows["/var/log/**"]["exists"] is True
    assert max(map(len, rows)) <= 4000


def test_names_that_are_not_utf8_stay_reversible(root):
    name = b"caf\xe9\\x41\n"
    with open(os.fsencode(root) + b"/etc/" + name, "w"):
        pass
    rows = collect(root, "/etc/caf*")
    (key,) = rows["/etc/caf*"]["matches"]
    assert key == "/etc/caf\\xe9\\x5cx41\n"
    assert Host.raw(key) == b"/etc/" + name
    assert rows[key]["type"] == "file"


def test_a_path_that_is_not_absolute_is_unreadable(root):
    assert is_unreadable(collect(root, "etc/passwd")["etc/passwd"]["exists"])


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to become another user")
def test_denied_directories_are_unreadable_and_spoil_nothing_else(root):
    (root / "etc/secret").mkdir(mode=0o700)
    (root / "etc/secret/key").write_text("")
    host = Host(str(root))
    source, sink = os.pipe()
    child = os.fork()
    if child == 0:
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        rows = file_attributes.collect(host, {"paths": ["/etc/secret/key", "/etc/secret/*", "/etc/passwd"]})
        os.write(sink, json.dumps({key: row["exists"] for key, row in rows.items()}).encode())
        os._exit(0)
    os.close(sink)
    with os.fdopen(source, "rb") as answer:
        seen = json.loads(answer.read())
    os.waitpid(child, 0)
    assert seen["/etc/passwd"] is True
    assert seen["/etc/secret/key"]["!"] == "denied"
    assert seen["/etc/secret/*"]["!"] == "denied"

from __future__ import annotations

import os

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.collect import collect_table
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.tables import log_files

FILES = {
    "/etc/passwd": "root:x:0:0::/:/bin/sh\n",
    "/etc/group": "root:x:0:\nadm:x:4:\n",
    "/var/log/auth.log": "secret line\n",
    "/var/log/apt/history.log": "x",
    "/var/log/link": ("link", "/etc/passwd"),
}


def test_every_path_below_with_its_attributes(file_host, tmp_path):
    host = file_host(FILES)
    (tmp_path / "var/log/auth.log").chmod(0o640)
    rows = log_files.collect(host, {})
    assert sorted(rows) == [
        "/var/log",
        "/var/log/apt",
        "/var/log/apt/history.log",
        "/var/log/auth.log",
        "/var/log/link",
    ]
    row = rows["/var/log/auth.log"]
    assert set(row) == {column.name for column in log_files.TABLE.columns}
    assert (row["type"], row["mode"], row["mode_text"]) == ("file", 0o640, "0640")
    assert rows["/var/log/link"]["type"] == "link"  # never followed
    assert "secret" not in repr(rows)


def test_no_directory_no_rows(file_host):
    assert log_files.collect(file_host({"/etc/passwd": ""}), {}) == {}


def test_too_many_files_are_partial(file_host, monkeypatch):
    monkeypatch.setattr(log_files, "MAX_FILES", 3)
    assert log_files.collect(file_host(FILES), {}).state == "partial"


def test_too_deep_is_partial(file_host, monkeypatch):
    monkeypatch.setattr(log_files, "MAX_DEPTH", 0)
    assert log_files.collect(file_host(FILES), {}).state == "partial"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
def test_a_directory_that_is_denied_is_a_gap_and_the_rest_is_read(file_host, tmp_path):
    file_host(FILES)
    (tmp_path / "var/log/apt").chmod(0)
    for place in (tmp_path, *tmp_path.parents[:3]):
        place.chmod(0o755)
    os.seteuid(65534)
    try:
        table = collect_table(log_files, Host(str(tmp_path)), {})
    finally:
        os.seteuid(0)
    assert table["state"] == "partial"
    assert "/var/log/auth.log" in table["rows"]

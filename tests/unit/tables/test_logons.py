"""Log-in records in the formats of both glibc time widths, and the SQLite databases that follow them."""

from __future__ import annotations

import json
import os
import sqlite3
import struct
import time

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import login_records
from ansible_collections.ringwall.servers.plugins.module_utils.collect import collect_table
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.spec import Unreadable
from ansible_collections.ringwall.servers.plugins.module_utils.tables import logons
from ansible_collections.ringwall.servers.plugins.module_utils.text import rfc3339
from hypothesis import given
from hypothesis import strategies as st

DAY = 86400


def record(kind, line, user, host, when, wide=False):
    """One struct utmp of bits/utmp.h, field by field, in the byte order of this machine."""
    if wide:
        return struct.pack(
            "=hxxi32s4s32s256shhqqq4i20s4x", kind, 77, line, b"ts/0", user, host, 0, 0, 9, when, 5, 1, 2, 3, 4, b""
        )
    return struct.pack(
        "=hxxi32s4s32s256shhiii4i20s", kind, 77, line, b"ts/0", user, host, 0, 0, 9, when, 5, 1, 2, 3, 4, b""
    )


@pytest.fixture
def root(tmp_path):
    for name in ("etc", "var/log", "var/lib/lastlog", "var/lib/wtmpdb"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nann:x:3:3::/home/ann:/bin/sh\n")
    return tmp_path


def read(root):
    return collect_table(logons, Host(str(root)), {})


@pytest.mark.parametrize("wide", [False, True])
def test_wtmp_and_btmp(root, wide):
    now = int(time.time())
    (root / "var/log/wtmp").write_bytes(
        b"".join(
            [
                record(7, b"pts/1", b"ann", b"198.51.100.7", now - 40 * DAY, wide),
                record(2, b"~", b"reboot", b"6.1.0", now - 20 * DAY, wide),
                record(7, b"tty1", b"root", b"", now - 10 * DAY, wide),
                record(7, b"pts/12", b"ann", b"198.51.100.7", now - 5 * DAY, wide),
                record(8, b"pts/12", b"", b"", now - 5 * DAY + 60, wide),
                record(7, b"pts/13", b"ann", b"bad\xffhost", now - 2 * DAY, wide),
                record(7, b"pts/13", b"ann", b"198.51.100.7", now - DAY, wide),
            ]
        )
    )
    (root / "var/log/btmp").write_bytes(
        b"".join(
            [
                record(6, b"ssh:notty", b"Tr0ub4dor&3", b"203.0.113.5", now - DAY, wide),
                record(6, b"ssh:notty", b"ann", b"203.0.113.9", now - 100, wide),
                record(6, b"ssh:notty", b"admin", b"203.0.113.5", now - 50, wide),
            ]
        )
    )
    result = read(root)
    rows = result["rows"]
    assert (result["state"], sorted(rows)) == ("ok", ["(unknown)", "ann", "root"])
    ann = rows["ann"]
    assert (ann["count"], ann["uid"], ann["failed"]) == (3, 3, 1)
    assert (ann["first"], ann["last"]) == (rfc3339(now - 5 * DAY), rfc3339(now - DAY))
    assert ann["sources"] == ["198.51.100.7", "bad\\xffhost"]
    assert ann["terminals"] == ["pts/*"]
    assert ann["failed_sources"] == ["203.0.113.9"]
    assert (rows["root"]["sources"], rows["root"]["last_from"]) == (["local"], "local")
    assert (rows["(unknown)"]["failed"], rows["(unknown)"]["failed_sources"]) == (2, ["203.0.113.5"])
    assert "Tr0ub4dor" not in json.dumps(result), "people type passwords where the name belongs"


def test_rotated_log_is_read_and_an_old_one_is_not(root):
    now = int(time.time())
    (root / "var/log/wtmp").write_bytes(record(7, b"pts/0", b"ann", b"a", now - DAY))
    (root / "var/log/wtmp.1").write_bytes(record(7, b"pts/0", b"ann", b"b", now - 9 * DAY))
    assert read(root)["rows"]["ann"]["count"] == 2
    os.utime(root / "var/log/wtmp.1", (now, now - 31 * DAY))
    assert read(root)["rows"]["ann"]["count"] == 1


def test_huge_log_is_read_from_its_end(root, monkeypatch):
    monkeypatch.setattr(login_records, "SIZE_CAP", login_records.CHUNK * 2)
    now = int(time.time())
    one = record(6, b"ssh:notty", b"root", b"203.0.113.5", now - 60)
    (root / "var/log/btmp").write_bytes(one * 2000 + one[:100])
    row = read(root)["rows"]["root"]
    assert (row["failed"], row["capped"]) == (800, ["btmp"])


def test_reading_stops_where_the_period_begins(root):
    now = int(time.time())
    old = record(7, b"pts/0", b"ann", b"a", now - 90 * DAY)
    (root / "var/log/wtmp").write_bytes(old * 30000 + record(7, b"pts/0", b"ann", b"a", now - 9))
    result = read(root)
    assert (result["rows"]["ann"]["count"], result["rows"]["ann"]["capped"]) == (1, [])
    assert result["cost"]["cpu"] < 0.2


def test_lastlog_is_sparse(root):
    with (root / "var/log/lastlog").open("wb") as file:
        file.seek(3 * 292)
        file.write(struct.pack("=i32s256s", 1700000000, b"pts/3", b"gate"))
    row = read(root)["rows"]["ann"]
    assert (row["last_ever"], row["last_from"], row["count"]) == ("2023-11-14T22:13:20Z", "gate", 0)


def test_lastlog_of_64_bit_times(root):
    with (root / "var/log/lastlog").open("wb") as file:
        file.seek(3 * 296)
        file.write(struct.pack("=q32s256s", 1700000000, b"pts/3", b"gate"))
    assert read(root)["rows"]["ann"]["last_ever"] == "2023-11-14T22:13:20Z"


def test_databases(root):
    """Tables as lastlog2 (util-linux 2.41) and wtmpdb 0.73 create them."""
    now = int(time.time())
    with sqlite3.connect(root / "var/lib/lastlog/lastlog2.db") as database:
        database.execute(
            "CREATE TABLE Lastlog2(Name TEXT PRIMARY KEY, Time INTEGER, TTY TEXT, RemoteHost TEXT, Service TEXT)"
        )
        database.execute("INSERT INTO Lastlog2 VALUES('ann', 1700000000, 'pts/0', '192.0.2.4', 'sshd')")
        database.execute("INSERT INTO Lastlog2 VALUES('zoe', 1700000001, 'tty1', NULL, 'login')")
    with sqlite3.connect(root / "var/lib/wtmpdb/wtmp.db") as database:
        database.execute(
            "CREATE TABLE wtmp(ID INTEGER PRIMARY KEY, Type INTEGER, User TEXT NOT NULL, Login INTEGER, "
            "Logout INTEGER, TTY TEXT, RemoteHost TEXT, Service TEXT)"
        )
        for kind, user, when in ((3, "ann", now - 60), (1, "reboot", now - 50), (3, "ann", now - 50 * DAY)):
            database.execute(
                "INSERT INTO wtmp VALUES(NULL, ?, ?, ?, NULL, 'pts/0', '192.0.2.5', 'sshd')",
                (kind, user, when * 1000000),
            )
    database.close()
    before = sorted(path.name for path in (root / "var/lib").rglob("*"))
    rows = read(root)["rows"]
    assert (rows["ann"]["count"], rows["ann"]["sources"]) == (1, ["192.0.2.5"])
    assert rows["ann"]["last_ever"] == rfc3339(now - 60)
    assert (rows["zoe"]["last_ever"], rows["zoe"]["uid"]) == ("2023-11-14T22:13:21Z", None)
    assert sorted(path.name for path in (root / "var/lib").rglob("*")) == before, "nothing is left beside the database"


def test_broken_database_is_a_gap(root):
    (root / "var/log/wtmp").write_bytes(b"")
    (root / "var/lib/wtmpdb/wtmp.db").write_bytes(b"not a database, but long enough to be looked at" * 100)
    assert read(root)["state"] == "partial"


def test_failed_attempts_that_cannot_be_read_are_not_none(root):
    (root / "var/log/wtmp").write_bytes(record(7, b"pts/0", b"ann", b"a", int(time.time()) - 9))
    host = Host(str(root))
    real = host.tree.open

    def open_file(path):
        if "btmp" in path:
            raise Unreadable("denied", path + ": permission denied")
        return real(path)

    host.tree.open = open_file
    result = collect_table(logons, host, {})
    assert (result["state"], result["rows"]["ann"]["count"]) == ("partial", 1)
    assert result["rows"]["ann"]["failed"]["!"] == "denied"


def test_no_records_kept(root):
    assert read(root)["state"] == "unsupported"


@given(st.binary(max_size=2000))
def test_any_bytes(data):
    shape = login_records.layout(data, 1_700_000_000)
    found, _oldest = login_records.parse_records(data, shape)
    assert len(found) <= len(data) // 384
    json.dumps(found)

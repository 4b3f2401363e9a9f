"""Users, groups and password ages from account files as hosts have them, duplicates and broken lines included."""

from __future__ import annotations

import json
import os
import time

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import accounts
from ansible_collections.ringwall.servers.plugins.module_utils.collect import collect_table
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.spec import Absent
from ansible_collections.ringwall.servers.plugins.module_utils.tables import groups, password_ages, users
from hypothesis import given
from hypothesis import strategies as st

HASH = "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7"
PASSWD = f"""root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
ann:x:1000:1000:Ann Example,Room 1,555-1234,:/home/ann:/bin/bash
ben::1001:1001::/home/ben:/bin/zsh
toor:x:0:0::/root:/bin/sh
ann:x:1002:1000::/home/ann2:/bin/bash
old:{HASH}:1003:1003::/nowhere:
this is : not a line
sync:*:4:65534:sync:/bin:/bin/sync
+@admins::::::
+::::::
"""
GROUP = """root:x:0:
shadow:x:42:ann
users:x:100:ann,ben
wheel:x:0:
ann:x:1000:
ann:x:1005:
gone:!:1009:ghost
joinable::1010:
"""
SHADOW = f"""root:*:20000:0:99999:7:::
ann:{HASH}:20000:1:365:7:30:20900:
ben::20000:0:99999:7:::
locked:!{HASH}:0:0:99999:7:::
noage:$6$salt$hash::::::0:
future:$1$salt$hash:99000:0:99999:7:::
des:abJnggxhB/yWI:20000:0:99999:7:::
odd:$weird$x:20000:0:99999:7:::
bangs:!!:20000:0:99999:7:::
broken line
ann:!:20000:0:99999:7:::
"""


@pytest.fixture
def root(tmp_path):
    etc = tmp_path / "etc"
    etc.mkdir()
    (etc / "passwd").write_text(PASSWD)
    (etc / "group").write_text(GROUP)
    (etc / "shadow").write_text(SHADOW)
    (etc / "gshadow").write_text(f"root:*::\nshadow:*:ann:ann\nusers:{HASH}::ann,cid\n")
    (etc / "shells").write_text("# shells\n/bin/sh\n/bin/bash\n/usr/bin/bash\n")
    (etc / "login.defs").write_text("# UID_MIN 5\nUID_MIN\t\t 1000\nUID_MAX 60000\n")
    (etc / "subuid").write_text("ann:100000:65536\n1001:165536:65536\nbroken\n")
    home = tmp_path / "home/ann"
    home.mkdir(parents=True)
    home.chmod(0o750)
    (home / ".netrc").write_text("machine x login y password hunter2")
    (home / ".netrc").chmod(0o604)
    (home / ".profile").symlink_to("/etc/shadow")
    (tmp_path / "root").mkdir()
    return tmp_path


def read(table, root):
    return collect_table(table, Host(str(root)), {})


def test_users(root):
    result = read(users, root)
    rows = result["rows"]
    assert (result["state"], result["why"]) == ("ok", "")
    assert sorted(rows) == sorted(
        ["root", "daemon", "ann", "ben", "toor", "ann#2", "old", "(malformed)", "sync", "+@admins", "+"]
    )
    assert rows["root"]["same_uid"] == ["toor"]
    assert rows["toor"]["same_uid"] == ["root"]
    ann = rows["ann"]
    assert ann["where"] == ["/etc/passwd:3", "/etc/passwd:6"]
    assert (ann["uid"], rows["ann#2"]["uid"], rows["ann#2"]["name"]) == (1000, 1002, "ann")
    assert (ann["primary_group"], ann["groups"], ann["full_name"]) == ("ann", ["shadow", "users"], "Ann Example")
    assert (ann["home_exists"], ann["home_mode"], ann["home_uid"]) == (True, "0750", os.getuid())
    assert ann["subuid"] == ["100000:65536"]
    assert ann["regular"] is True
    assert {dot["name"]: (dot["mode"], dot["type"]) for dot in ann["dot_files"] if dot["name"] == ".netrc"} == {
        ".netrc": ("0604", "file")
    }
    assert [dot["type"] for dot in ann["dot_files"] if dot["name"] == ".profile"] == ["link"]
    ben = rows["ben"]
    assert (ben["password"], ben["shell_valid"], ben["login_shell"], ben["home_exists"]) == (
        "empty",
        False,
        False,
        False,
    )
    assert (ben["primary_group"], ben["subuid"], ben["home_mode"]) == (None, ["165536:65536"], None)
    assert (rows["old"]["password"], rows["old"]["shell"], rows["old"]["login_shell"]) == ("set", None, True)
    assert rows["daemon"]["login_shell"] is False
    assert (rows["sync"]["password"], rows["sync"]["regular"]) == ("locked", False)
    assert (rows["(malformed)"]["kind"], rows["(malformed)"]["where"]) == ("malformed", ["/etc/passwd:8"])
    assert rows["+@admins"]["kind"] == rows["+"]["kind"] == "nis"


def test_groups(root):
    rows = read(groups, root)["rows"]
    assert sorted(rows) == ["ann", "ann#2", "gone", "joinable", "root", "shadow", "users", "wheel"]
    assert (rows["root"]["same_gid"], rows["wheel"]["same_gid"]) == (["wheel"], ["root"])
    assert rows["root"]["primary_of"] == ["root", "toor"]
    assert (rows["shadow"]["members"], rows["shadow"]["admins"], rows["shadow"]["password"]) == (
        ["ann"],
        ["ann"],
        "locked",
    )
    assert (rows["users"]["members"], rows["users"]["member_count"]) == (["ann", "ben", "cid"], 3)
    assert rows["users"]["password"] == "set"
    assert (rows["gone"]["password"], rows["joinable"]["password"]) == ("locked", "empty")
    assert rows["ann"]["where"] == ["/etc/group:5", "/etc/group:6"]


def test_password_ages(root):
    rows = read(password_ages, root)["rows"]
    ann = rows["ann"]
    assert (ann["algorithm"], ann["locked"], ann["empty"], ann["usable"]) == ("yescrypt", False, False, True)
    assert (ann["changed"], ann["min"], ann["max"], ann["warn"], ann["inactive"]) == (
        "2024-10-04T00:00:00Z",
        1,
        365,
        7,
        30,
    )
    assert (ann["expires"], ann["where"], ann["changed_in_future"]) == ("2027-03-23T00:00:00Z", "/etc/shadow:2", False)
    assert (rows["root"]["locked"], rows["root"]["algorithm"], rows["root"]["usable"]) == (True, None, False)
    assert (rows["ben"]["empty"], rows["ben"]["locked"], rows["ben"]["usable"]) == (True, False, False)
    assert (rows["locked"]["algorithm"], rows["locked"]["locked"], rows["locked"]["must_change"]) == (
        "yescrypt",
        True,
        True,
    )
    assert rows["locked"]["changed"] is None
    assert (rows["noage"]["max"], rows["noage"]["changed"], rows["noage"]["expired"]) == (None, None, True)
    assert (rows["future"]["algorithm"], rows["future"]["changed_in_future"]) == ("md5", True)
    assert (rows["des"]["algorithm"], rows["odd"]["algorithm"], rows["bangs"]["locked"]) == ("des", "unknown", True)
    assert (rows["(malformed)"]["name"], rows["(malformed)"]["usable"]) == (None, None)
    assert rows["ann#2"]["locked"] is True


def test_no_hash_leaves(root):
    said = json.dumps([read(table, root) for table in (users, groups, password_ages)])
    for secret in ("F5Jx5", "j9T", "X3DX6", "hunter2", "555-1234", "this is", "broken line", "abJngg"):
        assert secret not in said


def test_shadow_that_cannot_be_read_is_denied(root):
    host = Host(str(root))
    real = host.tree.read

    def read_file(path, limit):
        from ansible_collections.ringwall.servers.plugins.module_utils.spec import Unreadable

        if path.endswith("shadow"):
            raise Unreadable("denied", path + ": permission denied")
        return real(path, limit)

    host.tree.read = read_file
    assert collect_table(password_ages, host, {})["state"] == "denied"
    rows = collect_table(groups, host, {})["rows"]
    assert rows["root"]["admins"]["!"] == rows["root"]["password"]["!"] == "denied"


def test_shadow_that_is_not_there(root):
    (root / "etc/shadow").unlink()
    assert read(password_ages, root)["state"] == "unsupported"
    with pytest.raises(Absent):
        password_ages.collect(Host(str(root)), {})


def test_home_behind_a_link_of_another_user_is_unreadable(root):
    if os.getuid():
        pytest.skip("needs root")
    os.symlink("/etc", root / "home/ben")
    os.lchown(root / "home/ben", 1001, 1001)
    row = read(users, root)["rows"]["ben"]
    assert row["home_exists"]["!"] == "invalid"


def test_expiry_is_told_by_the_clock_of_the_host():
    entry = accounts.parse_shadow(["x:$6$a$b:100:0:90:7:10:200:"])[0]
    assert password_ages.row_of(entry, 199 * 86400)["expired"] is False
    assert password_ages.row_of(entry, 200 * 86400)["expired"] is True
    assert time.time() > 200 * 86400


@given(st.lists(st.text(alphabet="abc:+-,x$!*#0123456789 ", max_size=40), max_size=8))
def test_parsers_take_anything(lines):
    for parse in (accounts.parse_passwd, accounts.parse_group, accounts.parse_shadow):
        entries = parse(lines)
        assert [entry["line"] for entry in entries] == sorted({entry["line"] for entry in entries})
        keys = [key for key, _entry in accounts.numbered(entries)]
        assert len(set(keys)) == len(keys) or any("#" in line for line in lines)
    json.dumps([accounts.parse_gshadow(lines), accounts.parse_subids(lines), accounts.parse_nsswitch(lines)])


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyzABC./$0123456789!*", max_size=60))
def test_nothing_of_a_hash_survives(secret):
    entry = accounts.parse_shadow([f"u:{secret}:1:2:3:4:5:6:"])[0]
    assert entry["algorithm"] in {None, "unknown", "des", *(name for _prefix, name in accounts.HASH_PREFIXES)}
    assert not entry["empty"] or secret == ""

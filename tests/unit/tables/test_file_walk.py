"""The walk over real directories; verdicts by hand."""

from __future__ import annotations

import os
import stat
import subprocess
import time
from pathlib import Path

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import mounts_local, walk
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.mount_tables import parse_mountinfo
from ansible_collections.ringwall.servers.plugins.module_utils.spec import Unreadable, is_unreadable
from ansible_collections.ringwall.servers.plugins.module_utils.tables import file_walk

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs files of other users")


@pytest.fixture
def root(tmp_path):
    (tmp_path / "etc").mkdir()
    mine = os.getuid()
    (tmp_path / "etc/passwd").write_text(f"me:x:{mine}:{mine}::/:/bin/sh\nann:x:1001:1001::/home/ann:/bin/sh\n")
    (tmp_path / "etc/group").write_text(f"me:x:{os.getgid()}:\nann:x:1001:\n")
    return tmp_path


def place(path, mode=0o644, uid=None, directory=False):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir() if directory else path.write_text("x")
    if uid is not None:
        os.chown(path, uid, uid)
    path.chmod(mode)
    return path


def split(result):
    """Return (found rows, rows of totals, state, why)."""
    state, why, rows = ("ok", "", result) if isinstance(result, dict) else (result.state, result.why, result.rows)
    found = {key: row for key, row in rows.items() if row["kind"] == "found"}
    return found, {key: row for key, row in rows.items() if row["kind"] == "filesystem"}, state, why


def test_modes_that_stand_out(root):
    place(root / "srv/open", 0o666)
    place(root / "srv/closed", 0o664)
    place(root / "srv/drop", 0o777, directory=True)
    place(root / "srv/tmp", 0o1777, directory=True)
    place(root / "usr/bin/su", 0o4755)
    place(root / "usr/bin/wall", 0o2755)
    place(root / "srv/shared", 0o2775, directory=True)
    (root / "srv/link").symlink_to("open")
    os.mkfifo(root / "srv/pipe", 0o666)
    (root / "srv/pipe").chmod(0o666)
    found, totals, state, _why = split(file_walk.collect(Host(str(root)), {}))
    assert state == "ok"
    facts = {
        path: [name for name in ("world_writable", "setuid", "setgid", "device", "unowned", "ungrouped") if row[name]]
        for path, row in found.items()
    }
    assert facts == {
        "/srv/open": ["world_writable"],
        "/srv/drop": ["world_writable"],
        "/srv/tmp": [],
        "/usr/bin/su": ["setuid"],
        "/usr/bin/wall": ["setgid"],
    }
    assert (found["/usr/bin/su"]["mode_text"], found["/srv/drop"]["type"]) == ("4755", "directory")
    (total,) = totals.values()
    assert total["counts"] == {
        "world_writable": 2, "setuid": 1, "setgid": 1, "device": 0, "unowned": 0, "ungrouped": 0,
    }  # fmt: skip
    assert total["complete"] is True
    assert total["inodes"] == sum(len(dirs) + len(files) for _top, dirs, files in os.walk(root))
    columns = {column.name for column in file_walk.TABLE.columns}
    assert all(set(row) == columns for row in [*found.values(), total])


def test_container_layers_and_kernel_file_systems_are_left_out_and_named(root):
    for directory in ("proc", "sys", "dev", "run", "var/lib/docker/overlay2/x", "var/lib/containers", "snap/core"):
        place(root / directory / "open", 0o666)
    place(root / "var/lib/dockers/open", 0o666)
    found, totals, state, _why = split(file_walk.collect(Host(str(root)), {"prune": ["/etc/", "relative", "/"]}))
    assert (list(found), state) == (["/var/lib/dockers/open"], "ok")
    (total,) = totals.values()
    assert sorted(total["pruned"]) == [
        "/dev", "/etc", "/proc", "/run", "/snap", "/sys", "/var/lib/containers", "/var/lib/docker",
    ]  # fmt: skip


@needs_root
def test_owners_without_a_name(root):
    place(root / "srv/gone", uid=4711)
    place(root / "srv/gone.d", 0o755, uid=4711, directory=True)
    place(root / "srv/anns", uid=1001)
    os.chown(place(root / "srv/group"), os.getuid(), 4712)
    os.mknod(root / "srv/null", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    found, totals, state, _why = split(file_walk.collect(Host(str(root)), {}))
    assert state == "ok"
    assert {path: (row["unowned"], row["ungrouped"]) for path, row in found.items()} == {
        "/srv/gone": (True, True),
        "/srv/gone.d": (True, True),
        "/srv/group": (False, True),
        "/srv/null": (False, False),
    }
    assert (found["/srv/null"]["device"], found["/srv/null"]["type"]) == (True, "char")
    (total,) = totals.values()
    assert (total["counts"]["unowned"], total["counts"]["ungrouped"]) == (2, 3)


@needs_root
def test_an_owner_of_a_directory_service_is_not_unowned(root):
    place(root / "srv/ldap", 0o4755, uid=7001)
    place(root / "srv/plain", uid=7001)
    findings = file_walk._Findings({0}, {0})
    findings.mount, findings.counts = (
        "/",
        {"/": dict.fromkeys(("world_writable", "setuid", "setgid", "device", "unowned", "ungrouped"), 0)},
    )
    for name in ("ldap", "plain"):
        findings.found(["srv"], name, os.lstat(root / "srv" / name))
    rows = file_walk.settle_owners(findings, lambda database, ids: set())
    assert list(rows) == ["/srv/ldap"], "the row of a file that only looked unowned goes"
    assert rows["/srv/ldap"]["unowned"] is False
    assert findings.counts["/"]["unowned"] == 0


@needs_root
def test_a_directory_service_that_is_down_makes_owners_unreadable(root):
    place(root / "srv/file", uid=7001)
    (root / "etc/nsswitch.conf").write_text("passwd: files sss\ngroup: files sss\n")
    (root / "etc/sssd").mkdir()
    (root / "etc/sssd/sssd.conf").write_text("[sssd]\n")
    found, totals, _state, _why = split(file_walk.collect(Host(str(root)), {}))
    assert is_unreadable(found["/srv/file"]["unowned"])
    assert is_unreadable(found["/srv/file"]["ungrouped"])
    (total,) = totals.values()
    assert is_unreadable(total["counts"]["unowned"])


@needs_root
def test_a_million_files_of_one_lost_owner_are_counted_and_the_cap_is_told(root, monkeypatch):
    monkeypatch.setattr(file_walk, "MAX_PER_OWNER", 5)
    for number in range(9):
        place(root / (f"srv/f{number}"), uid=4711)
    found, totals, state, why = split(file_walk.collect(Host(str(root)), {}))
    assert (len(found), state) == (5, "partial")
    assert "uid 4711" in why
    (total,) = totals.values()
    assert total["counts"]["unowned"] == 9


def test_without_passwd_that_can_be_read_owners_are_not_guessed(root):
    (root / "etc/passwd").unlink()
    (root / "etc/passwd").mkdir()
    found, _totals, state, why = split(file_walk.collect(Host(str(root)), {}))
    assert (found, state) == ({}, "partial")
    assert "owners cannot be told" in why


def test_out_of_time_says_where_and_keeps_what_it_found(root, monkeypatch):
    for number in range(50):
        place(root / (f"srv/d{number:02d}/open"), 0o666)
    clock = iter(range(1000))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    found, totals, state, why = split(file_walk.collect(Host(str(root)), {"seconds": 20}))
    assert state == "partial"
    assert 0 < len(found) < 50
    (total,) = totals.values()
    assert total["complete"] is False
    assert total["stopped_at"].startswith("/srv/d")
    assert total["stopped_at"] in why


def test_directories_nested_too_deep_are_told(root, monkeypatch):
    monkeypatch.setattr(walk, "MAX_DEPTH", 6)
    place(root / "a/b/c/d/open", 0o666)
    place(root / "a/b/c/d/e/f/g/h/open", 0o666)
    found, _totals, state, why = split(file_walk.collect(Host(str(root)), {}))
    assert list(found) == ["/a/b/c/d/open"]
    assert state == "partial"
    assert "too deep" in why


def test_paths_longer_than_the_kernel_takes_are_walked(root):
    here = os.open(root, os.O_RDONLY)
    for _depth in range(40):
        os.mkdir("d" * 200, dir_fd=here)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("open", os.O_CREAT | os.O_WRONLY, 0o666, dir_fd=here))
    os.chmod(f"/proc/self/fd/{here}/open", 0o666)
    os.close(here)
    _found, totals, state, why = split(file_walk.collect(Host(str(root)), {}))
    (total,) = totals.values()
    assert total["counts"]["world_writable"] == 1
    assert (state, "too long" in why) == ("partial", True)
    subprocess.run(["rm", "-rf", str(root / ("d" * 200))], check=True)


def test_names_that_are_not_utf8(root):
    with open(os.fsencode(root) + b"/etc/\xff\xfe", "w") as file:
        os.fchmod(file.fileno(), 0o666)
    found, _totals, _state, _why = split(file_walk.collect(Host(str(root)), {}))
    assert list(found) == ["/etc/\\xff\\xfe"]


def test_the_same_answers_as_find(root):
    for number in range(300):
        mode = (0o644, 0o666, 0o4755, 0o777)[number % 4]
        place(root / (f"t/{number % 3}/{number % 7}/f{number}"), mode)
    place(root / "t/box", 0o777, directory=True)
    found, _totals, _state, _why = split(file_walk.collect(Host(str(root)), {}))
    for column, test in (
        ("world_writable", "( -type f -perm -0002 ) -o ( -type d -perm -0002 ! -perm -1000 )"),
        ("setuid", "-type f -perm -4000"),
    ):
        listed = subprocess.run(["find", str(root), *test.split()], capture_output=True, text=True, check=True).stdout
        assert {str(root) + path for path, row in found.items() if row[column]} == set(listed.split())


MOUNTINFO = b"""\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
23 22 0:21 / /proc rw - proc proc rw
24 22 0:6 / /dev rw - devtmpfs devtmpfs rw
25 22 0:30 / /tmp rw,nosuid - tmpfs tmpfs rw
26 22 0:31 / /srv/nfs rw - nfs4 server:/x rw
27 22 254:0 /srv/data /mnt/bind rw - ext4 /dev/vda rw
28 22 254:1 / /var/lib/docker rw - ext4 /dev/vdb rw
29 22 254:2 /volumes/a /data/my\\040files rw - xfs /dev/vdc rw
30 22 7:1 / /snap/core/1 ro - squashfs /dev/loop1 ro
31 22 0:40 / /home/ann/remote rw - fuse.sshfs ann@far:/ rw
32 22 0:50 /@ /btr rw - btrfs /dev/vdd rw
33 22 0:50 /@/sub /btr/sub rw - btrfs /dev/vdd rw
34 22 254:3 / /over rw - ext4 /dev/vde rw
35 34 254:4 / /over rw - ext4 /dev/vdf rw
garbage
"""


def test_which_file_systems_are_walked():
    mounts = mounts_local.chosen(parse_mountinfo(MOUNTINFO))
    assert [(mount["point"], mount["device"]) for mount in mounts] == [
        ("/", "254:0"),
        ("/btr", "0:50"),
        ("/btr/sub", "0:50"),
        ("/data/my files", "254:2"),
        ("/over", "254:4"),
        ("/tmp", "0:30"),
    ]


def test_an_overlay_or_shared_folder_is_walked_as_root_only():
    container = b"1 0 0:99 / / rw - overlay overlay rw\n2 1 0:98 / /host rw - 9p host rw\n"
    assert [mount["point"] for mount in mounts_local.chosen(parse_mountinfo(container))] == ["/"]
    assert [mount["point"] for mount in mounts_local.chosen(parse_mountinfo(b"1 0 0:9 / / rw - virtiofs r rw\n"))] == [
        "/"
    ]


def test_layers_are_left_out_wherever_the_engine_keeps_them(root):
    mounts = parse_mountinfo(
        b"1 0 254:0 / / rw - ext4 d rw\n2 1 0:9 / /big/docker/overlay2/abc/merged rw - overlay overlay rw\n"
        b"3 1 0:8 / /home/u/.local/share/containers/storage/overlay/def/merged rw - overlay overlay rw\n"
        b"4 1 0:7 / /merged rw - overlay overlay rw\n"
    )
    assert mounts_local.layers(mounts) == ("/big/docker/overlay2", "/home/u/.local/share/containers/storage/overlay")
    assert [mount["point"] for mount in mounts_local.chosen(mounts)] == ["/"]
    place(root / "big/docker/image/open", 0o666)
    (root / "etc/docker").mkdir()
    (root / "etc/docker/daemon.json").write_text('{"data-root": "/big/docker/"}')
    found, totals, _state, _why = split(file_walk.collect(Host(str(root)), {}))
    assert found == {}
    assert totals["filesystem:/"]["pruned"] == ["/big/docker"]
    for broken in ("[]", "{", '{"data-root": "/"}', '{"data-root": 3}', "[" * 100000):
        (root / "etc/docker/daemon.json").write_text(broken)
        assert len(split(file_walk.collect(Host(str(root)), {}))[0]) == 1, broken


@needs_root
def test_another_device_is_not_entered(root):
    other = root / "srv/other"
    other.mkdir(parents=True)
    if subprocess.run(["mount", "-t", "tmpfs", "none", str(other)], capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        place(other / "open", 0o666)
        place(root / "srv/open", 0o666)
        found, _totals, state, _why = split(file_walk.collect(Host(str(root)), {}))
    finally:
        subprocess.run(["umount", str(other)], check=True)
    assert (sorted(found), state) == (["/srv/open", "/srv/other"], "ok")
    assert (found["/srv/other"]["shared"], found["/srv/other"]["world_writable"]) == (True, False)


@needs_root
def test_what_a_group_or_another_user_may_change_among_the_systems_programs(root):
    place(root / "usr/bin/tool", 0o775)
    place(root / "usr/bin/theirs", 0o755, uid=1001)
    place(root / "usr/bin/fine", 0o755)
    place(root / "usr/lib/x86_64-linux-gnu/libc.so.6", 0o664)
    place(root / "usr/lib/plugins", 0o775, directory=True)
    place(root / "opt/bin/tool", 0o775)
    place(root / "usr/share/bin/tool", 0o775)
    found, totals, state, _why = split(file_walk.collect(Host(str(root)), {}))
    assert state == "ok"
    assert {path: (row["place"], row["type"]) for path, row in found.items()} == {
        "/usr/bin/tool": ("programs", "file"),
        "/usr/bin/theirs": ("programs", "file"),
        "/usr/lib/x86_64-linux-gnu/libc.so.6": ("libraries", "file"),
        "/usr/lib/plugins": ("libraries", "directory"),
    }
    (total,) = totals.values()
    assert total["looked_for"] == ["place", "shared", "trust"]


def test_files_that_let_others_in(root):
    for name in ("home/ann/.rhosts", "root/.shosts", "etc/hosts.equiv", "etc/ssh/shosts.equiv", "srv/hosts.equiv.txt"):
        place(root / name)
    found, _totals, _state, _why = split(file_walk.collect(Host(str(root)), {}))
    assert sorted(found) == ["/etc/hosts.equiv", "/etc/ssh/shosts.equiv", "/home/ann/.rhosts", "/root/.shosts"]
    assert all(row["trust"] for row in found.values())


@needs_root
def test_the_top_of_a_file_system_of_its_own(tmp_path):
    point = tmp_path / "shared"
    point.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "none", str(point)], capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        rows = {}
        for mode in (0o777, 0o1777, 0o755):
            point.chmod(mode)
            result = file_walk.collect(Host(), {"seconds": 20, "prune": ["/usr", "/work", "/var", "/home"]})
            rows[mode] = split(result)[0].get(str(point))
    finally:
        subprocess.run(["umount", str(point)], check=True)
    assert rows[0o755] is None
    assert [(row["shared"], row["world_writable"]) for row in (rows[0o777], rows[0o1777])] == [
        (True, True),
        (True, False),
    ]


def test_a_swapped_directory_is_not_followed_through_its_link(root):
    """Between the reading of a directory and the opening of its child, the child becomes a link."""
    outside = root.parent / "outside"
    place(outside / "open", 0o666)
    victim = root / "srv/victim"
    place(victim / "inner/open", 0o666)
    real = os.open

    def swap(path, flags, *arguments, **named):
        if path == "victim" and not victim.is_symlink():
            victim.rename(root.parent / "moved")
            victim.symlink_to(outside)
        return real(path, flags, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", swap)
        found, _totals, state, _why = split(file_walk.collect(Host(str(root)), {}))
    assert victim.is_symlink(), "the swap took place"
    assert (found, state) == ({}, "ok")


def test_the_walk_leaves_no_descriptor_open(root):
    for number in range(30):
        place(root / (f"x/{number}/y/z"))
    host = Host(str(root))
    before = len(list(Path("/proc/self/fd").iterdir()))
    file_walk.collect(host, {})
    file_walk.collect(host, {"seconds": 0.000001})
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_resolving_owners_raises_nothing(root):
    findings = file_walk._Findings({0}, {0})
    findings.owners["uid"][5] = {"/": 1}
    findings.counts["/"] = {"unowned": 0, "ungrouped": 0}

    def down(database, ids):
        raise Unreadable("timeout", "no answer")

    assert file_walk.settle_owners(findings, down) == {}
    assert is_unreadable(findings.counts["/"]["unowned"])

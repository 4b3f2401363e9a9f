from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import mount_tables
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.spec import Result
from ansible_collections.ringwall.servers.plugins.module_utils.tables import mounts
from hypothesis import given
from hypothesis import strategies as st

TMP_UNIT = """\
[Unit]
ConditionPathIsSymbolicLink=!/tmp

[Mount]
What=tmpfs
Where=/tmp
Type=tmpfs
Options=mode=1777,strictatime,nosuid,nodev,size=50%%,nr_inodes=1m
"""


def rows_of(host):
    result = mounts.collect(host, {})
    return result.rows if isinstance(result, Result) else result


@pytest.fixture
def live(table_fixture):
    return mount_tables.parse_mountinfo(table_fixture("mounts/mountinfo_debian12_vm.txt").encode())


def test_fields_of_mountinfo(live):
    srv = next(mount for mount in live if mount["point"].startswith("/srv"))
    assert srv == {
        "id": 63,
        "parent": 28,
        "device": "254:3",
        "root": "/srv/my files",
        "point": "/srv/my files",
        "options": ["rw", "relatime"],
        "type": "ext4",
        "source": "/dev/mapper/vg-srv",
        "super_options": ["rw"],
    }


def test_backslash_in_a_source_is_kept_reversibly(live):
    share = next(mount for mount in live if mount["type"] == "cifs")
    assert share["source"] == "//files.example/a\\x5cb"


def test_options_in_force_take_ro_from_either_level(live):
    rows = mounts.rows_of(live, [], [])
    assert rows["/boot"]["options"] == ["ro", "relatime"]
    assert rows["/tmp"]["options"][:4] == ["rw", "nosuid", "nodev", "noexec"]
    assert rows["/tmp"]["mount_options"] == ["rw", "nosuid", "nodev", "noexec", "relatime"]
    assert rows["/"]["persisted"] is False


def test_last_mount_on_a_point_is_what_a_path_reaches(live):
    row = mounts.rows_of(live, [], [])["/home"]
    assert (row["type"], row["covered"]) == ("tmpfs", 1)


FSTAB = rb"""
# <file system> <mount point> <type> <options> <dump> <pass>
UUID=1234-5678 / ext4 errors=remount-ro 0 1
/dev/mapper/vg-srv /srv/my\040files/ ext4 defaults,nodev 0 2
tmpfs /dev/shm tmpfs rw,nosuid,nodev,noexec
UUID=aa none swap sw 0 0
//files.example/a /mnt/share cifs credentials=/root/.c,password=hunter2,"ctx=a,b",noauto 0 0
short
/dev/sdb1 /data
"""


def test_fstab_fields_and_escapes():
    entries = mount_tables.parse_fstab(FSTAB)
    assert [entry["point"] for entry in entries] == ["/", "/srv/my files", "/dev/shm", "none", "/mnt/share", "/data"]
    assert entries[0] == {
        "source": "UUID=1234-5678",
        "point": "/",
        "type": "ext4",
        "options": ["errors=remount-ro"],
        "dump": 0,
        "pass": 1,
        "where": "/etc/fstab:3",
    }
    assert entries[5]["options"] == ["defaults"]
    assert entries[5]["type"] == "auto"


def test_passwords_in_options_do_not_leave():
    share = mount_tables.parse_fstab(FSTAB)[4]
    assert "hunter2" not in json.dumps(share)
    assert '"ctx=a,b"' in share["options"]
    assert "noauto" in share["options"]


def test_live_and_fstab_stand_side_by_side(live):
    rows = mounts.rows_of(live, mount_tables.parse_fstab(FSTAB), [])
    shm = rows["/dev/shm"]
    assert "noexec" not in shm["options"]  # not remounted since the line was written
    assert "noexec" in shm["persisted_options"]
    assert (shm["persisted"], shm["persisted_by"], shm["persisted_where"]) == (True, "fstab", "/etc/fstab:5")
    assert rows["/mnt/share"]["persisted"] is False  # noauto
    assert (rows["/data"]["live"], rows["/data"]["type"], rows["/data"]["persisted"]) == (False, None, True)
    assert "none" not in rows
    assert rows["/srv/my files"]["persisted_options"] == ["defaults", "nodev"]
    columns = {column.name for column in mounts.TABLE.columns}
    assert all(set(row) == columns for row in rows.values())


def test_first_of_two_fstab_lines_counts():
    lines = mount_tables.parse_fstab(b"a /x ext4 nodev\nb /x ext4 nosuid\n")
    row = mounts.rows_of([], lines, [])["/x"]
    assert row["persisted_options"] == ["nodev"]
    assert [item["effective"] for item in row["persisted_all"]] == [True, False]


def test_vendor_unit_yields_to_fstab_and_etc_unit_does_not(file_host):
    host = file_host({"/usr/lib/systemd/system/tmp.mount": TMP_UNIT, "/etc/fstab": "tmpfs /tmp tmpfs noexec 0 0\n"})
    assert rows_of(host)["/tmp"]["persisted_by"] == "fstab"
    file_host({"/etc/systemd/system/tmp.mount": TMP_UNIT})
    row = rows_of(Host(host.root))["/tmp"]
    assert (row["persisted_by"], row["persisted_where"]) == ("unit", "/etc/systemd/system/tmp.mount:8")
    assert "noexec" not in row["persisted_options"]
    assert row["persisted"] is True


def test_unit_is_persistent_only_when_something_wants_it(file_host):
    host = file_host({"/usr/lib/systemd/system/tmp.mount": TMP_UNIT})
    assert rows_of(host)["/tmp"]["persisted"] is False
    file_host({"/etc/systemd/system/local-fs.target.wants/tmp.mount": ("link", "/usr/lib/systemd/system/tmp.mount")})
    assert rows_of(Host(host.root))["/tmp"]["persisted"] is True


def test_drop_in_changes_options_and_mask_ends_it(file_host):
    host = file_host(
        {
            "/usr/lib/systemd/system/tmp.mount": TMP_UNIT,
            "/etc/systemd/system/tmp.mount.d/10-hard.conf": "[Mount]\nOptions=mode=1777,nosuid,nodev,noexec\n",
        }
    )
    row = rows_of(host)["/tmp"]
    assert row["persisted_options"] == ["mode=1777", "nosuid", "nodev", "noexec"]
    assert row["persisted_where"] == "/etc/systemd/system/tmp.mount.d/10-hard.conf:2"
    file_host({"/etc/systemd/system/tmp.mount": ("link", "/dev/null")})
    row = rows_of(Host(host.root))["/tmp"]
    assert (row["persisted"], row["persisted_where"]) == (False, "tmp.mount is masked")


def test_units_in_run_are_gone_before_the_next_boot(file_host):
    host = file_host(
        {
            "/usr/lib/systemd/system/tmp.mount": TMP_UNIT,
            "/run/systemd/system/tmp.mount.d/10-hard.conf": "[Mount]\nOptions=mode=1777,nosuid,nodev,noexec\n",
            "/run/systemd/system/local-fs.target.wants/tmp.mount": ("link", "/usr/lib/systemd/system/tmp.mount"),
        }
    )
    row = rows_of(host)["/tmp"]
    assert row["persisted"] is False
    assert "noexec" not in row["persisted_options"]
    file_host({"/run/systemd/system/tmp.mount": TMP_UNIT, "/etc/fstab": "tmpfs /tmp tmpfs noexec 0 0\n"})
    row = rows_of(Host(host.root))["/tmp"]
    assert (row["persisted_by"], row["persisted_options"]) == ("fstab", ["noexec"])


def test_not_running_root_says_nothing_of_live(file_host):
    row = rows_of(file_host({"/etc/fstab": "tmpfs /tmp tmpfs nodev 0 0\n"}))["/tmp"]
    assert row["live"] is None


def test_denied_fstab_is_no_absence(file_host):
    host = file_host({"/usr/lib/systemd/system/tmp.mount": TMP_UNIT, "/etc/fstab/x": ""})
    result = mounts.collect(host, {})
    assert result.state == "partial"
    assert result.rows["/tmp"]["persisted"]["!"] == "partial"


def test_this_machine_agrees_with_findmnt():
    if shutil.which("findmnt") is None:
        pytest.skip("util-linux's findmnt is not installed")
    told = subprocess.run(
        ["findmnt", "--list", "--json", "-o", "TARGET,FSTYPE,VFS-OPTIONS,MAJ:MIN"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    theirs = {item["target"]: item for item in json.loads(told)["filesystems"]}
    ours = {point: row for point, row in rows_of(Host("/")).items() if row["live"]}
    assert set(ours) == set(theirs)
    for point, row in ours.items():
        assert row["type"] == theirs[point]["fstype"]
        assert row["mount_options"] == theirs[point]["vfs-options"].split(",")


@given(st.binary(max_size=400))
def test_parsers_take_any_bytes(data):
    for parse in (mount_tables.parse_mountinfo, mount_tables.parse_fstab, mount_tables.parse_swaps):
        json.dumps(parse(data))


@given(st.text(st.characters(codec="utf-8", exclude_characters="\\\0"), min_size=1, max_size=30))
def test_kernel_escaping_is_undone(name):
    escaped = "".join(f"\\{ord(c):03o}" if c in " \t\n#" else c for c in name)
    line = f"36 35 98:0 / /{escaped} rw - ext3 /dev/root rw"
    assert mount_tables.parse_mountinfo(line.encode())[0]["point"] == "/" + name


@pytest.mark.parametrize(
    ("point", "source", "kind", "path", "expected"),
    [
        ("/mnt/disc", "/dev/sr0", "iso9660", "", True),
        ("/mnt/disc", "/dev/cdrom", "auto", "", True),
        ("/mnt/stick", "/dev/sdb1", "vfat", "../../devices/pci0000:00/0000:00:14.0/usb2/2-1/block/sdb/sdb1", True),
        ("/media/bob/x", "/dev/sdc1", "ext4", "", True),
        ("/mnt/image", "/dev/loop4", "iso9660", "../../devices/virtual/block/loop4", False),
        ("/srv", "/dev/sda3", "ext4", "../../devices/pci0000:00/0000:00:1f.2/ata1/block/sda/sda3", False),
        ("/medialib", "/dev/sda4", "xfs", "", False),
    ],
)
def test_media_that_can_be_taken_out(point, source, kind, path, expected):
    assert mounts.removable(point, (source, None), (kind, None), path) is expected


def test_a_stick_that_only_fstab_names(file_host):
    host = file_host(
        {"/etc/fstab": "/dev/sr0 /media/cdrom0 udf,iso9660 user,noauto 0 0\n/dev/sda1 / ext4 defaults 0 1\n"}
    )
    rows = rows_of(host)
    assert (rows["/media/cdrom0"]["removable"], rows["/"]["removable"]) == (True, False)

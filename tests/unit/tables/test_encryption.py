from __future__ import annotations

import json

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.block_devices import Devices, method_of
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.tables import encryption
from hypothesis import given
from hypothesis import strategies as st


def sysfs(*nodes):
    """Files of /sys for ``(name, number, below, dm name, dm uuid)``; ``below`` "disk/part" makes a partition."""
    files = {}
    for name, number, below, dm, uuid in nodes:
        directory = "/sys/devices/virtual/block/" + name
        if isinstance(below, str):
            directory = f"/sys/devices/pci/block/{below}"
            files[directory + "/partition"] = "1\n"
            below = ()
        files["/sys/dev/block/" + number] = ("link", "../.." + directory[4:])
        files["/sys/class/block/" + name] = ("link", "../.." + directory[4:])
        for item in below:
            files[directory + "/slaves/" + item] = ""
        files[directory + "/size"] = "1\n"
        if dm:
            files[directory + "/dm/name"] = dm + "\n"
            files[directory + "/dm/uuid"] = uuid + "\n"
    return files


LVM_ON_LUKS = sysfs(
    ("dm-1", "253:1", ["dm-0"], "vg-root", "LVM-abc"),
    ("dm-0", "253:0", ["sda3"], "sda3_crypt", "CRYPT-LUKS2-0d5aff-sda3_crypt"),
    ("sda3", "8:3", "sda/sda3", "", ""),
    ("sda", "8:0", [], "", ""),
    ("sda1", "8:1", "sda/sda1", "", ""),
)


@pytest.mark.parametrize(
    ("uuid", "method"),
    [
        ("CRYPT-LUKS2-0d5a-x", "luks2"),
        ("CRYPT-LUKS1-0d5a-x", "luks1"),
        ("CRYPT-PLAIN-swap", "plain"),
        ("CRYPT-BITLK-1-x", "bitlk"),
        ("CRYPT-VERITY-1-root", None),  # protects against change, not against reading
        ("CRYPT-INTEGRITY-x", None),
        ("LVM-abc", None),
        ("", None),
    ],
)
def test_which_mappings_encrypt(uuid, method):
    assert method_of(uuid) == method


def test_volume_on_luks_is_encrypted(file_host):
    devices = Devices(file_host(LVM_ON_LUKS))
    assert devices.name_of("253:1") == "dm-1"
    assert devices.verdict("dm-1") == ("yes", ["luks2"], ["vg-root", "sda3_crypt (luks2)"], "")


def test_plain_partition_is_not(file_host):
    state, methods, layers, why = Devices(file_host(LVM_ON_LUKS)).verdict("sda1")
    assert (state, methods, layers) == ("no", [], ["sda1", "sda"])
    assert why == "sda is not encrypted"


def test_mirror_with_one_plain_leg_is_not(file_host):
    devices = Devices(
        file_host(
            sysfs(
                ("md0", "9:0", ["dm-0", "sdb"], "", ""),
                ("dm-0", "253:0", ["sda"], "a_crypt", "CRYPT-LUKS2-x-a_crypt"),
                ("sda", "8:0", [], "", ""),
                ("sdb", "8:16", [], "", ""),
            )
        )
    )
    state, methods, _layers, why = devices.verdict("md0")
    assert (state, methods, why) == ("no", ["luks2"], "sdb is not encrypted beside others that are")


def test_partition_of_an_encrypted_disk_mapping(file_host):
    files = sysfs(
        ("dm-0", "253:0", ["sda"], "whole", "CRYPT-LUKS2-x-whole"),
        ("dm-1", "253:1", ["dm-0"], "whole1", "part1-CRYPT-LUKS2-x-whole"),
    )
    assert Devices(file_host(files)).verdict("dm-1")[0] == "yes"


def test_loop_file_counts_as_its_file_system(file_host):
    files = {**LVM_ON_LUKS, **sysfs(("loop0", "7:0", [], "", ""))}
    files["/sys/devices/virtual/block/loop0/loop/backing_file"] = "/var/x.img\n"
    devices = Devices(file_host(files), lambda path: "dm-1" if path == "/var/x.img" else None)
    assert devices.verdict("loop0")[0] == "yes"


def test_cycle_ends(file_host):
    files = sysfs(("dm-0", "253:0", ["dm-1"], "a", "LVM-1"), ("dm-1", "253:1", ["dm-0"], "b", "LVM-2"))
    assert Devices(file_host(files)).verdict("dm-0")[0] == "no"


def _judge(host, mounts):
    host._cache["container"] = None
    return encryption._Judge(host, mounts)


def mount(point, device, kind="ext4", source="/dev/x"):
    return {"point": point, "device": device, "type": kind, "source": source}


def test_kinds_of_mounts(file_host):
    judge = _judge(file_host(LVM_ON_LUKS), [])
    assert judge.mount(mount("/", "253:1"))[0] == "yes"
    assert judge.mount(mount("/boot", "8:1"))[0] == "no"
    assert judge.mount(mount("/proc", "0:20", "proc", "proc")) is None
    assert judge.mount(mount("/tmp", "0:22", "tmpfs", "tmpfs")) is None
    assert judge.mount(mount("/net", "0:23", "nfs4", "server:/x"))[0] == "unknown"
    assert judge.mount(mount("/", "0:24", "overlay", "overlay"))[0] == "unknown"
    assert judge.mount(mount("/mnt", "66:6"))[0] == "unknown"  # /sys shows no such device
    assert judge.mount(mount("/v", "0:25", "fuse.gocryptfs", "/secret"))[:2] == ("yes", ["gocryptfs"])


def test_swap_file_counts_as_its_file_system(file_host):
    judge = _judge(file_host(LVM_ON_LUKS), [mount("/", "253:1"), mount("/boot", "8:1")])
    assert judge.swap({"path": "/swapfile", "kind": "file"})[0] == "yes"
    assert judge.swap({"path": "/boot/swap", "kind": "file"})[0] == "no"


def test_crypttab_keeps_no_key_path():
    tab = encryption.parse_crypttab(
        b"# c\nsda3_crypt UUID=0d5a none luks,discard\nswap /dev/sda5 /dev/urandom swap,cipher=aes-xts-plain64\n"
        b"data /dev/sdb1 /root/very/secret.key luks,header=/x\nshort\nb /dev/sdc /dev/disk/by-id/usb-key\n"
    )
    assert {name: entry["key"] for name, entry in tab.items()} == {
        "sda3_crypt": "none",
        "swap": "random",
        "data": "file",
        "b": "device",
    }
    assert tab["data"]["where"] == "/etc/crypttab:4"
    assert "secret.key" not in json.dumps(tab)


def test_row_names_the_line_that_opens_it():
    tab = encryption.parse_crypttab(b"sda3_crypt UUID=0d5a none luks\n")
    row = encryption._row("mount", ("yes", ["luks2"], ["vg-root", "sda3_crypt (luks2)"], ""), "ext4", "/dev/x", tab)
    assert row["crypttab"]["where"] == "/etc/crypttab:1"
    assert set(row) == {column.name for column in encryption.TABLE.columns}


def test_root_that_does_not_run_has_only_crypttab(file_host):
    result = encryption.collect(file_host({"/etc/crypttab": "a /dev/sda none\n"}), {})
    assert result.state == "partial"
    assert list(result.rows) == ["crypttab:a"]


def test_this_machine_can_be_told():
    rows = encryption.collect(Host("/"), {})
    assert all(row["encrypted"] in ("yes", "no", "unknown", "memory", None) for row in rows.values())
    assert all(row["why"] or row["encrypted"] in ("yes", "memory", None) for row in rows.values())


@given(st.binary(max_size=300))
def test_crypttab_parser_takes_any_bytes(data):
    json.dumps(encryption.parse_crypttab(data))

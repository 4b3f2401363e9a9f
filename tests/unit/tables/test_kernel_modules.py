"""kernel_modules: modprobe.d as kmod reads it, what a kernel has, what is loaded."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import modprobe
from ansible_collections.ringwall.servers.plugins.module_utils.spec import Result, is_unreadable
from ansible_collections.ringwall.servers.plugins.module_utils.tables import kernel_modules
from hypothesis import given
from hypothesis import strategies as st

DEP = """kernel/fs/cramfs/cramfs.ko.xz:
kernel/drivers/usb/storage/usb-storage.ko: kernel/drivers/scsi/scsi_mod.ko
kernel/net/sctp/sctp.ko.zst: kernel/lib/libcrc32c.ko
"""
BUILTIN = "kernel/fs/squashfs/squashfs.ko\nkernel/fs/ext4/ext4.ko\n"
FILES = {
    "/lib/modules/6.1.0-18-amd64/modules.dep": DEP,
    "/lib/modules/6.1.0-18-amd64/modules.builtin": BUILTIN,
    "/lib/modules/6.1.0-9-amd64/modules.dep": "kernel/fs/jffs2/jffs2.ko:\n",
    "/etc/modprobe.d/cis.conf": "# comment\ninstall cramfs /bin/false\nblacklist cramfs\n"
    "install usb-storage \\\n  /bin/true\n",
    "/etc/modprobe.d/zz.conf": "install cramfs /sbin/modprobe -i cramfs\nalias net-pf-36 tipc\nblacklist tipc\n",
    "/etc/modprobe.d/overridden.conf": "blacklist hfs\n",
    "/usr/lib/modprobe.d/overridden.conf": "blacklist udf\n",
    "/usr/lib/modprobe.d/masked.conf": "blacklist freevxfs\n",
    "/etc/modprobe.d/notes.txt": "blacklist sctp\n",
}


@pytest.fixture
def image(file_host):
    return file_host(FILES)


def rows_of(result):
    return result.rows if isinstance(result, Result) else result


def test_rules_with_file_and_line(image):
    rows = rows_of(kernel_modules.collect(image, {}))
    cramfs = rows["cramfs"]
    assert cramfs["blacklist"] == ["/etc/modprobe.d/cis.conf:3"]
    assert (cramfs["install"], cramfs["install_where"]) == ("/bin/false", "/etc/modprobe.d/cis.conf:2")
    # kmod takes the first install command of a module
    assert cramfs["install_others"] == ["/etc/modprobe.d/zz.conf:1"]
    usb = rows["usb_storage"]
    assert (usb["install"], usb["install_where"]) == ("/bin/true", "/etc/modprobe.d/cis.conf:4")
    assert usb["blacklist"] == []
    assert rows["tipc"]["aliases"] == ["net_pf_36 /etc/modprobe.d/zz.conf:2"]


def test_a_file_of_higher_precedence_hides_its_namesake(image):
    rows = rows_of(kernel_modules.collect(image, {}))
    assert rows["hfs"]["blacklist"] == ["/etc/modprobe.d/overridden.conf:1"]
    assert rows["udf"]["blacklist"] == []
    assert rows["sctp"]["blacklist"] == []


def test_what_the_newest_kernel_of_an_image_has(image):
    rows = rows_of(kernel_modules.collect(image, {"names": ["ext4", "usb-storage"]}))
    assert (rows["cramfs"]["available"], rows["cramfs"]["builtin"], rows["cramfs"]["loaded"]) == (True, False, None)
    assert rows["cramfs"]["file"] == "kernel/fs/cramfs/cramfs.ko.xz"
    assert rows["squashfs"]["builtin"] is True
    assert rows["squashfs"]["available"] is False
    assert rows["ext4"]["builtin"] is True
    assert rows["usb_storage"]["available"] is True
    # An older kernel that is still installed can be booted.
    assert (rows["jffs2"]["available"], rows["jffs2"]["kernels"], rows["jffs2"]["file"]) == (
        True,
        ["6.1.0-9-amd64"],
        None,
    )
    assert rows["freevxfs"]["available"] is False
    assert all(set(row) == {column.name for column in kernel_modules.TABLE.columns} for row in rows.values())


def test_an_image_without_kernels_leaves_it_open(file_host):
    row = rows_of(kernel_modules.collect(file_host({"/etc/x": ""}), {}))["cramfs"]
    assert (row["loaded"], row["builtin"], row["available"]) == (None, None, None)


def test_a_rule_file_that_cannot_be_read_leaves_no_certainty(file_host, tmp_path):
    host = file_host({"/etc/modprobe.d/a.conf": "install cramfs /bin/false\n"})
    (tmp_path / "etc/modprobe.d/b.conf").mkdir()
    result = kernel_modules.collect(host, {})
    assert result.state == "partial"
    assert result.rows["cramfs"]["install"] == "/bin/false"
    assert is_unreadable(result.rows["udf"]["install"])
    assert is_unreadable(result.rows["cramfs"]["blacklist"])


def test_proc_modules():
    data = b"nf_tables 311296 5 nft_ct,nft_chain_nat, Live 0x0000000000000000\nudf 98304 0 - Live 0x0\n"
    assert kernel_modules.parse_proc_modules(data) == {"nf_tables": ["nft_ct", "nft_chain_nat"], "udf": []}


def test_registered_file_systems():
    assert kernel_modules.parse_filesystems(b"nodev\tsysfs\n\text4\nnodev\toverlay\n") == {"sysfs", "ext4", "overlay"}


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("usb-storage", "usb_storage"),
        ("snd-hda-codec-*", "snd_hda_codec_*"),
        ("a-[b-c]-d", "a_[b-c]_d"),
        ("x.ko.xz", "x"),
    ],
)
def test_names(written, name):
    assert modprobe.normal(written) == name


def test_install_commands_by_pattern():
    entries = modprobe.parse_modprobe(
        b"install snd-* /bin/true\ninstall snd-pcm /bin/false\n", "/etc/modprobe.d/x.conf"
    )
    rules = modprobe.Modprobe(entries)
    assert rules.commands("install", "snd_pcm")[0] == ("/bin/true", "/etc/modprobe.d/x.conf:1")
    assert rules.named() == {"snd_pcm"}


@given(st.binary(max_size=300))
def test_rule_files_of_any_kind(data):
    for entry in modprobe.parse_modprobe(data, "/x"):
        "".join(entry).encode("utf-8")
    kernel_modules.parse_proc_modules(data)
    kernel_modules.parse_filesystems(data)
    kernel_modules.parse_paths(data, {b"cramfs"})

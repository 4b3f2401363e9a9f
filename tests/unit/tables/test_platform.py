"""platform: os-release, hypervisor, cloud, namespaces."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.tables import platform
from hypothesis import given
from hypothesis import strategies as st

UBUNTU = b"""PRETTY_NAME="Ubuntu 22.04.4 LTS"
NAME="Ubuntu"
VERSION_ID="22.04"
VERSION="22.04.4 LTS (Jammy Jellyfish)"
VERSION_CODENAME=jammy
ID=ubuntu
ID_LIKE=debian
UBUNTU_CODENAME=jammy
"""
ROCKY = b"""NAME="Rocky Linux"
VERSION="9.3 (Blue Onyx)"
ID="rocky"
ID_LIKE="rhel centos fedora"
VERSION_ID="9.3"
PRETTY_NAME='Rocky "quoted" Linux'
CPE_NAME="cpe:/o:rocky:rocky:9::\\"baseos\\" \\$5"
"""


def test_os_release_undoes_shell_quotes():
    rocky = platform.parse_os_release(ROCKY)
    assert rocky["ID"] == "rocky"
    assert rocky["PRETTY_NAME"] == 'Rocky "quoted" Linux'
    assert rocky["CPE_NAME"] == 'cpe:/o:rocky:rocky:9::"baseos" $5'


def test_a_row_of_an_unpacked_ubuntu(file_host):
    host = file_host(
        {
            "/usr/lib/os-release": UBUNTU,
            "/etc/debian_version": "bookworm/sid\n",
            "/bin/sh": b"\x7fELF\x02\x01\x01" + b"\0" * 11 + b"\xb7\0",
        }
    )
    row = platform.collect(host, {})["host"]
    assert (row["id"], row["version_id"], row["family"], row["codename"]) == ("ubuntu", "22.04", "debian", "jammy")
    assert (row["userland"], row["architecture"]) == ("aarch64", "aarch64")
    assert row["kernel"] is None
    assert row["own_kernel"] is False
    assert row["container"] is None
    assert set(row) == {column.name for column in platform.TABLE.columns}


def test_a_point_release_and_the_family_of_a_derivative(file_host):
    host = file_host({"/etc/os-release": ROCKY, "/etc/redhat-release": "Rocky Linux release 9.3 (Blue Onyx)\n"})
    row = platform.collect(host, {})["host"]
    assert row["minor_version"] == "9.3"
    assert row["family"] == "rhel"
    assert platform.family("neverheard", ["debian"]) == "debian"
    assert platform.family("gentoo", []) == "gentoo"


def test_a_system_without_os_release_is_just_linux(file_host):
    row = platform.collect(file_host({"/etc/x": ""}), {})["host"]
    assert row["id"] == "linux"
    assert row["version_id"] is None


@pytest.mark.parametrize(
    ("dmi", "cpuinfo", "clocks", "verdict"),
    [
        ({"sys_vendor": "QEMU"}, "", [], "qemu"),
        ({"sys_vendor": "VMware, Inc.", "product_name": "VMware7,1"}, "", [], "vmware"),
        ({"sys_vendor": "Microsoft Corporation", "product_name": "Virtual Machine"}, "", [], "microsoft"),
        ({"sys_vendor": "Microsoft Corporation", "product_name": "Surface Book"}, "flags : fpu vme", [], "none"),
        ({"sys_vendor": "Dell Inc."}, "flags\t\t: fpu vme sse", ["tsc", "hpet"], "none"),
        ({}, "flags\t\t: fpu hypervisor sse", ["kvm-clock", "tsc"], "kvm"),
        ({}, "flags\t\t: fpu hypervisor sse", ["tsc"], "vm-other"),
        ({}, "processor : 0\nBogoMIPS : 48.00\nFeatures : fp", ["arch_sys_counter"], None),
    ],
)
def test_hypervisor(dmi, cpuinfo, clocks, verdict):
    assert platform.hypervisor(dmi, cpuinfo, clocks) == verdict


@pytest.mark.parametrize(
    ("dmi", "cloud_id", "verdict"),
    [
        (
            {"chassis_asset_tag": "7783-7084-3265-9085-8269-3286-77", "sys_vendor": "Microsoft Corporation"},
            None,
            "azure",
        ),
        ({"sys_vendor": "Microsoft Corporation", "chassis_asset_tag": "1234"}, None, None),
        ({"sys_vendor": "Amazon EC2"}, "ec2", "aws"),
        ({"sys_vendor": "Xen", "bios_version": "4.11.amazon"}, None, "aws"),
        ({"product_name": "Google Compute Engine"}, None, "gcp"),
        ({}, "gce", "gcp"),
        ({}, "nocloud", None),
        ({"sys_vendor": "Hetzner"}, None, "hetzner"),
    ],
)
def test_cloud(dmi, cloud_id, verdict):
    assert platform.cloud_of(dmi, cloud_id)[0] == verdict


def test_elf_machines():
    assert platform.elf_machine(b"\x7fELF\x02\x01\x01" + b"\0" * 11 + b"\x3e\0") == "x86_64"
    assert platform.elf_machine(b"\x7fELF\x02\x01\x01" + b"\0" * 11 + b"\x15\0") == "ppc64le"
    assert platform.elf_machine(b"\x7fELF\x02\x02\x01" + b"\0" * 11 + b"\0\x15") == "ppc64"
    assert platform.elf_machine(b"#!/bin/busybox sh\n\n") is None


@given(st.binary(max_size=400))
def test_os_release_takes_anything(data):
    for value in platform.parse_os_release(data).values():
        value.encode("utf-8")
    platform.elf_machine(data)

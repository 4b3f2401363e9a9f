"""updates and pending_updates: apt's lists, deleted files in use, kernels, reboot markers."""

from __future__ import annotations

import gzip

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import apt_lists, pending, restarts
from ansible_collections.ringwall.servers.plugins.module_utils.spec import Unreadable, is_unreadable
from ansible_collections.ringwall.servers.plugins.module_utils.tables import pending_updates, updates
from hypothesis import given
from hypothesis import strategies as st

STATUS = """Package: openssl
Status: install ok installed
Architecture: amd64
Version: 3.0.11-1~deb12u2

Package: bash
Status: install ok installed
Architecture: amd64
Version: 5.2.15-2+b2

Package: libc6
Status: install ok installed
Architecture: i386
Version: 2.36-9

Package: curl
Status: deinstall ok config-files
Architecture: amd64
Version: 7.0
"""
SECURITY = """Package: openssl
Source: openssl
Version: 3.0.15-1~deb12u1
Architecture: amd64
Description: x

Package: openssl
Version: 3.0.14-1~deb12u2
Architecture: amd64

Package: bash
Version: 5.2.15-2
Architecture: amd64

Package: libc6
Version: 2.36-9+deb12u9
Architecture: amd64

Package: curl
Version: 8.0
Architecture: amd64

Package: notinstalled
Version: 9
Architecture: amd64
"""
MAIN = "Package: bash\nVersion: 5.2.16-1\nArchitecture: amd64\n\n"
MAIN += "Package: openssl\nVersion: 3.0.14-1\nArchitecture: amd64\n"
LISTS = "/var/lib/apt/lists/"
SECURITY_LIST = LISTS + "deb.debian.org_debian-security_dists_bookworm-security_main_binary-amd64_Packages"
MAIN_LIST = LISTS + "deb.debian.org_debian_dists_bookworm_main_binary-amd64_Packages"


@pytest.fixture
def host(file_host):
    return file_host({"/var/lib/dpkg/status": STATUS, SECURITY_LIST: SECURITY, MAIN_LIST: MAIN})


def test_security_updates_of_installed_packages_only(host):
    assert pending_updates.collect(host, {}) == {
        "openssl:amd64": {
            "installed": "3.0.11-1~deb12u2",
            "candidate": "3.0.15-1~deb12u1",
            "security": True,
            "advisory": None,
        }
    }
    row = updates.collect(host, {})["host"]
    assert row["security_packages"] == ["openssl:amd64"]
    assert row["security_count"] == 1
    assert row["pending_count"] is None
    assert row["lists_time"] is not None
    assert set(row) == {column.name for column in updates.TABLE.columns}


def test_all_archives_when_asked_for(host):
    rows = pending_updates.collect(host, {"pending": True})
    assert {key: row["security"] for key, row in rows.items()} == {"openssl:amd64": True, "bash:amd64": False}
    assert updates.collect(host, {"pending": True})["host"]["pending_count"] == 2


def test_compressed_lists(file_host):
    host = file_host({"/var/lib/dpkg/status": STATUS, SECURITY_LIST + ".gz": gzip.compress(SECURITY.encode())})
    assert list(pending_updates.collect(host, {})) == ["openssl:amd64"]
    host = file_host({"/var/lib/dpkg/status": STATUS, SECURITY_LIST + ".gz": b"no gzip"})
    with pytest.raises(Unreadable):
        pending_updates.collect(host, {})


def test_without_a_security_list_nothing_is_up_to_date(file_host):
    host = file_host({"/var/lib/dpkg/status": STATUS, MAIN_LIST: MAIN})
    with pytest.raises(Unreadable):
        pending_updates.collect(host, {})
    assert is_unreadable(updates.collect(host, {})["host"]["security_count"])


def test_a_list_cut_into_small_pieces_reads_the_same(host):
    installed = {b"openssl": {"amd64": "openssl:amd64"}}
    data = SECURITY.encode()
    for size in (1, 7, 50):
        chunks = [data[start : start + size] for start in range(0, len(data), size)]
        assert apt_lists.candidates(chunks, installed) == {"openssl:amd64": "3.0.15-1~deb12u1"}


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("deb.debian.org_debian-security_dists_bookworm-security_main_binary-amd64_Packages", True),
        ("security.debian.org_debian-security_dists_buster_updates_main_binary-amd64_Packages", True),
        ("security.ubuntu.com_ubuntu_dists_jammy-security_universe_binary-amd64_Packages", True),
        ("azure.archive.ubuntu.com_ubuntu_dists_jammy-security_main_binary-amd64_Packages.lz4", True),
        ("mirror.example.com_debian_dists_bookworm-updates_main_binary-amd64_Packages", False),
        ("deb.debian.org_debian_dists_bookworm_main_binary-amd64_Packages", False),
    ],
)
def test_which_lists_are_of_security(name, verdict):
    assert apt_lists.is_security(name) is verdict


MAPS = (
    b"55d0-55d1 r-xp 00000000 fe:01 1 /usr/sbin/sshd (deleted)\n"
    b"7f00-7f01 r--p 00000000 fe:01 2 /usr/lib/x86_64-linux-gnu/libcrypto.so.3 (deleted)\n"
    b"7f01-7f02 r-xp 00000000 fe:01 2 /usr/lib/x86_64-linux-gnu/libcrypto.so.3 (deleted)\n"
    b"7f02-7f03 r-xp 00000000 fe:01 3 /usr/lib/x86_64-linux-gnu/libc.so.6\n"
    b"7f03-7f04 rw-p 00000000 fe:01 4 /usr/lib/data (deleted)\n"
    b"7f04-7f05 rwxs 00000000 00:01 5 /memfd:ffi (deleted)\n"
    b"7f05-7f06 r-xp 00000000 00:01 6 /tmp/jit (deleted)\n"
    b"7f06-7f07 r-xp 00000000 fe:01 7 /opt/my app/lib.so (deleted)\n"
    b"7f07-7f08 r-xp 00000000 00:00 0 [vdso]\n"
)


def test_deleted_files_in_use():
    assert restarts.deleted_files(MAPS) == [
        "/opt/my app/lib.so",
        "/usr/lib/x86_64-linux-gnu/libcrypto.so.3",
        "/usr/sbin/sshd",
    ]


@pytest.mark.parametrize(
    ("running", "installed", "newest"),
    [
        ("6.1.0-18-amd64", ["6.1.0-9-amd64", "6.1.0-18-amd64", "6.1.0-21-amd64"], "6.1.0-21-amd64"),
        ("6.1.0-18-amd64", ["6.1.0-18-amd64", "6.1.0-21-cloud-amd64"], "6.1.0-18-amd64"),
        ("6.1.0-18-amd64", ["6.1.0-18-amd64", "6.12.9+bpo-amd64"], "6.12.9+bpo-amd64"),
        (
            "5.14.0-362.8.1.el9_3.x86_64",
            ["5.14.0-362.8.1.el9_3.x86_64", "5.14.0-427.el9_4.x86_64"],
            "5.14.0-427.el9_4.x86_64",
        ),
        ("5.15.0-91-generic", ["5.15.0-91-generic", "5.15.0-101-generic"], "5.15.0-101-generic"),
        ("6.18.44-fc", ["6.1.0-18-amd64"], None),
        ("6.1.0-18-amd64", [], None),
    ],
)
def test_the_newest_kernel(running, installed, newest):
    assert restarts.newest_kernel(running, installed) == newest


def test_the_build_of_a_debian_kernel():
    assert restarts.running_build("#1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)") == "6.1.76-1"
    assert restarts.running_build("#101-Ubuntu SMP Tue Nov 14 13:30:08 UTC 2023") is None


def test_rpm_packages_updated_after_boot():
    rows = {
        "a": {"name": "glibc", "installed_at": "2024-05-02T00:00:00Z"},
        "b": {"name": "kernel-core", "installed_at": "2024-04-01T00:00:00Z"},
        "c": {"name": "vim", "installed_at": "2024-06-01T00:00:00Z"},
    }
    assert restarts.updated_after(rows, "2024-05-01T00:00:00Z") == ["glibc"]


def test_dnf_updateinfo():
    lines = [
        "RLSA-2024:1234 Important/Sec. openssl-libs-1:3.0.7-25.el9_3.x86_64",
        "RLBA-2024:99   bugfix         bash-5.1.8-9.el9.x86_64",
        "RLSA-2024:1    Low/Sec.       python3-rpm-4.16.1.3-29.el9.x86_64",
    ]
    found = pending.parse_updateinfo(lines)
    assert found["openssl-libs:x86_64"]["candidate"] == "1:3.0.7-25.el9_3"
    assert found["python3-rpm:x86_64"]["advisory"] == "RLSA-2024:1"
    assert len(found) == 2


def test_automatic_updates(file_host):
    host = file_host(
        {
            "/etc/apt/apt.conf.d/20auto-upgrades": 'APT::Periodic::Unattended-Upgrade "1";\n',
            "/etc/apt/apt.conf.d/99off": '// off\nAPT::Periodic::Unattended-Upgrade "0";\n',
        }
    )
    row = updates.collect(host, {})["host"]
    assert (row["automatic"], row["automatic_where"]) == (False, "/etc/apt/apt.conf.d/99off:2")
    assert updates.parse_dnf_automatic(["[commands]", "apply_updates = yes"]) == (True, 2)


def test_a_reboot_marker_of_a_running_host(file_host, monkeypatch):
    host = file_host(
        {
            "/run/reboot-required": "*** System restart required ***\n",
            "/run/reboot-required.pkgs": "linux-image-6.1.0-21-amd64\nlibc6\nlibc6\n",
            "/var/lib/dpkg/status": STATUS,
            SECURITY_LIST: SECURITY,
        }
    )
    host.live = True
    host._cache["container"] = "docker"
    monkeypatch.setattr(restarts, "processes", lambda _host: [])
    row = updates.collect(host, {})["host"]
    assert (row["reboot_required"], row["reboot_reasons"]) == (True, ["/run/reboot-required is there"])
    assert row["reboot_packages"] == ["libc6", "linux-image-6.1.0-21-amd64"]
    assert row["kernel_running"] is None
    assert (row["stale"], row["stale_count"]) == ([], 0)


@given(st.binary(max_size=400))
def test_files_of_any_kind(data):
    restarts.deleted_files(data)
    apt_lists.candidates([data], {b"a": {"amd64": "a:amd64"}})
    updates.parse_periodic([data.decode("latin-1")])
    pending.parse_updateinfo([data.decode("latin-1")])

"""mac: AppArmor's profile list and files, SELinux's configuration and state."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.spec import is_unreadable
from ansible_collections.ringwall.servers.plugins.module_utils.tables import mac
from hypothesis import given
from hypothesis import strategies as st

PROFILES = b"""/usr/sbin/chronyd (enforce)
/usr/bin/man (enforce)
man_filter (enforce)
/usr/sbin/sssd (complain)
/usr/lib/x (y)/z//sub (kill)
lsb_release (unconfined)
"""
SELINUX = """# This file controls the state of SELinux on the system.
#SELINUX=disabled
SELINUX=enforcing
 SELINUX=permissive
SELINUXTYPE=targeted
SELINUX=disabled
"""


@pytest.fixture
def live(file_host, monkeypatch):
    """A running host made of files: processes are handed in, containers are not probed."""

    def make(files, processes=()):
        host = Host(file_host(files).root)
        host.live = True
        host._cache["container"] = None
        monkeypatch.setattr(mac, "processes", lambda _host: list(processes))
        return host

    return make


def test_profile_list():
    profiles = mac.parse_profiles(PROFILES)
    assert profiles["/usr/lib/x (y)/z//sub"] == "kill"
    assert len(profiles) == 6


def test_apparmor_of_a_running_host(live):
    row = mac.collect(
        live(
            {
                "/sys/module/apparmor/parameters/enabled": "Y\n",
                "/sys/kernel/security/apparmor/profiles": PROFILES,
                "/sys/kernel/security/lsm": "lockdown,capability,landlock,yama,apparmor",
                "/etc/apparmor.d/usr.sbin.chronyd": "x",
                "/etc/apparmor.d/disable/usr.bin.man": "",
            }
        ),
        {},
    )["apparmor"]
    assert (row["enabled"], row["mode"], row["installed"]) == (True, "enabled", True)
    assert (row["loaded"], row["enforce"], row["complain"], row["other"]) == (6, 3, 1, 2)
    assert row["complaining"] == ["/usr/sbin/sssd"]
    assert row["not_confining"] == ["lsb_release"]
    assert row["disabled"] == ["usr.bin.man"]
    assert row["profile_files"] == 1
    assert row["stack"][-1] == "apparmor"
    assert row["unconfined"] == []


def test_without_securityfs_profiles_are_unknown_not_none(live):
    row = mac.collect(live({"/sys/module/apparmor/parameters/enabled": "Y\n"}), {})["apparmor"]
    assert row["enabled"] is True
    assert is_unreadable(row["loaded"])
    assert is_unreadable(row["complaining"])


def test_apparmor_switched_off_at_boot(live):
    row = mac.collect(live({"/sys/module/apparmor/parameters/enabled": "N\n"}), {})["apparmor"]
    assert (row["enabled"], row["mode"], row["loaded"]) == (False, "disabled", 0)


@pytest.mark.parametrize(("enforce", "mode"), [("1", "enforcing"), ("0", "permissive"), (None, "disabled")])
def test_selinux_configured_and_running(live, enforce, mode):
    files = {"/etc/selinux/config": SELINUX}
    if enforce:
        files["/sys/fs/selinux/enforce"] = enforce
    row = mac.collect(live(files), {})["selinux"]
    assert (row["configured"], row["where"], row["policy"]) == ("enforcing", "/etc/selinux/config:3", "targeted")
    assert row["mode"] == mode


def test_an_image_tells_no_running_state(file_host):
    rows = mac.collect(file_host({"/etc/selinux/config": SELINUX}), {})
    assert rows["selinux"]["configured"] == "enforcing"
    assert rows["selinux"]["mode"] is None
    assert rows["apparmor"]["enabled"] is None
    assert all(set(row) == {column.name for column in mac.TABLE.columns} for row in rows.values())


@given(st.binary(max_size=200), st.text(max_size=200))
def test_files_of_any_kind(data, content):
    mac.parse_profiles(data)
    mac.parse_selinux_config(content.split("\n"))

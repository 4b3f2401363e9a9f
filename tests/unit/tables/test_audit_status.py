"""The kernel's own answers (bytes taken from netlink of a running kernel) and auditd.conf."""

from __future__ import annotations

import errno
import os
import struct
from pathlib import Path

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import audit_netlink
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.spec import Unreadable, Unsupported
from ansible_collections.ringwall.servers.plugins.module_utils.tables import audit_config, audit_status
from hypothesis import given
from hypothesis import strategies as st

FIXTURES = Path(__file__).parents[2] / "fixtures/tables/audit"


def payloads(name, kind):
    return [data for found, data in audit_netlink.messages((FIXTURES / name).read_bytes()) if found == kind]


def test_status_and_rules_of_a_real_kernel():
    rules = payloads("list_rules.bin", audit_netlink.AUDIT_LIST_RULES)
    status = audit_netlink.parse_status(payloads("get.bin", audit_netlink.AUDIT_GET)[0])
    assert audit_status.row_of(status, rules) == {
        "enabled": 0, "failure": 1, "pid": 0, "daemon": False, "rate_limit": 0, "backlog_limit": 8192, "lost": 0,
        "backlog": 0, "backlog_wait_time": 60000, "never_task": True, "rules": 19,
    }  # fmt: skip


def test_never_task_is_seen_only_when_it_is_for_all():
    rules = payloads("list_rules.bin", audit_netlink.AUDIT_LIST_RULES)
    assert sum(audit_netlink.is_never_task(rule) for rule in rules) == 1
    assert not audit_netlink.is_never_task(struct.pack("=III", 1, 2, 0)), "always,task"
    assert not audit_netlink.is_never_task(struct.pack("=III", 1, 0, 1)), "never,task for one uid only"
    assert not audit_netlink.is_never_task(struct.pack("=III", 4, 0, 0)), "never,exit"


def test_an_old_kernel_sends_less():
    status = audit_netlink.parse_status(struct.pack("=8I", 0, 1, 2, 321, 0, 320, 7, 3))
    row = audit_status.row_of(status, [])
    assert (row["enabled"], row["failure"], row["daemon"], row["lost"], row["backlog"]) == (1, 2, True, 7, 3)
    assert row["backlog_wait_time"] is None


@given(st.binary(max_size=200))
def test_netlink_noise_never_breaks_the_reader(data):
    for _kind, payload in audit_netlink.messages(data):
        audit_netlink.parse_status(payload)
        audit_netlink.is_never_task(payload)


@pytest.mark.parametrize("number", [errno.EPERM, errno.ECONNREFUSED, errno.EPROTONOSUPPORT])
def test_in_a_container_the_reason_is_the_container(number):
    error = audit_netlink._refused(number, "docker")
    assert isinstance(error, Unreadable)
    assert error.kind == "denied"
    assert "host of this container (docker)" in error.why


def test_a_kernel_without_audit_is_unsupported():
    assert isinstance(audit_netlink._refused(errno.EPROTONOSUPPORT, None), Unsupported)


@pytest.mark.skipif(os.geteuid() != 0, reason="kernel audit answers root only")
def test_this_kernel_answers_or_says_why():
    host = Host()
    try:
        row = audit_status.collect(host, {})["host"]
    except (Unreadable, Unsupported) as error:
        pytest.skip(str(error))
    assert row["enabled"] in (0, 1, 2)
    assert set(row) == {column.name for column in audit_status.TABLE.columns}


def test_auditd_conf_of_debian():
    rows = audit_config.parse((FIXTURES / "auditd.conf").read_text().splitlines())
    assert rows["max_log_file"] == {"value": "8", "where": "/etc/audit/auditd.conf:12", "ignored": []}
    assert rows["max_log_file_action"]["value"] == "ROTATE"
    assert rows["log_file"]["value"] == "/var/log/audit/audit.log"
    assert not [name for name in rows if name.startswith("#")]


def test_the_last_of_repeated_settings_counts_and_the_first_stays_visible():
    rows = audit_config.parse(["Max_Log_File = 8", "  # max_log_file = 1", "max_log_file=32  ", "nonsense", "= 3"])
    earlier = {"value": "8", "where": "/etc/audit/auditd.conf:1"}
    assert rows == {"max_log_file": {"value": "32", "where": "/etc/audit/auditd.conf:3", "ignored": [earlier]}}


def test_no_auditd_conf_is_an_empty_complete_table(tmp_path):
    assert audit_config.collect(Host(str(tmp_path)), {}) == {}


def test_an_unreadable_auditd_conf_is_not_absent(tmp_path):
    (tmp_path / "etc/audit/auditd.conf").mkdir(parents=True)
    with pytest.raises(Unreadable):
        audit_config.collect(Host(str(tmp_path)), {})


def test_features_of_a_real_kernel():
    # struct audit_features of `auditctl -s`: loginuid_immutable 0 unlocked; then 1 (bit 1 of features)
    off = bytes.fromhex("01000000030000000000000000000000")
    on = bytes.fromhex("01000000030000000200000000000000")
    only_unset = bytes.fromhex("01000000030000000100000000000000")
    assert audit_status.login_ids_immutable([off]) is False
    assert audit_status.login_ids_immutable([only_unset]) is False
    assert audit_status.login_ids_immutable([on]) is True
    assert audit_status.login_ids_immutable([]) is None
    assert audit_status.login_ids_immutable([b"1234"]) is None

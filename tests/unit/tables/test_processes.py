"""Processes: /proc's formats, and processes started here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import procfs
from ansible_collections.ringwall.servers.plugins.module_utils.collect import collect_table
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.tables import processes
from hypothesis import given
from hypothesis import strategies as st

ID = "0123456789abcdef" * 4


def test_stat_with_a_name_that_looks_like_its_end():
    data = b"42 (a) R 1 (\n)) S 7 42 42 0 -1 2097152 1 0 0 0 5 6 0 0 20 0 1 0 987 0 0 18446744073709551615\n"
    assert procfs.parse_stat(data) == ("a) R 1 (\n)", 7, procfs.KERNEL_THREAD, 987)


@pytest.mark.parametrize(
    ("content", "unit", "container"),
    [
        ("0::/system.slice/ssh.service\n", "ssh.service", None),
        ("0::/init.scope\n", "init.scope", None),
        ("0::/\n", None, None),
        ("", None, None),
        (f"0::/system.slice/docker-{ID}.scope\n", f"docker-{ID}.scope", ID[:12]),
        (f"0::/docker/{ID}\n", None, ID[:12]),
        (f"0::/machine.slice/libpod-{ID}.scope/container\n", f"libpod-{ID}.scope", ID[:12]),
        (
            f"0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-{ID}.scope\n",
            f"cri-containerd-{ID}.scope",
            ID[:12],
        ),
        ("0::/user.slice/user-0.slice/user@0.service/app.slice/x.service\n", "x.service", None),
        (f"12:cpu:/docker/{ID}\n1:name=systemd:/docker/{ID}\n0::/\n", None, ID[:12]),
        ("3:memory:/x\n1:name=systemd:/system.slice/cron.service\n0::/\n", "cron.service", None),
        ("0::/lxc.payload.web1/system.slice/ssh.service\n", "ssh.service", "web1"),
    ],
)
def test_cgroup(content, unit, container):
    assert procfs.parse_cgroup(content) == (unit, container)


def test_exe_and_command():
    assert procfs.parse_exe(b"/usr/sbin/sshd (deleted)") == ("/usr/sbin/sshd", True)
    assert procfs.parse_exe(b"/usr/sbin/sshd") == ("/usr/sbin/sshd", False)
    assert procfs.parse_cmdline(b"a\0b c\0\0") == "a b c"
    assert procfs.parse_cmdline(b"") is None
    assert procfs.parse_uid(b"Name:\tx\nUid:\t33\t0\t0\t0\nGid:\t1\t1\t1\t1\n") == 0


@given(st.binary(max_size=200), st.text(max_size=100))
def test_any_bytes(data, text):
    json.dumps([procfs.parse_cmdline(data), procfs.parse_exe(data), procfs.parse_cgroup(text)])


@pytest.fixture
def sleeper(tmp_path):
    program = tmp_path / "sleeper"
    shutil.copy(shutil.which("sleep"), program)
    process = subprocess.Popen([str(program), "77"])
    yield process, program
    process.kill()
    process.wait()


def row_of(pid):
    result = collect_table(processes, Host(), {})
    assert result["state"] == "ok"
    return next((key, row) for key, row in result["rows"].items() if row["pid"] == pid)


def test_process_of_this_machine(sleeper):
    process, program = sleeper
    key, row = row_of(process.pid)
    assert (row["name"], row["exe"], row["exe_deleted"], row["ppid"]) == ("sleeper", str(program), False, os.getpid())
    assert row["command"] == f"{program} 77"
    assert row["uid"] == os.geteuid()
    started = time.mktime(time.strptime(row["started"], "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
    assert abs(started - time.time()) < 120
    program.unlink()
    again, row = row_of(process.pid)
    assert (row["exe_deleted"], row["exe"], again) == (True, str(program), key)


def test_secrets_in_arguments_are_redacted():
    process = subprocess.Popen(["/bin/sh", "-c", "sleep 50; : --password=hunter2"])
    try:
        for _ in range(100):
            _key, row = row_of(process.pid)
            if row["name"] == "sh":
                break
            time.sleep(0.02)
        assert "hunter2" not in json.dumps(row)
        assert "[redacted]" in row["command"]
    finally:
        process.kill()
        process.wait()


def test_same_program_twice_keeps_two_rows():
    found = [subprocess.Popen(["sleep", "61.5"]) for _ in range(2)]
    try:
        time.sleep(0.1)
        rows = collect_table(processes, Host(), {})["rows"]
        keys = sorted(key for key, row in rows.items() if row["pid"] in {process.pid for process in found})
        assert len(keys) == 2
        assert keys[1] == keys[0] + "#2"
    finally:
        for process in found:
            process.kill()
            process.wait()


def test_the_reading_itself_is_left_out():
    chain = [
        (1, 0, "systemd"),
        (700, 1, "sshd"),
        (800, 700, "sshd-session"),
        (810, 800, "sh"),
        (811, 810, "sudo"),
        (812, 811, "python3"),
        (813, 812, "python3"),
        (900, 800, "bash"),
    ]
    found = [{"pid": pid, "ppid": ppid, "name": name} for pid, ppid, name in chain]
    assert [item["pid"] for item in procfs.without_ancestors(found, 813)] == [1, 700, 800, 900]
    loop = [{"pid": 5, "ppid": 6, "name": "a"}, {"pid": 6, "ppid": 5, "name": "b"}]
    assert procfs.without_ancestors(loop, 5) == []


def test_neither_the_collector_nor_kernel_threads():
    rows = collect_table(processes, Host(), {})["rows"].values()
    assert os.getpid() not in {row["pid"] for row in rows}
    assert 2 not in {row["pid"] for row in rows if row["name"] == "kthreadd"}


def test_hidden_processes_make_the_table_unreadable():
    host = Host()
    host.pids = lambda: [os.getpid()]
    assert collect_table(processes, host, {})["state"] == "denied"


def test_image_has_no_processes(tmp_path):
    assert collect_table(processes, Host(str(tmp_path)), {})["state"] == "unsupported"

"""Listening sockets: the formats of /proc/net and of package databases, and sockets opened here."""

from __future__ import annotations

import ipaddress
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import package_owner, sockets
from ansible_collections.ringwall.servers.plugins.module_utils.collect import collect_table
from ansible_collections.ringwall.servers.plugins.module_utils.host import Completed, Host
from ansible_collections.ringwall.servers.plugins.module_utils.spec import is_unreadable
from ansible_collections.ringwall.servers.plugins.module_utils.tables import listeners
from hypothesis import given
from hypothesis import strategies as st

FIXTURES = Path(__file__).parents[2] / "fixtures/tables/listeners"
little = pytest.mark.skipif(sys.byteorder != "little", reason="the fixture is from a little-endian machine")


@little
def test_formats():
    found = sockets.parse_sockets((FIXTURES / "tcp").read_text().splitlines(), "tcp")
    assert [(sockets.show_address(a), port, uid, inode) for a, port, uid, inode in found] == [
        ("0.0.0.0", 22, 0, 1137),
        ("127.0.0.1", 5432, 113, 2048),
    ]
    found = sockets.parse_sockets((FIXTURES / "tcp6").read_text().splitlines(), "tcp6")
    assert [(sockets.show_address(a), port, sockets.scope(a)) for a, port, _uid, _inode in found] == [
        ("::", 80, "any"),
        ("fe80::5054:ff:a0b1:c2d3", 53, "link-local"),
        ("::ffff:127.0.0.1", 8080, "loopback"),
    ]


@given(st.ip_addresses())
def test_addresses_read_as_the_standard_library_shows_them(address):
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        assert sockets.show_address(address.packed) == f"::ffff:{address.ipv4_mapped}"
    else:
        assert sockets.show_address(address.packed) == str(address)
    expected = sockets.scope(address.packed)
    if expected == "public":
        assert not any((address.is_loopback, address.is_link_local, address.is_multicast, address.is_unspecified))
    if expected == "private":
        assert not address.is_global


@pytest.mark.parametrize(
    ("address", "scope"),
    [
        ("10.1.2.3", "private"),
        ("172.16.0.1", "private"),
        ("172.32.0.1", "public"),
        ("192.168.1.1", "private"),
        ("100.64.0.1", "private"),
        ("100.128.0.1", "public"),
        ("169.254.0.1", "link-local"),
        ("127.8.0.1", "loopback"),
        ("224.0.0.251", "multicast"),
        ("8.8.8.8", "public"),
        ("::1", "loopback"),
        ("fd00::1", "private"),
        ("ff02::fb", "multicast"),
        ("2001:db8::1", "public"),
        ("::ffff:10.0.0.1", "private"),
        ("::ffff:0.0.0.0", "any"),
    ],
)
def test_scope(address, scope):
    assert sockets.scope(ipaddress.ip_address(address).packed) == scope


@given(st.text(max_size=150), st.sampled_from(listeners.PROTOCOLS))
def test_any_line(line, proto):
    for address, _port, _uid, _inode in sockets.parse_sockets([line], proto):
        assert len(address) in (4, 16)


@pytest.fixture
def server():
    """A program of a package that waits on loopback: Debian's python3, or the Python of these tests."""
    program = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
    code = (
        "import socket,sys,time\n"
        "t=socket.socket(); t.bind(('127.0.0.1',0)); t.listen()\n"
        "u=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); u.bind(('0.0.0.0',0))\n"
        "print(t.getsockname()[1],u.getsockname()[1],flush=True); time.sleep(60)\n"
    )
    process = subprocess.Popen([program, "-c", code], stdout=subprocess.PIPE, text=True)
    yield process, [int(word) for word in process.stdout.readline().split()], os.path.realpath(program)
    process.kill()
    process.wait()
    process.stdout.close()


def test_sockets_of_this_machine(server):
    process, (tcp, udp), program = server
    result = collect_table(listeners, Host(), {})
    assert result["state"] == "ok"
    row = result["rows"][f"tcp 127.0.0.1:{tcp}"]
    assert (row["pid"], row["scope"], row["uid"], row["exe"]) == (process.pid, "loopback", os.getuid(), program)
    assert result["rows"][f"udp 0.0.0.0:{udp}"]["scope"] == "any"
    if os.path.exists("/var/lib/dpkg/info") and program.startswith("/usr/bin/python3."):
        said = subprocess.run(["dpkg", "-S", program], capture_output=True, text=True, check=True).stdout
        assert row["package"] == said.split(":")[0]


def test_two_sockets_on_one_address():
    with socket.socket() as first, socket.socket() as second:
        for one in (first, second):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        first.bind(("127.0.0.1", 0))
        second.bind(first.getsockname())
        first.listen()
        second.listen()
        row = collect_table(listeners, Host(), {})["rows"][f"tcp 127.0.0.1:{first.getsockname()[1]}"]
        assert (row["sockets"], row["pid"]) == (2, os.getpid())


def test_holder_that_cannot_be_seen_is_not_the_kernel(monkeypatch):
    host = Host()
    host._cache["processes"] = []
    with socket.socket() as waiting:
        waiting.bind(("127.0.0.1", 0))
        waiting.listen()
        monkeypatch.setattr(listeners, "processes", lambda host: [{"pid": 1}])
        monkeypatch.setattr(listeners, "_namespace", lambda pid: None)
        monkeypatch.setattr(os, "listdir", lambda path: (_ for _ in ()).throw(PermissionError(path)))
        row = collect_table(listeners, host, {})["rows"][f"tcp 127.0.0.1:{waiting.getsockname()[1]}"]
    assert row["process"]["!"] == "denied"
    assert is_unreadable(row["package"])


# Packages -------------------------------------------------------------------------------------------------


def test_merged_usr_spellings():
    assert package_owner.spellings("/usr/bin/login") == ["/usr/bin/login", "/bin/login"]
    assert package_owner.spellings("/sbin/init") == ["/sbin/init", "/usr/sbin/init"]
    assert package_owner.spellings("/opt/x") == ["/opt/x"]
    assert package_owner.spellings("/usr/bin/login", merged=False) == ["/usr/bin/login"]


def test_dpkg_lists():
    lists = {
        "login.list": b"/.\n/bin\n/bin/login\n",
        "openssh-server.list": b"/.\n/usr/sbin/sshd\n",
        "tricky.list": b"/usr/sbin/sshd-keygen\n/opt/usr/sbin/sshd\n",
        "libc6:amd64.list": b"/lib/x86_64-linux-gnu/libc.so.6\n",
        "empty.list": b"",
    }
    wanted = ["/usr/bin/login", "/usr/sbin/sshd", "/usr/lib/x86_64-linux-gnu/libc.so.6", "/usr/local/bin/own"]
    needles = {path: [name.encode() + b"\n" for name in package_owner.spellings(path)] for path in wanted}
    assert package_owner.search_dpkg(sorted(lists), needles, lists.get) == {
        "/usr/bin/login": "login",
        "/usr/sbin/sshd": "openssh-server",
        "/usr/lib/x86_64-linux-gnu/libc.so.6": "libc6",
    }


def test_apk_database():
    lines = "P:busybox\nF:bin\nR:busybox\nM:0:0:0755\n\nP:dropbear\nF:usr/sbin\nR:dropbear\n".splitlines()
    needles = {"/usr/sbin/dropbear": ["/usr/sbin/dropbear"], "/bin/busybox": ["/bin/busybox"], "/bin/x": ["/bin/x"]}
    assert package_owner.search_apk(lines, needles) == {"/usr/sbin/dropbear": "dropbear", "/bin/busybox": "busybox"}


def test_rpm_answers_line_by_line(monkeypatch):
    host = Host()
    answer = b"openssh-server\nfile /opt/x is not owned by any package\nerror: file /opt/y: No such file or directory\n"
    monkeypatch.setattr(host, "run", lambda argv, **options: Completed(2, answer, b""))
    assert package_owner._rpm(host, ["/usr/sbin/sshd", "/opt/x", "/opt/y"]) == {"/usr/sbin/sshd": "openssh-server"}


def test_cost_stays_small(server):
    started = time.process_time()
    collect_table(listeners, Host(), {})
    assert time.process_time() - started < 0.5

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.spec import Unsupported
from ansible_collections.ringwall.servers.plugins.module_utils.tables import interfaces, platform


@pytest.mark.parametrize(
    ("flags", "up", "promiscuous"),
    [("0x1003\n", True, False), ("0x1103\n", True, True), ("0x100\n", False, True), ("0x9\n", True, False)],
)
def test_flags(flags, up, promiscuous):
    row = interfaces.row(flags, "1\n", False, None, False)
    assert (row["up"], row["promiscuous"], row["kind"]) == (up, promiscuous, "ether")


def test_kinds():
    assert interfaces.row("0x9", "772", False, None, True)["kind"] == "loopback"
    assert interfaces.row("0x9", "803", True, None, False)["kind"] == "803"


def test_this_machine():
    rows = interfaces.collect(Host(), {})
    assert (rows["lo"]["kind"], rows["lo"]["promiscuous"]) == ("loopback", False)
    columns = {column.name for column in interfaces.TABLE.columns}
    assert all(set(row) == columns for row in rows.values())


def test_what_a_program_asked_for_counts():
    """A packet socket makes an interface promiscuous without the flag that an administrator sets."""
    code = (
        "import socket,struct,time;s=socket.socket(17,3);i=socket.if_nametoindex('probe0');"
        "s.setsockopt(263,1,struct.pack('iHH8s',i,1,0,b''));print(1,flush=True);time.sleep(9)"
    )
    if subprocess.run(["ip", "link", "add", "probe0", "type", "dummy"], capture_output=True, check=False).returncode:
        pytest.skip("no interface can be made here")
    try:
        assert interfaces.collect(Host(), {})["probe0"]["promiscuous"] is False
        with subprocess.Popen(["python3", "-c", code], stdout=subprocess.PIPE) as listener:
            listener.stdout.readline()
            assert interfaces.collect(Host(), {})["probe0"]["promiscuous"] is True
            listener.kill()
    finally:
        subprocess.run(["ip", "link", "del", "probe0"], check=True)


def test_an_image_has_no_interfaces(tmp_path):
    with pytest.raises(Unsupported):
        interfaces.collect(Host(str(tmp_path)), {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("processor\t: 0\nflags\t\t: fpu vme nx lm\n", True),
        ("processor\t: 0\nflags\t\t: fpu vme lm nxt\nprocessor : 1\nflags : nx\n", False),
        ("processor\t: 0\nFeatures\t: fp asimd\n", None),
        ("", None),
    ],
)
def test_whether_the_processor_keeps_data_from_being_executed(text, expected):
    assert platform.no_execute(text) is expected

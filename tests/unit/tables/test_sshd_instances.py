from __future__ import annotations

import os

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import sshd_instances
from ansible_collections.ringwall.servers.plugins.module_utils.host import Completed, Host
from ansible_collections.ringwall.servers.plugins.module_utils.spec import Result, Unreadable
from ansible_collections.ringwall.servers.plugins.module_utils.tables import sshd

MAIN = "/etc/ssh/sshd_config"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], (MAIN, [], False)),
        (["-D", "-f", "/etc/ssh/other", "-p", "2222"], ("/etc/ssh/other", ["Port=2222"], False)),
        (["-Df/etc/x", "-oPermitRootLogin=no", "-ddd"], ("/etc/x", ["PermitRootLogin=no"], False)),
        (["-E", "/var/log/f", "-h", "/key", "-4"], (MAIN, [], False)),
        (["-T"], (MAIN, [], True)),
        # Amazon's unit; a process title has no quotes left.
        (
            ["-D", "-o", "AuthorizedKeysCommand", "/opt/keys", "%u", "%f", "-o", "UsePAM=no"],
            (MAIN, ["AuthorizedKeysCommand /opt/keys %u %f", "UsePAM=no"], False),
        ),
        (["-o", '"Banner', '/etc/x"', "-4"], (MAIN, ["Banner /etc/x"], False)),
    ],
)
def test_arguments(words, expected):
    assert sshd_instances.parse_arguments(words) == expected


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups", ["/usr/sbin/sshd", "-D"]),
        ("/usr/sbin/sshd -D", ["/usr/sbin/sshd", "-D"]),
        ("sshd: root@pts/0", None),
        ("sshd: root [priv]", None),
        ("sshd: sshd [net]", None),  # the unprivileged child
        ("/usr/bin/python3 sshd", None),
        ("", None),
    ],
)
def test_masters_and_sessions(command, words):
    assert sshd_instances.master_words(command) == words


SERVICE = """\
[Service]
EnvironmentFile=-/etc/default/ssh
ExecStartPre=/usr/sbin/sshd -t
ExecStart=/usr/sbin/sshd -D $SSHD_OPTS
"""


def rows_of(host):
    result = sshd.collect(host, {})
    return result.rows if isinstance(result, Result) else result


def test_units_tell_of_servers_that_do_not_run(file_host):
    host = file_host(
        {
            MAIN: "PermitRootLogin no\n",
            "/srv/admin_config": "Port 2222\nPermitRootLogin yes\nCiphers +aes128-cbc\n",
            "/usr/lib/systemd/system/ssh.service": SERVICE,
            "/usr/lib/systemd/system/ssh@.service": "[Service]\nEnvironmentFile=-/etc/default/ssh\n"
            "ExecStart=-/usr/sbin/sshd -i $SSHD_OPTS\n",
            "/usr/lib/systemd/system/ssh.socket": "[Socket]\nListenStream=22\nAccept=yes\n",
            "/etc/systemd/system/ssh.socket.d/port.conf": "[Socket]\nListenStream=\nListenStream=2022\n",
            "/etc/systemd/system/sockets.target.wants/ssh.socket": ("link", "/usr/lib/systemd/system/ssh.socket"),
            "/etc/systemd/system/backdoor.service": "[Service]\nExecStart=/usr/sbin/sshd -D -f /srv/admin_config\n",
            "/etc/default/ssh": "# c\nSSHD_OPTS=-oMaxAuthTries=2\n",
        }
    )
    rows = rows_of(host)
    assert set(rows) == {MAIN + " -o MaxAuthTries=2", "/srv/admin_config"}
    main = rows[MAIN + " -o MaxAuthTries=2"]
    assert main["units"] == ["ssh.service", "ssh@.service", "ssh.socket"]
    assert (main["enabled"], main["socket_listen"], main["running"]) == (True, ["2022"], None)
    assert main["effective"]["maxauthtries"] == "2"
    assert main["where"]["maxauthtries"] == "command line"
    assert main["where"]["permitrootlogin"] == "/etc/ssh/sshd_config:1"
    assert main["where"]["maxsessions"] == "default (OpenSSH 8.0 to 10.0)"
    admin = rows["/srv/admin_config"]
    assert admin["effective"]["permitrootlogin"] == "yes"
    # What "+" adds to is known to the program alone.
    assert admin["effective"]["ciphers"] is None
    assert admin["where"]["ciphers"] == "/srv/admin_config:3"
    assert "macs" not in admin["effective"]
    columns = {column.name for column in sshd.TABLE.columns}
    assert all(set(row) == columns for row in rows.values())


def test_unreadable_include_leaves_nothing_told(file_host):
    host = file_host({MAIN: "Include /etc/ssh/d/*.conf\nPermitRootLogin no\n", "/usr/sbin/sshd": ""})
    os.makedirs(host.root + "/etc/ssh/d/10.conf")
    result = sshd.collect(host, {})
    assert result.state == "partial"
    assert result.rows[MAIN]["effective"]["!"] == "partial"


def test_no_server_no_rows(file_host):
    assert rows_of(file_host({"/etc/ssh/ssh_config": "Host *\n"})) == {}


class LiveHost(Host):
    """This machine's root with made-up processes and a made-up sshd program."""

    def __init__(self, processes, answers):
        super().__init__("/")
        self._cache["processes"] = processes
        self._cache[("which", "sshd")] = "/usr/sbin/sshd"
        self.answers = answers
        self.asked = []

    def run(self, argv, timeout=10.0, limit=0, data=b"", environment=None):
        self.asked.append(argv)
        return self.answers(argv)


def process(pid, command, uid=0, ticks=100):
    return {
        "pid": pid,
        "ppid": 1,
        "name": "sshd",
        "uid": uid,
        "command": command,
        "unit": "ssh.service",
        "container": None,
        "ticks": ticks,
        "exe": "/usr/sbin/sshd",
        "deleted": False,
    }


@pytest.fixture
def no_units(monkeypatch):
    monkeypatch.setattr(sshd_instances, "configured", lambda host: [])


def test_program_tells_and_match_is_asked_for_root(tmp_path, no_units):
    file = tmp_path / "sshd_config"
    file.write_text("MaxAuthTries 3\nMatch User root\nMaxAuthTries 2\n")

    def answer(argv):
        if argv[1] == "-V":
            return Completed(0, b"", b"OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19\n")
        return Completed(0, b"port 2299\nmaxauthtries %d\nusepam no\n" % (2 if "-C" in argv else 3), b"")

    host = LiveHost([process(os.getpid(), f"sshd: /usr/sbin/sshd -f {file} [listener] 0 of 10-100 startups")], answer)
    row = rows_of(host)[str(file)]
    assert row["effective"] == {"port": ["2299"], "maxauthtries": "3", "usepam": "no"}
    assert row["effective_root"] == {"maxauthtries": "2"}
    assert row["where"] == {"port": "default", "maxauthtries": f"{file}:1", "usepam": "default"}
    assert (row["source"], row["version"], row["running"]) == ("sshd -T", "OpenSSH_9.2p1", True)
    assert row["matches"][0]["settings"] == {"maxauthtries": "2"}
    assert row["outdated"] is True  # it "started" a second after boot, the file is of now


def test_newer_program_is_asked_without_host_keys(tmp_path, no_units):
    file = tmp_path / "c"
    file.write_text("Port 1\n")

    def answer(argv):
        if argv[1] == "-T":
            return Completed(1, b"", b"sshd: no hostkeys available -- exiting.\r\n")
        return Completed(0, b"port 1\n", b"")

    row = rows_of(LiveHost([process(os.getpid(), f"/usr/sbin/sshd -f {file}")], answer))[str(file)]
    assert row["source"] == "sshd -G"


def test_message_of_the_program_does_not_leave(tmp_path, no_units):
    file = tmp_path / "c"
    file.write_text("Port 1\n")
    bad = Completed(255, b"", b"/x line 1: Bad configuration option: root:$6$secret\n")
    row = rows_of(LiveHost([process(os.getpid(), f"/usr/sbin/sshd -f {file}")], lambda argv: bad))[str(file)]
    assert row["source"] == "files"
    assert row["source_why"] == "sshd -T: Bad configuration option"
    assert "$6$" not in str(row)


def test_server_of_an_ordinary_user_is_seen_and_its_files_are_not_read(tmp_path, no_units):
    host = LiveHost(
        [process(os.getpid(), "/usr/sbin/sshd -f /etc/shadow", uid=1000)], lambda argv: pytest.fail("asked")
    )
    row = rows_of(host)["/etc/shadow uid 1000"]
    assert row["effective"]["!"] == "denied"
    assert row["running"] is True


def test_hidden_processes_are_a_gap(monkeypatch, file_host, no_units):
    def hidden(host):
        raise Unreadable("denied", "/proc hides")

    monkeypatch.setattr(sshd_instances, "running", hidden)
    result = sshd.collect(LiveHost([], lambda argv: Completed(1, b"", b"")), {})
    assert result.state == "partial"
    assert all(row["running"] is None for row in result.rows.values())

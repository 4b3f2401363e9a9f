from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.ringwall.servers.plugins.module_utils import sshd_config, sshd_instances
from ansible_collections.ringwall.servers.plugins.module_utils.host import Completed, Host
from ansible_collections.ringwall.servers.plugins.module_utils.spec import Absent, Result, Unreadable
from ansible_collections.ringwall.servers.plugins.module_utils.sshd_keywords import (
    canonical_value,
    presentable,
    seconds,
)
from ansible_collections.ringwall.servers.plugins.module_utils.tables import sshd

MAIN = "/etc/ssh/sshd_config"


def parsed(files, path=MAIN, overrides=()):
    """The Config of files given as {path: text}."""

    def read(name):
        if name not in files:
            raise Absent(name)
        return files[name].split("\n")

    def expand(pattern):
        import fnmatch

        return sorted(name for name in files if fnmatch.fnmatchcase(name, pattern))

    return sshd_config.parse(read, expand, path, overrides)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", None),
        ("   # c", None),
        ("PermitRootLogin no", ("permitrootlogin", ["no"])),
        ("\tPERMITROOTLOGIN\tno  ", ("permitrootlogin", ["no"])),
        ("PermitRootLogin=no", ("permitrootlogin", ["no"])),
        ("PermitRootLogin = no", ("permitrootlogin", ["no"])),
        ("Port 22 # the usual", ("port", ["22"])),
        ('Banner "/etc/my banner"', ("banner", ["/etc/my banner"])),
        ('"Banner" none', ("banner", ["none"])),
        ("SetEnv A=b 'C=d e' F\"g\"h", ("setenv", ["A=b", "C=d e", "Fgh"])),
        ("AcceptEnv LANG LC_*", ("acceptenv", ["LANG", "LC_*"])),
        ("Ciphers a#b", ("ciphers", ["a#b"])),
        ("Banner", ("banner", [])),
        ("Subsystem sftp internal-sftp -u 0027", ("subsystem", ["sftp", "internal-sftp", "-u", "0027"])),
    ],
)
def test_lines(line, expected):
    assert sshd_config.split_line(line) == expected


def test_first_value_wins_and_drop_ins_come_where_they_are_included():
    config = parsed(
        {
            MAIN: "Include /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin yes\nMaxAuthTries 3\n",
            "/etc/ssh/sshd_config.d/10-a.conf": "PermitRootLogin no\n",
            "/etc/ssh/sshd_config.d/20-b.conf": "permitrootlogin prohibit-password\nmaxauthtries 5\n",
            "/etc/ssh/sshd_config.d/README": "PermitRootLogin yes\n",
        }
    )
    effective = config.effective()
    assert effective["permitrootlogin"] == ("no", "/etc/ssh/sshd_config.d/10-a.conf:1")
    assert effective["maxauthtries"] == ("5", "/etc/ssh/sshd_config.d/20-b.conf:2")
    assert config.files == [MAIN, "/etc/ssh/sshd_config.d/10-a.conf", "/etc/ssh/sshd_config.d/20-b.conf"]


def test_include_at_the_end_does_not_override():
    config = parsed({MAIN: "X11Forwarding no\nInclude extra.conf\n", "/etc/ssh/extra.conf": "X11Forwarding yes\n"})
    assert config.effective()["x11forwarding"] == ("no", "/etc/ssh/sshd_config:1")


def test_relative_include_is_below_etc_ssh_whatever_the_file():
    config = parsed({"/srv/one": "Include two\n", "/etc/ssh/two": "Port 2222\n", "/srv/two": "Port 1\n"}, "/srv/one")
    assert config.effective()["port"] == (["2222"], "/etc/ssh/two:1")


def test_match_blocks_are_apart_and_end_with_their_file():
    config = parsed({
        MAIN: "Include d/*.conf\nPermitRootLogin no\nMatch User bob Address 10.0.0.0/8\n  PermitRootLogin yes\n  Banner none\n"
              "Match Group sftp\nForceCommand internal-sftp\n",
        "/etc/ssh/d/1.conf": "Match User amy\n  MaxSessions 1\n",
        "/etc/ssh/d/2.conf": "MaxSessions 4\n",
    })  # fmt: skip
    assert config.effective()["maxsessions"] == ("4", "/etc/ssh/d/2.conf:1")
    assert config.effective()["permitrootlogin"] == ("no", "/etc/ssh/sshd_config:2")
    assert [(block.criteria, block.where) for block in config.matches] == [
        ("User amy", "/etc/ssh/d/1.conf:1"),
        ("User bob Address 10.0.0.0/8", "/etc/ssh/sshd_config:3"),
        ("Group sftp", "/etc/ssh/sshd_config:6"),
    ]
    assert config.matches[1].settings == {
        "permitrootlogin": ("yes", "/etc/ssh/sshd_config:4"), "banner": ("none", "/etc/ssh/sshd_config:5"),
    }  # fmt: skip


def test_match_all_overrides_what_stands_before_it():
    # As sshd -T of OpenSSH 9.2 says for the same file.
    config = parsed({MAIN: "PermitRootLogin yes\nMatch all\nPermitRootLogin no\nX11Forwarding no\n"})
    assert config.effective()["permitrootlogin"] == ("no", "/etc/ssh/sshd_config:3")


def test_include_in_a_match_block_stays_conditional():
    config = parsed({MAIN: "Match User bob\nInclude b\nPort 1\n", "/etc/ssh/b": "Banner /x\nMatch Host h\nBanner /y\n"})
    assert "banner" not in config.effective()
    assert [block.criteria for block in config.matches] == ["User bob", "User bob and Host h"]


def test_lists_add_up():
    config = parsed({MAIN: "AllowUsers a b\nallowusers c@10.0.0.1\nPort 22\nPort 2222\nAcceptEnv LANG LC_*\n"})
    effective = config.effective()
    assert effective["allowusers"] == (["a", "b", "c@10.0.0.1"], "/etc/ssh/sshd_config:1")
    assert effective["port"][0] == ["22", "2222"]


def test_command_line_comes_first():
    config = parsed({MAIN: "PermitRootLogin no\nPort 22\n"}, overrides=["PermitRootLogin=yes", "Port=2222"])
    assert config.effective()["permitrootlogin"] == ("yes", "command line")


def test_old_names_are_todays():
    config = parsed({MAIN: "ChallengeResponseAuthentication no\nKbdInteractiveAuthentication yes\n"})
    assert config.effective()["kbdinteractiveauthentication"][0] == "no"


def test_endless_include_ends():
    config = parsed({MAIN: "Include sshd_config\nPort 1\n"})
    assert any("too many" in gap for gap in config.gaps)


def test_text_of_a_file_that_is_no_configuration_is_not_kept():
    config = parsed({MAIN: "root:$6$abc$def:19000:0:99999:7:::\nPort 22\n"})
    assert config.unknown == ["/etc/ssh/sshd_config:1"]
    assert "$6$" not in str(vars(config.top))


def test_one_spelling():
    assert [seconds(value) for value in ("90", "1m30s", "2H", "1w", "x", "")] == ["90", "90", "7200", "604800", "x", ""]
    assert canonical_value("permitrootlogin", "without-password") == "prohibit-password"
    assert canonical_value("loglevel", "verbose") == "VERBOSE"
    assert canonical_value("logingracetime", "1m") == "60"
    assert canonical_value("banner", "/Etc/Issue") == "/Etc/Issue"


def test_secrets_stay():
    assert presentable("setenv", "AWS_SECRET=abc B=c") == "AWS_SECRET=[redacted] B=[redacted]"
    assert "hunter2" not in presentable("forcecommand", "/bin/x --password=hunter2")
    kex = "diffie-hellman-group-exchange-sha256,curve25519-sha256@libssh.org"
    assert presentable("kexalgorithms", kex) == kex


def test_output_of_a_real_server(table_fixture):
    told = sshd_config.parse_effective(table_fixture("sshd/effective_debian12.txt").splitlines())
    assert told["permitrootlogin"] == "prohibit-password"
    assert told["port"] == ["22"]
    assert told["acceptenv"] == ["LANG", "LC_*"]
    assert told["maxstartups"] == "10:30:100"
    assert told["x11forwarding"] == "yes"
    assert "hmac-sha1" in told["macs"].split(",")
    assert len(told["hostkey"]) == 3


def test_where_of_a_real_configuration(table_fixture):
    config = parsed({MAIN: table_fixture("sshd/sshd_config_debian12")})
    told = sshd_config.parse_effective(table_fixture("sshd/effective_debian12.txt").splitlines())
    effective, where = sshd.from_program(told, config)
    assert where["usepam"].startswith("/etc/ssh/sshd_config:")
    assert where["permitrootlogin"] == "default"
    # What our own reading says of set keywords is what the program said.
    for keyword, (value, _place) in config.effective().items():
        assert effective[keyword] == value


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], (MAIN, [], False)),
        (["-D", "-f", "/etc/ssh/other", "-p", "2222"], ("/etc/ssh/other", ["Port=2222"], False)),
        (["-Df/etc/x", "-oPermitRootLogin=no", "-ddd"], ("/etc/x", ["PermitRootLogin=no"], False)),
        (["-E", "/var/log/f", "-h", "/key", "-4"], (MAIN, [], False)),
        (["-T"], (MAIN, [], True)),
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
            "/usr/lib/systemd/system/ssh@.service": "[Service]\nEnvironmentFile=-/etc/default/ssh\nExecStart=-/usr/sbin/sshd -i $SSHD_OPTS\n",
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
    return {"pid": pid, "ppid": 1, "name": "sshd", "uid": uid, "command": command, "unit": "ssh.service", "container": None,
            "ticks": ticks, "exe": "/usr/sbin/sshd", "deleted": False}  # fmt: skip


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

    host = LiveHost([process(os.getpid(), "sshd: /usr/sbin/sshd -f %s [listener] 0 of 10-100 startups" % file)], answer)
    row = rows_of(host)[str(file)]
    assert row["effective"] == {"port": ["2299"], "maxauthtries": "3", "usepam": "no"}
    assert row["effective_root"] == {"maxauthtries": "2"}
    assert row["where"] == {"port": "default", "maxauthtries": "%s:1" % file, "usepam": "default"}
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

    row = rows_of(LiveHost([process(os.getpid(), "/usr/sbin/sshd -f %s" % file)], answer))[str(file)]
    assert row["source"] == "sshd -G"


def test_message_of_the_program_does_not_leave(tmp_path, no_units):
    file = tmp_path / "c"
    file.write_text("Port 1\n")
    bad = Completed(255, b"", b"/x line 1: Bad configuration option: root:$6$secret\n")
    row = rows_of(LiveHost([process(os.getpid(), "/usr/sbin/sshd -f %s" % file)], lambda argv: bad))[str(file)]
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


def ask_sshd(path):
    """Settings that the machine's own sshd tells of a file; skips where it cannot be asked."""
    program = shutil.which("sshd", path="/usr/sbin:/usr/bin")
    if program is None:
        pytest.skip("no sshd on this machine")
    command = [program, "-T", "-f", str(path)]
    if not os.path.isdir("/run/sshd"):
        if os.geteuid():
            pytest.skip("sshd -T needs root and /run/sshd")
        # A mount name space of our own holds the directory that sshd insists on.
        script = 'mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd && exec "$@"'
        command = ["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh", *command]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("sshd -T: " + done.stderr.strip()[:200])
    return sshd_config.parse_effective(done.stdout.splitlines())


LINES = st.sampled_from([
    "PermitRootLogin no", "permitrootlogin=without-password", "MaxAuthTries 3", "MAXAUTHTRIES 5 # c", "LoginGraceTime 1m30s",
    "LoginGraceTime = 45", 'Banner "/etc/a b"', "Banner none", "AllowUsers a b", "AllowUsers c", "X11Forwarding yes", "LogLevel verbose",
    "ClientAliveInterval 2m", "MaxStartups 5:50:60", "AcceptEnv A B_*", "Match User bob", "Match all", "# c", "",
    "UsePAM yes", "KbdInteractiveAuthentication no", "ChallengeResponseAuthentication yes", "Include /nonexistent/*.conf",
])  # fmt: skip
GLOBAL_ONLY = ("MaxStartups", "UsePAM", "LoginGraceTime", "Include")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINES, max_size=12), st.lists(LINES, max_size=6))
def test_our_reading_is_what_sshd_does(tmp_path, main, dropped):
    def legal(lines):
        inside, kept = False, []
        for line in lines:
            inside = inside or line.startswith("Match")
            # Some keywords are refused inside a Match block.
            if not inside or line.startswith(
                ("Match", "#", "PermitRoot", "permitroot", "MaxAuth", "MAXAUTH", "Banner", "X11")
            ):
                kept.append(line)
        return "\n".join(kept) + "\n"

    (tmp_path / "dropped").write_text(legal(dropped))
    file = tmp_path / "main"
    file.write_text("Include %s/dropped\n" % tmp_path + legal(main))
    told = ask_sshd(file)
    host = Host("/")
    ours = sshd_config.parse(host.lines, host.glob, str(file)).effective()
    for keyword, (value, _where) in ours.items():
        assert told[keyword] == value, keyword


@given(st.text(max_size=200))
def test_parser_takes_any_text(text):
    config = parsed({MAIN: text})
    config.effective()
    sshd_config.parse_effective(text.split("\n"))

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import sshd_config
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.spec import Absent
from ansible_collections.ringwall.servers.plugins.module_utils.sshd_keywords import (
    canonical_value,
    presentable,
    seconds,
)
from ansible_collections.ringwall.servers.plugins.module_utils.tables import sshd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
    config = parsed(
        {
            MAIN: "Include d/*.conf\nPermitRootLogin no\nMatch User bob Address 10.0.0.0/8\n"
            "  PermitRootLogin yes\n  Banner none\n"
            "Match Group sftp\nForceCommand internal-sftp\n",
            "/etc/ssh/d/1.conf": "Match User amy\n  MaxSessions 1\n",
            "/etc/ssh/d/2.conf": "MaxSessions 4\n",
        }
    )
    assert config.effective()["maxsessions"] == ("4", "/etc/ssh/d/2.conf:1")
    assert config.effective()["permitrootlogin"] == ("no", "/etc/ssh/sshd_config:2")
    assert [(block.criteria, block.where) for block in config.matches] == [
        ("User amy", "/etc/ssh/d/1.conf:1"),
        ("User bob Address 10.0.0.0/8", "/etc/ssh/sshd_config:3"),
        ("Group sftp", "/etc/ssh/sshd_config:6"),
    ]
    assert config.matches[1].settings == {
        "permitrootlogin": ("yes", "/etc/ssh/sshd_config:4"),
        "banner": ("none", "/etc/ssh/sshd_config:5"),
    }


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


LINES = st.sampled_from(
    [
        "PermitRootLogin no",
        "permitrootlogin=without-password",
        "MaxAuthTries 3",
        "MAXAUTHTRIES 5 # c",
        "LoginGraceTime 1m30s",
        "LoginGraceTime = 45",
        'Banner "/etc/a b"',
        "Banner none",
        "AllowUsers a b",
        "AllowUsers c",
        "X11Forwarding yes",
        "LogLevel verbose",
        "ClientAliveInterval 2m",
        "MaxStartups 5:50:60",
        "AcceptEnv A B_*",
        "Match User bob",
        "Match all",
        "# c",
        "",
        "UsePAM yes",
        "KbdInteractiveAuthentication no",
        "ChallengeResponseAuthentication yes",
        "Include /nonexistent/*.conf",
    ]
)


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
    file.write_text(f"Include {tmp_path}/dropped\n" + legal(main))
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

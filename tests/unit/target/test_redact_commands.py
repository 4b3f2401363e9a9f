"""Commands whose secret stands at a place of its own, and settings whose name stands apart from the value."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.redact import MARK, redact, redact_named, redact_words

SECRET = "sommer7tulpe"
COMMANDS = [
    "vault login {}", "vault login -no-print {}", "rar a -hp{} /b.rar /srv", "unrar x -p{} a.rar", "slappasswd -s {}",
    "ldappasswd -x -D cn=a -s {} cn=b", "kadmin.local -q 'addprinc -pw {} bob'", "sqlplus system/{}@orcl @run.sql",
    "/u01/bin/expdp -y scott/{} full=y", "db2 connect to shop user app using {}", "nmcli dev wifi connect lab password {}",
    "ipmitool -H h user set password 2 {}", "mc alias set store https://h app {}", "printf 'machine h login u password {}'",
    "dracut netroot=iscsi:u:{}@10.0.0.1::3260:1:iqn", "x netroot=iscsi:u:a:v:{}@[fe80::1]:::1:iqn",
]  # fmt: skip
INNOCENT = [
    "vault login -method=oidc", "vault status", "rar a /b.rar /srv/photos", "ipmitool user list 1", "nmcli dev wifi list",
    "mc alias list", "sqlplus /nolog", "sqlplus / as sysdba", "db2 list applications", "netroot=iscsi:10.0.0.1::3260:1:iqn",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_the_secret_of_a_command_goes(command):
    shown = redact(command.format(SECRET))
    assert SECRET not in shown
    assert MARK in shown
    assert shown.split()[0] == command.split()[0]


@pytest.mark.parametrize("command", INNOCENT)
def test_what_is_no_secret_stays(command):
    assert redact(command) == command


@pytest.mark.parametrize("name", ["admin_password", "bindpw", "ActionLibdbiPassword", "api-key"])
def test_a_value_under_the_name_of_a_secret_goes_whole(name):
    assert redact_named(name, f"{SECRET} and {SECRET}") == MARK


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("minlen", "14"),
        ("krb5_key_file", "/etc/audit/audit.key"),
        ("password_file", "/etc/x"),
        ("max_log_file_action", "keep_logs"),
        ("password", "none"),
    ],
)
def test_a_value_under_another_name_stays(name, value):
    assert redact_named(name, value) == value


@pytest.mark.parametrize(("words", "shown"), [
    (["expose_authtok", "/usr/bin/check", "--token", SECRET], ["expose_authtok", "/usr/bin/check", "--token", MARK]),
    (["user=root", f"passwd={SECRET}", "db=x"], ["user=root", f"passwd={MARK}", "db=x"]),
    (["--password", f"two {SECRET}", "x"], ["--password", MARK, "x"]),
    (["mysql", f"-p{SECRET}"], ["mysql", f"-p{MARK}"]),
    (["sha512", "use_authtok", "try_first_pass", "retry=3"], ["sha512", "use_authtok", "try_first_pass", "retry=3"]),
    (["--password", "-x", "--token-file", "/etc/x"], ["--password", "-x", "--token-file", "/etc/x"]),
    ([], []),
])  # fmt: skip
def test_words_of_a_command(words, shown):
    assert redact_words(words) == shown

"""sudo's language; cvtsudoers, sudo's own converter, is the referee where it is installed."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import sudo_rules
from ansible_collections.ringwall.servers.plugins.module_utils.collect import collect_table
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.tables import sudoers
from hypothesis import given
from hypothesis import strategies as st

FIXTURE = Path(__file__).parents[2] / "fixtures/tables/sudoers/sudoers"


@pytest.fixture
def root(tmp_path):
    (tmp_path / "etc/sudoers.d").mkdir(parents=True)
    (tmp_path / "etc/sudoers").write_text(FIXTURE.read_text())
    return tmp_path


def read(root, state="ok"):
    result = collect_table(sudoers, Host(str(root)), {})
    assert result["state"] == state, result["why"]
    return result["rows"]


def of_kind(rows, kind):
    return [row for row in rows.values() if row["kind"] == kind]


def rule(rows, user, **cells):
    found = [
        row
        for row in of_kind(rows, "rule")
        if user in row["users"] and all(row[name] == value for name, value in cells.items())
    ]
    assert len(found) == 1, found
    return found[0]


def test_rules(root):
    rows = read(root)
    assert of_kind(rows, "invalid") == []
    everything = rule(rows, "%sudo")
    assert (everything["nopasswd"], everything["all_commands"], everything["tags"]) == (True, True, ["NOPASSWD"])
    assert (everything["runas_users"], everything["runas_groups"], everything["hosts"]) == (["ALL"], ["ALL"], ["ALL"])
    assert rule(rows, "root")["nopasswd"] is False
    first = rule(rows, "ADMINS", commands=["/usr/bin/psql"])
    assert first["all_users"] == ["alice", "bob", "charlie"]
    assert first["runas_users"] == ["oracle", "postgres"]
    assert (first["tags"], first["hosts"]) == (["NOEXEC", "NOPASSWD"], ["10.0.0.0/8", "web1"])
    assert first["where"] == ["/etc/sudoers:18"]
    second = rule(rows, "ADMINS", tags=["NOEXEC", "PASSWD"])
    assert second["nopasswd"] is False
    assert second["commands"] == ["/sbin/halt", "/sbin/reboot", "/sbin/poweroff -f", "!/sbin/reboot", "!/bin/su"]
    third = rule(rows, "ADMINS", commands=["/bin/ls"])
    assert (third["hosts"], third["runas_users"], third["tags"]) == (["db1"], ["root"], [])
    ops = rule(rows, "OPS")
    assert (ops["all_users"], ops["runas_users"], ops["runas_groups"]) == (["%ops", "#1005", "!alice"], [], ["adm"])
    assert rule(rows, "#2000")["commands"] == ["/bin/true"]
    assert len(rule(rows, "eve")["commands"]) == 2
    assert "hunter2" not in json.dumps(rows)


def test_settings(root):
    rows = read(root)

    def setting(name, **cells):
        return [
            row
            for row in of_kind(rows, "setting")
            if row["setting"] == name and all(row[key] == value for key, value in cells.items())
        ]

    assert [row["value"] for row in setting("authenticate")] == ["false"]
    assert [(row["number"], row["last"]) for row in setting("timestamp_timeout", scope="global")] == [
        (15.0, False),
        (2.5, True),
    ]
    assert [(row["number"], row["scope_of"]) for row in setting("timestamp_timeout", scope="host")] == [(-1.0, ["db1"])]
    assert [(row["value"], row["where"]) for row in setting("logfile")] == [("/var/log/sudo.log", ["/etc/sudoers:5"])]
    (kept,) = setting("env_keep")
    assert (kept["scope_of"], kept["operator"], kept["value"]) == (["%sudo", "bob"], "+=", "HTTP_PROXY # no comment")
    assert [row["scope_of"] for row in setting("noexec", scope="command")] == [["/usr/bin/less"]]
    assert [row["value"] for row in setting("set_logname", scope="runas")] == ["false"]
    assert setting("passwd_tries")[0]["number"] == 3.0


def test_included_files(root):
    directory = root / "etc/sudoers.d"
    (directory / "20-b").write_text("bea ALL=(ALL) ALL\n")
    (directory / "10-a").write_text("amy ALL=(ALL) NOPASSWD: ALL\n#include extra\n")
    (directory / "extra.conf").write_text("never ALL=(ALL) ALL\n")
    (directory / "old~").write_text("never ALL=(ALL) ALL\n")
    (directory / "extra").write_text("xia ALL=(ALL) ALL\nDefaults use_pty\n")
    rows = read(root)
    users = [user for row in of_kind(rows, "rule") for user in row["users"]]
    assert {"amy", "bea", "xia"} <= set(users)
    assert "never" not in users
    assert rule(rows, "amy")["where"] == ["/etc/sudoers.d/10-a:1"]
    # Read twice, by #include and by its directory: one row, two places.
    assert rule(rows, "xia")["where"] == ["/etc/sudoers.d/extra:1", "/etc/sudoers.d/extra:1"]


def test_include_loop_ends_and_is_told(root):
    (root / "etc/sudoers").write_text("root ALL=(ALL) ALL\n@include /etc/sudoers\n")
    assert len(of_kind(read(root, "partial"), "rule")) == 1


def test_include_with_host_name_and_blank(root):
    (root / "etc/hostname").write_text("box.example.org\n")
    (root / "etc/sudoers").write_text('@include "/etc/sudoers local.%h"\n')
    (root / "etc/sudoers local.box").write_text("hal ALL=ALL\n")
    assert rule(read(root), "hal")["runas_users"] == ["root"]


def test_key_survives_a_move(root):
    (root / "etc/sudoers").write_text("root ALL=(ALL) ALL\n")
    before = set(read(root))
    (root / "etc/sudoers").write_text("# a comment\n\nroot   ALL = (ALL) ALL\n")
    assert set(read(root)) == before


def test_invalid_line_is_told_by_its_place_only(root):
    (root / "etc/sudoers").write_text("root ALL=(ALL) ALL\npassword is hunter2\n")
    rows = read(root)
    assert [row["where"] for row in of_kind(rows, "invalid")] == [["/etc/sudoers:2"]]
    assert "hunter2" not in json.dumps(rows)


def test_long_lists_are_cut_and_say_so(root):
    commands = ", ".join(f"/usr/bin/program-{number}" for number in range(1000))
    (root / "etc/sudoers").write_text(f"root ALL=(ALL) {commands}\n")
    row = rule(read(root), "root")
    assert len(json.dumps(row)) < 8192
    assert row["commands"][-1] == "(900 more)"


def test_no_sudo_no_rows(tmp_path):
    assert read(tmp_path) == {}


def test_rules_in_a_directory_are_a_gap(root):
    (root / "etc/nsswitch.conf").write_text("sudoers: files sss\n")
    read(root)  # not set up: not in use
    (root / "etc/sssd").mkdir()
    (root / "etc/sssd/sssd.conf").write_text("[sssd]\n")
    assert len(of_kind(read(root, "partial"), "rule")) > 5


def test_referee_cvtsudoers():
    if not shutil.which("cvtsudoers"):
        pytest.skip("cvtsudoers is not installed")
    text = "\n".join(line for line in FIXTURE.read_text().splitlines() if not line.startswith("@"))
    done = subprocess.run(
        ["cvtsudoers", "-f", "json", "-b", "dc=x", "-"],
        input=text,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    theirs = json.loads(done.stdout)
    ours = []
    for _number, line in sudo_rules.logical_lines(text.split("\n")):
        if sudo_rules.parse_defaults(line) or sudo_rules.parse_alias(line):
            continue
        for grant in sudo_rules.parse_rule(line):
            ours += [("NOPASSWD" in grant["tags"], len(grant["users"]), len(grant["hosts"]))] * len(grant["commands"])
    expected = []
    for spec in theirs["User_Specs"]:
        for commands in spec["Cmnd_Specs"]:
            options = {name: value for option in commands.get("Options", []) for name, value in option.items()}
            expected += [(options.get("authenticate") is False, len(spec["User_List"]), len(spec["Host_List"]))] * len(
                commands["Commands"]
            )
    assert sorted(ours) == sorted(expected)
    names = {
        name for kind in ("User_Aliases", "Command_Aliases", "Runas_Aliases", "Host_Aliases") for name in theirs[kind]
    }
    aliases = [sudo_rules.parse_alias(line) or [] for _n, line in sudo_rules.logical_lines(text.split("\n"))]
    assert {alias["name"] for found in aliases for alias in found} == names
    settings = [sudo_rules.parse_defaults(line) or [] for _n, line in sudo_rules.logical_lines(text.split("\n"))]
    assert sum(map(len, settings)) == sum(len(entry["Options"]) for entry in theirs["Defaults"])


@given(st.text(alphabet='aALl=(): ,!%#"\\@\n\tDefaultsNOPASSWD_+-/', max_size=120))
def test_any_text(text):
    for _number, line in sudo_rules.logical_lines(text.split("\n")):
        json.dumps(
            [
                sudo_rules.parse_include(line),
                sudo_rules.parse_defaults(line),
                sudo_rules.parse_alias(line),
                sudo_rules.parse_rule(line),
            ]
        )


def test_alias_that_names_itself_ends():
    assert len(sudo_rules.expand(["A"], {"A": ["A", "A"]})) < 5000

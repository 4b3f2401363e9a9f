from __future__ import annotations

import json
import os

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import logrotate_config, rsyslog_config
from ansible_collections.ringwall.servers.plugins.module_utils.drop_ins import parse_ini
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.spec import Result
from ansible_collections.ringwall.servers.plugins.module_utils.tables import logging
from hypothesis import given
from hypothesis import strategies as st


def rows_of(host):
    result = logging.collect(host, {})
    return result.rows if isinstance(result, Result) else result


JOURNALD = {"/usr/lib/systemd/systemd-journald": ""}


def test_stock_journald_sets_nothing(file_host, table_fixture):
    rows = rows_of(file_host({**JOURNALD, "/etc/systemd/journald.conf": table_fixture("logging/journald.conf")}))
    assert list(rows) == ["journald:daemon"]
    assert rows["journald:daemon"]["persistent"] is False
    assert rows["journald:daemon"]["installed"] is True
    assert rows["journald:daemon"]["running"] is None


def test_drop_ins_win_by_name_and_hide_by_name(file_host):
    host = file_host(
        {
            **JOURNALD,
            "/etc/systemd/journald.conf": "[Journal]\nStorage=volatile\nCompress=yes\nForwardToSyslog=no\n",
            "/usr/lib/systemd/journald.conf.d/90-vendor.conf": "[Journal]\nForwardToSyslog=yes\n",
            "/usr/lib/systemd/journald.conf.d/50-x.conf": "[Journal]\nCompress=no\n",
            "/etc/systemd/journald.conf.d/50-x.conf": "[Journal]\nStorage=persistent\n",
        }
    )
    rows = rows_of(host)
    assert (rows["journald:Storage"]["value"], rows["journald:Storage"]["where"]) == (
        "persistent",
        "/etc/systemd/journald.conf.d/50-x.conf:2",
    )
    assert rows["journald:Compress"]["value"] == "yes"
    assert rows["journald:ForwardToSyslog"]["where"] == "/usr/lib/systemd/journald.conf.d/90-vendor.conf:2"
    assert [item["value"] for item in rows["journald:Storage"]["settings"]] == ["volatile", "persistent"]
    assert rows["journald:daemon"]["persistent"] is True
    assert len(rows["journald:daemon"]["files"]) == 3


@pytest.mark.parametrize(
    ("storage", "directory", "persistent"),
    [
        ("", True, True),
        ("", False, False),
        ("auto", True, True),
        ("volatile", True, False),
        ("none", True, False),
        ("persistent", False, True),
    ],
)
def test_what_survives_a_reboot(file_host, storage, directory, persistent):
    host = file_host({**JOURNALD, "/etc/systemd/journald.conf": f"[Journal]\nStorage={storage}\n"})
    if directory:
        os.makedirs(host.root + "/var/log/journal")
    assert rows_of(host)["journald:daemon"]["persistent"] is persistent


def test_debians_rsyslog(file_host, table_fixture):
    host = file_host(
        {
            "/usr/sbin/rsyslogd": "",
            "/etc/rsyslog.conf": table_fixture("logging/rsyslog.conf"),
            "/etc/rsyslog.d/20-remote.conf": "*.* @@loghost.example:6514;RSYSLOG_Format\nauth.* @10.0.0.5\n",
        }
    )
    rows = rows_of(host)
    assert rows["rsyslog:FileCreateMode#1"]["value"] == "0640"
    assert rows["rsyslog:FileCreateMode#1"]["where"].startswith("/etc/rsyslog.conf:")
    forwards = [rows[f"rsyslog:forward#{number}"] for number in (1, 2)]
    assert [(row["value"], row["parameters"]["protocol"], row["where"]) for row in forwards] == [
        ("loghost.example:6514", "tcp", "/etc/rsyslog.d/20-remote.conf:1"),
        ("10.0.0.5", "udp", "/etc/rsyslog.d/20-remote.conf:2"),
    ]
    files = {row["value"]: row["parameters"] for row in rows.values() if row["name"] == "file"}
    assert files["/var/log/auth.log"] == {"selector": "auth,authpriv.*", "mode_in_force": "0640"}
    assert rows["rsyslog:daemon"]["files"] == ["/etc/rsyslog.conf", "/etc/rsyslog.d/20-remote.conf"]
    assert rows["rsyslog:users#1"]["value"] == "*"
    columns = {column.name for column in logging.TABLE.columns}
    assert all(set(row) == columns for row in rows.values())


SCRIPT = """\
/* a comment
module(load="imudp") */
module(load="builtin:omfile" fileCreateMode="0600") # c
module(load="imtcp"
       StreamDriver.Name="gtls" StreamDriver.Mode="1")
input(type="imtcp" port="514")
if $programname == "x" then {
    action(type="omfile" file="/var/log/x.log" FileCreateMode="0644")
    stop
}
*.* action(type="omfwd" target="log.example" port="6514" protocol="tcp" StreamDriver="gtls" queue.type="LinkedList"
    password="hunter2" template="RSYSLOG_Forward(x)")
:msg, contains, "a b" -/var/log/ab.log
& stop
global(workDirectory="/var/spool/rsyslog")
mail.* |/var/run/pipe
"""


def test_script_form():
    entries = rsyslog_config.parse(SCRIPT.split("\n"), "/f")
    assert [(entry["kind"], entry["name"], entry["where"]) for entry in entries] == [
        ("module", "module", "/f:3"),
        ("module", "module", "/f:4"),
        ("input", "input", "/f:6"),
        ("action", "action", "/f:8"),
        ("action", "action", "/f:11"),
        ("legacy", "file", "/f:13"),
        ("legacy", "discard", "/f:14"),
        ("global", "global", "/f:15"),
        ("legacy", "pipe", "/f:16"),
    ]
    rows = logging.rsyslog_rows(entries)
    assert rows["rsyslog:forward#1"]["value"] == "log.example"
    assert rows["rsyslog:forward#1"]["parameters"]["streamdriver"] == "gtls"
    assert rows["rsyslog:file#1"]["parameters"]["mode_in_force"] == "0644"
    assert rows["rsyslog:file#2"]["parameters"]["mode_in_force"] == "0600"
    assert rows["rsyslog:input#1"]["parameters"]["port"] == "514"
    assert "hunter2" not in json.dumps(rows)


def test_mode_counts_for_what_follows_it():
    lines = [
        "mail.* /var/log/a",
        "$FileCreateMode 0640",
        "auth.* /var/log/b",
        "$FileCreateMode 0644",
        "cron.* /var/log/c",
    ]
    rows = logging.rsyslog_rows(rsyslog_config.parse(lines, "/f"))
    assert [rows[f"rsyslog:file#{number}"]["parameters"].get("mode_in_force") for number in (1, 2, 3)] == [
        None,
        "0640",
        "0644",
    ]


def test_include_forms_and_loop(file_host):
    host = file_host(
        {
            "/etc/rsyslog.conf": 'include(file="/etc/r/*.conf" mode="optional")\n'
            "$IncludeConfig /etc/dir/\n$IncludeConfig /etc/rsyslog.conf\n",
            "/etc/r/1.conf": "$Umask 0077\n",
            "/etc/dir/any": "$FileGroup adm\n",
        }
    )
    result = logging.collect(host, {})
    assert result.rows["rsyslog:Umask#1"]["value"] == "0077"
    assert "rsyslog:FileGroup#1" in result.rows
    assert "too many includes" in result.why


def test_logrotate_of_debian(file_host, table_fixture):
    host = file_host(
        {
            "/usr/sbin/logrotate": "",
            "/etc/logrotate.conf": table_fixture("logging/logrotate.conf"),
            "/etc/logrotate.d/rsyslog": table_fixture("logging/logrotate_rsyslog"),
            "/etc/logrotate.d/x.dpkg-old": "/bad { rotate 1\n}\n",
            "/etc/logrotate.d/one": '"/var/log/one.log" /var/log/two.log {\n  create 0640 root adm\n'
            "  postrotate\n  }\n  rotate 99\n  endscript\n}\n",
        }
    )
    rows = rows_of(host)
    assert rows["logrotate:default"]["parameters"] == {"weekly": "", "rotate": "4", "create": ""}
    syslog = next(row for row in rows.values() if "/var/log/syslog" in row["name"])
    assert syslog["name"].endswith("/var/log/cron.log")
    assert syslog["parameters"]["rotate"] == "4"
    assert "postrotate" not in syslog["parameters"]
    assert rows["logrotate:/var/log/one.log /var/log/two.log"]["parameters"] == {"create": "0640 root adm"}
    assert not any("bad" in key for key in rows)


def test_unreadable_drop_in_leaves_persistence_untold(file_host):
    host = file_host({**JOURNALD, "/etc/systemd/journald.conf": "[Journal]\nStorage=persistent\n"})
    os.makedirs(host.root + "/etc/systemd/journald.conf.d/a.conf")
    result = logging.collect(host, {})
    assert result.state == "partial"
    assert "journald:Storage" not in result.rows
    assert result.rows["journald:daemon"]["persistent"]["!"] == "partial"


def test_ini_dialect():
    lines = ["# c", "[A]", "k = v", "; c", "list=a \\x5c", "# within", "  b", "empty=", "noise", "[B]", "k=2"]
    assert parse_ini(lines, "/f") == [
        ("A", "k", "v", "/f:3"),
        ("A", "list", "a  b", "/f:5"),
        ("A", "empty", "", "/f:8"),
        ("B", "k", "2", "/f:11"),
    ]


def test_this_machine():
    rows = rows_of(Host("/"))
    assert all(len(json.dumps(row)) < 8192 for row in rows.values())


@given(st.text(max_size=300))
def test_parsers_take_any_text(text):
    lines = text.split("\n")
    logging.rsyslog_rows(rsyslog_config.parse(lines, "/f"))
    logrotate_config.parse(lines, "/f")
    logging.systemd_rows("x", parse_ini(lines, "/f"))


@given(
    st.lists(
        st.sampled_from(
            ["action(", ")", '"', "$FileCreateMode 0640", "*.* @h", "/*", "*/", "{", "}", "postrotate", "/a {"]
        )
    )
)
def test_parsers_take_any_order(lines):
    logging.rsyslog_rows(rsyslog_config.parse(lines, "/f"))
    logrotate_config.parse(lines, "/f")

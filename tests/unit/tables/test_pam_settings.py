from __future__ import annotations

import os

from ansible_collections.ringwall.servers.plugins.module_utils.tables import pam_settings
from hypothesis import given
from hypothesis import strategies as st


def test_file_has_the_last_word_over_its_fragments(file_host):
    # pwquality.conf(5): fragments are read first, in ASCII order.
    rows = pam_settings.collect(
        file_host(
            {
                "/etc/security/pwquality.conf": "# minlen = 8\nminlen = 14\nenforce_for_root\n",
                "/etc/security/pwquality.conf.d/50-a.conf": "minlen = 10\ndifok=2\n",
                "/etc/security/pwquality.conf.d/60-b.conf": "difok = 3 # c\n",
                "/etc/security/pwquality.conf.d/70.txt": "difok = 9\n",
            }
        ),
        {},
    )
    assert (rows["pwquality:minlen"]["value"], rows["pwquality:minlen"]["where"]) == (
        "14",
        "/etc/security/pwquality.conf:2",
    )
    assert rows["pwquality:difok"]["value"] == "3"
    assert rows["pwquality:enforce_for_root"]["value"] == ""
    assert [item["value"] for item in rows["pwquality:minlen"]["settings"]] == ["10", "14"]


def test_limits_fragments_come_after_the_file(file_host):
    rows = pam_settings.collect(
        file_host(
            {
                "/etc/security/limits.conf": "* soft core 100\n*  hard  core  0\n"
                "@students - maxlogins 4\nftp -\nshort line\n",
                "/etc/security/limits.d/10.conf": "* hard core unlimited\n",
            }
        ),
        {},
    )
    assert rows["limits:* hard core"]["value"] == "unlimited"
    assert rows["limits:* hard core"]["where"] == "/etc/security/limits.d/10.conf:1"
    assert rows["limits:@students - maxlogins"]["value"] == "4"
    assert rows["limits:ftp"]["value"] == "-"
    assert len(rows) == 4


def test_faillock_access_and_authselect(file_host):
    rows = pam_settings.collect(
        file_host(
            {
                "/etc/security/faillock.conf": "deny = 5\nunlock_time=900\neven_deny_root\n",
                "/etc/security/access.conf": "# c\n+:root:LOCAL\n-:ALL:ALL\n",
                "/etc/authselect/authselect.conf": "sssd\nwith-faillock\nwithout-nullok\n",
            }
        ),
        {},
    )
    assert rows["faillock:deny"]["value"] == "5"
    assert rows["access:/etc/security/access.conf:3"]["value"] == "-:ALL:ALL"
    assert rows["authselect:profile"]["value"] == "sssd"
    assert rows["authselect:features"]["value"] == "with-faillock without-nullok"
    columns = {column.name for column in pam_settings.TABLE.columns}
    assert all(set(row) == columns for row in rows.values())


def test_unreadable_fragment_hides_the_value(file_host):
    host = file_host({"/etc/security/pwquality.conf": "minlen = 14\n", "/etc/security/faillock.conf": "deny = 5\n"})
    os.makedirs(host.root + "/etc/security/pwquality.conf.d/a.conf")
    result = pam_settings.collect(host, {})
    assert result.state == "partial"
    assert result.rows["pwquality:minlen"]["value"]["!"] == "partial"
    assert result.rows["faillock:deny"]["value"] == "5"


@given(st.text(max_size=300))
def test_parsers_take_any_text(text):
    for _group, parser, path, _pattern, _place in pam_settings.SOURCES:
        pam_settings.rows_of("x", parser(text.split("\n"), path))


def test_the_label_of_the_directory_of_faillock(file_host, monkeypatch):
    host = file_host({"/etc/security/faillock.conf": "dir = /var/log/faillock\n", "/var/log/faillock/ann": ""})
    assert pam_settings.collect(host, {})["faillock_label:/var/log/faillock"]["value"] == ""
    monkeypatch.setattr("os.getxattr", lambda place, name: b"system_u:object_r:faillog_t:s0\0", raising=False)
    assert pam_settings.collect(host, {})["faillock_label:/var/log/faillock"]["value"] == "faillog_t"
    assert "faillock_label:/var/run/faillock" not in pam_settings.collect(file_host({}), {})

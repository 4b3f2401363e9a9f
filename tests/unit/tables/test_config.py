from __future__ import annotations

import os

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import config_files
from ansible_collections.ringwall.servers.plugins.module_utils.collect import collect_table
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.redact import MARK
from ansible_collections.ringwall.servers.plugins.module_utils.tables import config
from hypothesis import given
from hypothesis import strategies as st


def read(host, path, **spec):
    return config.collect(host, {"files": [{"file": path, **spec}]})[path]


def pairs(row):
    return [(line["section"], line["name"], line["value"]) for line in row["directives"]]


def last(row, name):
    return [line["value"] for line in row["directives"] if line["name"] == name][-1]


def test_systemd_reads_drop_ins_by_name_whatever_their_directory(file_host):
    host = file_host(
        {
            "/usr/lib/systemd/journald.conf": "[Journal]\nStorage=none\n",  # hidden by the one in /etc
            "/etc/systemd/journald.conf": "# a comment\n[Journal]\nStorage=volatile\nCompress=no\n",
            "/usr/lib/systemd/journald.conf.d/90-vendor.conf": "[Journal]\nStorage=persistent\n",
            "/etc/systemd/journald.conf.d/10-site.conf": "[Journal]\nStorage=auto\nCompress=yes\n",
            "/run/systemd/journald.conf.d/10-site.conf": "[Journal]\nCompress=never read\n",
            "/etc/systemd/journald.conf.d/notes.txt": "[Journal]\nStorage=none\n",
        }
    )
    row = read(host, "/etc/systemd/journald.conf")
    assert row["files"] == [
        "/etc/systemd/journald.conf",
        "/etc/systemd/journald.conf.d/10-site.conf",
        "/usr/lib/systemd/journald.conf.d/90-vendor.conf",
    ]
    assert (last(row, "Storage"), last(row, "Compress")) == ("persistent", "yes")
    assert row["directives"][-1] == {
        "section": "Journal",
        "name": "Storage",
        "value": "persistent",
        "where": "/usr/lib/systemd/journald.conf.d/90-vendor.conf:2",
    }


def test_a_link_to_dev_null_hides_a_drop_in(file_host):
    host = file_host(
        {
            "/usr/lib/systemd/coredump.conf.d/50-x.conf": "[Coredump]\nStorage=external\n",
            "/etc/systemd/coredump.conf.d/50-x.conf": ("link", "/dev/null"),
        }
    )
    assert read(host, "/etc/systemd/coredump.conf")["directives"] == []


def test_the_vendors_file_serves_where_etc_has_none(file_host):
    row = read(
        file_host({"/usr/lib/systemd/logind.conf": "[Login]\nKillUserProcesses=no\n"}), "/etc/systemd/logind.conf"
    )
    assert row["exists"] is True
    assert pairs(row) == [("Login", "KillUserProcesses", "no")]


def test_pwquality_has_the_last_word_itself(file_host):
    host = file_host(
        {
            "/etc/security/pwquality.conf": "# minlen = 8\nminlen = 12 # twelve\n  enforce_for_root\n",
            "/etc/security/pwquality.conf.d/50-site.conf": "minlen=20\ndcredit=-1\n",
        }
    )
    row = read(host, "/etc/security/pwquality.conf")
    assert pairs(row) == [
        ("", "minlen", "20"),
        ("", "dcredit", "-1"),
        ("", "minlen", "12"),
        ("", "enforce_for_root", ""),
    ]


def test_sssd_joins_folded_lines_and_reads_its_directory_last(file_host):
    host = file_host(
        {
            "/etc/sssd/sssd.conf": "[sssd]\nservices = nss,\n  pam\n[domain/x]\nldap_default_authtok = winter7winter7\n",
            "/etc/sssd/conf.d/10.conf": "[pam]\noffline_credentials_expiration=1\n",
            "/etc/sssd/conf.d/.hidden.conf": "[pam]\noffline_credentials_expiration=9\n",
        }
    )
    row = read(host, "/etc/sssd/sssd.conf")
    assert pairs(row) == [
        ("sssd", "services", "nss, pam"),
        ("domain/x", "ldap_default_authtok", MARK),
        ("pam", "offline_credentials_expiration", "1"),
    ]


def test_chrony_follows_its_includes(file_host):
    host = file_host(
        {
            "/etc/chrony/chrony.conf": "confdir /etc/chrony/conf.d\nsourcedir /run/none /etc/chrony/sources.d\n"
            "! old style comment\nmakestep 1 3\n",
            "/etc/chrony/conf.d/a.conf": "maxdistance  16.0\n",
            "/etc/chrony/conf.d/a.txt": "port 0\n",
            "/etc/chrony/sources.d/s.sources": "server time.example.org   iburst\n",
        }
    )
    row = read(host, "/etc/chrony/chrony.conf")
    assert pairs(row)[1] == ("", "maxdistance", "16.0")
    assert ("", "server", "time.example.org iburst") in pairs(row)
    assert not [line for line in row["directives"] if line["name"] == "port"]


def test_aide_has_definitions_selections_and_directories(file_host):
    host = file_host(
        {
            "/etc/aide/aide.conf": "database_in=file:/var/lib/aide/aide.db\n@@define DBDIR /x\nCONTENT = sha512+ftype\n"
            "@@x_include /etc/aide/aide.conf.d ^[a-z0-9_]+$\n/sbin/auditctl p+i+n\n!/var/log\n=/var$ R\n",
            "/etc/aide/aide.conf.d/10_own": "/boot/x.cfg a=b\n",
            "/etc/aide/aide.conf.d/README.txt": "/nothing x\n",
        }
    )
    row = read(host, "/etc/aide/aide.conf")
    assert pairs(row) == [
        ("", "database_in", "file:/var/lib/aide/aide.db"),
        ("", "@@define", "DBDIR /x"),
        ("", "CONTENT", "sha512+ftype"),
        ("", "@@x_include", "/etc/aide/aide.conf.d ^[a-z0-9_]+$"),
        ("", "/boot/x.cfg", "a=b"),
        ("", "/sbin/auditctl", "p+i+n"),
        ("", "!/var/log", ""),
        ("", "=/var$", "R"),
    ]


def test_what_aide_would_run_is_not_taken_for_its_configuration(file_host, tmp_path):
    host = file_host(
        {
            "/etc/aide.conf": "@@x_include /etc/aide.d ^[a-z]+$\n",
            "/etc/aide.d/run": "/bin/sh x\n",
            "/etc/aide.d/text": "/a p\n",
        }
    )
    (tmp_path / "etc/aide.d/run").chmod(0o755)
    assert [line["name"] for line in read(host, "/etc/aide.conf")["directives"]] == ["@@x_include", "/a"]


def test_sums_of_attributes_are_no_secrets(file_host):
    text = "FIPSR = p+i+n+u+g+s+m+c+acl+selinux+xattrs+sha512+ftype+caps+e2fsattrs\n/a f OwnerMode+sha512-growing\n"
    row = read(file_host({"/etc/aide.conf": text}), "/etc/aide.conf")
    assert [value for _section, _name, value in pairs(row)] == [
        "p+i+n+u+g+s+m+c+acl+selinux+xattrs+sha512+ftype+caps+e2fsattrs",
        "f OwnerMode+sha512-growing",
    ]


def test_shell_assignments_lose_their_quotes(file_host):
    text = "SILENTREPORTS=no\n#X=1\nexport A=\"b c\" # why\nB='x'\nC=plain # no\n[ -f x ] && D=1\n"
    row = read(file_host({"/etc/default/aide": text}), "/etc/default/aide")
    assert pairs(row) == [("", "SILENTREPORTS", "no"), ("", "A", "b c"), ("", "B", "x"), ("", "C", "plain")]


def test_postfix_values_go_on_in_indented_lines(file_host):
    text = "inet_interfaces = loopback-only\nmynetworks = 127.0.0.0/8,\n  # comment\n  [::1]/128\n"
    assert pairs(read(file_host({"/etc/postfix/main.cf": text}), "/etc/postfix/main.cf")) == [
        ("", "inet_interfaces", "loopback-only"),
        ("", "mynetworks", "127.0.0.0/8, [::1]/128"),
    ]


def test_names_that_auditd_takes_in_any_case(file_host):
    row = read(file_host({"/etc/audit/audisp-remote.conf": "Remote_Server = log1\n"}), "/etc/audit/audisp-remote.conf")
    assert pairs(row) == [("", "remote_server", "log1")]


def test_a_file_that_is_not_known_is_read_as_asked(file_host):
    host = file_host({"/etc/x.conf": "a b c\n", "/etc/x.conf.d/1.conf": "a d\n", "/etc/y/2.x": "a e\n"})
    assert pairs(read(host, "/etc/x.conf", format="words", drop_ins=True)) == [("", "a", "b c"), ("", "a", "d")]
    assert pairs(read(host, "/etc/x.conf", format="words", drop_ins="/etc/y/*.x"))[-1] == ("", "a", "e")


def test_a_file_that_is_not_there_has_a_row(file_host):
    row = read(file_host({"/etc/passwd": ""}), "/etc/sssd/sssd.conf")
    assert row == {"exists": False, "format": "ini", "files": [], "directives": []}


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
def test_what_cannot_be_read_is_unreadable_and_spoils_no_other(file_host, tmp_path):
    host = file_host(
        {
            "/etc/systemd/journald.conf": "[Journal]\nStorage=persistent\n",
            "/etc/systemd/journald.conf.d/x.conf": "[Journal]\nStorage=none\n",
            "/etc/systemd/logind.conf": "[Login]\nRemoveIPC=yes\n",
        }
    )
    (tmp_path / "etc/systemd/journald.conf.d/x.conf").chmod(0)
    for place in (tmp_path, *tmp_path.parents[:3]):
        place.chmod(0o755)
    os.seteuid(65534)
    try:
        files = [{"file": "/etc/systemd/journald.conf"}, {"file": "/etc/systemd/logind.conf"}, {"file": "relative"}]
        table = collect_table(config, Host(str(tmp_path)), {"files": files})
    finally:
        os.seteuid(0)
    assert host
    assert table["state"] == "ok"
    assert table["rows"]["/etc/systemd/journald.conf"]["directives"]["!"] == "denied"
    assert table["rows"]["/etc/systemd/logind.conf"]["exists"] is True
    assert table["rows"]["relative"]["directives"]["!"] == "invalid"


def test_too_much_is_unreadable_never_a_short_list(file_host, monkeypatch):
    monkeypatch.setattr(config_files, "MAX_DIRECTIVES", 3)
    row = read(file_host({"/etc/default/aide": "A=1\nB=2\nC=3\nD=4\n"}), "/etc/default/aide")
    assert row["directives"]["!"] == "partial"


def test_a_circle_of_includes_ends(file_host):
    row = read(file_host({"/etc/chrony.conf": "include /etc/chrony.conf\n"}), "/etc/chrony.conf")
    assert row["directives"]["!"] == "partial"


@given(st.text(max_size=300), st.sampled_from(sorted(config_files.FORMATS)), st.booleans())
def test_parsers_take_any_text(text, form, flag):
    how = dict(config_files.profile({"file": "/x"}), format=form, folded=flag, lower=flag)
    for section, name, value, where in config_files.parse(text.split("\n"), "/f", how):
        assert isinstance(section + name + value, str)
        assert where.startswith("/f:")


@given(
    st.lists(
        st.tuples(st.from_regex(r"[a-z_]{1,9}", fullmatch=True), st.from_regex(r"[A-Za-z0-9]{1,8}", fullmatch=True))
    )
)
def test_what_is_written_is_read(items):
    for form, pattern in (("ini", "%s = %s"), ("keyvalue", "%s=%s"), ("words", "%s %s"), ("postfix", "%s = %s")):
        how = dict(config_files.profile({"file": "/x"}), format=form)
        found = config_files.parse([pattern % item for item in items], "/f", how)
        assert [(name, value) for _section, name, value, _where in found] == items

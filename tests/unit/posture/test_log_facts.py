"""What rsyslog, AIDE and the kernel's switches mean, beyond the cases of the controls."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import config_files
from ansible_collections.ringwall.servers.plugins.module_utils.tables import audit_rules
from ansible_collections.ringwall.servers.plugins.plugin_utils.content.errors import ContentError, Where
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.aide_rules import Rules, unfolded
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.resources import RESOURCES
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.resources.base import worst
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.rsyslog_facts import everything_of
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.view import Snapshot, TableView
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("selector", "facility", "passes"),
    [
        ("cron.*", "cron", True),
        ("*.*", "cron", True),
        ("*.debug", "cron", True),
        ("*.*;cron.none", "cron", False),
        ("*.none;cron.*", "cron", True),
        ("auth,authpriv.*", "authpriv", True),
        ("AUTH.*", "auth", True),
        ("cron.info", "cron", False),
        ("*.*;cron.!info", "cron", False),
        ("cron", "cron", False),
        ("", "cron", False),
        ("mail.*", "cron", False),
    ],
)
def test_selectors(selector, facility, passes):
    assert everything_of(selector, facility) is passes


@given(st.text(max_size=60))
def test_any_selector_is_taken(text):
    assert everything_of(text, "cron") in (True, False)


def rules(text):
    how = config_files.profile({"file": "/etc/aide.conf"})
    names = ("section", "name", "value", "where")
    found = config_files.parse(text.splitlines(), "/etc/aide.conf", how)
    return Rules([dict(zip(names, line, strict=True)) for line in found])


def test_definitions_are_unfolded_and_taken_out():
    groups = {"A": "p+i+sha256", "B": "A+sha512-sha256", "C": "C+n"}
    assert unfolded("B", groups) == {"p", "i", "sha512"}
    assert {"p", "md5", "acl"} <= unfolded("R", groups)
    assert "md5" not in unfolded("R-md5", groups)
    assert "n" in unfolded("C", groups)  # a circle ends


def test_selections_name_paths_in_both_halves_and_after_types():
    found = rules("G = p+sha512\n/sbin/auditctl$ f G\n!/var\n=/etc G+n\n")
    assert found.of("/usr/sbin/auditctl")[0] == {"p", "sha512"}
    assert found.of("/sbin/auditctl")[1] == "/etc/aide.conf:2"
    assert found.of("/sbin/auditd") == (None, None)
    assert [pattern for pattern, _attributes, _where in found.attributes()] == ["/sbin/auditctl$", "/etc"]


@given(st.text(alphabet="pRin+-sha512 ", max_size=40))
def test_any_expression_is_taken(text):
    assert isinstance(unfolded(text, {"R": text}), set)


AUDIT = RESOURCES["audit_rule"]


def judge(lines, **statement):
    rows = audit_rules.parse([("/etc/audit/rules.d/a.rules", lines)])
    status = {"enabled": 2, "failure": 2, "login_ids_immutable": True}
    tables = {
        "audit_rules": TableView("audit_rules", rows=rows),
        "audit_status": TableView("audit_status", rows={"host": status}),
    }
    AUDIT.check(statement, Where("c.yml", 1))
    return worst(AUDIT.judge(statement, Snapshot(tables)))


def test_switches_name_what_is_missing():
    verdict = judge(["-b 8192"], failure_mode=2)
    assert (verdict.status, verdict.evidence[0]["what"]) == ("fail", "not on disk: -f 2")
    assert judge(["-f 2"], failure_mode=1).status == "pass"
    assert judge(["-f x"], failure_mode=1).status == "fail"
    assert judge(["-c"], continue_loading=True).status == "pass"
    assert judge(["--loginuid-immutable", "-e 2"], login_ids_immutable=True, immutable=True).status == "pass"


def test_switches_are_what_hardening_writes():
    statement = {"immutable": True, "failure_mode": 2, "continue_loading": True, "login_ids_immutable": True}
    lines = [item["rule"] for item in AUDIT.settings(statement)]
    assert lines == ["-e 2", "-f 2", "-c", "--loginuid-immutable"]
    assert judge(lines, **statement).status == "pass"


@pytest.mark.parametrize("wrong", [{"failure_mode": 3}, {"continue_loading": False}, {"login_ids": True}])
def test_malformed_switches(wrong):
    with pytest.raises(ContentError):
        AUDIT.check(wrong, Where("c.yml", 1))


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("rsyslog", {"receives": True}),
        ("rsyslog", {"file_mode": "rw"}),
        ("rsyslog", {"logs": "cron"}),
        ("rsyslog", {"forward": True}),
        ("aide", {"programs": ["/sbin/auditctl"]}),
        ("aide", {"strong_digests": False}),
        ("aide", {"every": "acl"}),
        ("log_files", [{"mode": "999"}]),
        ("log_files", [{"owner": "root"}]),
        ("log_files", []),
        ("log_files", [{"path": "/x"}]),
    ],
)
def test_malformed_statements(name, wrong):
    with pytest.raises(ContentError):
        RESOURCES[name].check(wrong, Where("c.yml", 1))


def test_what_hardening_is_told_of_logs_and_programs():
    mode = RESOURCES["rsyslog"].settings({"file_mode": "0640", "streamdriver": {"one_of": ["gtls"]}, "receives": False})
    assert [item["line"] for item in mode] == ["$FileCreateMode 0640"]
    assert mode[0]["follow"] == "restart:rsyslog"
    told = RESOURCES["aide"].settings({"programs": ["/sbin/auditd"], "attributes": ["p", "sha512"]})
    assert told == [{"kind": "aide", "program": "/sbin/auditd", "attributes": "p+sha512"}]

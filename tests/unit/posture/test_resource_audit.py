"""Rules are parsed from lines of rule files and of ``auditctl -l``, then judged."""

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import audit_coverage
from ansible_collections.ringwall.servers.plugins.module_utils.audit_rules import parse_rule, rule_key
from ansible_collections.ringwall.servers.plugins.module_utils.tables import audit_config, audit_rules
from ansible_collections.ringwall.servers.plugins.module_utils.tables import audit_rules_loaded as loaded_rules
from ansible_collections.ringwall.servers.plugins.plugin_utils.content.errors import ContentError, Where
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.resources import RESOURCES
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.resources.base import worst
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.view import Snapshot, TableView
from hypothesis import given
from hypothesis import strategies as st

RULE, AUDITD = RESOURCES["audit_rule"], RESOURCES["auditd"]
FILE = "/etc/audit/rules.d/50-test.rules"
CHMOD = "-a always,exit -F arch=b64 -S chmod,fchmod,fchmodat -F auid>=1000 -F auid!=unset"


def snapshot(disk=(), loaded=(), architecture="x86_64", path=FILE, **others):
    tables = {
        "audit_rules": TableView("audit_rules", rows=audit_rules.parse([(path, list(disk))])),
        "audit_rules_loaded": TableView("audit_rules_loaded", rows=loaded_rules.parse(list(loaded))[0]),
        "platform": TableView("platform", rows={"host": {"architecture": architecture}}),
    }
    return Snapshot(tables | others)


def judge(view, *rules, **more):
    statement = {"rules": list(rules)} if rules else {}
    RULE.check(statement | more, Where("c.yml", 1))
    return worst(RULE.judge(statement | more, view))


def both(lines, **more):
    return snapshot(lines, lines, **more)


def test_a_rule_must_be_loaded_and_on_disk():
    assert judge(both([CHMOD]), CHMOD).status == "pass"
    verdict = judge(snapshot([CHMOD], []), CHMOD)
    assert (verdict.status, verdict.actual) == ("fail", {"not loaded": [CHMOD]})
    verdict = judge(snapshot([], [CHMOD]), CHMOD)
    assert (verdict.status, verdict.actual) == ("fail", {"not on disk": [CHMOD]})
    assert verdict.evidence[0]["what"] == f"not on disk: {CHMOD}"


def test_evidence_names_file_and_line():
    halves = RULE.judge({"rules": [CHMOD]}, both(["# permissions", "", CHMOD + " -k perm_mod"]))
    assert halves[0].evidence[0]["where"] == f"{FILE}:3"


@pytest.mark.parametrize(
    "line",
    [
        CHMOD + " -k some_other_key",
        "-a exit,always -F auid!=4294967295 -F auid>=1000 -F arch=x86_64 -S fchmodat -S fchmod -S chmod",
        "-a always,exit -F arch=b64 -S all -F auid>=1000 -F auid!=-1",
        "-a always,exit -F arch=b64 -S chmod,fchmod,fchmodat,chown -F auid>=500 -F auid!=unset",
        "-a always,exit -F arch=b64 -S chmod,fchmod,fchmodat",
    ],
)
def test_another_spelling_and_a_wider_rule_do_as_well(line):
    assert judge(both([line]), CHMOD).status == "pass"


@pytest.mark.parametrize(
    "line",
    [
        "-a always,exit -F arch=b64 -S chmod,fchmod -F auid>=1000 -F auid!=unset",
        "-a always,exit -F arch=b32 -S chmod,fchmod,fchmodat -F auid>=1000 -F auid!=unset",
        "-a always,exit -F arch=b64 -S chmod,fchmod,fchmodat -F auid>=2000 -F auid!=unset",
        "-a always,exit -F arch=b64 -S chmod,fchmod,fchmodat -F auid>=1000 -F auid!=unset -F uid=0",
        "-a never,exit -F arch=b64 -S chmod,fchmod,fchmodat -F auid>=1000 -F auid!=unset",
        "-w /etc/passwd -p wa",
    ],
)
def test_a_narrower_rule_does_not(line):
    assert judge(both([line]), CHMOD).status == "fail"


def test_system_calls_may_be_spread_over_several_rules():
    rest = "-F auid>=1000 -F auid!=unset"
    lines = [f"-a always,exit -F arch=b64 -S {name} {rest}" for name in ("chmod", "fchmod", "fchmodat")]
    assert judge(both(lines), CHMOD).status == "pass"
    verdict = judge(both(lines[:2]), CHMOD)
    assert verdict.status == "fail"
    assert "(fchmodat not covered)" in verdict.evidence[0]["what"]


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("-w /etc/sudoers -p wa -k scope", "pass"),
        ("-w /etc/sudoers -p rwxa", "pass"),
        ("-w /etc/sudoers -p w", "fail"),
        ("-w /etc/ -p wa", "pass"),
        ("-w /etc/sudoers.d/ -p wa", "fail"),
        ("-a always,exit -F path=/etc/sudoers -F perm=wa -F key=x", "pass"),
        ("-a always,exit -F arch=b64 -F path=/etc/sudoers -F perm=wa", "fail"),
    ],
)
def test_watches(line, status):
    assert judge(both([line]), {"watch": "/etc/sudoers", "perm": "wa"}).status == status


def test_a_watch_may_be_split_over_both_machines():
    lines = [f"-a always,exit -F arch={arch} -F path=/etc/sudoers -F perm=wa" for arch in ("b64", "b32")]
    assert judge(both(lines), {"watch": "/etc/sudoers"}).status == "pass"


def test_run_and_var_run_are_one_place():
    assert judge(both(["-w /run/faillock -p wa"]), {"watch": "/var/run/faillock"}).status == "pass"


def test_never_task_undoes_every_rule():
    verdict = judge(both(["-a never,task", CHMOD]), CHMOD)
    assert verdict.status == "fail"
    assert "never,task" in verdict.evidence[0]["what"]


def test_an_earlier_rule_that_excludes_wins_and_a_later_one_does_not():
    never = "-a never,exit -F arch=b64 -S chmod"
    assert judge(both([never, CHMOD]), CHMOD).status == "fail"
    assert judge(both([CHMOD, never]), CHMOD).status == "pass"
    assert judge(both(["-a never,exit -F arch=b64 -S chmod -F uid=33", CHMOD]), CHMOD).status == "pass"


def test_rules_of_rules_d_count_and_the_compiled_file_only_without_them():
    compiled = snapshot([CHMOD], [CHMOD], path="/etc/audit/audit.rules")
    assert judge(compiled, CHMOD).status == "pass"
    rows = audit_rules.parse([(FILE, ["-w /etc/hosts -p wa"]), ("/etc/audit/audit.rules", [CHMOD])])
    mixed = snapshot([], [CHMOD], audit_rules=TableView("audit_rules", rows=rows))
    assert judge(mixed, CHMOD).actual == {"not on disk": [CHMOD]}


def test_in_a_container_the_kernel_half_is_unreadable_and_a_missing_file_still_fails():
    denied = TableView("audit_rules_loaded", state="denied", why="the kernel's audit belongs to the container's host")
    verdict = judge(snapshot([CHMOD], audit_rules_loaded=denied), CHMOD)
    assert (verdict.status, "container's host" in verdict.reason) == ("unreadable", True)
    assert judge(snapshot([], audit_rules_loaded=denied), CHMOD).status == "fail"


def test_system_calls_that_a_machine_does_not_have_are_not_asked_for():
    on_arm = "-a always,exit -F arch=b64 -S fchmod,fchmodat -F auid>=1000 -F auid!=unset"
    assert judge(both([on_arm], architecture="aarch64"), CHMOD).status == "pass"
    assert judge(both([on_arm]), CHMOD).status == "fail"
    thirty_two = CHMOD.replace("b64", "b32")
    assert judge(both([thirty_two], architecture="i686"), CHMOD, thirty_two).status == "pass"


def walk(*rows, state="ok"):
    found = {"filesystem:/": {"kind": "filesystem", "options": ["rw", "relatime"]}}
    found["filesystem:/mnt"] = {"kind": "filesystem", "options": ["rw", "nosuid"]}
    for path, place in rows:
        found[path] = {"kind": "found", "type": "file", "filesystem": place, "setuid": True, "setgid": False}
    return TableView("file_walk", rows=found, state=state, why="time is up" if state == "partial" else "")


def test_every_setuid_program_needs_its_rule():
    line = "-a always,exit -F path=/usr/bin/su -F perm=x -F auid>=1000 -F auid!=unset -k privileged"
    wanted = {"privileged_commands": {"min_uid": 1000}}
    one = walk(("/usr/bin/su", "/"), ("/mnt/su", "/mnt"))
    assert judge(both([line], file_walk=one), **wanted).status == "pass"
    two = walk(("/usr/bin/su", "/"), ("/usr/bin/mount", "/"))
    verdict = judge(both([line], file_walk=two), **wanted)
    assert verdict.status == "fail"
    assert "path=/usr/bin/mount" in verdict.evidence[0]["what"]
    assert judge(both([line], file_walk=walk(("/usr/bin/su", "/"), state="partial")), **wanted).status == "unreadable"
    assert judge(both([], file_walk=walk(("/usr/bin/su", "/"), state="partial")), **wanted).status == "fail"
    assert judge(both([], file_walk=walk()), **wanted).status == "not_applicable"
    tree = "-a always,exit -F dir=/usr/bin -F perm=x -F auid>=1000 -F auid!=unset"
    assert judge(both([tree], file_walk=two), **wanted).status == "pass"


@pytest.mark.parametrize(
    ("lines", "enabled", "status"),
    [(["-e 2"], 2, "pass"), (["-e 2"], 1, "fail"), (["-e 1"], 2, "fail"), ([], 2, "fail"),
     (["-e 2", "-e 1"], 2, "fail"), (["-e 1", "-e 2"], 2, "pass")],
)  # fmt: skip
def test_immutable_means_the_last_line_on_disk_and_the_kernel(lines, enabled, status):
    status_table = TableView("audit_status", rows={"host": {"enabled": enabled}})
    assert judge(snapshot(lines, audit_status=status_table), immutable=True).status == status


def test_immutable_in_a_container_is_unreadable():
    denied = TableView("audit_status", state="denied", why="belongs to the host")
    assert judge(snapshot(["-e 2"], audit_status=denied), immutable=True).status == "unreadable"


def test_consistent_compares_both_ways():
    watch = "-w /etc/group -p wa"
    assert judge(both([CHMOD, watch]), consistent=True).status == "pass"
    assert judge(both([]), consistent=True).status == "not_applicable"
    verdict = judge(snapshot([CHMOD], [watch]), consistent=True)
    assert verdict.status == "fail"
    assert [item["what"].split(":")[0] for item in verdict.evidence] == ["not loaded", "not on disk"]


@pytest.mark.parametrize(
    "statement",
    [{"rules": []}, {"rules": ["-w etc"]}, {"rules": ["-e 2"]}, {"rules": [{"watch": "x"}]}, {"immutable": False},
     {"rule": ["-w /x -p wa"]}, {"privileged_commands": {}}, {"rules": [{"watch": "/x", "perms": "w"}]}],
)  # fmt: skip
def test_malformed_statements_are_refused_at_load(statement):
    with pytest.raises(ContentError):
        RULE.check(statement, Where("c.yml", 1))


CALLS = st.lists(st.sampled_from(["chmod", "open", "unlink", "mount", "execve"]), min_size=1, max_size=4, unique=True)
FIELDS = st.lists(
    st.sampled_from(["-F auid>=1000", "-F auid!=unset", "-F perm=wa", "-F path=/etc/x", "-F uid=0"]), unique=True
)


@given(CALLS, FIELDS, CALLS, FIELDS)
def test_a_rule_covers_itself_and_never_one_that_has_more_to_say(calls, fields, others, filters):
    line = " ".join(["-a always,exit -F arch=b64 -S", ",".join(calls), *fields])
    other = " ".join(["-a always,exit -F arch=b64 -S", ",".join(others), *filters])
    wanted, rule = parse_rule(line), parse_rule(other)
    assert audit_coverage.uncovered(wanted, audit_coverage.Rules([wanted]))[0] is False
    covered = audit_coverage.uncovered(wanted, audit_coverage.Rules([rule]))[0] is False
    assert covered == (set(calls) <= set(others) and set(filters) <= set(fields)), (rule_key(wanted), rule_key(rule))


# auditd.conf ----------------------------------------------------------------------------------------------

DEBIAN = """\
# This file controls the configuration of the audit daemon
local_events = yes
log_file = /var/log/audit/audit.log
log_group = adm
max_log_file = 8
num_logs = 5
max_log_file_action = ROTATE
space_left_action = SYSLOG
action_mail_acct = root
admin_space_left_action = SUSPEND
disk_full_action = SUSPEND
disk_error_action = SUSPEND
"""


def config(text):
    return Snapshot({"audit_config": TableView("audit_config", rows=audit_config.parse(text.splitlines()))})


@pytest.mark.parametrize(
    ("name", "expected", "status"),
    [
        ("max_log_file", {"min": 6}, "pass"),
        ("max_log_file", {"min": 9}, "fail"),
        ("max_log_file_action", "rotate", "pass"),
        ("max_log_file_action", "keep_logs", "fail"),
        ("disk_full_action", {"one_of": ["halt", "single"]}, "fail"),
        ("log_group", {"one_of": ["adm", "root"]}, "pass"),
        ("action_mail_acct", "ROOT", "fail"),
        ("log_directory", "/var/log/audit", "pass"),
        ("log_directory", "/srv/audit", "unreadable"),
    ],
)
def test_debian_s_own_file(name, expected, status):
    AUDITD.check({name: expected}, Where("c.yml", 1))
    assert worst(AUDITD.judge({name: expected}, config(DEBIAN))).status == status


def test_what_the_file_lacks_has_the_daemon_s_default():
    verdict = worst(AUDITD.judge({"disk_error_action": {"one_of": ["syslog", "halt"]}}, config("max_log_file = 8\n")))
    assert verdict.status == "pass"
    assert verdict.evidence[0]["what"] == "disk_error_action is not set: the default is syslog"
    assert worst(AUDITD.judge({"max_log_file": {"min": 6}}, config("num_logs = 5\n"))).status == "fail"


def test_the_last_of_two_values_counts_and_both_are_shown():
    text = "max_log_file = 8\nmax_log_file = 1\n"
    verdict = worst(AUDITD.judge({"max_log_file": {"min": 6}}, config(text)))
    assert verdict.status == "fail"
    assert [item["where"] for item in verdict.evidence] == ["/etc/audit/auditd.conf:2", "/etc/audit/auditd.conf:1"]


def test_without_the_file_settings_fail_and_logs_do_not_apply():
    assert worst(AUDITD.judge({"max_log_file": {"min": 6}}, config(""))).status == "fail"
    assert worst(AUDITD.judge({"log_directory": "/var/log/audit"}, config(""))).status == "not_applicable"

"""Rules and settings of the audit, logs and AIDE as operations."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.audit_rules import parse_rule, rule_key
from ansible_collections.ringwall.servers.plugins.module_utils.changes import spec
from ansible_collections.ringwall.servers.plugins.module_utils.tables import audit_rules
from ansible_collections.ringwall.servers.plugins.plugin_utils.hardening.kinds import KINDS, audit_rule
from hypothesis import given
from hypothesis import strategies as st

PASSWD = "-w /etc/passwd -p wa"
CHMOD = "-a always,exit -F arch=b64 -S chmod,fchmod,fchmodat -F auid>=1000 -F auid!=unset"


def ops(kind, settings, facts):
    done = KINDS[kind].operations(settings, facts)
    for operation in done:
        if operation["op"] not in ("left", "reboot", "package"):
            spec.check_operation(operation)
    return done


def rules(facts, *files, **tables):
    rows = audit_rules.parse([(path, text.splitlines()) for path, text in files])
    return facts({"audit_rules": rows, **tables}, platform={"architecture": "x86_64"})


def by_path(done):
    return {operation.get("path"): operation for operation in done}


def lines(operation):
    return [one["line"] for one in operation["edits"]]


def test_rules_go_into_files_of_ours_that_only_root_reads(facts, chosen):
    done = by_path(ops("audit_rule", chosen({"rule": PASSWD}, {"rule": CHMOD}), rules(facts)))
    assert lines(done[audit_rule.RULES]) == [PASSWD + " -k rw_0", CHMOD + " -k rw_1"]
    assert [one["controls"] for one in done[audit_rule.RULES]["edits"]] == [["linux.test.0"], ["linux.test.1"]]
    assert lines(done[audit_rule.FIRST]) == ["-D"]
    assert lines(done[audit_rule.LAST]) == ["-b 8192"]
    assert {one["follow"][0] for one in done.values()} == {"augenrules"}
    assert {one.get("mode") or one["create"]["mode"] for one in done.values()} == {"0600"}
    text = done[audit_rule.DETECTION]["text"]
    assert "-S execve,execveat -k rw_exec" in text
    assert PASSWD not in text  # the rules of the benchmark record it already
    assert text.rindex("rw_exec") > text.rindex("rw_root")  # the first rule that fits decides


def test_what_others_record_is_not_doubled_and_their_files_are_left_alone(facts, chosen):
    site = ("/etc/audit/rules.d/50-site.rules", PASSWD + " -k theirs\n-w /etc/ssh -p wa -k ssh\n-b 16384\n")
    done = by_path(ops("audit_rule", chosen({"rule": PASSWD}, {"rule": CHMOD}), rules(facts, site)))
    assert lines(done[audit_rule.RULES]) == [CHMOD + " -k rw_1"]
    assert "/etc/ssh" not in done[audit_rule.DETECTION]["text"]
    assert audit_rule.LAST not in done  # a longer queue is set already
    assert set(done) <= set(audit_rule.OURS)


def test_a_second_run_for_one_more_rule_keeps_the_text_for_detection(facts, chosen):
    first = by_path(ops("audit_rule", chosen({"rule": PASSWD}, {"rule": CHMOD}), rules(facts)))
    written = [(path, "\n".join(lines(one)) if "edits" in one else one["text"]) for path, one in first.items()]
    second = by_path(ops("audit_rule", chosen({"rule": "-w /etc/group -p wa"}), rules(facts, *written)))
    assert lines(second[audit_rule.RULES]) == ["-w /etc/group -p wa -k rw_0"]
    before = first[audit_rule.DETECTION]["text"].splitlines()
    assert [line for line in before if line not in second[audit_rule.DETECTION]["text"].splitlines()] == [
        "-w /etc/group -p wa -k rw_identity"
    ]


def test_switches_stand_where_augenrules_takes_the_last(facts, chosen):
    debian = ("/etc/audit/rules.d/audit.rules", "-D\n-b 320\n-f 1\n")
    settings = chosen({"rule": "-f 2"}, {"rule": "-c"}, {"rule": "-e 2"}, {"rule": "--loginuid-immutable"})
    done = by_path(ops("audit_rule", settings, rules(facts, debian)))
    assert lines(done[audit_rule.FIRST]) == ["-D", "-c"]
    assert lines(done[audit_rule.LAST]) == ["-f 2", "-e 2", "--loginuid-immutable", "-b 8192"]
    names = [path.rpartition("/")[2] for path in (audit_rule.FIRST, "/x/audit.rules", audit_rule.LAST)]
    assert sorted(names, key=audit_rules.by_version) == names


def test_the_queue_grows_where_records_were_lost(facts, chosen):
    status = {"audit_status": {"host": {"lost": 12, "enabled": 1}}}
    done = by_path(ops("audit_rule", chosen({"rule": PASSWD}), rules(facts, **status)))
    assert lines(done[audit_rule.LAST]) == ["-b 16384"]


def test_locked_rules_wait_for_the_next_boot(facts, chosen):
    status = {"audit_status": {"host": {"lost": 0, "enabled": 2}}}
    done = ops("audit_rule", chosen({"rule": PASSWD}), rules(facts, **status))
    assert [one["op"] for one in done].count("reboot") == 1
    assert not any(one.get("follow") for one in done)


def test_never_task_of_others_is_named_and_not_removed(facts, chosen):
    fedora = ("/etc/audit/rules.d/audit.rules", "-D\n-a task,never\n")
    done = ops("audit_rule", chosen({"rule": PASSWD}), rules(facts, fedora))
    assert [one["reason"] for one in done if one["op"] == "left"] == [
        "/etc/audit/rules.d/audit.rules:2: never,task switches auditing off, and that file is not ours"
    ]
    assert lines(by_path(done)[audit_rule.RULES]) == [PASSWD + " -k rw_0"]


def test_a_container_has_no_audit_of_its_own(facts, chosen):
    assert [
        one["op"] for one in ops("audit_rule", chosen({"rule": PASSWD}), facts(platform={"own_kernel": False}))
    ] == ["left"]


def test_a_directory_that_is_not_there_cannot_be_watched(facts, chosen):
    tables = {"file_attributes": {"/etc/network": {"exists": False}, "/etc/apparmor.d": {"exists": True}}}
    settings = chosen({"rule": "-w /etc/network/ -p wa"}, {"rule": "-w /etc/apparmor.d/ -p wa"})
    done = ops("audit_rule", settings, rules(facts, **tables))
    assert [one["reason"] for one in done if one["op"] == "left"] == [
        "/etc/network does not exist: the kernel refuses to watch it"
    ]
    assert lines(by_path(done)[audit_rule.RULES]) == ["-w /etc/apparmor.d/ -p wa -k rw_1"]


def test_a_call_that_old_programs_do_not_know_would_cost_the_whole_file(facts, chosen):
    new = "-a always,exit -F arch=b64 -S fchmodat2 -F auid>=1000 -F auid!=unset"
    for version, kinds in (("1:3.0.9-1", ["left"]), ("1:4.0.2-2", [])):
        packages = {"auditd:amd64": {"name": "auditd", "version": version, "installed": True}}
        done = ops("audit_rule", chosen({"rule": new}), rules(facts, packages=packages))
        assert [one["op"] for one in done if one["op"] == "left"] == kinds


def test_calls_that_a_machine_does_not_have_are_left_out(facts, chosen):
    rows = facts({"audit_rules": {}}, platform={"architecture": "aarch64"})
    done = by_path(ops("audit_rule", chosen({"rule": CHMOD}), rows))
    (line,) = lines(done[audit_rule.RULES])
    assert parse_rule(line)["syscalls"] == ["fchmod", "fchmodat"]


def walk(*paths):
    rows = {"filesystem:/": {"kind": "filesystem", "options": ["rw"]}}
    found = {"kind": "found", "type": "file", "filesystem": "/", "setuid": True, "setgid": False}
    return {**rows, **dict.fromkeys(paths, found)}


def test_privileged_programs_are_those_of_the_host(facts, chosen):
    odd = ["/usr/bin/a b", "/usr/bin/../x", "/usr/bin/x\n-e 0", "relative", "/usr/bin/$(id)"]
    tables = {"file_walk": walk("/usr/bin/sudo", "/opt/.x/run+me", *odd)}
    settings = chosen({"privileged_commands": {"min_uid": 1000}})
    done = by_path(ops("audit_rule", settings, rules(facts, **tables)))
    assert [line.split(" -F ")[1] for line in lines(done[audit_rule.RULES])] == [
        "path=/opt/.x/run+me",
        "path=/usr/bin/sudo",
    ]


def test_programs_on_file_systems_without_those_bits_do_not_count(facts):
    rows = walk("/mnt/x")
    rows["filesystem:/"]["options"] = ["nosuid"]
    assert audit_rule.privileged_programs(facts({"file_walk": rows})) == []


@given(
    st.lists(st.sampled_from(["chmod", "open", "execve"]), max_size=3, unique=True),
    st.sampled_from(["b64", "b32", None]),
    st.sampled_from(["", " -C uid!=euid -F euid=0", " -F auid>=1000 -F auid!=unset", " -F path=/x -F perm=x"]),
)
def test_a_rule_that_is_written_anew_is_the_same_rule(calls, arch, rest):
    line = "-a always,exit" + (f" -F arch={arch}" if arch else "") + (f" -S {','.join(calls)}" if calls else "") + rest
    parsed = parse_rule(line)
    assert rule_key(parse_rule(audit_rule.rule_line(parsed))) == rule_key(parsed)


@pytest.mark.skipif(not shutil.which("augenrules"), reason="needs augenrules")
def test_the_rules_for_detection_are_rules(facts):
    text = audit_rule.detection(audit_rule._Known(rules(facts)), [])
    found = [parse_rule(line) for line in text.splitlines() if line.startswith("-")]
    assert {row["kind"] for row in found} == {"rule"}
    assert {row["arch"] for row in found if "execve" in row["syscalls"]} == {"b64", "b32"}
    assert subprocess.run(["augenrules", "--check"], capture_output=True, check=False).returncode in (0, 1)


def test_settings_of_the_daemon_are_one_edit_that_is_checked(facts, chosen):
    settings = chosen({"name": "space_left", "value": "25%"}, {"name": "max_log_file", "value": 8})
    (done,) = ops("auditd", settings, facts())
    assert (done["path"], done["validate"], done["follow"]) == ("/etc/audit/auditd.conf", "auditd", ["auditd-restart"])
    assert [(one["set"], one["value"]) for one in done["edits"]] == [("max_log_file", "8"), ("space_left", "25%")]


def test_two_values_for_one_setting_are_left_to_people(facts, chosen):
    settings = chosen(
        {"name": "disk_full_action", "value": "halt"},
        {"name": "disk_full_action", "value": "single"},
        {"name": "log_group", "value": "root\nx = y"},
    )
    assert [one["op"] for one in ops("auditd", settings, facts())] == ["left", "left"]


LOG = {"type": "file", "mode": 0o644, "uid": 0, "gid": 0, "owner": "root", "group": "root"}


def test_logs_lose_bits_and_those_of_services_keep_their_owner(facts, chosen):
    rows = {
        "/var/log": {**LOG, "type": "directory"},
        "/var/log/a.log": LOG,
        "/var/log/b.log": {**LOG, "mode": 0o640, "gid": 1000, "group": "ann"},
        "/var/log/db/c.log": {**LOG, "uid": 106, "owner": "postgres"},
        "/var/log/fine": {**LOG, "mode": 0o600},
        "/var/log/../../etc/passwd": LOG,
        "/var/log/wtmp": {**LOG, "mode": 0o664, "gid": 43, "group": "utmp"},
    }
    entries = [
        {"names": ["wtmp*"], "mode": "0664", "group": ["root", "utmp"]},
        {"mode": "0640", "owner": ["root"], "group": ["root", "adm"]},
    ]
    done = ops("log_files", chosen({"entries": entries}), facts({"log_files": rows}, family="rhel"))
    shown = [{key: one[key] for key in ("path", "clear_mode", "owner", "group") if key in one} for one in done[:-1]]
    assert shown == [
        {"path": "/var/log/a.log", "clear_mode": "7137"},
        {"path": "/var/log/b.log", "group": "root"},
        {"path": "/var/log/db/c.log", "clear_mode": "7137"},
    ]
    assert done[-1]["op"] == "left"
    assert "/var/log/db/c.log" in done[-1]["reason"]


def test_logs_that_the_first_package_makes_are_thought_of(facts, chosen):
    entries = [{"mode": "0640", "owner": ["root"], "group": ["root", "adm"]}]
    rows = {"/var/log/dpkg.log": {**LOG, "mode": 0o640}}
    done = ops("log_files", chosen({"entries": entries}), facts({"log_files": rows}))
    assert {(one["path"], one["clear_mode"], one["missing_ok"]) for one in done} == {
        ("/var/log/alternatives.log", "7137", True),
        ("/var/log/apt/history.log", "7137", True),
        ("/var/log/apt/term.log", "7137", True),
    }


COMMON = {"packages": {"aide-common": {"name": "aide-common", "installed": True}}}


@pytest.mark.parametrize(("family", "path"), [("debian", "/etc/aide/aide.conf"), ("rhel", "/etc/aide.conf")])
def test_programs_that_aide_shall_watch(facts, chosen, family, path):
    (done,) = ops("aide", chosen({"program": "/sbin/auditctl", "attributes": "p+sha512"}), facts(COMMON, family=family))
    assert done["path"] == path
    assert done["edits"][0]["line"] == "/sbin/auditctl p+sha512"
    assert (
        ops("aide", chosen({"program": "/sbin/auditctl", "attributes": "p"}), facts(family="alpine"))[0]["op"] == "left"
    )


def test_aide_looks_every_day(facts, chosen):
    (timer,) = ops("aide", chosen({"schedule": "daily"}), facts(COMMON))
    assert (timer["op"], timer["name"], timer["enabled"]) == ("unit", "dailyaidecheck.timer", True)
    (job,) = ops("aide", chosen({"schedule": "daily"}), facts(family="rhel"))
    assert (job["path"], job["mode"]) == ("/etc/cron.d/ringwall-aide", "0600")
    assert "/usr/sbin/aide --check" in job["text"]


def test_where_the_package_brings_no_configuration_aide_gets_one(facts, chosen):
    nothing = {"config": {"/etc/aide/aide.conf": {"exists": False}}}
    rules, job = ops("aide", chosen({"schedule": "daily"}), facts(nothing))
    assert (rules["path"], rules["create"]["mode"]) == ("/etc/aide/aide.conf", "0640")
    assert "/usr/bin/aide --config /etc/aide/aide.conf --check" in job["text"]
    config = {"/etc/aide/aide.conf": {"exists": True}}
    (job,) = ops("aide", chosen({"schedule": "daily"}), facts({"config": config}))
    assert job["path"] == "/etc/cron.d/ringwall-aide"  # a site's own configuration is not added to
    if shutil.which("aide"):
        text = "\n".join(one["line"] for one in rules["edits"]) + "\n"
        done = subprocess.run(["aide", "--config=/dev/stdin", "--config-check"], input=text, text=True, check=False)
        assert done.returncode == 0


@pytest.mark.parametrize(
    ("family", "database"), [("debian", "/var/lib/aide/aide.db"), ("rhel", "/var/lib/aide/aide.db.gz")]
)
def test_the_first_database_of_aide_is_made_later_once(facts, chosen, family, database):
    (job,) = ops("aide", chosen({"database": True}), facts(COMMON, family=family))
    assert (job["op"], job["path"], job["mode"]) == ("write", "/etc/cron.d/ringwall-first-database", "0600")
    assert job["makes"] == ["/var/lib/aide", database, database.replace(".db", ".db.new")]
    line = job["text"].splitlines()[-1]
    assert line.startswith(f"*/5 * * * * root test -e {database} || ")
    assert line.endswith(f"mv {job['makes'][2]} {database} ) >/dev/null 2>&1")
    assert "%" not in line  # cron would end the command there
    assert subprocess.run(["sh", "-n", "-c", line.split("root ", 1)[1]], check=False).returncode == 0
    assert ops("aide", chosen({"database": True}), facts(family="alpine"))[0]["op"] == "left"


def test_a_directive_that_a_later_file_takes_back_is_set_there_too(facts, chosen):
    path = "/etc/systemd/journald.conf"
    setting = {
        "path": path, "drop_in": f"{path}.d/60-ringwall.conf", "read": "after", "format": "systemd",
        "section": "Journal", "name": "Storage", "value": "persistent", "follow": "restart:systemd-journald",
    }  # fmt: skip
    lines_ = [(path, "auto"), (f"{path}.d/10-a.conf", "none"), (f"{path}.d/90-b.conf", "volatile")]
    directives = [
        {"section": "Journal", "name": "Storage", "value": value, "where": f"{where}:2"} for where, value in lines_
    ]
    known = facts({"config": {path: {"exists": True, "directives": directives}}})
    assert [one["path"] for one in ops("config", chosen(setting), known)] == [
        f"{path}.d/60-ringwall.conf",
        f"{path}.d/90-b.conf",
    ]


def test_a_directive_of_pwquality_is_set_where_it_has_the_last_word(facts, chosen):
    path = "/etc/security/pwquality.conf"
    setting = {
        "path": path, "drop_in": f"{path}.d/60-ringwall.conf", "read": "before", "format": "keyvalue",
        "section": None, "name": "minlen", "value": "14", "follow": None,
    }  # fmt: skip
    directives = [{"section": "", "name": "minlen", "value": "8", "where": f"{path}:3"}]
    known = facts({"config": {path: {"exists": True, "directives": directives}}})
    assert [one["path"] for one in ops("config", chosen(setting), known)] == [path, f"{path}.d/60-ringwall.conf"]
    (gone,) = ops("config", chosen({**setting, "value": None}), known)
    assert (gone["path"], gone["edits"][0]["unset"]) == (path, "minlen")

"""Servers are read from real configuration files by the table's own collector, then judged."""

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.collect import collect_table
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.tables import sshd as table
from ansible_collections.ringwall.servers.plugins.plugin_utils.content.errors import ContentError, Where
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.resources import RESOURCES
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.resources.base import worst
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.resources.sshd import startups, startups_within
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.view import Gap, Snapshot, TableView
from hypothesis import given
from hypothesis import strategies as st

SSHD = RESOURCES["sshd"]


def snapshot(rows, state="ok", why=""):
    return Snapshot({"sshd": TableView("sshd", state=state, why=why, rows=rows)})


def collect(root):
    got = collect_table(table, Host(str(root)), {})
    assert got["state"] == "ok", got
    return snapshot(got["rows"])


def read(tmp_path, sshd_config, **drop_ins):
    """Return the snapshot of a root with this /etc/ssh/sshd_config and these files (without .conf) below it."""
    program = tmp_path / "usr/sbin/sshd"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text("")
    directory = tmp_path / "etc/ssh/sshd_config.d"
    directory.mkdir(parents=True, exist_ok=True)
    (tmp_path / "etc/ssh/sshd_config").write_text(sshd_config)
    for name, content in drop_ins.items():
        (directory / f"{name}.conf").write_text(content)
    return collect(tmp_path)


def told(**more):
    """One row as it is when sshd -T told the values."""
    effective = {"port": ["22"], "banner": "none", "permitrootlogin": "prohibit-password", "maxstartups": "10:30:100"}
    return {
        "effective": effective | more.pop("effective", {}), "effective_root": {}, "matches": [], "running": True,
        "where": {"banner": "default"}, "source": "sshd -T", "source_why": "", "enabled": True, "outdated": False,
    } | more  # fmt: skip


def judge(statement, view):
    return worst(SSHD.judge(statement, view))


def test_the_value_of_the_file_counts_and_its_line_is_evidence(tmp_path):
    view = read(tmp_path, sshd_config="# servers\nPermitRootLogin no\nMaxAuthTries 6\n")
    assert judge({"PermitRootLogin": "no"}, view).status == "pass"
    verdict = judge({"MaxAuthTries": {"min": 1, "max": 4}}, view)
    assert (verdict.status, verdict.actual) == ("fail", {"MaxAuthTries": "6"})
    assert verdict.evidence[0]["where"].endswith("/etc/ssh/sshd_config:3")
    assert verdict.evidence[0]["what"] == "MaxAuthTries 6"


def test_the_first_value_wins_also_from_an_included_file(tmp_path):
    main = "Include /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin no\n"
    view = read(tmp_path, sshd_config=main, cloud="PermitRootLogin yes\n")
    verdict = judge({"PermitRootLogin": "no"}, view)
    assert verdict.status == "fail"
    assert verdict.evidence[0]["where"].endswith("sshd_config.d/cloud.conf:1")


def test_a_match_block_must_comply_too(tmp_path):
    view = read(tmp_path, sshd_config="PermitRootLogin no\nMatch Address 10.0.0.0/8\n  PermitRootLogin yes\n")
    verdict = judge({"PermitRootLogin": "no"}, view)
    assert verdict.status == "fail"
    assert "Match" in " ".join(item["what"] for item in verdict.evidence)
    assert any(item["where"].endswith("sshd_config:3") for item in verdict.evidence)


def test_a_match_block_with_the_right_value_is_fine(tmp_path):
    view = read(tmp_path, sshd_config="PermitRootLogin no\nMatch User backup\n  PermitRootLogin no\n")
    assert judge({"PermitRootLogin": "no"}, view).status == "pass"


def test_more_match_blocks_than_are_listed_never_pass_unless_the_program_told_what_root_gets():
    hidden = {"!": "partial", "why": "Match blocks can be resolved only by the program"}
    row = told(effective={"permitrootlogin": "no"}, matches=[{"criteria": "user x", "settings": {}}] * 60)
    assert judge({"PermitRootLogin": "no"}, snapshot({"s": row})).status == "pass"
    assert judge({"PermitRootLogin": "no"}, snapshot({"s": row | {"effective_root": hidden}})).status == "unreadable"


def test_what_root_gets_by_a_match_block_counts():
    row = told(effective={"permitrootlogin": "no"}, effective_root={"permitrootlogin": "yes"})
    verdict = judge({"PermitRootLogin": "no"}, snapshot({"s": row}))
    assert (verdict.status, verdict.actual["for root"]) == ("fail", "yes")


@pytest.mark.parametrize(
    ("line", "status"),
    [("LoginGraceTime 1m", "pass"), ("LoginGraceTime 60", "pass"), ("LoginGraceTime 2m", "fail"),
     ("LoginGraceTime 0", "fail"), ("LoginGraceTime 1h", "fail"), ("", "fail")],
)  # fmt: skip
def test_times_count_in_seconds(tmp_path, line, status):
    view = read(tmp_path, sshd_config=line + "\n")
    assert judge({"LoginGraceTime": {"min": 1, "max": 60}}, view).status == status


def test_algorithms_are_lists(tmp_path):
    view = read(tmp_path, sshd_config="Ciphers aes256-ctr,aes128-cbc\nMACs hmac-sha2-256\n")
    assert judge({"Ciphers": {"none_of": ["3des-cbc", "aes128-cbc"]}}, view).status == "fail"
    assert judge({"Ciphers": {"none_of": ["3des-cbc"]}}, view).status == "pass"
    assert judge({"MACs": {"subset_of": ["hmac-sha2-512", "hmac-sha2-256"]}}, view).status == "pass"
    assert judge({"MACs": {"subset_of": ["hmac-sha2-512"]}}, view).status == "fail"


@pytest.mark.parametrize("line", ["", "Ciphers +aes128-cbc", "Ciphers -3des*"])
def test_algorithms_that_only_the_program_can_tell_are_unreadable(tmp_path, line):
    verdict = judge({"Ciphers": {"none_of": ["3des-cbc"]}}, read(tmp_path, sshd_config=line + "\n"))
    assert verdict.status == "unreadable"
    assert "ciphers" in verdict.reason


def test_lists_of_users_are_looked_at_together(tmp_path):
    keywords = "AllowUsers|AllowGroups|DenyUsers|DenyGroups"
    assert judge({keywords: {"empty": False}}, read(tmp_path, sshd_config="DenyGroups guests\n")).status == "pass"
    assert judge({keywords: {"empty": False}}, read(tmp_path, sshd_config="Port 22\n")).status == "fail"


def test_yes_and_no_without_quotes_mean_the_words():
    view = snapshot({"s": told(effective={"usepam": "yes"})})
    assert judge({"UsePAM": True}, view).status == "pass"
    assert judge({"UsePAM": False}, view).status == "fail"


def test_every_server_that_runs_or_starts_at_boot_must_comply():
    good, bad = told(effective={"banner": "/etc/issue.net"}), told()
    statement = {"Banner": "/etc/issue.net"}
    assert judge(statement, snapshot({"a": good})).status == "pass"
    assert judge(statement, snapshot({"a": good, "b": bad})).status == "fail"
    assert judge(statement, snapshot({"a": good, "b": bad | {"running": False}})).status == "fail"
    assert judge(statement, snapshot({"a": good, "b": bad | {"running": False, "enabled": False}})).status == "pass"
    assert judge(statement, snapshot({"b": bad | {"running": False, "enabled": False}})).status == "fail"
    assert judge(statement, snapshot({"a": good, "b": bad | {"running": None, "enabled": None}})).status == "fail"


def test_a_server_older_than_its_files_is_noted():
    row = told(effective={"banner": "/etc/issue.net"}, outdated=True, started="2026-01-01T00:00:00Z")
    verdict = judge({"Banner": "/etc/issue.net"}, snapshot({"s": row}))
    assert "older than its files" in verdict.reason
    assert "started 2026-01-01T00:00:00Z" in verdict.evidence[-1]["what"]


def test_no_server_does_not_apply_and_says_so():
    verdict = judge({"UsePAM": "yes"}, snapshot({}))
    assert (verdict.status, verdict.reason) == ("not_applicable", "no SSH server is installed")


def test_a_table_that_was_not_read_is_no_absence():
    with pytest.raises(Gap):
        SSHD.judge({"UsePAM": "yes"}, snapshot({}, "denied", "permission denied"))


def test_a_partial_table_never_passes_but_what_it_shows_wrong_is_wrong():
    statement = {"Banner": "/etc/issue.net"}
    good = {"a": told(effective={"banner": "/etc/issue.net"})}
    assert judge(statement, snapshot(good, "partial", "one server could not be read")).status == "unreadable"
    assert judge(statement, snapshot({"a": told()}, "partial", "x")).status == "fail"


def test_a_server_whose_files_may_not_be_read_is_unreadable():
    hidden = {"!": "denied", "why": "run by uid 1000: its files are not read"}
    row = told() | {"effective": hidden, "where": hidden, "matches": hidden}
    verdict = judge({"Banner": "none"}, snapshot({"s": row}))
    assert verdict.status == "unreadable"
    assert "uid 1000" in verdict.reason


def test_a_keyword_the_program_does_not_know_is_off_where_that_is_its_only_meaning():
    view = snapshot({"s": told()})
    assert judge({"GSSAPIAuthentication": "no"}, view).status == "pass"
    assert judge({"UsePAM": "yes"}, view).status == "fail"


@pytest.mark.parametrize(
    ("value", "status"),
    [("10:30:60", "pass"), ("5:20:30", "pass"), ("10:30:100", "fail"), ("11:30:60", "fail"), ("10:31:60", "fail"),
     ("10", "pass"), ("10:100:10", "pass"), ("61", "fail"), ("nonsense", "fail")],
)  # fmt: skip
def test_max_startups_bounds_three_numbers(value, status):
    view = snapshot({"s": told(effective={"maxstartups": value})})
    assert judge({"MaxStartups": {"max": "10:30:60"}}, view).status == status


@pytest.mark.parametrize(
    "statement",
    [{"PermitRootLogins": "no"}, {"MaxStartups": {"max": 37860}}, {"MaxAuthTries": {"max": "4"}}, {}, "no",
     {"AllowUsers|Nobody": {"empty": False}}, {"Banner": {"like": "x"}}],
)  # fmt: skip
def test_malformed_statements_are_refused_at_load(statement):
    with pytest.raises(ContentError):
        SSHD.check(statement, Where("c.yml", 3))


@given(st.integers(1, 200), st.integers(1, 100), st.integers(1, 200))
def test_max_startups_is_within_itself_and_never_within_less(start, rate, full):
    value = f"{start}:{rate}:{full}"
    assert startups(value) == (start, rate, full)
    assert startups_within(value, value)
    assert not startups_within(value, f"{start - 1}:{rate}:{full}")
    assert not startups_within(value, f"{start}:{rate}:{full - 1}")

"""When findings open, close and keep their age, in a store of each kind."""

from __future__ import annotations

import pytest

TABLES = ("identity", "packages", "platform", "sysctl", "users")


def _ages(bench):
    # One finding in detail: what is known under a gap counts as it was.
    found = bench.store.findings(f"r{bench.count:03d}")
    return {
        (host, one["section"]): (one["known"]["since"] if one["known"] else one["last_changed"], one["first_seen"])
        for host, findings in found.items()
        for one in findings
    }


def test_a_finding_keeps_its_age_while_nothing_changes(bench):
    bench.play(0, [("a", {1: "fail", 2: "pass"})])
    second = bench.play(1, [("a", {1: "fail", 2: "pass"})])
    assert (second["unchanged"], second["opened"], second["closed"]) == (1, 0, 0)
    finding = bench.one()
    assert finding["first_seen"] == finding["last_changed"] == bench.time(0)
    assert finding["observed_at"] == bench.time(1)
    assert finding["history"] == [{"at": bench.time(0), "status": "fail"}]


def test_a_fix_closes_and_a_relapse_keeps_the_first_sight(bench):
    bench.play(0, [("a", {1: "fail"})])
    bench.play(1, [("a", {1: "pass"})])
    assert bench.store.closed() == [
        {
            "host": "a",
            "benchmark": "cis",
            "section": "1.1",
            "control": "linux.c1",
            "at": bench.time(1),
            "closed_by": "fixed",
        }
    ]
    bench.play(2, [("a", {1: "fail"})])
    finding = bench.one()
    assert (finding["first_seen"], finding["last_changed"]) == (bench.time(0), bench.time(2))
    assert [change["status"] for change in finding["history"]] == ["fail", "pass", "fail"]
    assert bench.store.history("default", "a", "cis", "1.1", "linux.c1") == finding["history"]


def test_new_evidence_is_no_new_age(bench):
    bench.play(0, [("a", {1: {"status": "fail", "actual": 5}})])
    summary = bench.play(1, [("a", {1: {"status": "fail", "actual": 6}})])
    assert (summary["opened"], summary["closed"]) == (1, 1)
    finding = bench.one()
    assert (finding["actual"], finding["last_changed"]) == (6, bench.time(0))
    assert bench.store.closed() == []


@pytest.mark.parametrize("lost", TABLES)
@pytest.mark.parametrize("state", ["denied", "partial", "error", "unsupported"])
def test_a_table_that_fails_between_two_runs_moves_nothing(bench, lost, state):
    statuses = {1: "fail", 2: "pass", 3: "not_applicable", 4: "manual"}
    bench.play(0, [("a", statuses)])
    before, rows = _ages(bench), bench.store.at("default", bench.time(0), "a")["rows"]
    at = bench.time(1)
    gap = dict.fromkeys((1, 2, 3), "error" if state == "error" else "unreadable") | {4: "manual"}
    file = bench.host("a", gap, at)
    file["tables"][lost] = bench.table(lost, {}, state, at)
    if lost == "identity":
        file["identity"] = {}
    bench.play(1, [file])
    assert _ages(bench) == before
    assert bench.one()["known"] == {"status": "fail", "since": bench.time(0)}
    assert bench.store.at("default", at, "a")["rows"] == rows
    assert bench.store.at("default", at, "a")["tables"][lost]["state"] == state
    assert bench.known_hosts()["a"]["generation"] == 1
    summary = bench.play(2, [("a", statuses)])
    assert summary["opened"] == 0, "what was known is still open"
    assert _ages(bench) == before
    assert bench.store.closed() == []
    assert bench.store.changes("default", bench.time(0), bench.time(2)) == []
    assert [one["status"] for one in bench.one()["history"]][::2] == ["fail", "fail"]


def test_without_its_platform_a_known_host_gets_no_findings_of_another_benchmark(bench):
    bench.play(0, [("a", {1: "fail"})])
    at = bench.time(1)
    file = bench.host("a", {}, at, benchmarks=[{"id": "other", "version": "1", "title": "", "fallback": True}])
    file["findings"] = [dict(bench.finding(9, "fail", at), benchmark="other")]
    file["tables"]["platform"] = bench.table("platform", {}, "denied", at)
    bench.play(1, [file])
    found = bench.store.findings("r002", "a")
    assert [(one["benchmark"], one["section"], one["seen"]) for one in found] == [("cis", "1.1", False)]


def test_a_host_that_is_not_reached_keeps_its_findings_unseen(bench):
    bench.play(0, [("a", {1: "fail"}), ("b", {1: "pass"})])
    bench.play(3, [bench.failed("a", bench.time(3)), ("b", {1: "pass"})])
    finding = bench.one()
    assert (finding["status"], finding["seen"], finding["observed_at"]) == ("fail", False, bench.time(0))
    host = bench.store.hosts("r002")[0]
    assert (host["state"], host["days_unseen"], host["last_seen"]) == ("unreachable", 3, bench.time(0))
    assert host["reason"]["code"] == "timeout"
    assert host["platform"] == {"id": "debian"}
    assert bench.store.closed() == []


def test_a_benchmark_that_was_not_asked_for_stays_as_it_was(bench):
    bench.play(0, [("a", {1: "fail"})])
    bench.play(1, [bench.host("a", {}, bench.time(1), benchmarks=[])], options={"benchmarks": ["other"]})
    assert bench.store.closed() == []
    assert bench.store.findings("r002", "a") == [], "it is no part of that run"
    bench.play(2, [("a", {1: "fail"})])
    assert bench.one()["last_changed"] == bench.time(0)


@pytest.mark.parametrize(("content", "reason"), [("c1", "tailored"), ("c2", "content")])
def test_a_benchmark_that_does_not_apply_any_more_ends(bench, content, reason):
    bench.play(0, [("a", {1: "fail"})])
    bench.play(1, [bench.host("a", {}, bench.time(1), benchmarks=[])], content=content)
    assert [one["closed_by"] for one in bench.store.closed()] == [reason]


def test_less_privilege_closes_nothing(bench):
    bench.play(0, [("a", {1: "fail", 2: "pass"})])
    at = bench.time(1)
    file = bench.host("a", {1: "pass", 2: "fail"}, at, privilege="user")
    file["tables"]["packages"] = bench.table("packages", {}, "ok", at)
    bench.play(1, [file])
    assert bench.store.closed() == []
    assert bench.one()["status"] == "unreadable"
    assert bench.one()["known"] == {"status": "fail", "since": bench.time(0)}
    assert bench.one(number=2)["status"] == "fail", "a failure is a failure whoever sees it"
    assert bench.store.at("default", at, "a")["rows"]["packages"] == {"openssl:amd64": {"version": "3.0"}}
    bench.play(2, [("a", {1: "pass", 2: "pass"})])
    assert [one["closed_by"] for one in bench.store.closed()] == ["fixed", "fixed"]


@pytest.mark.parametrize(
    ("after", "header", "reason"),
    [
        ({"status": "pass", "actual": 1}, {}, "fixed"),
        ({"status": "fail", "disposition": "D1"}, {}, "disposed"),
        ({"status": "pass", "actual": 0, "expected": 0}, {}, "tailored"),
        ({"status": "pass", "actual": 0, "expected": 0}, {"content": "c2"}, "content"),
        ({"status": "manual"}, {"content": "c2"}, "content"),
        ({"status": "pass", "actual": 0, "feed": "f2"}, {}, "feed"),
        (None, {"content": "c2"}, "content"),
        (None, {}, "tailored"),
    ],
)
def test_why_a_finding_closed(bench, after, header, reason):
    bench.play(0, [("a", {1: {"status": "fail", "actual": 0}, 2: "pass"})])
    bench.play(1, [("a", ({1: after} if after else {}) | {2: "pass"})], **header)
    assert [one["closed_by"] for one in bench.store.closed()] == [reason]


def test_another_machine_under_the_name_starts_anew(bench):
    bench.play(0, [("a", {1: "fail"})])
    summary = bench.play(1, [bench.host("a", {1: "fail"}, bench.time(1), machine_id="another")])
    assert bench.known_hosts()["a"]["generation"] == 2
    assert [one["closed_by"] for one in bench.store.closed()] == ["host_retired"]
    assert bench.one()["first_seen"] == bench.time(1)
    assert [alert["rule"] for alert in bench.store.alerts()] == ["fleet.reinstalled"]
    assert summary["quarantined"] == []
    assert bench.one(run="r001")["first_seen"] == bench.time(0), "the past stays as it was"


def test_a_retired_host_ends_and_may_come_back(bench):
    bench.play(0, [("a", {1: "fail"})])
    bench.store.retire("default", "a", "scrapped", "ops")
    assert bench.store.pasts("default", ["a"]) == {}
    assert [one["closed_by"] for one in bench.store.closed()] == ["host_retired"]
    bench.play(1, [("a", {1: "fail"})])
    assert bench.one()["first_seen"] == bench.time(1)
    known = bench.known_hosts()["a"]
    assert (known["retired"], known["generation"]) == (False, 2)
    assert bench.store.past("default", "a")["statuses"] == {"cis/1.1/linux.c1": "fail"}


def test_a_table_lost_on_a_host_that_was_retired_brings_nothing_back(bench):
    bench.play(0, [("a", {1: "fail"})])
    bench.store.retire("default", "a", "scrapped", "ops", now=bench.time(1))
    assert bench.store.at("default", bench.time(1), "a")["rows"] == {}
    back = bench.host("a", {1: "fail"}, bench.time(2))
    back["tables"]["packages"] = bench.table("packages", {}, "denied")
    bench.play(2, [back])
    known = bench.store.at("default", bench.time(2), "a")
    assert "packages" not in known["rows"], "of the machine that was retired"
    assert known["tables"]["packages"]["state"] == "denied", "no package is known; that there is none is not"
    assert known["rows"]["users"] == {"root": {"uid": 0}}
    bench.play(3, [("a", {1: "fail"})])
    assert list(bench.store.at("default", bench.time(3), "a")["rows"]["packages"]) == ["openssl:amd64"]
    changes = bench.store.changes("default", bench.time(0), bench.time(2), "a")
    ended = [(one["name"], one["at"]) for one in changes if one["after"] is None]
    assert ended == [("packages", bench.time(1))], "the decision ended it, not the table that was lost"


def test_an_older_look_changes_nothing(bench):
    late = bench.write(0, [("a", {1: "pass"})])
    bench.play(1, [("a", {1: "fail"})])
    assert bench.store.record(late.id)["late"] == 1
    assert bench.one(run="r002")["status"] == "fail"
    assert bench.store.closed() == []


def test_rows_open_change_and_close(bench):
    def packages(day, rows):
        file = bench.host("a", {1: "pass"}, bench.time(day))
        file["tables"]["packages"] = bench.table("packages", rows, "ok", bench.time(day), ("pid",))
        return file

    bench.play(0, [packages(0, {"a": {"v": 1, "pid": 1}, "b": {"v": 1, "pid": 2}})])
    assert bench.play(1, [packages(1, {"a": {"v": 1, "pid": 7}, "b": {"v": 1, "pid": 8}})])["unchanged"] == 1
    bench.play(2, [packages(2, {"a": {"v": 2, "pid": 1}, "c": {"v": 1, "pid": 2}})])
    changes = bench.store.changes("default", bench.time(1), bench.time(2))
    assert [(one["name"], one["key"], one["before"], one["after"]) for one in changes] == [
        ("packages", "a", {"v": 1}, {"v": 2}), ("packages", "b", {"v": 1}, None), ("packages", "c", None, {"v": 1}),
    ]  # fmt: skip
    assert bench.store.at("default", bench.time(1), "a")["rows"]["packages"] == {"a": {"v": 1}, "b": {"v": 1}}

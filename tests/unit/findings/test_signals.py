import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.findings import alerts, signals

NOW = "2026-03-10T12:00:00Z"


def host_file(findings=(), tables=None, machine="m1", state="assessed", at=NOW, privilege="root"):
    return {
        "schema": "ringwall.host/1", "scope": "default", "host": "web1", "state": state, "taken": at,
        "privilege": privilege, "identity": {"machine_id": machine}, "tables": tables or {}, "findings": list(findings),
    }  # fmt: skip


def finding(status, control="c1", benchmark="cis", severity="high", disposition=None):
    return {
        "control": control, "benchmark": benchmark, "section": "1.1", "status": status, "severity": severity,
        "evidence": [{"where": "/etc/x:1", "what": "off"}], "disposition": disposition,
    }  # fmt: skip


def past(**more):
    return {"machine_id": "m1", "statuses": {}, "tables": {}} | more


def raised(found):
    return [(one["rule"], one["entity"]) for one in found if one["kind"] == "raised"]


def cleared(found):
    return [(one["rule"], one["entity"]) for one in found if one["kind"] == "cleared"]


def test_a_first_run_is_silent():
    first = host_file([finding("fail"), finding("fail", "c2"), finding("unreadable", "c3")])
    assert signals.signals_between(None, first) == []


@pytest.mark.parametrize("key", ["c1", "cis/1.1/c1"])
def test_pass_to_fail_is_an_alert_with_the_severity_and_evidence_of_the_finding(key):
    found = list(signals.signals_between(past(statuses={key: "pass"}), host_file([finding("fail")])))
    assert raised(found) == [("posture.regressed", "c1")]
    assert found[0]["severity"] == "high"
    assert found[0]["evidence"] == [{"where": "/etc/x:1", "what": "off"}]
    assert {"type": "control", "name": "c1"} in found[0]["entities"]


@pytest.mark.parametrize("before", [{}, {"c1": "fail"}, {"c1": "not_applicable"}])
def test_no_alert_unless_it_passed_before(before):
    assert raised(signals.signals_between(past(statuses=before), host_file([finding("fail")]))) == []


@pytest.mark.parametrize("status", ["unreadable", "error", "manual"])
def test_what_cannot_be_told_neither_raises_nor_clears(status):
    assert signals.signals_between(past(statuses={"c1": "pass"}), host_file([finding(status)])) == []


def test_a_disposed_failure_raises_nothing():
    disposed = host_file([finding("fail", disposition="D-1")])
    assert signals.signals_between(past(statuses={"c1": "pass"}), disposed) == []


def test_passing_again_clears_and_failing_in_one_of_two_benchmarks_does_not():
    assert cleared(signals.signals_between(past(statuses={"c1": "fail"}), host_file([finding("pass")]))) == [
        ("posture.regressed", "c1")
    ]
    both = host_file([finding("pass"), finding("fail", benchmark="other")])
    assert raised(signals.signals_between(past(statuses={"c1": "pass"}), both)) == [("posture.regressed", "c1")]
    assert cleared(signals.signals_between(past(statuses={"c1": "fail"}), both)) == []


@pytest.mark.parametrize("state", ["denied", "partial", "error", "unsupported"])
def test_a_table_that_was_readable_and_is_not(state):
    tables = {"pam": {"state": state, "why": "permission denied"}}
    found = signals.signals_between(past(tables={"pam": {"state": "ok"}}), host_file(tables=tables, privilege="user"))
    assert raised(found) == [("posture.table_unreadable", "pam")]
    assert found[0]["evidence"] == [{"where": "pam", "what": "permission denied (read as user)"}]


def test_a_table_that_never_was_readable_or_was_not_asked_for_is_no_news():
    tables = {"pam": {"state": "denied", "why": ""}}
    assert signals.signals_between(past(tables={"pam": {"state": "denied"}}), host_file(tables=tables)) == []
    assert signals.signals_between(past(tables={"pam": {"state": "ok"}}), host_file()) == []


def test_a_table_that_is_readable_again_clears():
    tables = {"pam": {"state": "ok", "why": ""}}
    found = signals.signals_between(past(tables={"pam": {"state": "denied"}}), host_file(tables=tables))
    assert cleared(found) == [("posture.table_unreadable", "pam")]


@pytest.mark.parametrize(
    ("was", "now", "rings"), [(80, 75, True), (80, 75.1, False), (80, 90, False), (None, 3, False)]
)
def test_the_score_may_fall_a_little(was, now, rings):
    found = signals.signals_between(past(score=was), host_file(), score=now)
    assert (raised(found) == [("posture.score_drop", "secure")]) is rings
    assert (cleared(found) == [("posture.score_drop", None)]) is (was is not None and now >= was)


def test_another_machine_under_the_name_starts_a_new_baseline():
    found = signals.signals_between(past(statuses={"c1": "pass"}), host_file([finding("fail")], machine="m2"))
    assert raised(found) == [("fleet.reinstalled", "m2")]
    assert found[0]["evidence"][0]["what"] == "m1 before, m2 now"


@pytest.mark.parametrize("machine", [None, {"!": "denied", "why": "x"}])
def test_a_machine_id_that_was_not_read_is_not_another_one(machine):
    assert signals.signals_between(past(), host_file(machine=machine)) == []


@pytest.mark.parametrize("state", ["unreachable", "failed"])
def test_a_host_that_was_not_assessed_says_nothing_of_its_controls(state):
    assert signals.signals_between(past(statuses={"c1": "pass"}), host_file(state=state)) == []


# The fleet ------------------------------------------------------------------------------------------------


def known(**more):
    return {"machine_id": None, "last_seen": "2026-03-10T11:59:00Z"} | more


def test_a_host_is_unseen_after_a_day_and_the_reason_is_told():
    fleet = {
        "a": known(last_seen="2026-03-09T12:00:00Z"),
        "b": known(last_seen="2026-03-09T12:00:01Z"),
        "c": known(last_seen="2026-03-01T00:00:00Z"),
        "d": known(),
    }
    asked = {
        "a": {"state": "unreachable", "reason": {"text": "no route to host"}},
        "b": {"state": "unreachable"},
        "d": {"state": "assessed"},
    }
    found = signals.fleet_signals(fleet, asked, NOW)
    unseen = {one["host"]: one["evidence"][0]["what"] for one in found if one["kind"] == "raised"}
    assert unseen == {"a": "no route to host", "c": "not asked in this run"}
    assert [one["host"] for one in found if one["kind"] == "cleared" and one["rule"] == "fleet.host_unseen"] == ["d"]


def test_one_machine_under_two_names_is_a_clone_on_each_that_was_seen():
    fleet = {name: known(machine_id="m1") for name in ("a", "b", "c")} | {"d": known(machine_id="m2")}
    asked = {name: {"state": "assessed"} for name in ("a", "b", "d")}
    found = [one for one in signals.fleet_signals(fleet, asked, NOW) if one["rule"] == "fleet.clone"]
    assert {(one["host"], one["kind"], one["entity"]) for one in found} == {
        ("a", "raised", "m1"),
        ("b", "raised", "m1"),
        ("d", "cleared", None),
    }
    assert found[0]["description"] == "The machine id is also that of b, c."


def test_the_score_of_the_scope():
    found = signals.fleet_signals({}, {}, NOW, scores=(80.0, 70.0))
    assert [(one["rule"], one["host"], one["kind"]) for one in found] == [("posture.score_drop", "", "raised")]
    assert [one["kind"] for one in signals.fleet_signals({}, {}, NOW, scores=(70.0, 70.0))] == ["cleared"]
    assert signals.fleet_signals({}, {}, NOW, scores=(None, 70.0)) == []


def test_from_signal_to_resolved_alert():
    broken = signals.signals_between(past(statuses={"c1": "pass"}), host_file([finding("fail")]))
    found = alerts.advance([], broken, NOW)
    later = "2026-03-10T20:00:00Z"
    mended = signals.signals_between(past(statuses={"c1": "fail"}), host_file([finding("pass")], at=later))
    (alert,) = alerts.advance(found, mended, later)
    assert (alert["status"], alert["resolution"]) == ("resolved", "passes again")


def test_every_rule_says_what_to_do():
    for name, rule in signals.RULES.items():
        assert rule["title"], name
        assert rule["steps"], name

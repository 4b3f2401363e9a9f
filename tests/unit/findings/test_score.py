import json
import os
from pathlib import Path

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.content import vocabulary
from ansible_collections.ringwall.servers.plugins.plugin_utils.findings import score as scoring

SHARED = Path(os.environ.get("RINGWALL_SHARED", "../shared")) / "reference" / "secure_score.json"
CONTROLS = {
    "ports": {"severity": "high", "score": "secure_management_ports"},
    "update": {"severity": "critical", "score": "apply_system_updates"},
    "sysctl": {"severity": "medium"},
    "banner": {"severity": "low", "score": "remediate_security_configurations"},
}


def finding(control, status, **more):
    return {"control": control, "severity": "medium", "status": status, "disposition": None, **more}


def host(name, *findings, groups=(), state="assessed"):
    return {"name": name, "groups": list(groups), "state": state, "findings": list(findings)}


def row(result, key):
    return next(one for one in result["secure"]["controls"] if one["key"] == key)


# The worked examples of the published score -----------------------------------------------------------------


def test_four_of_78_healthy_hosts_earn_0_31_of_six_points():
    current, potential = scoring.control_score(6, 4, 74)
    assert round(current, 2) == 0.31
    assert round(potential, 2) == 5.69
    assert round(scoring.control_score(6, 1, 77)[0], 4) == 0.0769


def test_the_same_example_through_whole_hosts():
    hosts = [host(f"h{n}", finding("update", "pass" if n < 4 else "fail")) for n in range(78)]
    result = scoring.score(hosts, CONTROLS)
    updates = row(result, "apply_system_updates")
    assert (updates["healthy"], updates["unhealthy"], round(updates["current"], 2)) == (4, 74, 0.31)
    assert round(result["secure"]["percent"], 2) == round(100 * 4 / 78, 2)


def test_5_04_of_six_points_leave_0_96():
    current, potential = scoring.control_score(6, 21, 4)
    assert (round(current, 2), round(potential, 2)) == (5.04, 0.96)


def test_several_scopes_are_weighted_by_their_hosts():
    scopes = [{"current": 29, "max": 60, "weight": 1}, {"current": 28, "max": 56, "weight": 3}]
    assert scoring.combine(scopes) == pytest.approx(100 * (29 / 60 + 3 * 0.5) / 4)
    assert scoring.combine([{"current": 0, "max": 0, "weight": 5}]) is None
    assert scoring.combine([{"current": 22, "max": 58, "weight": 7}]) == pytest.approx(37.931, abs=0.001)


@pytest.mark.skipif(not SHARED.is_file(), reason="RINGWALL_SHARED holds no reference data")
def test_every_worked_example_of_the_reference():
    reference = json.loads(SHARED.read_text())
    for vector in reference["test_vectors"]:
        if "healthy" in vector:
            current, _ = scoring.control_score(vector["max"], vector["healthy"], vector["unhealthy"])
            assert round(current, 2) == vector["current"]
            assert round(current / vector["healthy"], 4) == vector["score_per_resource"]
        elif "potential" in vector:
            full = vector.get("max", vector.get("scope_max"))
            current = vector.get("current", vector.get("scope_current"))
            healthy = round(current * 100)
            got = scoring.control_score(full, healthy, full * 100 - healthy)
            assert got == (pytest.approx(current), pytest.approx(vector["potential"]))
        else:
            got = scoring.combine([{"current": vector["multi_current"], "max": vector["multi_max"], "weight": 9}])
            assert got == pytest.approx(100 * vector["multi_current"] / vector["multi_max"])
    for control in reference["controls"]:
        if control["max_2024"] is not None:
            assert scoring.CONTROLS[control["key"]][0] == control["max_2024"], control["key"]
    points = {key: value for key, (value, _) in scoring.CONTROLS.items()}
    assert scoring.of_points(points) == reference["totals"]["server_relevant_2024"]["without_mfa_and_ddos"] == 46


# All or nothing -------------------------------------------------------------------------------------------


def test_one_failure_takes_the_whole_share_of_a_host():
    result = scoring.score([host("a", finding("sysctl", "pass"), finding("banner", "fail"))], CONTROLS)
    assert result["secure"]["percent"] == 0
    assert result["secure"]["potential"] == 4


@pytest.mark.parametrize("status", ["unreadable", "error", "fail"])
def test_what_was_not_read_is_as_unhealthy_as_what_failed(status):
    result = scoring.score([host("a", finding("sysctl", "pass"), finding("banner", status))], CONTROLS)
    assert row(result, "remediate_security_configurations")["unhealthy"] == 1
    assert result["secure"]["current"] == 0


@pytest.mark.parametrize("gone", [finding("banner", "not_applicable"), finding("banner", "fail", disposition="D-1")])
def test_not_applicable_and_disposed_drop_out_of_both_figures(gone):
    result = scoring.score([host("a", finding("sysctl", "pass"), gone)], CONTROLS)
    assert result["secure"]["percent"] == 100
    assert result["weighted"]["counted"] == 1


def test_a_host_with_nothing_to_judge_shares_no_points():
    hosts = [host("a", finding("ports", "pass")), host("b", finding("ports", "not_applicable"))]
    ports = row(scoring.score(hosts, CONTROLS), "secure_management_ports")
    assert (ports["healthy"], ports["unhealthy"], ports["not_applicable"], ports["current"]) == (1, 0, 1, 8)


def test_manual_findings_and_sections_without_control_are_not_scored():
    result = scoring.score([host("a", finding("", "manual"), finding("banner", "manual"))], CONTROLS)
    assert result["secure"]["percent"] is None
    assert result["readable_percent"] is None
    assert result["sentence"] == "assessed 0 of 46 points, nothing readable, 0 hosts unseen"


def test_a_control_in_two_benchmarks_counts_once_with_its_worse_status():
    result = scoring.score([host("a", finding("sysctl", "pass"), finding("sysctl", "fail"))], CONTROLS)
    assert (result["weighted"]["passed"], result["weighted"]["counted"]) == (0, 1)


# The two figures ------------------------------------------------------------------------------------------


def test_the_weighted_rate_leaves_out_what_was_not_read_and_counts_it_beside():
    result = scoring.score(
        [host("a", finding("update", "pass"), finding("banner", "fail"), finding("sysctl", "unreadable"))], CONTROLS
    )
    assert result["weighted"]["percent"] == pytest.approx(100 * 8 / 9)
    assert result["weighted"]["unreadable"] == 1
    assert result["readable_percent"] == pytest.approx(100 * 2 / 3)


def test_hosts_groups_and_fleet():
    hosts = [
        host("a", finding("sysctl", "pass"), finding("update", "pass"), groups=["web", "eu"]),
        host("b", finding("sysctl", "fail"), finding("update", "pass"), groups=["web"]),
        host("c", finding("sysctl", "fail"), state="unreachable", groups=["web"]),
    ]
    result = scoring.score(hosts, CONTROLS)
    assert result["hosts"]["a"] == {"percent": 100.0, "current": 10.0, "max": 10, "potential": 0.0, "weighted": 100.0}
    assert result["hosts"]["b"]["percent"] == 60.0
    assert "c" not in result["hosts"]
    assert result["groups"] == {
        "eu": {"percent": 100.0, "weighted": 100.0, "hosts": 1},
        "web": {"percent": 80.0, "weighted": pytest.approx(100 * 19 / 22), "hosts": 2},
    }
    assert result["secure"]["percent"] == 80.0
    assert result["hosts_unseen"] == 1
    assert result["sentence"] == "assessed 10 of 46 points, 100 % readable, 1 host unseen"


def test_the_share_that_was_readable_is_never_rounded_up_to_all():
    hosts = [host("a", *[finding(f"c{n}", "pass") for n in range(999)], finding("banner", "unreadable"))]
    assert "99 % readable" in scoring.score(hosts, CONTROLS)["sentence"]


def test_points_can_be_overridden_and_unknown_ones_are_refused():
    hosts = [host("a", finding("sysctl", "pass"), finding("ports", "fail"))]
    result = scoring.score(hosts, CONTROLS, {"points": {"secure_management_ports": 4}})
    assert result["secure"]["percent"] == 50
    assert result["secure"]["of_points"] == 42
    with pytest.raises(ValueError, match="unknown score control ports"):
        scoring.score(hosts, CONTROLS, {"points": {"ports": 4}})


def test_controls_are_listed_by_what_fixing_them_gains():
    result = scoring.score([host("a", finding("sysctl", "fail"), finding("ports", "fail"))], CONTROLS)
    assert [one["key"] for one in result["secure"]["controls"]][:2] == [
        "secure_management_ports",
        "remediate_security_configurations",
    ]


def test_every_score_control_that_content_may_name_is_scored():
    assert set(vocabulary.SCORES) <= set(scoring.CONTROLS)
    assert vocabulary.DEFAULT_SCORE in scoring.CONTROLS

"""Every control against fragments of snapshots, the verdict written by hand beside them."""

from __future__ import annotations


def test_verdict(case, content, judge_case):
    verdict = judge_case(content, case)
    assert verdict.status == case["status"], f"{case['file']}, case {case['number']}: {verdict}"
    if verdict.status == "fail":
        assert verdict.expected is not None
        assert verdict.evidence
    if verdict.status in ("not_applicable", "unreadable", "error"):
        assert verdict.reason


def test_every_control_has_a_passing_and_a_failing_case(content, cases):
    seen = {}
    for case in cases:
        seen.setdefault(case["control"], set()).add(case["status"])
    missing = {
        name: sorted({"pass", "fail"} - seen.get(name, set()))
        for name in content.controls
        if not {"pass", "fail"} <= seen.get(name, set())
    }
    assert not missing


def test_no_case_for_a_control_that_is_not_there(content, cases):
    assert not {case["control"] for case in cases} - set(content.controls)

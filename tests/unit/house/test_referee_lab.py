"""How the verdicts of a referee and ours are compared."""

from __future__ import annotations

from lab import openscap

CONTROLS = [
    {"id": "1.1", "rules": ["a", "b"]},
    {"id": "1.2", "rules": ["b", "c"]},
    {"id": "1.3", "rules": ["b", "d"]},
    {"id": "1.4", "rules": ["e"]},
    {"id": "1.5", "rules": []},
]
RULED = {"a": "fail", "b": "pass", "c": "notapplicable", "d": "error", "e": "notapplicable"}
RESULTS = """<?xml version="1.0"?><TestResult xmlns="http://checklists.nist.gov/xccdf/1.2">
<rule-result idref="xccdf_org.ssgproject.content_rule_a"><result>fail</result></rule-result>
<rule-result idref="xccdf_org.ssgproject.content_rule_z"><result>notselected</result></rule-result></TestResult>"""


def test_the_result_document_is_read():
    assert openscap.results(RESULTS) == {"a": "fail"}


def test_one_failed_rule_fails_a_section_and_what_is_undecided_passes_none():
    assert openscap.by_section(RULED, CONTROLS) == {"1.1": "fail", "1.2": "pass"}


def agreement():
    theirs = {"1": "fail", "2": "fail", "3": "pass", "4": "pass", "5": "pass"}
    return openscap.Agreement(theirs, {"1": "fail", "2": "pass", "3": "pass", "4": "not_applicable"})


def test_raw_figures_count_every_difference():
    both = agreement()
    assert both.differences == {"2": ("fail", "pass"), "4": ("pass", "not_applicable"), "5": ("pass", "not listed")}
    assert (both.share("fail"), both.share("pass"), both.undecided()) == (1 / 2, 1 / 3, 2 / 5)


def test_what_is_set_apart_counts_neither_way():
    both = agreement()
    assert (both.share("fail", {"2"}), both.share("pass", {"4"}), both.undecided({"4"})) == (1.0, 1 / 2, 1 / 4)


def test_an_explanation_holds_for_its_state_and_verdicts_alone():
    both = agreement()
    entry = {"states": ["clean"], "theirs": "fail", "ours": "pass"}
    assert set(both.unexplained({"2": [entry]}, "clean")) == {"4", "5"}
    assert set(both.unexplained({"2": [entry]}, "hardened")) == {"2", "4", "5"}
    assert set(both.unexplained({"2": [{**entry, "ours": "fail"}]}, "clean")) == {"2", "4", "5"}


def test_an_explanation_without_a_difference_is_told():
    entry = {"states": ["clean"], "theirs": "fail", "ours": "pass"}
    assert agreement().gone({"1": [entry], "2": [entry]}, "clean") == ["1"]
    assert agreement().gone({"1": [entry]}, "hardened") == []

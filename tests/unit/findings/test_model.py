import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.findings import model


def test_a_section_takes_the_first_status_that_is_present():
    assert model.rollup(["pass", "manual", "unreadable", "error", "fail"]) == "fail"
    assert model.rollup(["pass", "manual", "unreadable", "error"]) == "error"
    assert model.rollup(["pass", "manual", "unreadable"]) == "unreadable"
    assert model.rollup(["pass", "manual", "not_applicable"]) == "manual"
    assert model.rollup(["not_applicable", "pass"]) == "pass"
    assert model.rollup(["not_applicable", "not_applicable"]) == "not_applicable"


def test_what_nothing_judged_is_manual_and_never_passes():
    assert model.rollup([]) == "manual"


def test_an_unknown_status_is_refused():
    with pytest.raises(model.MalformedFinding, match="unknown status 'ok'"):
        model.rollup(["pass", "ok"])


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("status", "ok", "status 'ok': expected one of fail, error"),
        ("severity", "urgent", "severity 'urgent'"),
        ("evidence", [{"what": "x"}], "list of {where, what}"),
        ("section", "", "needs a benchmark and a section"),
        ("reason", None, "reason must be text"),
    ],
)
def test_a_malformed_finding_is_refused_with_the_field_at_fault(field, value, message):
    fields = {"control": "a", "benchmark": "x", "section": "1", "status": "pass", field: value}
    with pytest.raises(model.MalformedFinding, match=message):
        model.make_finding(**fields)

"""An exception that fits nothing, or has ended, is an alert of the fleet: once, until somebody decides."""

from __future__ import annotations

import json

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.content import Content
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.build import build_report
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.packed import pack

WHOLE = {"limited": False, "benchmarks": None}


def disposition(name="one", **changed):
    return {
        "id": name, "selector": {"control": "linux.c1"}, "hosts": ["a*"], "scope": "*", "category": "waiver",
        "created": "2026-01-01", "expires": "2026-01-20", "where": f"d.yml:{len(name)}", **changed,
    }  # fmt: skip


@pytest.fixture
def play(bench):
    def run(day, used, known, hosts=("a",), options=WHOLE, **header):
        finding = {"status": "fail", "disposition": used}
        files = [(host, {1: finding}) if isinstance(host, str) else host for host in hosts]
        bench.play(day, files, dispositions=known, options=options, **header)
        return {
            (alert["rule"], alert["entity"]): (alert["status"], alert["count"]) for alert in bench.store.alerts(host="")
        }

    return run


UNUSED, EXPIRED = ("dispositions.unused", "one"), ("dispositions.expired", "one")


def test_it_is_raised_once_and_resolves_when_it_fits_again_is_removed_or_ends(play):
    assert play(0, "one", [disposition()]) == {}
    assert play(1, None, [disposition()]) == {UNUSED: ("new", 1)}
    assert play(2, None, [disposition()]) == {UNUSED: ("active", 2)}
    assert play(3, "one", [disposition()]) == {UNUSED: ("resolved", 2)}
    assert play(4, None, [disposition()]) == {UNUSED: ("active", 3)}
    assert play(5, None, []) == {UNUSED: ("resolved", 3)}
    assert play(6, None, [disposition()]) == {UNUSED: ("active", 4)}
    assert play(30, None, [disposition()]) == {UNUSED: ("resolved", 4), EXPIRED: ("new", 1)}
    longer = disposition(expires="2026-12-01")
    assert play(31, "one", [longer]) == {UNUSED: ("resolved", 4), EXPIRED: ("resolved", 1)}


@pytest.mark.parametrize(
    ("options", "hosts"),
    [
        ({"limited": True}, ("a",)),
        ({"limited": False, "benchmarks": ["cis"]}, ("a",)),
        ({}, ("a",)),
        (WHOLE, ("a", "dead")),
    ],
)
def test_a_run_that_did_not_look_everywhere_neither_raises_nor_resolves(bench, play, options, hosts):
    def files(day):
        return [bench.failed("a2", bench.time(day)) if host == "dead" else host for host in hosts]

    assert play(0, None, [disposition()], files(0), options) == {}
    assert play(1, None, [disposition()]) == {UNUSED: ("new", 1)}
    assert play(2, None, [disposition()], files(2), options)[UNUSED][0] == "active"
    assert play(3, None, [disposition()], files(3), options)[UNUSED][1] == 1, "it was not counted again"


def test_a_dead_host_that_it_is_not_about_and_another_scope_do_not_matter(bench, play):
    dead = bench.failed("b", bench.time(0))
    assert play(0, None, [disposition()], ("a", dead)) == {UNUSED: ("new", 1)}
    assert play(1, None, [disposition(), disposition("two", scope="lab")]) == {UNUSED: ("active", 2)}


def test_what_a_run_cannot_tell_of_is_silent(play):
    rule = disposition(selector={"rule": "posture.regressed"})
    assert play(0, None, [rule, disposition("future", created="2026-01-10")]) == {}


def test_it_is_a_row_of_the_report_and_its_page(bench, play):
    play(0, "one", [disposition()])
    play(1, None, [disposition()])
    content = Content({"digest": "", "controls": {}, "benchmarks": {}, "parameters": {}})
    report = build_report(bench.store, "r002", content)
    assert [(alert["rule"], alert["severity"]) for alert in report["alerts"]] == [("dispositions.unused", "low")]
    assert report["totals"]["alerts"] == 1
    (row,) = pack(report)["alerts"]
    assert "one" in row["description"]
    assert row["evidence"] == [{"where": "d.yml:3", "what": "matches nothing: mistyped, or no longer needed"}]
    bench.store.rebuild()
    again = build_report(bench.store, "r002", content)
    assert json.dumps(again, sort_keys=True) == json.dumps(report, sort_keys=True)

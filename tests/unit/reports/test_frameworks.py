"""Requirements of frameworks: what they come to over a fleet, and how each report shows it."""

from __future__ import annotations

import copy
import csv
import io
import json
import time
import types

import jsonschema
import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.frameworks import frameworks
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.packed import pack
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.schema import SCHEMA
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.to_framework_csv import write_framework_csv
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.to_markdown import write_markdown

HOSTILE = "=1+1</script><b>"


def content(**requirements):
    body = {"id": "fw", "title": "A framework", "version": "1", "requirements": {
        name: {"title": f"About {name}", "controls": controls} for name, controls in requirements.items()
    }}  # fmt: skip
    return types.SimpleNamespace(frameworks={"fw": body})


def host(**statuses):
    return {
        "findings": [
            {"control": control, "status": status.rstrip("!"), "disposition": "x" if status.endswith("!") else None}
            for control, found in statuses.items()
            for status in found.split()
        ]
    }


def judged(hosts, *controls):
    return frameworks(hosts, content(r=list(controls)))["fw"]["requirements"]["r"]


def test_a_requirement_stands_with_the_worst_of_its_controls_on_each_host():
    hosts = [host(a="pass", b="fail"), host(a="pass", b="pass"), host(a="unreadable", b="manual"), host(a="pass")]
    found = judged(hosts, "a", "b")
    assert found["hosts"] == {"fail": 1, "unreadable": 1, "pass": 2}
    assert (found["state"], found["controls"]) == ("failed", 2)


@pytest.mark.parametrize(
    ("hosts", "state", "counts"),
    [
        ([host(a="fail pass")], "failed", {"fail": 1}),  # two benchmarks, one with stricter values
        ([host(a="fail!")], "met", {"excepted": 1}),
        ([host(a="fail! unreadable")], "open", {"unreadable": 1}),
        ([host(a="pass!")], "met", {"pass": 1}),
        ([host(a="error")], "open", {"error": 1}),
        ([host(a="manual"), host(a="pass")], "open", {"manual": 1, "pass": 1}),
        ([host(a="not_applicable")], "not_applicable", {"not_applicable": 1}),
        ([host(a="not_applicable pass")], "met", {"pass": 1}),
        ([host(other="fail")], "not_judged", {}),
        ([], "not_judged", {}),
    ],
)
def test_states(hosts, state, counts):
    found = judged(hosts, "a")
    assert (found["state"], found["hosts"]) == (state, counts)


def test_a_requirement_without_controls_is_shown_as_such():
    found = frameworks([host(a="pass")], content(r1=[], r2=["a"], r3=["a"]))["fw"]
    assert found["requirements"]["r1"] == {"title": "About r1", "state": "no_check", "controls": 0, "hosts": {}}
    assert found["states"] == {"failed": 0, "open": 0, "met": 2, "not_applicable": 0, "not_judged": 0, "no_check": 1}


def test_a_thousand_hosts_cost_little():
    hosts = [host(**{f"c{number}": "pass fail"[: 4 + 5 * (number % 3 == 0)] for number in range(300)})] * 1000
    wanted = content(**{f"r{number}": [f"c{(number + step) % 300}" for step in range(6)] for number in range(1500)})
    start = time.process_time()
    found = frameworks(hosts, wanted)["fw"]
    taken = time.process_time() - start
    assert found["states"]["failed"] == 1500
    assert taken < 1.5, f"{taken:.2f} s"


@pytest.fixture
def with_frameworks(report):
    first = report["hosts"][0]["findings"]
    controls = sorted({finding["control"] for finding in first if finding["control"]})
    wanted = content(**{"1.1": controls[:1], "1.2": controls[1:4], "1.3": [], "1.4": ["none.such"]})
    wanted.frameworks["fw"]["requirements"]["1.3"]["title"] = HOSTILE
    return {**report, "frameworks": frameworks(report["hosts"], wanted)}


def test_the_schema_knows_it(with_frameworks):
    check = jsonschema.Draft202012Validator(SCHEMA)
    assert [error.message for error in check.iter_errors(with_frameworks)] == []
    wrong = copy.deepcopy(with_frameworks["frameworks"])
    wrong["fw"]["requirements"]["1.1"]["state"] = "fine"
    assert list(check.iter_errors({**with_frameworks, "frameworks": wrong}))


def test_the_csv_has_a_line_for_each_requirement(with_frameworks):
    file = io.StringIO(newline="")
    write_framework_csv(with_frameworks, file)
    rows = list(csv.DictReader(io.StringIO(file.getvalue(), newline="")))
    wanted = with_frameworks["frameworks"]["fw"]["requirements"]
    assert [row["requirement"] for row in rows] == list(wanted)
    for row in rows:
        body = wanted[row["requirement"]]
        assert (row["state"], int(row["controls"])) == (body["state"], body["controls"])
        counts = {name: int(row[f"hosts_{name}"]) for name in ("fail", "unreadable", "pass", "not_applicable")}
        assert counts == {name: body["hosts"].get(name, 0) for name in counts}
    assert rows[2]["title"] == "'" + HOSTILE


def test_a_report_without_frameworks_has_an_empty_list(report):
    file = io.StringIO(newline="")
    write_framework_csv({**report, "frameworks": {}}, file)
    assert file.getvalue().count("\n") == 1


def test_the_summary_counts_requirements(with_frameworks):
    file = io.StringIO()
    write_markdown(with_frameworks, file)
    states = with_frameworks["frameworks"]["fw"]["states"]
    assert f"| A framework 1 | {states['failed']} | {states['open']} | {states['met']} |" in file.getvalue()


def test_the_page_holds_it_small(with_frameworks):
    packed = pack(with_frameworks)["frameworks"]
    assert packed["list"][0]["rows"][2] == ["1.3", HOSTILE]
    assert packed["list"][0]["rows"][3] == ["1.4", "About 1.4", 4, 1, []]
    assert len(json.dumps(packed)) < 1000


@pytest.mark.browser
def test_the_page_shows_requirements_and_those_without_a_check_apart(open_page, with_frameworks):
    page = open_page(with_frameworks)
    page.click("#tab-frameworks")
    shown = page.locator("#frameworks table").first.locator("tbody tr")
    assert shown.count() == 3
    states = [item.inner_text() for item in shown.locator(".pill").all()]
    order = ["Failed", "Open", "Met", "Not applicable", "Not judged"]
    assert states == sorted(states, key=order.index)
    assert "1 requirement without a check" in page.inner_text("#frameworks details summary")
    page.click("#frameworks details summary")
    assert HOSTILE in page.inner_text("#frameworks details table")
    assert page.errors == []


@pytest.mark.browser
@pytest.mark.parametrize("name", ["RHEL-09-411050", "UBTU-24-600160", "1.1.2.3.1", "5.3.3.2.10"])
def test_section_ids_show_whole(open_page, report, name):
    changed = copy.deepcopy(report)
    first = changed["hosts"][0]["findings"][0]
    first.update(section=name, status="fail", severity="critical", disposition=None)
    changed["benchmarks"][first["benchmark"]]["sections"][name] = {
        "title": "T", "level": "l1", "assessment": "automated", "reason": ""
    }  # fmt: skip
    page = open_page(changed, "#status=fail&group=none")
    cell = page.locator("#findings .section-cell", has_text=name).first
    cell.wait_for()
    lost = cell.evaluate("one => [one.scrollWidth - one.clientWidth, one.scrollHeight - one.clientHeight]")
    assert max(lost) <= 1
    assert cell.evaluate("one => one.getClientRects().length && getComputedStyle(one).lineHeight")
    lines = cell.evaluate(
        "one => { const all = document.createRange(); all.selectNodeContents(one);"
        " return new Set([...all.getClientRects()].map(box => Math.round(box.top))).size }"
    )
    assert lines == 1

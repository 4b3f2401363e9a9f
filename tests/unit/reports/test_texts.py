"""Texts of hosts: nothing hidden, no formula, no markup."""

from __future__ import annotations

import csv
import io
import json
import unicodedata

import junitparser
import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.terminal import summary_text
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.to_csv import cell, quoted, write_csv
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.to_json import write_json
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.to_junit import write_junit
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.to_markdown import code, escaped, write_markdown
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.visible import as_text, shorten, visible
from hypothesis import given
from hypothesis import strategies as st

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
HOSTILE = (
    "</script><script>alert(1)</script>\u202egnp.exe\u0000\u200b\r\n=cmd|' /C calc'!A0 \ud800 ]]> `x` @all https://x"
)


def written(writer, report):
    file = io.StringIO(newline="")
    writer(report, file)
    return file.getvalue()


@given(st.text(st.characters(), max_size=40))
def test_nothing_hides(text):
    for char in visible(text):
        assert unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp"), repr(char)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("plain", "plain"),
        ("ä漢字", "ä漢字"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u200bb", "a\\u200bb"),
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("\x1b[31m", "\\u001b[31m"),
        ("\x7f\x9b", "\\u007f\\u009b"),
        ("\ud800", "\\ud800"),
        ("\u3164", "\\u3164"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_odd_characters_are_written_out(text, wanted):
    assert visible(text) == wanted


def test_a_block_keeps_its_lines():
    assert visible("a\nb\tc\rd", block=True) == "a\nb\tc\\rd"


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(None, ""), (True, "yes"), (False, "no"), (4, "4"), (["a", "b"], "a, b"), ({"k": [1]}, '{"k": [1]}'), ([], "[]")],
)
def test_values_as_text(value, wanted):
    assert as_text(value) == wanted


def test_shorten():
    assert shorten("abcdef", 4) == "abc…"
    assert shorten("abcd", 4) == "abcd"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", " =", "  @"])
def test_no_cell_is_a_formula(start):
    assert cell(start + "1+1").startswith("'")


@given(JSON_VALUES)
def test_no_value_becomes_a_formula(value):
    assert not cell(value).lstrip().startswith(("=", "+", "-", "@", "\t", "\r"))


@given(JSON_VALUES | st.text(st.sampled_from('",;\n =ab'), max_size=8))
def test_every_cell_comes_back(value):
    line = f"{quoted(value)},end"
    assert next(csv.reader([line], strict=True)) == [cell(value), "end"]
    assert line.count('"') % 2 == 0
    if '"' in cell(value):
        assert line.startswith('"')


def test_csv_reads_back(report):
    rows = list(csv.DictReader(io.StringIO(written(write_csv, report), newline="")))
    findings = [(host, finding) for host in report["hosts"] for finding in host["findings"]]
    lost = [host for host in report["hosts"] if host["state"] != "assessed"]
    assert len(rows) == len(findings) + len(lost)
    for host, finding in findings[::97]:
        row = next(row for row in rows if row["host"] == host["name"] and row["control"] == finding["control"])
        assert row["status"] == finding["status"]
        assert row["severity"] == finding["severity"]
        assert row["expected"] == as_text(finding["expected"])
        assert row["title"] == report["controls"][finding["control"]]["title"]
        assert row["last_changed"] == finding["last_changed"]
        assert row["fix"] == report["controls"][finding["control"]]["fix"]
    for host in lost:
        row = next(row for row in rows if row["host"] == host["name"])
        assert (row["host_state"], row["status"]) == (host["state"], host["state"])
        assert row["reason"] == host["reason"]["text"]


def test_hostile_csv_has_one_line_a_finding(make_report):
    report = make_report(hosts=0, sections=30, unseen=0, hostile=[HOSTILE, '=a,"b"\n'])
    rows = list(csv.reader(io.StringIO(written(write_csv, report), newline="")))
    assert len(rows) == 61
    assert {len(row) for row in rows} == {24}
    assert all(not value.startswith(("=", "+", "-", "@")) for row in rows for value in row)


def test_json_is_whole_and_ascii(make_report):
    report = make_report(hosts=2, sections=20, hostile=[HOSTILE])
    text = written(write_json, report)
    assert text.isascii()
    assert json.loads(text) == report


def test_junit_agrees_with_the_report(report):
    suites = junitparser.JUnitXml.fromstring(written(write_junit, report).encode())
    by_name = {suite.name: suite for suite in suites}
    assert set(by_name) == {host["name"] for host in report["hosts"]}
    for host in report["hosts"]:
        suite = by_name[host["name"]]
        if host["state"] != "assessed":
            assert (suite.tests, suite.errors) == (1, 1)
            continue
        expected = {"pass": 0, "failures": 0, "errors": 0, "skipped": 0}
        for finding in host["findings"]:  # the fixture has one control a section
            kind = {"pass": "pass", "fail": "failures", "error": "errors", "unreadable": "errors"}
            counted = kind.get(finding["status"], "skipped")
            expected["skipped" if finding["disposition"] and counted == "failures" else counted] += 1
        cases = list(suite)
        assert suite.tests == len(cases) == len(host["findings"])
        assert (suite.failures, suite.errors, suite.skipped) == (
            expected["failures"], expected["errors"], expected["skipped"])  # fmt: skip
        seen = {"failures": 0, "errors": 0, "skipped": 0, "pass": 0}
        names = {"Failure": "failures", "Error": "errors", "Skipped": "skipped"}
        for case in cases:
            seen[names[type(case.result[0]).__name__] if case.result else "pass"] += 1
        assert seen == expected
    assert suites.tests == sum(suite.tests for suite in by_name.values())


def test_a_section_is_one_test_case_with_its_worst_status(make_report):
    report = make_report(hosts=1, sections=3, unseen=0)
    findings = report["hosts"][0]["findings"]
    for finding, status in zip(findings, ("pass", "unreadable", "not_applicable"), strict=True):
        finding.update(status=status, section="1.1", disposition=None, reason="because")
    suite = next(iter(junitparser.JUnitXml.fromstring(written(write_junit, report).encode())))
    assert (suite.tests, suite.errors, suite.skipped) == (1, 1, 0)
    findings[0]["status"] = "fail"
    suite = next(iter(junitparser.JUnitXml.fromstring(written(write_junit, report).encode())))
    assert (suite.tests, suite.failures) == (1, 1)


@given(st.text(max_size=30), JSON_VALUES)
def test_junit_is_xml_whatever_a_host_says(make_report, name, value):
    report = make_report(hosts=0, sections=2, unseen=1, hostile=[name])
    for finding in report["hosts"][-1]["findings"]:
        finding.update(actual=value, status="fail", disposition=None)
    junitparser.JUnitXml.fromstring(written(write_junit, report).encode("utf-8"))


def test_markdown_shows_hosts_as_they_are(make_report):
    report = make_report(hosts=0, sections=60, unseen=2, hostile=["`</td>|<b>x", "[a](http://x)\n# big"])
    text = written(write_markdown, report)
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert "`` `</td>\\|<b>x ``" in text
    assert "\n# big" not in text
    for line in tables:
        assert line.count("|") - line.count("\\|") in (12, 8, 7, 6), line


def test_markdown_escapes():
    assert escaped("*a* <b> [x](y) https://z @ops www.x") == (
        r"\*a\* \<b\> \[x\](y) https\://z \@ops www\.x")  # fmt: skip
    assert code("a``b") == "```a``b```"


def test_terminal(report, make_report):
    text = summary_text(report, path="/srv/report.html")
    assert text.startswith(f"Secure score  {report['score']['secure']['percent']:.0f} %   assessed 35 of 46 points")
    assert text.endswith("Report: /srv/report.html\n")
    worst = text.split("Worst findings\n")[1].split("\n\n")[0].splitlines()
    assert len(worst) == 11
    assert worst[0].startswith("  critical")
    assert "sudo asks for a password" in text
    assert all(len(line) <= 100 for line in text.splitlines())
    hostile = summary_text(make_report(hosts=1, sections=20, hostile=["\x1b]0;x\x07\u202e"]))
    assert "\x1b" not in hostile
    assert "\u202e" not in hostile


def test_terminal_without_any_host(make_report):
    text = summary_text(make_report(hosts=0, unseen=2))
    assert text.startswith("Secure score  no score")
    assert "2   1 unreachable, 1 failed" in text

"""The schema, the page's packed data, the files."""

from __future__ import annotations

import copy
import json
import pathlib
import stat
import subprocess
import sys

import jsonschema
import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.findings.model import SEVERITIES, STATUSES
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports import packed
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.formats import (
    FORMATS,
    point_latest,
    write_files,
)
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.order import failed_groups, section_key
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.pictures import gauge, trend
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.schema import SCHEMA

ROOT = pathlib.Path(__file__).parents[3]
CHECK = jsonschema.Draft202012Validator(SCHEMA)


def test_the_schema_is_one_and_fits(report):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert [error.message for error in CHECK.iter_errors(report)] == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda report: report.pop("score"),
        lambda report: report["run"].pop("scope"),
        lambda report: report["run"].update(started="yesterday"),
        lambda report: report["hosts"][0].update(state="lost"),
        lambda report: report["hosts"][0]["findings"][0].update(status="green"),
        lambda report: report["hosts"][0]["findings"][0].pop("history"),
        lambda report: report["hosts"][0]["score"].update(percent=101),
        lambda report: report["totals"].update(hosts=-1),
    ],
)
def test_the_schema_refuses(report, spoil):
    spoiled = copy.deepcopy(report)
    spoil(spoiled)
    assert list(CHECK.iter_errors(spoiled))


def test_the_written_schema_is_current():
    subprocess.run([sys.executable, ROOT / "tools" / "report_schema.py", "--check"], check=True)


def unpacked(data):
    """The findings that the page's script sees."""
    rows = {
        name: [values] * data["count"] if isinstance(values, int) else values for name, values in data["rows"].items()
    }
    for number in range(data["count"]):
        row = {name: values[number] for name, values in rows.items()}
        bench, section, control, level, severity, *_ = data["rules"][row["rule"]]
        detail = data["details"][row["detail"]]
        yield {
            "host": data["hosts"][row["host"]]["name"], "benchmark": bench, "section": section, "control": control,
            "level": level, "severity": data["severities"][severity], "status": data["statuses"][row["status"]],
            "detail": json.loads(detail) if detail else None, "owner": data["texts"][row["owner"]],
            "first_seen": data["texts"][row["first"]], "last_changed": data["texts"][row["changed"]],
            "history": json.loads(data["histories"][row["history"]] or "[]"),
        }  # fmt: skip


def test_packing_loses_nothing(report):
    found = {
        (one["host"], one["benchmark"], one["section"], one["control"]): one for one in unpacked(packed.pack(report))
    }
    count = 0
    for host in report["hosts"]:
        for finding in host["findings"]:
            count += 1
            one = found[host["name"], finding["benchmark"], finding["section"], finding["control"]]
            wanted = "excepted" if finding["disposition"] and finding["status"] == "fail" else finding["status"]
            assert one["status"] == wanted
            assert one["detail"] == [finding[name] for name in ("expected", "actual", "evidence", "reason")]
            assert (one["severity"], one["level"], one["owner"]) == (
                finding["severity"],
                finding["level"],
                host["owner"],
            )
            assert (one["first_seen"], one["last_changed"]) == (finding["first_seen"], finding["last_changed"])
            if len(finding["history"]) > 1:
                assert one["history"] == [[item["at"], item["status"]] for item in finding["history"]]
    assert count == len(found)


def test_the_worst_come_first(report):
    order = ["fail", "error", "unreadable", "manual", "excepted", "pass", "not_applicable"]
    ranks = [(order.index(one["status"]), SEVERITIES.index(one["severity"])) for one in unpacked(packed.pack(report))]
    assert ranks == sorted(ranks)


def test_budgets_cut_the_least_urgent_and_say_so(report):
    whole = packed.pack(report)
    rows = packed.pack(report, row_budget=50)
    assert rows["left_out"]["rows"] == whole["count"] - 50
    assert {one["status"] for one in unpacked(rows)} == {"fail"}
    poor = packed.pack(report, detail_budget=3000)
    without = [one["detail"] is None for one in unpacked(poor)]
    assert not any(without[:10])
    assert sum(without) == poor["left_out"]["details"] > 0
    assert len(without) == whole["count"]


def test_huge_values_are_cut_with_a_note(make_report):
    report = make_report(hosts=1, sections=5, unseen=0)
    finding = report["hosts"][0]["findings"][0]
    finding.update(actual="x" * 1_000_000, evidence=[{"where": f"/p{n}", "what": "y" * 300} for n in range(500)])
    data = packed.pack(report)
    assert max(map(len, data["details"])) <= packed.LONGEST_DETAIL
    assert "report.json" in next(text for text in data["details"] if "report.json" in text)


def test_script_text_cannot_end_the_element(make_report):
    text = packed.to_script(packed.pack(make_report(hosts=1, sections=3, hostile=["</script><!--<script>\u2028"])))
    assert text.isascii()
    assert not set("<>&") & set(text)
    assert json.loads(text)["hosts"]


def test_section_order():
    assert sorted(["1.10", "1.9", "sysctl.b", "1.1.2", "1.1"], key=section_key) == [
        "1.1", "1.1.2", "1.9", "1.10", "sysctl.b"]  # fmt: skip


def test_groups_of_failures_leave_out_exceptions(report):
    groups = failed_groups(report)
    open_fails = sum(finding["status"] == "fail" and not finding["disposition"]
                     for host in report["hosts"] for finding in host["findings"])  # fmt: skip
    assert sum(len(group["hosts"]) for group in groups) == open_fails
    assert [SEVERITIES.index(group["severity"]) for group in groups] == sorted(
        SEVERITIES.index(group["severity"]) for group in groups
    )


@pytest.mark.parametrize(
    ("percent", "tone", "share"), [(None, "none", 0), (0, "poor", 0), (55, "fair", 0.55), (100, "good", 1)]
)
def test_gauge(percent, tone, share):
    picture = gauge(percent)
    assert picture["tone"] == tone
    assert picture["filled"] == pytest.approx(share * picture["length"], abs=0.01)


def test_trend_needs_two_points():
    point = {"run": "a", "taken": "2026-01-01T00:00:00Z", "percent": 50.0, "weighted": 1, "fail": 1}
    assert trend([point, {**point, "percent": None}]) is None
    picture = trend([point, {**point, "percent": 48.5}])
    assert picture["change"] == -1.5
    assert picture["dots"][1]["y"] > picture["dots"][0]["y"]


def test_files_are_private_and_whole(report, tmp_path):
    paths = write_files(report, tmp_path / "reports" / "run-1")
    assert set(paths) == set(FORMATS)
    for path in map(pathlib.Path, paths.values()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.stat().st_size > 500
    assert sorted(path.name for path in (tmp_path / "reports" / "run-1").iterdir()) == sorted(
        name for name, _writer in FORMATS.values()
    )
    for run in ("run-1", "run-2"):
        point_latest(tmp_path / "reports", run)
        assert (tmp_path / "reports" / "latest").readlink() == pathlib.Path(run)


def test_a_failed_writer_leaves_the_old_file(report, tmp_path):
    paths = write_files(report, tmp_path, ["csv"])
    before = pathlib.Path(paths["csv"]).read_bytes()
    broken = {**report, "hosts": [*report["hosts"], {"name": "no other field"}]}
    with pytest.raises(KeyError):
        write_files(broken, tmp_path, ["csv"])
    assert pathlib.Path(paths["csv"]).read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1
    with pytest.raises(ValueError, match="unknown report format pdf"):
        write_files(report, tmp_path, ["pdf"])


def test_statuses_of_the_page():
    assert packed.STATUSES is STATUSES
    assert len(STATUSES) == packed.EXCEPTED

"""A table that was readable and is not any more shows where people look: at the host and in the terminal."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.content import Content
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.build import build_report
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.packed import pack
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.terminal import summary_text

CONTENT = Content({"digest": "", "controls": {}, "benchmarks": {}, "parameters": {}})


@pytest.fixture
def play(bench):
    """Play a day: ``lost`` {host: tables that cannot be read}; return (hosts of the report, line of the terminal)."""

    def run(day, lost):
        files = []
        for name in ("a", "b"):
            file = bench.host(name, {1: "pass"}, bench.time(day))
            for table in lost.get(name, ()):
                file["tables"][table] = bench.table(table, {}, "denied", bench.time(day))
            files.append(file)
        report = build_report(bench.store, bench.play(day, files)["run"], CONTENT)
        lines = [line for line in summary_text(report).splitlines() if "no longer readable" in line]
        return report, {host["name"]: host["notes"] for host in report["hosts"]}, lines

    return run


def test_it_is_said_at_the_host_and_in_one_line_of_the_terminal_until_it_can_be_read_again(play):
    assert play(0, {"a": ["users"]})[1:] == ({"a": [], "b": []}, []), "never read completely: nothing was lost"
    report, notes, lines = play(1, {"a": ["users", "sysctl", "packages"], "b": ["sysctl"]})
    assert notes == {
        "a": ["2 tables no longer readable: packages, sysctl"], "b": ["1 table no longer readable: sysctl"],
    }  # fmt: skip
    assert lines == ["Lost          3 tables no longer readable: a (packages, sysctl), b (sysctl)"]
    alerts = [alert["rule"] for host in report["hosts"] for alert in host["alerts"]]
    assert alerts == ["posture.table_unreadable"] * 3
    assert pack(report)["hosts"][0]["notes"] == notes["a"]
    _report, notes, lines = play(2, {"b": ["sysctl"]})
    assert notes == {"a": [], "b": ["1 table no longer readable: sysctl"]}
    assert lines == ["Lost          1 table no longer readable: b (sysctl)"]
    assert play(3, {})[1:] == ({"a": [], "b": []}, [])

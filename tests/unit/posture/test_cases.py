"""Cases by the kind of system, groups of which one member has the job, what a control says of settings and holds."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.content import ContentError, Root, compile_content
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture import VOCABULARY
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.judge import judge_control
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.selection import describe, fits
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.view import Snapshot, TableView

HEAD = "- id: linux.site.one\n  title: One is so\n  severity: low\n  rationale: Because.\n"
CASES = (
    HEAD
    + """\
  require:
    cases:
      - {when: {family: debian}, require: {package: {apt: installed}}}
      - {when: {family: [rhel, suse]}, require: {package: {rpm: installed}}, set: [{kind: package, name: rpm}]}
"""
)
BENCHMARK = 'id: site\ntitle: Site\nversion: "1"\nsections:\n  "1": {level: l1, controls: [linux.site.one]}\n'


@pytest.fixture
def compiled(tmp_path):
    def run(control, benchmark=BENCHMARK):
        directory = tmp_path / "benchmarks" / "controls" / "linux"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "site.yml").write_text(control)
        (tmp_path / "benchmarks" / "site.yml").write_text(benchmark)
        return compile_content([Root(str(tmp_path))], VOCABULARY)

    return run


def judged(content, **tables):
    views = {
        name: rows if isinstance(rows, TableView) else TableView(name, rows=rows, observed_at="2026-03-01T11:58:00Z")
        for name, rows in tables.items()
    }
    return judge_control(content.controls["linux.site.one"], {}, Snapshot(views, host="web1"), {"content": content})


def package(name):
    return {f"{name}:amd64": {"name": name, "version": "1", "state": "installed", "installed": True}}


def system(family):
    return {"host": {"id": "x", "family": family, "container": None}}


def test_the_case_of_the_system_is_judged(compiled):
    content = compiled(CASES)
    assert judged(content, platform=system("debian"), packages=package("apt")).status == "pass"
    assert judged(content, platform=system("debian"), packages=package("rpm")).status == "fail"
    assert judged(content, platform=system("suse"), packages=package("rpm")).status == "pass"


def test_where_no_case_fits_the_facts_are_said(compiled):
    verdict = judged(compiled(CASES), platform=system("alpine"), packages={})
    assert verdict.status == "not_applicable"
    assert verdict.reason == "does not apply: the system is of the alpine family"


def test_a_case_that_cannot_be_told_is_unreadable(compiled):
    verdict = judged(compiled(CASES), platform=TableView("platform", state="denied", why="no"), packages={})
    assert verdict.status == "unreadable"
    verdict = judged(compiled(CASES), platform=system(None), packages=package("apt"))
    assert verdict.status == "unreadable"


def test_a_case_without_conditions_takes_the_rest(compiled):
    content = compiled(CASES + "      - {require: {package: {apk-tools: installed}}}\n")
    assert judged(content, platform=system("alpine"), packages=package("apk-tools")).status == "pass"
    assert judged(content, platform=system("alpine"), packages=package("apt")).status == "fail"
    assert judged(content, platform=system("debian"), packages=package("apt")).status == "pass"


def test_what_all_cases_read_is_needed(compiled):
    text = CASES.replace("{package: {rpm: installed}}", "{sysctl: {kernel.pid_max: 1}}")
    assert compiled(text).needs()["tables"] == {"platform", "packages", "sysctl"}


def test_settings_and_holds_are_kept(compiled):
    content = compiled(CASES + "  set: [{kind: line, path: /etc/x, line: y}]\n  hold: [faillock]\n")
    control = content.controls["linux.site.one"]
    assert control["set"] == [{"kind": "line", "path": "/etc/x", "line": "y"}]
    assert control["hold"] == ["faillock"]
    assert control["require"][0]["cases"][1]["set"] == [{"kind": "package", "name": "rpm"}]


@pytest.mark.parametrize(
    ("wrong", "line", "text"),
    [
        ("  set: {kind: line}\n", 9, "list of maps"),
        ("  set: [{path: /etc/x}]\n", 9, "no kind"),
        ("  set: [{kind: Line}]\n", 9, "no kind"),
        ("  set: [{kind: line, path: {parameter: nowhere}}]\n", 9, "unknown parameter nowhere"),
        ("  hold: [faillok]\n", 9, "did you mean faillock?"),
        ("  hold: faillock\n", 9, "list of names"),
        ("      - {when: {famly: x}, require: {package: {a: installed}}}\n", 9, "did you mean family?"),
        ("      - {when: {family: debain}, require: {package: {a: installed}}}\n", 9, "did you mean debian?"),
        ("      - {when: {family: arch}}\n", 9, "has no require"),
        ("      - {require: {package: {a: installed}}, sett: []}\n", 9, "did you mean set?"),
        ("      - {require: {package: {a: there}}}\n", 9, "package a: 'there'"),
        ("  when: {in_charge: {firewal: ufw}}\n", 9, "did you mean firewall?"),
        ("  when: {in_charge: {firewall: uwf}}\n", 9, "did you mean ufw?"),
        ("  when: {in_charge: ufw}\n", 9, "takes a map"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(compiled, wrong, line, text):
    with pytest.raises(ContentError, match=r"site\.yml") as caught:
        compiled(CASES + wrong)
    assert text in str(caught.value)
    assert caught.value.where.line == line


def test_a_case_behind_one_without_conditions_is_refused(compiled):
    rest = "      - {require: {package: {a: installed}}}\n"
    with pytest.raises(ContentError, match="hides those behind it"):
        compiled(CASES + rest + rest)


def test_a_section_with_one_control_takes_its_title(compiled):
    assert compiled(CASES).benchmarks["site"]["sections"]["1"]["title"] == "One is so"
    with pytest.raises(ContentError, match="has no title and 0 controls"):
        compiled(CASES, BENCHMARK.replace("controls: [linux.site.one]", "assessment: manual, reason: r"))


def test_platform_matches_releases_of_one_major_and_several_systems():
    wanted = {"id": ["rhel", "almalinux"], "major": "9"}
    assert fits(wanted, {"id": "almalinux", "version_id": "9.4"})
    assert fits(wanted, {"id": "rhel", "version_id": "9"})
    assert not fits(wanted, {"id": "rhel", "version_id": "90.1"})
    assert not fits(wanted, {"id": "rhel", "version_id": None})
    assert not fits(wanted, {"id": "fedora", "version_id": "9.4"})
    assert describe(wanted) == "rhel or almalinux 9"


IN_CHARGE = HEAD + "  require: {package: {apt: installed}}\n  when: {in_charge: {GROUP: MEMBER}}\n"
FRONT = {"front_end": None, "others": [], "active": True, "enabled": None}
SERVICE = {"active": "active", "enabled": "enabled", "aliases": [], "wanted_by": [], "alias_of": None}
DAEMON = {"running": False, "enabled": False, "installed": True}
GROUP_CASES = [
    ("firewall", "ufw", {"firewall": {"host": {**FRONT, "front_end": "ufw"}}, "units": {}}, "pass", ""),
    ("firewall", "iptables", {"firewall": {"host": {**FRONT, "front_end": "iptables-legacy"}}, "units": {}}, "pass", ""),
    ("firewall", "ufw", {"firewall": {"host": {**FRONT, "front_end": "nftables", "others": ["ufw"]}}, "units": {}},
     "pass", ""),
    ("firewall", "nftables", {"firewall": {"host": {**FRONT, "front_end": "ufw"}}, "units": {}}, "not_applicable",
     "does not apply: ufw is in charge of the firewall"),
    ("firewall", "nftables", {"firewall": {"host": FRONT}, "units": {}}, "not_applicable",
     "does not apply: nothing is in charge of the firewall"),
    ("firewall", "nftables", {"firewall": {"host": FRONT}, "units": {"nftables.service": SERVICE}}, "pass", ""),
    ("firewall", "ufw", {"firewall": {"host": FRONT, "ufw": {"enabled": False}}, "units": {"ufw.service": SERVICE}},
     "not_applicable", "does not apply: nothing is in charge of the firewall"),
    ("firewall", "ufw", {"firewall": {"host": {**FRONT, "front_end": {"!": "denied", "why": "no"}}}, "units": {}},
     "unreadable", "whether it applies is not known: no"),
    ("firewall", "ufw", {"firewall": TableView("firewall", state="denied", why="no"), "units": {}}, "unreadable",
     "whether it applies is not known: firewall: no"),
    ("time", "chrony", {"time": {"chrony:daemon": {**DAEMON, "running": True}, "timesyncd:daemon": DAEMON}}, "pass", ""),
    ("time", "timesyncd", {"time": {"chrony:daemon": {**DAEMON, "running": True}, "timesyncd:daemon": DAEMON}},
     "not_applicable", "does not apply: chrony is in charge of the clock"),
    ("time", "ntpd", {"time": {"ntpsec:daemon": {**DAEMON, "running": None, "enabled": True}}}, "pass", ""),
    ("time", "chrony", {"time": {}}, "not_applicable", "does not apply: nothing is in charge of the clock"),
    ("logging", "rsyslog", {"logging": {}, "units": {"rsyslog.service": SERVICE}}, "pass", ""),
    ("logging", "journald", {"logging": {"journald:daemon": {**DAEMON, "running": True}},
                             "units": {"rsyslog.service": SERVICE}},
     "not_applicable", "does not apply: rsyslog is in charge of the logs"),
    ("logging", "journald", {"logging": {"journald:daemon": {**DAEMON, "running": True}}, "units": {}}, "pass", ""),
    ("logging", "journald", {"logging": {"journald:daemon": {**DAEMON, "running": None}}, "units": {}}, "pass", ""),
    ("logging", "journald", {"logging": {}, "units": TableView("units", state="denied", why="no")}, "unreadable",
     "whether it applies is not known: units: no"),
]  # fmt: skip


@pytest.mark.parametrize(("group", "member", "tables", "status", "reason"), GROUP_CASES)
def test_the_member_in_charge_is_judged(compiled, group, member, tables, status, reason):
    content = compiled(IN_CHARGE.replace("GROUP", group).replace("MEMBER", member))
    verdict = judged(content, packages=package("apt"), **tables)
    assert (verdict.status, verdict.reason) == (status, reason)

"""The published benchmarks: every section is listed with its facts, the automated ones are judged, by their own values."""

from __future__ import annotations

import json
import os
import pathlib
import re

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.content import compile_content, roots
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture import VOCABULARY
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.selection import select
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.view import Snapshot, TableView

PROJECT = pathlib.Path(__file__).parents[3]
SHARED = pathlib.Path(os.environ.get("RINGWALL_SHARED", PROJECT.parent / "shared")) / "benchmarks"
NO_SECTION = {"reload_dconf_db", "enable_authselect", "needed_rules"}
"""Entries of the published data that only help a tool: no section of the benchmark."""

MISPRINTED = {("cis_rhel8", "6.6.3.18"): "6.3.3.18"}
"""Sections whose number is wrong in the published data: the benchmark has no chapter 6.6."""

# (benchmark, sections, judged, only for people), counted by hand when the benchmark was written
COUNTS = [
    ("azure_linux", 169, 167, 2),
    ("cis_debian12", 310, 293, 17),
    ("cis_debian13", 343, 331, 12),
    ("cis_rhel8", 322, 305, 17),
    ("cis_rhel9", 298, 281, 17),
    ("cis_rhel10", 328, 312, 16),
    ("cis_ubuntu2204", 300, 287, 13),
    ("cis_ubuntu2404", 312, 295, 17),
    ("stig_rhel8", 370, 368, 2),
    ("stig_rhel9", 447, 445, 2),
    ("stig_rhel10", 434, 433, 1),
    ("stig_ubuntu2204", 188, 185, 3),
    ("stig_ubuntu2404", 194, 191, 3),
]
NAMES = [name for name, *_counts in COUNTS if name != "azure_linux"]
FOR_PEOPLE_ALONE = re.compile(
    r"(-(411040|600140|020000|020270|200250)|UBTU-2\d-(432015|600130|631010|600060)|RHEL-09-214030)$"
)
"""STIG sections that no machine decides: temporary accounts, who administers, which authorities, files of packages."""

# What a benchmark asks for, as published: (benchmark, section, parameter, value).
VALUES = [
    ("cis_debian12", "5.1.16", "sshd_max_auth_tries", 4),
    ("cis_debian12", "5.3.3.1.1", "lockout_attempts", 4),
    ("cis_debian12", "5.3.3.2.2", "password_length", 14),
    ("cis_debian12", "5.4.1.1", "password_max_days", 365),
    ("cis_debian12", "5.4.1.5", "password_inactive_days", 45),
    ("cis_debian13", "5.4.1.1", "password_max_days", 365),
    ("cis_rhel9", "5.3.3.1.1", "lockout_attempts", 5),
    ("cis_rhel9", "5.4.1.1", "password_max_days", 365),
    ("cis_ubuntu2404", "5.4.3.2", "shell_timeout", 900),
    ("stig_rhel9", "RHEL-09-411075", "lockout_attempts", 3),
    ("stig_rhel9", "RHEL-09-411085", "lockout_interval", 900),
    ("stig_rhel9", "RHEL-09-411050", "password_inactive_days", 35),
    ("stig_rhel9", "RHEL-09-411010", "password_max_days", 60),
    ("stig_rhel9", "RHEL-09-611090", "password_length", 15),
    ("stig_rhel9", "RHEL-09-611115", "password_different", 8),
    ("stig_rhel8", "RHEL-08-020230", "password_length", 15),
    ("stig_rhel8", "RHEL-08-020200", "password_max_days", 60),
    ("stig_ubuntu2204", "UBTU-22-411030", "password_max_days", 60),
    ("stig_ubuntu2404", "UBTU-24-400320", "password_length", 15),
    ("azure_linux", "EnsureSshMaxAuthTriesIsSet", "sshd_max_auth_tries", 6),
    ("azure_linux", "EnsureMinDaysBetweenPasswordChanges", "password_min_days", 7),
    ("azure_linux", "EnsurePasswordReuseIsLimited", "password_history", 5),
]
# Variables of the published data and what they are called here.
IMPORTANT = {
    "var_accounts_passwords_pam_faillock_deny": "lockout_attempts",
    "var_accounts_passwords_pam_faillock_fail_interval": "lockout_interval",
    "var_password_pam_minlen": "password_length",
    "var_password_pam_difok": "password_different",
    "var_accounts_maximum_age_login_defs": "password_max_days",
    "var_accounts_minimum_age_login_defs": "password_min_days",
    "var_account_disable_post_pw_expiration": "password_inactive_days",
    "sshd_max_auth_tries_value": "sshd_max_auth_tries",
    "var_sshd_set_login_grace_time": "sshd_login_grace_time",
    "var_accounts_tmout": "shell_timeout",
    "var_auditd_max_log_file": "audit_max_log_file",
}
SYSTEMS = [
    ("debian", "12", "cis_debian12"),
    ("debian", "13", "cis_debian13"),
    ("ubuntu", "22.04", "cis_ubuntu2204"),
    ("ubuntu", "24.04", "cis_ubuntu2404"),
    ("rhel", "8.10", "cis_rhel8"),
    ("almalinux", "9.4", "cis_rhel9"),
    ("rocky", "9.5", "cis_rhel9"),
    ("ol", "10.0", "cis_rhel10"),
]


@pytest.fixture(scope="module")
def content():
    return compile_content(roots(), VOCABULARY)


def published(name):
    path = SHARED / f"{name}.json"
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    facts = json.loads(path.read_text())["controls"]
    return {MISPRINTED.get((name, item["id"]), item["id"]): item for item in facts if item["id"] not in NO_SECTION}


def by_hand(fact):
    """True if the published benchmark leaves a section to people."""
    return fact.get("assessment") == "manual" or (fact.get("assessment") is None and fact["status"] == "manual")


@pytest.mark.parametrize(("name", "sections", "judged", "people"), COUNTS)
def test_counts(content, name, sections, judged, people):
    found = content.benchmarks[name]["sections"].values()
    counted = (len(found), sum(bool(one["controls"]) for one in found), sum(not one["controls"] for one in found))
    assert counted == (sections, judged, people)


@pytest.mark.parametrize("name", [name for name, *_counts in COUNTS])
def test_every_section_has_a_title_and_what_is_not_judged_a_reason(content, name):
    for section, body in content.benchmarks[name]["sections"].items():
        assert body["title"], section
        assert "not built" not in (body["reason"] + body["title"]).lower(), section
        if body["assessment"] == "manual":
            assert len(body["reason"]) > 20, section
        else:
            assert body["controls"], section


@pytest.mark.parametrize("name", NAMES)
def test_every_published_section_is_listed_with_its_level_and_mark(content, name):
    facts, sections = published(name), content.benchmarks[name]["sections"]
    assert set(sections) == set(facts)
    for section, fact in facts.items():
        if name.startswith("stig"):
            assert sections[section]["level"] == fact["levels"][0], section
        else:
            levels = dict(reversed(level.split("_")) for level in fact["levels"])
            assert sections[section]["level"] == levels.get("server", levels.get("workstation")), section
            assert sections[section]["workstation"] == levels.get("workstation", ""), section
            assert (sections[section]["assessment"] == "manual") == by_hand(fact), section


@pytest.mark.parametrize("name", NAMES)
def test_every_section_that_is_marked_automated_is_judged(content, name):
    facts, sections = published(name), content.benchmarks[name]["sections"]
    left = [
        section
        for section, fact in facts.items()
        if not by_hand(fact) and not sections[section]["controls"] and not FOR_PEOPLE_ALONE.search(section)
    ]
    assert left == []


def test_every_rule_of_azure_is_listed(content):
    path = SHARED / "azure_linux_baseline.json"
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    keys = {rule["key"] for rule in json.loads(path.read_text())["rules"]}
    assert set(content.benchmarks["azure_linux"]["sections"]) == keys


@pytest.mark.parametrize(("name", "section", "parameter", "value"), VALUES)
def test_values_are_those_of_the_benchmark(content, name, section, parameter, value):
    body = content.benchmarks[name]["sections"][section]
    used = {one for control in body["controls"] for one in content.controls[control]["parameters"]}
    assert parameter in used
    assert body["parameters"].get(parameter, content.parameters[parameter]["default"]) == value


@pytest.mark.parametrize("name", NAMES)
def test_values_are_those_that_the_published_data_gives(content, name):
    compared, wrong = 0, []
    for section, fact in published(name).items():
        body = content.benchmarks[name]["sections"][section]
        used = {one for control in body["controls"] for one in content.controls[control]["parameters"]}
        for variable, value in (fact.get("vars") or {}).items():
            parameter = IMPORTANT.get(variable)
            if parameter not in used or isinstance(value, dict):
                continue
            compared += 1
            found = body["parameters"].get(parameter, content.parameters[parameter]["default"])
            if str(found) != str(value):
                wrong.append((section, parameter, found, value))
    assert wrong == []
    assert compared


def test_the_readme_says_what_is_so(content):
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` ([\w.-]+)[^|]*\| (\d+) \| (\d+) \|$", text, re.MULTILINE)
    told = {name: (version, int(sections), int(judged)) for name, version, sections, judged in rows}
    assert told == {
        name: (content.benchmarks[name]["version"], sections, judged) for name, sections, judged, _people in COUNTS
    }


def test_systems_get_their_own_benchmark_and_others_only_when_asked(content):
    for system, version, name in SYSTEMS:
        row = {"id": system, "version_id": version, "family": "any", "container": None}
        shot = Snapshot({"platform": TableView("platform", rows={"host": row})}, host="web1")
        chosen, notes = select(content, shot)
        assert [entry["id"] for entry in chosen] == [name, "ringwall_servers"]
        assert not notes
        assert [entry["id"] for entry in select(content, shot, ["azure_linux"])[0]] == ["azure_linux"]


@pytest.mark.parametrize(("system", "version"), [("almalinux", "9.4"), ("debian", "12")])
def test_a_benchmark_of_another_release_is_refused(content, system, version):
    row = {"id": system, "version_id": version, "family": "any", "container": None}
    shot = Snapshot({"platform": TableView("platform", rows={"host": row})}, host="web1")
    chosen, notes = select(content, shot, ["stig_rhel8"])
    assert [entry["id"] for entry in chosen] == ["ringwall_linux"]
    assert notes[0] == (
        f"stig_rhel8 is for rhel or almalinux or rocky or ol or centos 8, this is {system} {version}: it was not used."
    )


def test_the_stig_serves_alma_that_asks(content):
    row = {"id": "almalinux", "version_id": "9.4", "family": "rhel", "container": None}
    shot = Snapshot({"platform": TableView("platform", rows={"host": row})}, host="web1")
    assert [entry["id"] for entry in select(content, shot, ["stig_rhel9"])[0]] == ["stig_rhel9"]

"""sudo's settings and rules, and ages of passwords."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.changes import edits as engine
from ansible_collections.ringwall.servers.plugins.module_utils.changes import spec
from ansible_collections.ringwall.servers.plugins.plugin_utils.hardening.kinds import password_age, sudo
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.view import Snapshot, TableView

INCLUDE = {"kind": "include", "value": "/etc/sudoers.d", "where": ["/etc/sudoers:30"]}


def edited(operation, text):
    """The file after the edits of an operation."""
    spec.check_operation(operation)
    plain = [{name: value for name, value in one.items() if name != "controls"} for one in operation["edits"]]
    return engine.apply(text.encode(), plain).decode()


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("use_pty", True, "Defaults use_pty"),
        ("targetpw", False, "Defaults !targetpw"),
        ("timestamp_timeout", 15, "Defaults timestamp_timeout=15"),
        ("logfile", "/var/log/sudo.log", 'Defaults logfile="/var/log/sudo.log"'),
        ("logfile", 'x" ALL=(ALL) ALL', None),
        ("use_pty\nDefaults x", True, None),
    ],
)
def test_a_setting_as_a_line(name, value, line):
    assert sudo.text(name, value) == line


def test_settings_go_into_the_drop_in_that_is_read_last_and_replace_what_stood_there(facts, chosen):
    here = facts({"sudoers": {"i": INCLUDE}})
    settings = chosen({"kind": "sudo", "defaults": {"use_pty": True}}, {"kind": "sudo", "defaults": {"x": 5}})
    (operation,) = sudo.operations(settings, here)
    assert (operation["path"], operation["validate"], operation["guarded"]) == (
        "/etc/sudoers.d/zz-ringwall", "visudo", True,
    )  # fmt: skip
    after = edited(operation, "Defaults !use_pty\nDefaults x=9\n")
    assert after == "Defaults use_pty\nDefaults x=5\n"
    assert edited(operation, after) == after


def test_without_the_directory_nothing_is_written_that_nobody_reads(facts, chosen):
    settings = chosen({"kind": "sudo", "defaults": {"use_pty": True}})
    assert [item["op"] for item in sudo.operations(settings, facts({"sudoers": {}}))] == ["left"]


def test_what_holds_for_some_only_is_told(facts, chosen):
    row = {"kind": "setting", "setting": "use_pty", "scope": "user", "where": ["/etc/sudoers:9"]}
    found = sudo.operations(
        chosen({"kind": "sudo", "defaults": {"use_pty": True}}), facts({"sudoers": {"i": INCLUDE, "s": row}})
    )
    assert [item["op"] for item in found] == ["left", "edit"]


def test_rules_lose_nopasswd_but_for_those_named(facts, chosen):
    text = "root ALL=(ALL) NOPASSWD: ALL\nann, %ops ALL=(ALL) NOPASSWD: ALL\nansible ALL=(ALL) NOPASSWD:ALL\n# ann x\n"
    rule = {"kind": "rule", "nopasswd": True}
    rows = {
        "1": {**rule, "users": ["root"], "all_users": ["root"], "where": ["/etc/sudoers.d/a:1"]},
        "2": {**rule, "users": ["ann", "%ops"], "all_users": ["ann", "%ops"], "where": ["/etc/sudoers.d/a:2"]},
        "3": {**rule, "users": ["ansible"], "all_users": ["ansible"], "where": ["/etc/sudoers.d/a:3"]},
        "4": {**rule, "users": ["bob"], "all_users": ["bob"], "where": ["/opt/rules:3"]},
    }
    settings = chosen({"kind": "sudo", "nopasswd": False, "except": ["ansible"]})
    left, operation = sudo.operations(settings, facts({"sudoers": rows}))
    assert left["op"] == "left"
    assert "/opt/rules" in left["reason"]
    assert edited(operation, text) == text.replace("%ops ALL=(ALL) NOPASSWD: ALL", "%ops ALL=(ALL) ALL")


def ages(**rows):
    base = {"usable": True, "max": 99999, "min": 0, "warn": 7, "inactive": None, "changed": "2026-02-01T00:00:00Z"}
    return {name: {**base, "name": name, **row} for name, row in rows.items()}


@pytest.fixture
def planned(facts, chosen):
    def run(rows, **limits):
        here = facts()
        view = TableView("password_ages", rows=rows, observed_at="2026-03-01T00:00:00Z")
        here = type(here)(Snapshot({"password_ages": view}), here.platform, here.connection, {}, ())
        settings = [{"kind": "password_age", "name": name, "value": value} for name, value in limits.items()]
        return password_age.operations(chosen(*settings), here)

    return run


def test_only_accounts_with_a_password_that_miss_a_limit_get_it(planned):
    rows = ages(ann={}, bob={"max": 90, "inactive": 30}, old={"usable": False}, cat={"max": 0})
    found = planned(rows, max=365, inactive=45)
    spec.check_operations(found)
    assert [(item["name"], item.get("max_days"), item.get("inactive"), item["guarded"]) for item in found] == [
        ("ann", 365, 45, True),
        ("cat", 365, 45, True),
    ]


def test_an_account_that_the_limit_would_close_keeps_its_own(planned):
    rows = ages(ann={"changed": "2024-01-01T00:00:00Z"}, bob={"changed": None})
    assert [item["op"] for item in planned(rows, max=365)] == ["left", "left"]
    assert [item["op"] for item in planned(rows, warn=14)] == ["account", "account"]


def test_names_out_of_the_host_are_not_trusted(planned):
    assert [item["op"] for item in planned(ages(**{"ann -M x": {}}), max=365)] == ["left"]

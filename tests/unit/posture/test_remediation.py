"""What would set a control right: of what fails alone, one alternative, and for keeping the host's own value."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.remediation import settings_of
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.view import Snapshot, TableView


def snapshot(**tables):
    rows = {"platform": {"host": {"family": "debian", "container": None}}, **tables}
    return Snapshot({name: TableView(name, rows=found) for name, found in rows.items()})


def sysctl(runtime, persisted):
    return {"runtime": runtime, "persisted": persisted, "persisted_where": "/etc/sysctl.conf:1"}


def control(*require, **more):
    return {"when": {}, "require": list(require), "parameters": [], "set": [], **more}


def settings(one, seen, status="fail", values=None):
    return settings_of(one, values or {}, seen, {"content": None, "roles": []}, status)


PAIR = {"resource": "sysctl", "statement": {"kernel.a": 1, "kernel.b": 1}}


def test_only_the_entries_that_fail_are_set():
    seen = snapshot(sysctl={"kernel.a": sysctl("1", "1"), "kernel.b": sysctl("0", None)})
    assert settings(control(PAIR), seen) == [{"kind": "sysctl", "key": "kernel.b", "value": 1}]
    assert settings(control(PAIR), seen, "pass") == [{"kind": "sysctl", "key": "kernel.a", "value": 1}]


def test_what_could_not_be_read_is_not_set():
    assert settings(control(PAIR), Snapshot({"sysctl": TableView("sysctl", state="denied")})) == []


def test_what_does_not_apply_is_not_set():
    seen = snapshot(sysctl={"kernel.a": sysctl("0", None), "kernel.b": sysctl("0", None)})
    assert settings(control(PAIR, when={"role": ["router"]}), seen) == []


def test_settings_of_the_control_itself_come_with_its_parameters():
    own = [{"kind": "config", "path": "/etc/x", "name": "a", "value": {"parameter": "wanted"}}]
    seen = snapshot(sysctl={"kernel.a": sysctl("0", None), "kernel.b": sysctl("1", "1")})
    found = settings(control(PAIR, set=own), seen, values={"wanted": 7})
    assert found[-1] == {"kind": "config", "path": "/etc/x", "name": "a", "value": 7}


def test_of_alternatives_the_one_without_packages_is_taken():
    gone = [{"resource": "package", "statement": {"telnetd": "absent"}}]
    off = [{"resource": "service", "statement": {"telnetd": "off"}}]
    package = {"name": "telnetd", "installed": True, "state": "installed", "architecture": "amd64", "manager": "dpkg"}
    unit = {
        "enabled": "enabled",
        "active": "active",
        "masked": False,
        "triggered_by": [],
        "wanted_by": [],
        "path": "/x",
    }
    seen = snapshot(packages={"telnetd:amd64": package}, units={"telnetd.service": unit})
    found = settings(control({"any": [gone, off]}), seen)
    assert [item["kind"] for item in found] == ["service"]


@pytest.mark.parametrize(("runtime", "kept"), [("3", [{"kind": "sysctl", "key": "kernel.a", "value": 1}]), ("1", [])])
def test_a_control_with_a_plain_value_is_set_to_that_value_where_it_fails(runtime, kept):
    one = control({"resource": "sysctl", "statement": {"kernel.a": 1}})
    assert settings(one, snapshot(sysctl={"kernel.a": sysctl(runtime, runtime)})) == kept

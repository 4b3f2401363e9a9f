from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.content.errors import ContentError, Where
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.resources.config import Config
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.view import Snapshot, TableView

CONFIG = Config()
JOURNALD = "/etc/systemd/journald.conf"


def line(name, value, section="Journal", where=f"{JOURNALD}:2"):
    return {"section": section, "name": name, "value": value, "where": where}


def snapshot(*lines, path=JOURNALD, exists=True):
    row = {"exists": exists, "format": "systemd", "files": [path], "directives": list(lines)}
    return Snapshot({"config": TableView("config", rows={path: row})})


def judge(statement, view):
    return [verdict.status for verdict in CONFIG.judge(statement, view)]


def storage(**extra):
    return {"file": JOURNALD, "settings": {"Storage": "persistent"}, **extra}


def test_the_last_value_of_the_section_counts():
    assert judge(storage(), snapshot(line("Storage", "none"), line("Storage", "persistent"))) == ["pass"]
    assert judge(storage(), snapshot(line("Storage", "persistent"), line("Storage", "none"))) == ["fail"]
    assert judge(storage(), snapshot(line("Storage", "persistent", section="Upload"))) == ["fail"]
    assert judge(storage(), snapshot(line("Storage", "persistent"), line("Storage", ""))) == ["fail"]


def test_the_default_counts_where_nothing_is_said():
    wanted = {"file": JOURNALD, "settings": {"Compress": True}, "default": {"Compress": "yes"}}
    assert judge(wanted, snapshot()) == ["pass"]
    assert judge(wanted, snapshot(exists=False)) == ["pass"]
    assert judge(wanted, snapshot(line("Compress", "off"))) == ["fail"]
    assert judge({**wanted, "default": {"Compress": "no"}}, snapshot()) == ["fail"]


@pytest.mark.parametrize("word", ["yes", "TRUE", "on", "1"])
def test_any_word_for_true(word):
    assert judge({"file": JOURNALD, "settings": {"Seal": True}}, snapshot(line("Seal", word))) == ["pass"]
    assert judge({"file": JOURNALD, "settings": {"Seal": False}}, snapshot(line("Seal", word))) == ["fail"]


def test_a_switch_is_there_or_not():
    path = "/etc/security/faillock.conf"
    view = snapshot(line("even_deny_root", "", section=""), path=path)
    assert judge({"file": path, "settings": {"even_deny_root": {"absent": False}}}, view) == ["pass"]
    assert judge({"file": path, "settings": {"audit": {"absent": False}}}, view) == ["fail"]


def test_lines_by_pattern():
    path = "/etc/aide.conf"
    view = snapshot(line("/sbin/auditctl", "p+i+n+sha512", section=""), path=path)
    assert judge({"file": path, "any_line": r"^/(usr/)?sbin/auditctl .*sha512"}, view) == ["pass"]
    assert judge({"file": path, "any_line": "^/sbin/auditd "}, view) == ["fail"]
    assert judge({"file": path, "no_line": "^/sbin/auditctl"}, view) == ["fail"]
    assert judge([{"file": path, "no_line": "x9"}, {"file": path, "any_line": "x9"}], view) == ["pass", "fail"]


def test_what_could_not_be_read_never_passes():
    row = {"exists": {"!": "denied", "why": "no"}, "directives": {"!": "denied", "why": "no"}}
    assert judge(storage(), Snapshot({"config": TableView("config", rows={JOURNALD: row})})) == ["unreadable"]
    assert judge(storage(), Snapshot({"config": TableView("config")})) == ["unreadable"]
    assert judge(storage(), Snapshot({})) == ["unreadable"]


def test_a_file_that_need_not_be_there():
    assert judge(storage(if_present=True), snapshot(exists=False)) == ["not_applicable"]
    assert judge(storage(), snapshot(exists=False)) == ["fail"]


def test_settings_name_the_drop_in_and_what_reads_it():
    (setting,) = CONFIG.settings(storage())
    assert setting == {
        "kind": "config",
        "path": JOURNALD,
        "drop_in": f"{JOURNALD}.d/60-ringwall.conf",
        "read": "after",
        "format": "systemd",
        "section": "Journal",
        "name": "Storage",
        "value": "persistent",
        "follow": "restart:systemd-journald",
    }
    path = "/etc/security/pwquality.conf"
    several = {"minlen": {"min": 14}, "dictcheck": {"not_equals": 0}, "x": {"absent": True}, "y": True}
    found = {item["name"]: item for item in CONFIG.settings({"file": path, "settings": several})}
    assert {name: item["value"] for name, item in found.items()} == {"minlen": "14", "x": None, "y": "yes"}
    assert found["x"]["drop_in"] == "/etc/security/pwquality.conf.d/60-ringwall.conf"
    assert found["x"]["read"] == "before"
    assert CONFIG.settings({"file": "/etc/security/faillock.conf", "settings": {"deny": 5}})[0]["drop_in"] is None
    added = {"file": "/etc/aide.conf", "any_line": "^/sbin/auditctl ", "write": "/sbin/auditctl p+sha512"}
    assert CONFIG.settings(added)[0]["kind"] == "line"


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"file": "journald.conf", "settings": {"a": 1}},
        {"file": "/etc/unknown.conf", "settings": {"a": 1}},
        {"file": JOURNALD},
        {"file": JOURNALD, "settings": {}},
        {"file": JOURNALD, "settings": {"a": {"minimum": 1}}},
        {"file": JOURNALD, "any_line": "("},
        {"file": JOURNALD, "format": "toml", "settings": {"a": 1}},
        {"file": JOURNALD, "setting": {"a": 1}},
    ],
)
def test_malformed_statements(wrong):
    with pytest.raises(ContentError):
        CONFIG.check(wrong, Where("x.yml", 1))


def test_files_to_read():
    assert CONFIG.configs([storage(), {"file": "/etc/x", "format": "words", "drop_ins": True, "any_line": "a"}]) == (
        {"file": JOURNALD, "format": None, "drop_ins": None},
        {"file": "/etc/x", "format": "words", "drop_ins": True},
    )

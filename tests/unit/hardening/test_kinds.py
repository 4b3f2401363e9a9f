"""The kinds that say what is set how: modules, mounts, packages, units, files, directives, texts, lines."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.hardening import kinds

FSTAB = {"live": True, "persisted_by": "fstab"}


def ops(kind, settings, here):
    return kinds.KINDS[kind].operations(settings, here)


def short(operations):
    """Operations without what every one has."""
    hidden = ("controls", "guarded", "follow", "create")
    found = [{key: value for key, value in item.items() if key not in hidden} for item in operations]
    for item in found:
        if "edits" in item:
            item["edits"] = [{key: value for key, value in one.items() if key != "controls"} for one in item["edits"]]
    return found


def test_every_kind_is_known_by_its_own_name_and_plans_nothing_for_nothing(facts):
    assert len(kinds.KINDS) == len(kinds.MODULES)
    for module in kinds.MODULES:
        assert module.operations([], facts()) == []


# kernel_module


def test_a_module_gets_both_lines_and_is_unloaded(facts, chosen):
    here = facts({"kernel_modules": {"usb_storage": {"loaded": True, "builtin": False}}})
    done = ops("kernel_module", chosen({"kind": "kernel_module", "name": "usb-storage", "state": "disabled"}), here)
    assert [edit["line"] for edit in done[0]["edits"]] == ["install usb-storage /bin/false", "blacklist usb-storage"]
    assert done[0]["path"] == "/etc/modprobe.d/60-ringwall.conf"
    assert short(done[1:]) == [{"op": "unload", "module": "usb_storage"}]


def test_a_module_that_is_part_of_the_kernel_is_left(facts, chosen):
    here = facts({"kernel_modules": {"squashfs": {"builtin": True}}})
    done = ops("kernel_module", chosen({"kind": "kernel_module", "name": "squashfs"}), here)
    assert [item["op"] for item in done] == ["left"]


def test_in_a_container_nothing_is_unloaded(facts, chosen):
    here = facts({"kernel_modules": {"dccp": {"loaded": True}}}, platform={"own_kernel": False})
    assert [item["op"] for item in ops("kernel_module", chosen({"name": "dccp"}), here)] == ["edit"]


def test_an_earlier_rule_that_blocks_nothing_is_edited_where_it_stands(facts, chosen):
    row = {"install": "/sbin/modprobe -i dccp", "install_where": "/etc/modprobe.d/10-app.conf:3", "loaded": False}
    done = ops("kernel_module", chosen({"name": "dccp"}), facts({"kernel_modules": {"dccp": row}}))
    assert [item["path"] for item in done] == ["/etc/modprobe.d/10-app.conf", "/etc/modprobe.d/60-ringwall.conf"]
    row["install_where"] = "/etc/../root/x.conf:3"
    done = ops("kernel_module", chosen({"name": "dccp"}), facts({"kernel_modules": {"dccp": row}}))
    assert [item["path"] for item in done] == ["/etc/modprobe.d/60-ringwall.conf"]


# mount


def test_options_of_one_mount_point_are_merged_and_their_opposites_go(facts, chosen):
    wanted = [{"path": "/tmp", "options": ["nodev"]}, {"path": "/tmp", "options": ["nosuid", "nodev"]}]
    done = ops("mount", chosen(*wanted), facts({"mounts": {"/tmp": FSTAB}}))
    assert short(done) == [
        {
            "op": "edit",
            "path": "/etc/fstab",
            "edits": [{"fstab": "/tmp", "options_add": ["nodev", "nosuid"], "options_remove": ["dev", "suid"]}],
            "validate": "fstab",
        },
        {"op": "remount", "path": "/tmp", "options": ["nodev", "nosuid"]},
    ]
    assert done[0]["controls"] == ["linux.test.0", "linux.test.1"]


def test_the_unit_that_mounts_gets_a_drop_in_with_all_its_options(facts, chosen):
    where = "/usr/lib/systemd/system/tmp.mount:22"
    row = {"live": True, "persisted_by": "unit", "persisted_where": where, "persisted_options": ["mode=1777", "exec"]}
    done = ops("mount", chosen({"path": "/tmp", "options": ["noexec"]}), facts({"mounts": {"/tmp": row}}))
    assert done[0]["path"] == "/etc/systemd/system/tmp.mount.d/60-ringwall.conf"
    assert short(done)[0]["edits"] == [
        {"set": "Options", "value": "mode=1777,noexec", "separator": "=", "section": "Mount"},
    ]
    assert done[0]["follow"] == ["daemon-reload"]


def test_shared_memory_gets_a_line_of_fstab(facts, chosen):
    row = {"live": True, "persisted_by": None}
    done = ops("mount", chosen({"path": "/dev/shm", "options": ["noexec"]}), facts({"mounts": {"/dev/shm": row}}))
    assert short(done)[0]["edits"] == [{"line": "tmpfs /dev/shm tmpfs rw,nosuid,nodev,noexec 0 0", "state": "present"}]


@pytest.mark.parametrize("row", [None, {"live": True, "persisted_by": None}, {"live": False}])
def test_what_no_file_mounts_is_left(facts, chosen, row):
    tables = {"mounts": {"/home": row} if row else {}}
    assert [item["op"] for item in ops("mount", chosen({"path": "/home", "options": ["nodev"]}), facts(tables))] == [
        "left"
    ]


# package


def test_packages_are_merged_and_contradictions_left(facts, chosen):
    settings = chosen(
        {"name": "aide", "state": "installed"},
        {"name": "aide", "state": "installed"},
        {"name": "telnet", "state": "absent"},
        {"name": "ufw", "state": "installed"},
        {"name": "ufw", "state": "absent"},
        {"name": "openssh-server", "state": "absent"},
        {"name": "-o=x", "state": "installed"},
    )
    done = ops("package", settings, facts())
    assert [(item["op"], item.get("name"), item.get("state")) for item in done] == [
        ("left", None, None),
        ("package", "aide", "installed"),
        ("left", None, None),
        ("package", "telnet", "absent"),
        ("left", None, None),
    ]
    assert done[1]["controls"] == ["linux.test.0", "linux.test.1"]


# service


def test_off_means_stopped_disabled_and_masked_with_its_own_socket(facts, chosen):
    there = ["rpcbind.socket", "evil;unit.socket", "other.socket"]
    here = facts({"units": {"rpcbind.service": {"triggered_by": there}}})
    done = ops("service", chosen({"name": "rpcbind", "states": ["off"]}), here)
    assert [item["name"] for item in done] == ["rpcbind.socket", "rpcbind.service"]
    assert short(done)[1] == {
        "op": "unit",
        "name": "rpcbind.service",
        "enabled": False,
        "active": False,
        "masked": True,
    }


def test_on_means_unmasked_enabled_and_running(facts, chosen):
    done = ops("service", chosen({"name": "auditd.service", "states": ["on"]}), facts())
    assert short(done) == [{"op": "unit", "name": "auditd.service", "enabled": True, "active": True, "masked": False}]


def test_what_we_come_in_by_is_never_stopped_and_contradictions_are_left(facts, chosen):
    settings = chosen(
        {"name": "ssh.service", "states": ["off"]},
        {"name": "a", "states": ["on"]},
        {"name": "a", "states": ["inactive"]},
    )
    assert [item["op"] for item in ops("service", settings, facts())] == ["left", "left"]


# file


def test_only_bits_that_may_not_be_set_are_cleared(facts, chosen):
    here = facts({"file_attributes": {"/etc/crontab": {"exists": True, "uid": 0, "owner": "root"}}})
    settings = chosen(
        {"path": "/etc/crontab", "mode": "0640", "owner": "root"}, {"path": "/etc/crontab", "mode": "0604"}
    )
    assert short(ops("file", settings, here)) == [{"op": "attributes", "path": "/etc/crontab", "clear_mode": "7177"}]


def test_one_of_several_owners_stays_and_another_becomes_the_first(facts, chosen):
    rows = {"/var/log/syslog": {"exists": True, "gid": 4, "group": "adm"}}
    setting = {"path": "/var/log/syslog", "mode": "0640", "group": ["root", "adm"]}
    assert "group" not in ops("file", chosen(setting), facts({"file_attributes": rows}))[0]
    rows["/var/log/syslog"]["group"] = "users"
    rows["/var/log/syslog"]["gid"] = 100
    assert ops("file", chosen(setting), facts({"file_attributes": rows}))[0]["group"] == "root"


def test_files_that_are_not_there(facts, chosen):
    here = facts({"file_attributes": {"/etc/a": {"exists": False}, "/etc/b": {"exists": False}}})
    settings = chosen({"path": "/etc/a", "mode": "0600"}, {"path": "/etc/b", "mode": "0600", "state": "if_present"})
    assert [item["op"] for item in ops("file", settings, here)] == ["left"]


def test_what_is_to_be_gone_is_removed(facts, chosen):
    assert short(ops("file", chosen({"path": "/etc/cron.deny", "state": "absent"}), facts())) == [
        {"op": "remove", "path": "/etc/cron.deny"}
    ]


# config


JOURNAL = {
    "path": "/etc/systemd/journald.conf",
    "drop_in": "/etc/systemd/journald.conf.d/60-ringwall.conf",
    "format": "ini",
    "section": "Journal",
    "follow": "restart:systemd-journald",
}


def test_directives_of_one_drop_in_are_one_edit_with_one_restart(facts, chosen):
    settings = chosen(
        {**JOURNAL, "name": "Storage", "value": "persistent"}, {**JOURNAL, "name": "Compress", "value": True}
    )
    done = ops("config", settings, facts())
    assert len(done) == 1
    assert short(done)[0]["edits"] == [
        {"set": "Compress", "value": "yes", "separator": "=", "section": "Journal"},
        {"set": "Storage", "value": "persistent", "separator": "=", "section": "Journal"},
    ]
    assert done[0]["follow"] == ["restart:systemd-journald"]
    assert done[0]["create"]["mode"] == "0644"


@pytest.mark.parametrize("path", ["/etc/../root/x", "/tmp/x", "/etc/a b"])
def test_a_directive_goes_to_files_below_etc_alone(facts, chosen, path):
    setting = {"path": path, "drop_in": None, "format": "ini", "name": "a", "value": "b"}
    assert [item["op"] for item in ops("config", chosen(setting), facts())] == ["left"]


def test_a_value_never_holds_a_line_of_its_own(facts, chosen):
    setting = {**JOURNAL, "name": "Storage", "value": "a\nForwardToSyslog=yes"}
    assert [item["op"] for item in ops("config", chosen(setting), facts())] == ["left"]


# content and line


def test_a_text_is_one_write_and_two_texts_are_none(facts, chosen):
    first, second = {"path": "/etc/issue", "text": "A\n"}, {"path": "/etc/issue", "text": "B\n"}
    assert short(ops("content", chosen(first, first), facts())) == [
        {"op": "write", "path": "/etc/issue", "text": "A\n", "mode": "0644", "owner": "root", "group": "root"}
    ]
    assert [item["op"] for item in ops("content", chosen(first, second), facts())] == ["left"]


def test_lines_of_a_file_are_one_edit(facts, chosen):
    settings = chosen(
        {"path": "/etc/security/limits.conf", "line": "* hard core 0", "regexp": r"^\*\s+hard\s+core\s"},
        {"path": "/etc/security/limits.conf", "line": "+", "state": "absent"},
    )
    assert short(ops("line", settings, facts())) == [
        {
            "op": "edit",
            "path": "/etc/security/limits.conf",
            "edits": [
                {"line": "* hard core 0", "state": "present", "replaces": r"^\*\s+hard\s+core\s"},
                {"line": "+", "state": "absent"},
            ],
        }
    ]


def test_edits_bear_the_controls_that_want_them(facts, chosen):
    settings = [
        *chosen({**JOURNAL, "name": "Storage", "value": "persistent"}),
        {"setting": {**JOURNAL, "name": "Storage", "value": "persistent"}, "controls": ["linux.other"]},
        {"setting": {**JOURNAL, "name": "Compress", "value": "yes"}, "controls": ["linux.third"]},
    ]
    done = ops("config", settings, facts())
    assert [one["controls"] for one in done[0]["edits"]] == [["linux.third"], ["linux.other", "linux.test.0"]]
    assert done[0]["controls"] == ["linux.other", "linux.test.0", "linux.third"]

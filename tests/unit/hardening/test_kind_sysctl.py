"""Kernel parameters: one drop-in, what is read later, interfaces that are there."""

from __future__ import annotations

from ansible_collections.ringwall.servers.plugins.plugin_utils.hardening.kinds import sysctl

OURS = {"mode": "0644", "owner": "root", "group": "root"}


def test_a_parameter_is_written_to_our_drop_in_and_set_now(facts, chosen):
    here = facts({"sysctl": {"kernel.dmesg_restrict": {"runtime": "0", "settings": []}}})
    assert sysctl.operations(chosen({"kind": "sysctl", "key": "kernel.dmesg_restrict", "value": 1}), here) == [
        {
            "op": "edit",
            "path": "/etc/sysctl.d/60-ringwall.conf",
            "edits": [{"set": "kernel.dmesg_restrict", "value": "1", "separator": " = ", "controls": ["linux.test.0"]}],
            "create": OURS,
            "controls": ["linux.test.0"],
            "guarded": False,
            "follow": [],
        },
        {
            "op": "sysctl",
            "key": "kernel.dmesg_restrict",
            "value": "1",
            "controls": ["linux.test.0"],
            "guarded": False,
            "follow": [],
        },
    ]


def paths(operations):
    return [item["path"] for item in operations if item["op"] == "edit"]


def setting(where, value="0", source="exact"):
    return {"value": value, "where": where, "from": source}


def test_files_that_are_read_later_and_say_otherwise_are_edited(facts, chosen):
    places = [
        setting("/etc/sysctl.d/10-early.conf:1"),
        setting("/etc/sysctl.d/99-sysctl.conf:7"),
        setting("/etc/sysctl.d/90-app.conf:2"),
        setting("/etc/sysctl.d/95-same.conf:2", "1"),
        setting("/etc/ufw/sysctl.conf:3", source="ufw"),
    ]
    here = facts({"sysctl": {"kernel.x": {"runtime": "0", "settings": places}}})
    assert paths(sysctl.operations(chosen({"kind": "sysctl", "key": "kernel.x", "value": 1}), here)) == [
        "/etc/sysctl.d/60-ringwall.conf",
        "/etc/sysctl.conf",
        "/etc/sysctl.d/90-app.conf",
        "/etc/ufw/sysctl.conf",
    ]


def test_a_packages_later_file_is_overridden_not_edited(facts, chosen):
    here = facts({"sysctl": {"kernel.x": {"runtime": "0", "settings": [setting("/usr/lib/sysctl.d/99-p.conf:2")]}}})
    assert paths(sysctl.operations(chosen({"kind": "sysctl", "key": "kernel.x", "value": 1}), here)) == [
        "/etc/sysctl.d/60-ringwall.conf",
        "/etc/sysctl.d/zz-ringwall.conf",
    ]


def test_a_path_that_the_host_made_up_is_never_edited(facts, chosen):
    places = [
        setting("/etc/sysctl.d/../shadow.conf:1"),
        setting("/root/.ssh/authorized_keys:1"),
        setting("/etc/shadow"),
    ]
    here = facts({"sysctl": {"kernel.x": {"runtime": "0", "settings": places}}})
    assert paths(sysctl.operations(chosen({"kind": "sysctl", "key": "kernel.x", "value": 1}), here)) == [
        "/etc/sysctl.d/60-ringwall.conf"
    ]


def test_interfaces_that_differ_are_set_and_kept_except_those_that_come_and_go(facts, chosen):
    rows = {
        f"net.ipv4.conf.{name}.rp_filter": {"runtime": value, "settings": []}
        for name, value in {"all": "0", "default": "0", "lo": "0", "eth0": "2", "eth1": "1", "vethab": "0"}.items()
    }
    rows["net.ipv4.conf.e;rm.rp_filter"] = {"runtime": "0"}
    done = sysctl.operations(
        chosen({"kind": "sysctl", "key": "net.ipv4.conf.all.rp_filter", "value": 1}), facts({"sysctl": rows})
    )
    assert [one["set"] for one in done[0]["edits"]] == ["net.ipv4.conf.all.rp_filter", "net.ipv4.conf.eth0.rp_filter"]
    assert [(item["key"], item["guarded"]) for item in done[1:]] == [
        ("net.ipv4.conf.all.rp_filter", True),
        ("net.ipv4.conf.eth0.rp_filter", True),
        ("net.ipv4.conf.vethab.rp_filter", True),
    ]


def test_a_parameter_that_this_kernel_lacks_is_kept_for_one_that_has_it(facts, chosen):
    done = sysctl.operations(chosen({"kind": "sysctl", "key": "kernel.none", "value": True}), facts({"sysctl": {}}))
    assert [item["op"] for item in done] == ["edit"]
    assert (done[0]["edits"][0]["set"], done[0]["edits"][0]["value"]) == ("kernel.none", "1")


def test_what_is_no_key_is_left(facts, chosen):
    done = sysctl.operations(chosen({"kind": "sysctl", "key": "a b\nc.d", "value": 1}), facts({"sysctl": {}}))
    assert [item["op"] for item in done] == ["left"]


def test_in_a_container_whose_parameters_can_only_be_read_all_is_left(facts, chosen):
    here = facts({"sysctl": {}, "mounts": {"/proc/sys": {"live": True, "options": ["ro", "nosuid"]}}})
    done = sysctl.operations(chosen({"kind": "sysctl", "key": "net.ipv4.ip_forward", "value": 0}), here)
    assert [item["op"] for item in done] == ["left"]

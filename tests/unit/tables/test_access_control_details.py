"""mac, firewall and time: what was read beside the first facts (SELinux's map of users, zones, rules of ufw, maxpoll)."""

from __future__ import annotations

import os

from ansible_collections.ringwall.servers.plugins.module_utils import firewall_config
from ansible_collections.ringwall.servers.plugins.module_utils.tables import mac, time

ZONE = """<?xml version="1.0" encoding="utf-8"?>
<zone target="ACCEPT">
  <interface name="lo"/>
  <rule family="ipv4"><source address="127.0.0.1"/><destination address="127.0.0.1" invert="True"/><drop/></rule>
  <rule family="ipv6"><source address="::1"/><destination address="::1"/><drop/></rule>
  <rule family="ipv6"><source address="::1"/><destination address="::1" invert="True"/><accept/></rule>
</zone>
"""
USER = """*filter
### RULES ###

### tuple ### limit tcp 22 0.0.0.0/0 any 0.0.0.0/0 in
-A ufw-user-input -p tcp --dport 22 -j ufw-user-limit-accept
### tuple ### allow any 80,443 0.0.0.0/0 any 10.0.0.0/8 Nginx%20Full - in
### tuple ### allow any any 0.0.0.0/0 any 0.0.0.0/0 out
### END RULES ###
"""


def test_the_map_of_users_of_the_policy_in_force(file_host):
    files = {
        "/etc/selinux/config": "SELINUX=enforcing\nSELINUXTYPE=targeted\n",
        "/etc/selinux/targeted/seusers": "# x\nroot:unconfined_u:s0-s0:c0.c1023\n__default__:user_u:s0\n%wheel:staff_u\n",
        "/.autorelabel": "",
    }
    row = mac.collect(file_host(files), {})["selinux"]
    assert row["login_map"] == {"root": "unconfined_u", "__default__": "user_u", "%wheel": "staff_u"}
    assert row["relabel"] is True
    assert row["unlabeled_devices"] is None
    assert mac.collect(file_host({"/etc/selinux/config": "SELINUXTYPE=../x\n"}), {})["selinux"]["login_map"] is None


def test_devices_with_the_type_of_no_device(tmp_path, monkeypatch):
    labels = {"null": b"system_u:object_r:null_device_t:s0\0", "odd": b"system_u:object_r:device_t:s0\0"}
    for name in labels:
        (tmp_path / name).write_text("")
    monkeypatch.setattr(mac.stat, "S_ISCHR", lambda _mode: True)
    monkeypatch.setattr(os, "getxattr", lambda path, *_a, **_k: labels[path.rsplit("/", 1)[-1]])
    assert mac.unlabeled(str(tmp_path)) == [str(tmp_path / "odd")]

    def denied(*_arguments, **_more):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "getxattr", denied)
    assert mac.unlabeled(str(tmp_path))["!"] == "partial"


def test_a_rich_rule_restricts_loopback_only_if_it_drops_what_is_not_meant_for_it():
    assert firewall_config.parse_zone(ZONE)["loopback_restricted"] == ["ip"]


def test_zones_in_use(file_host):
    files = {
        "/etc/firewalld/firewalld.conf": "DefaultZone=public\n",
        "/etc/firewalld/zones/trusted.xml": ZONE,
        "/usr/lib/firewalld/zones/public.xml": '<zone><service name="ssh"/></zone>',
        "/usr/lib/firewalld/zones/home.xml": "<zone/>",
    }
    settings, _paths = firewall_config.read_firewalld(file_host(files))
    assert sorted(settings["zones"]) == ["public", "trusted"]


def test_rules_that_ufw_wrote():
    rules = firewall_config.parse_ufw_tuples(USER.split("\n"))
    assert [(rule["action"], rule["proto"], rule["port"], rule["direction"]) for rule in rules] == [
        ("limit", "tcp", "22", "in"),
        ("allow", "any", "80,443", "in"),
        ("allow", "any", "any", "out"),
    ]
    assert rules[1]["source"] == "10.0.0.0/8"


def test_how_often_sources_are_asked():
    entries = [("server", "a", ["iburst", "maxpoll", "16"], "f:1"), ("pool", "b", ["maxpoll"], "f:2"),
               ("makestep", "1", ["maxpoll", "3"], "f:3")]  # fmt: skip
    rows = time.entry_rows("chrony", entries)
    assert {row["value"]: row["maxpoll"] for row in rows.values()} == {"a": 16, "b": None, "1": None}

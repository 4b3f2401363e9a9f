"""Kernel arguments, the boot menu, SELinux and AppArmor, cryptographic policies, time, repositories."""

from __future__ import annotations

from ansible_collections.ringwall.servers.plugins.module_utils.changes import edits, spec
from ansible_collections.ringwall.servers.plugins.module_utils.crypto_policies import parse_rules
from ansible_collections.ringwall.servers.plugins.plugin_utils.hardening.kinds import (
    boot,
    crypto_policy,
    kernel_argument,
    mac,
    repository,
)
from ansible_collections.ringwall.servers.plugins.plugin_utils.hardening.kinds import time as clock

TOLD = ("left", "reboot")


def planned(kind, here, items):
    found = kind.operations(items, here)
    for one in found:
        if one["op"] not in TOLD:
            spec.check_operation(one)
    return found


def by_path(found):
    return {one["path"]: one for one in found if "path" in one}


def argument(name, value):
    return {"kind": "kernel_argument", "name": name, "value": value}


def test_arguments_stand_where_the_last_word_is(facts, chosen):
    row = {"grub": True, "grub_cmdline_linux_where": "/etc/default/grub.d/50-cloud.cfg:3"}
    items = chosen(argument("audit", 1), argument("selinux", None), argument("security", "apparmor"))
    found = planned(kernel_argument, facts({"boot": {"host": row}}), items)
    one = by_path(found)["/etc/default/grub.d/50-cloud.cfg"]
    assert one["follow"] == ["update-grub"]
    text = b'GRUB_CMDLINE_LINUX="quiet selinux=0 audit=0"\n'
    assert edits.apply(text, one["edits"]) == b'GRUB_CMDLINE_LINUX="quiet audit=1 security=apparmor"\n'
    assert [item["op"] for item in found] == ["edit", "reboot"]


def test_arguments_that_are_none_and_machines_without_grub(facts, chosen):
    here = facts({"boot": {"host": {"grub": False}}})
    assert "GRUB does not boot" in planned(kernel_argument, here, chosen(argument("audit", 1)))[0]["reason"]
    here = facts({"boot": {"host": {"grub": True}}})
    odd = chosen(argument("audit", "1; reboot"), argument("a b", "1"))
    assert [one["op"] for one in planned(kernel_argument, here, odd)] == ["left", "left"]
    assert list(by_path(planned(kernel_argument, here, chosen(argument("audit", 1))))) == ["/etc/default/grub"]


def test_a_password_is_for_a_person_to_choose(facts, chosen):
    items = chosen({"kind": "boot", "password": True})
    assert "grub-mkpasswd-pbkdf2" in planned(boot, facts(), items)[0]["reason"]
    assert "grub2-setpassword" in planned(boot, facts(family="rhel"), items)[0]["reason"]


def selinux(mode, **cells):
    return {"mac": {"selinux": {"installed": True, "mode": mode, **cells}}}


def test_selinux_changes_at_the_next_boot(facts, chosen):
    items = chosen({"kind": "mac", "selinux": "permissive"}, {"kind": "mac", "selinux": "enforcing"},
                   {"kind": "mac", "selinux_policy": "targeted"})  # fmt: skip
    found = planned(mac, facts(selinux("permissive"), family="rhel"), items)
    text = b"SELINUX=disabled\nSELINUXTYPE=mls\n"
    assert edits.apply(text, found[0]["edits"]) == b"SELINUX=enforcing\nSELINUXTYPE=targeted\n"
    assert [one["op"] for one in found] == ["edit", "reboot"]


def test_selinux_that_was_off_starts_permissive_and_labels_files_first(facts, chosen):
    found = planned(mac, facts(selinux("disabled"), family="rhel"), chosen({"kind": "mac", "selinux": "enforcing"}))
    assert found[0]["edits"][0]["value"] == "permissive"
    assert found[1]["path"] == "/.autorelabel"
    assert "labels all files" in found[2]["reason"]


def test_selinux_that_is_not_there(facts, chosen):
    found = planned(mac, facts(selinux("disabled", installed=False)), chosen({"kind": "mac", "selinux": "enforcing"}))
    assert [one["op"] for one in found] == ["left"]


def test_profiles_that_were_made_to_complain_enforce_again(facts, chosen):
    row = {"force_complain": ["usr.sbin.chronyd", "../../x"], "complaining": ["chronyd"], "unconfined": []}
    items = chosen({"kind": "mac", "apparmor": "enforce"})
    found = planned(mac, facts({"mac": {"apparmor": row}}), items)
    assert [one["path"] for one in found] == ["/etc/apparmor.d/force-complain/usr.sbin.chronyd"]
    row["force_complain"] = []
    assert "aa-enforce" in planned(mac, facts({"mac": {"apparmor": row}}), items)[0]["reason"]


def policy(configured):
    return {"crypto_policy": {"host": {"configured": configured, "applied": configured}}}


CONFIG = b"# See crypto-policies(7)\n\nDEFAULT\n"


def test_subpolicies_of_ours_join_the_configured_policy(facts, chosen):
    items = chosen({"kind": "crypto_policy", "subpolicy": "RINGWALL-NO-SSH-CBC"},
                   {"kind": "crypto_policy", "subpolicy": "NO-SHA1"})  # fmt: skip
    found = planned(crypto_policy, facts(policy("DEFAULT"), family="rhel"), items)
    files = by_path(found)
    module = files["/etc/crypto-policies/policies/modules/RINGWALL-NO-SSH-CBC.pmod"]
    assert parse_rules(module["text"].split("\n")) == [("cipher", "ssh", ["-*-CBC"], 1)]
    config = files["/etc/crypto-policies/config"]
    assert config["follow"] == ["update-crypto-policies"]
    changed = edits.apply(CONFIG, config["edits"])
    assert changed == b"# See crypto-policies(7)\n\nDEFAULT:RINGWALL-NO-SSH-CBC:NO-SHA1\n"
    with_ssh = {**policy("DEFAULT"), "units": {"sshd.service": {"active": "active"}}}
    restarted = by_path(planned(crypto_policy, facts(with_ssh, family="rhel"), items))["/etc/crypto-policies/config"]
    assert restarted["follow"] == ["update-crypto-policies", "restart:sshd.service"]  # while it can be undone
    again = planned(crypto_policy, facts(policy("DEFAULT:RINGWALL-NO-SSH-CBC:NO-SHA1"), family="rhel"), items)
    assert edits.apply(changed, by_path(again)["/etc/crypto-policies/config"]["edits"]) == changed


def test_the_policy_of_old_systems_goes_and_fips_is_never_switched_on(facts, chosen):
    old = facts(policy("LEGACY:AD-SUPPORT"), family="rhel")
    found = planned(crypto_policy, old, chosen({"kind": "crypto_policy", "not": "LEGACY"}))
    assert edits.apply(b"LEGACY:AD-SUPPORT\n", found[0]["edits"]) == b"DEFAULT:AD-SUPPORT\n"
    found = planned(crypto_policy, old, chosen({"kind": "crypto_policy", "policy": ["FIPS", "FIPS:STIG"]}))
    assert [one["op"] for one in found] == ["left"]
    assert "fips-mode-setup" in found[0]["reason"]


def chrony(**sources):
    rows = {
        "chrony:daemon": {"daemon": "chrony", "kind": "daemon", "running": True, "files": ["/etc/chrony/chrony.conf"]}
    }
    for number, (value, most) in enumerate(sources.items()):
        where = f"/etc/chrony/chrony.conf:{number + 1}"
        rows[f"chrony:server {value}"] = {"daemon": "chrony", "kind": "server", "maxpoll": most, "where": where}
    return {"time": rows, "units": {"chrony.service": {}}}


def test_sources_stay_and_are_asked_more_often(facts, chosen):
    items = chosen({"kind": "time", "maxpoll": 16}, {"kind": "time", "chrony": {"makestep": "1 -1", "port": "0"}})
    found = planned(clock, facts(chrony(a=None, b=17, c=10)), items)
    text = b"server a iburst  # ours\nserver b maxpoll 17 iburst\nserver c maxpoll 10\nmakestep 1.0 3\n"
    changed = edits.apply(text, found[0]["edits"])
    assert changed == (
        b"server a iburst maxpoll 16  # ours\nserver b maxpoll 16 iburst\nserver c maxpoll 10\nmakestep 1 -1\nport 0\n"
    )
    assert edits.apply(changed, found[0]["edits"]) == changed
    assert found[0]["follow"] == ["restart:chrony.service"]


def test_chrony_without_a_configuration_is_left(facts, chosen):
    found = planned(clock, facts({"time": {}}), chosen({"kind": "time", "chrony": {"port": "0"}}))
    assert [one["op"] for one in found] == ["left"]


def repo(name, path, **cells):
    return {
        "manager": "dnf",
        "kind": "repository",
        "name": name,
        "enabled": True,
        "checked": True,
        "where": path,
        **cells,
    }


def test_repositories_are_checked_or_switched_off_in_their_files(facts, chosen):
    rows = {
        "dnf site": repo("site", "/etc/yum.repos.d/site.repo:1", checked=False),
        "dnf epel": repo("epel", "/etc/yum.repos.d/epel.repo:1"),
        "dnf odd": repo("odd", "/srv/odd.repo:1", checked=False),
    }
    items = chosen({"kind": "repository", "gpgcheck": True}, {"kind": "repository", "disable": "epel"})
    found = planned(repository, facts({"package_sources": rows}, family="rhel"), items)
    files = by_path(found)
    assert edits.apply(b"[site]\ngpgcheck=0\n", files["/etc/yum.repos.d/site.repo"]["edits"]) == b"[site]\ngpgcheck=1\n"
    assert edits.apply(b"[epel]\nenabled=1\n[x]\nenabled=1\n", files["/etc/yum.repos.d/epel.repo"]["edits"]) == (
        b"[epel]\nenabled=0\n[x]\nenabled=1\n"
    )
    assert [one["reason"] for one in found if one["op"] == "left"] == [
        "repository odd stands in /srv/odd.repo, which is not edited here"
    ]

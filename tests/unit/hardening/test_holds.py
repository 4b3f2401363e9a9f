"""What is held on which host, and what is proven safe: the verdicts are by hand, one story a test."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.content.vocabulary import HOLDS
from ansible_collections.ringwall.servers.plugins.plugin_utils.hardening import holds

AGES = {"password_ages": {"ops": {"usable": False}, "root": {"usable": False}}}
USERS = {"users": {"ops": {"home": "/home/ops", "groups": ["adm"], "primary_group": "ops"}, "root": {"home": "/root"}}}
OPS = {"user": "ops", "become": True}


def entry(*settings, hold=()):
    return {"control": "linux.x", "settings": list(settings), "hold": list(hold)}


def names(one, facts):
    return [item["name"] for item in holds.held(one, facts)]


def sshd(name, value):
    return {"kind": "sshd", "name": name, "value": value}


def test_every_hold_that_content_may_name_has_a_rule():
    assert set(HOLDS) <= set(holds.RULES)


def test_a_hold_without_a_rule_is_never_safe(facts):
    assert names(entry(hold=["made_up"]), facts()) == ["made_up"]


@pytest.mark.parametrize(
    ("setting", "connection", "held"),
    [
        (sshd("permitrootlogin", "no"), {"user": "root"}, True),
        (sshd("PermitRootLogin", "prohibit-password"), {"user": "root"}, False),
        (sshd("permitrootlogin", "prohibit-password"), {"user": "root", "password": True}, True),
        (sshd("permitrootlogin", False), {"user": "root"}, True),
        (sshd("permitrootlogin", "no"), OPS, False),
        (sshd("permitrootlogin", "no"), {"user": "root", "local": True}, False),
        (sshd("allowusers", ["ops", "web"]), OPS, False),
        (sshd("allowusers", "web db"), OPS, True),
        (sshd("allowgroups", "adm"), OPS, False),
        (sshd("allowgroups", "wheel"), OPS, True),
        (sshd("denyusers", "ops"), OPS, True),
        (sshd("denygroups", "ops"), OPS, True),
        (sshd("denygroups", "web"), OPS, False),
        (sshd("allowusers", "o*"), OPS, True),
        (sshd("allowgroups", "adm"), {"user": "ldapper", "become": True}, True),
    ],
)
def test_who_may_log_in_is_held_where_it_would_shut_out_the_connection(facts, setting, connection, held):
    assert ("sshd_access" in names(entry(setting), facts(USERS, **connection))) is held


@pytest.mark.parametrize(
    ("setting", "held"),
    [
        (sshd("maxsessions", 10), False),
        (sshd("maxsessions", 4), True),
        (sshd("maxstartups", "10:30:60"), False),
        (sshd("maxstartups", "5:30:60"), True),
        (sshd("maxstartups", {"max": 10}), True),
    ],
)
def test_fewer_sessions_than_sshds_own_default_are_held(facts, setting, held):
    assert ("sshd_sessions" in names(entry(setting), facts())) is held


@pytest.mark.parametrize(
    ("connection", "held"), [({"password": True}, True), ({"password": False}, False), ({"local": True}, False)]
)
def test_password_log_in_goes_only_where_a_key_works(facts, connection, held):
    assert ("password_only" in names(entry(sshd("passwordauthentication", "no")), facts(**connection))) is held


@pytest.mark.parametrize(
    ("connection", "held"),
    [
        (OPS, True),
        ({**OPS, "become_password": True}, False),
        ({"user": "root"}, False),
        ({"user": "ops", "become": True, "become_method": "su"}, False),
    ],
)
def test_a_password_for_sudo_is_held_where_we_have_none(facts, connection, held):
    assert ("sudo_authentication" in names(entry(hold=["sudo_authentication"]), facts(**connection))) is held


def test_a_terminal_for_sudo_is_held_wherever_we_use_sudo(facts):
    setting = {"kind": "sudo", "defaults": {"requiretty": True}}
    assert names(entry(setting), facts(**OPS, become_password=True)) == ["sudo_requiretty"]
    assert names(entry(setting), facts(user="root")) == []


@pytest.mark.parametrize(
    ("connection", "held"),
    [
        ({"user": "root"}, False),
        (OPS, False),
        ({**OPS, "become_password": True}, True),
        ({"user": "root", "password": True}, True),
        ({"user": "root", "local": True}, False),
    ],
)
def test_a_lock_after_failures_is_held_where_a_password_stands_between_us_and_root(facts, connection, held):
    assert ("faillock" in names(entry(hold=["faillock"]), facts(**connection))) is held


def test_su_for_one_group_is_held_where_we_use_su(facts):
    assert names(entry(hold=["pam_wheel"]), facts(user="ops", become=True, become_method="su")) == ["pam_wheel"]
    assert names(entry(hold=["pam_wheel"]), facts(**OPS)) == []


@pytest.mark.parametrize("name", ["password_age", "inactivity"])
def test_an_age_is_safe_only_for_an_account_that_has_no_password(facts, name):
    one = entry(hold=[name])
    assert names(one, facts(AGES, **OPS)) == []
    assert names(one, facts(AGES, user="root")) == []
    with_password = {"password_ages": {"ops": {"usable": True}, "root": {"usable": True}}}
    assert names(one, facts(with_password, **OPS)) == [name]  # a key does not help once PAM calls it expired
    assert names(one, facts(with_password, user="root")) == [name]
    unreadable = {"password_ages": {"ops": {"usable": {"!": "denied", "why": "x"}}}}
    assert names(one, facts(unreadable, **OPS)) == [name]
    assert names(one, facts({"password_ages": {}}, **OPS)) == [name]  # an account of a directory
    assert names(one, facts({}, **OPS)) == [name]  # the table was not read
    root_by_su = {"password_ages": {"ops": {"usable": False}, "root": {"usable": True}}}
    assert names(one, facts(root_by_su, user="ops", become=True, become_method="su")) == [name]


def mount(path, *options):
    return {"kind": "mount", "path": path, "options": list(options)}


@pytest.mark.parametrize(
    ("setting", "connection", "mounts", "held"),
    [
        (mount("/tmp", "noexec"), {"user": "root"}, ["/", "/tmp"], False),
        (mount("/tmp", "noexec"), {"user": "root", "remote_tmp": "/tmp/ansible"}, ["/", "/tmp"], True),
        (mount("/tmp", "nodev"), {"user": "root", "remote_tmp": "/tmp/ansible"}, ["/", "/tmp"], False),
        (mount("/home", "noexec"), OPS, ["/", "/home"], True),
        (mount("/home", "noexec"), OPS, ["/", "/home", "/home/ops"], False),
        (mount("/var", "noexec"), {**OPS, "remote_tmp": "$HOME/x"}, ["/"], True),
        (mount("/tmp", "noexec"), {"user": "ldapper"}, ["/", "/tmp"], True),
    ],
)
def test_noexec_is_held_where_modules_are_put(facts, setting, connection, mounts, held):
    here = facts({**USERS, "mounts": {path: {"live": True} for path in mounts}}, **connection)
    assert ("noexec_remote_tmp" in names(entry(setting), here)) is held


def test_an_end_for_idle_shells_is_held_where_root_is_a_log_in_shell(facts):
    assert names(entry(hold=["tmout"]), facts(**OPS)) == []
    assert names(entry(hold=["tmout"]), facts(**OPS, become_login=True)) == ["tmout"]


def test_the_account_that_connects_is_never_locked(facts):
    setting = {"kind": "account", "name": "ops", "lock": True}
    assert names(entry(setting), facts(**OPS)) == ["connection_account"]
    assert names(entry({**setting, "name": "games"}), facts(**OPS)) == []


FORWARD = {"kind": "sysctl", "key": "net.ipv4.ip_forward", "value": 0}


def test_forwarding_stays_where_containers_pods_guests_or_networks_need_it(facts):
    assert names(entry(FORWARD), facts({"sysctl": {}})) == []
    units = {"docker.service": {"active": "active"}, "kubelet.service": {"enabled": "enabled"}}
    assert names(entry(FORWARD), facts({"sysctl": {}, "units": units})) == ["docker", "kubernetes"]
    guests = {"libvirtd.service": {"active": "active"}}
    assert names(entry(FORWARD), facts({"sysctl": {}, "units": guests})) == ["hypervisor"]
    assert names(entry(FORWARD), facts({"sysctl": {}}, roles=["router"])) == ["router"]
    rows = {"net.ipv4.ip_forward": {"runtime": "1", "persisted": "1", "persisted_where": "/etc/sysctl.conf:3"}}
    assert names(entry(FORWARD), facts({"sysctl": rows})) == ["router"]
    assert names(entry(FORWARD), facts({})) == ["router"]  # not known is not safe
    two = {f"net.ipv4.conf.{name}.forwarding": {"runtime": "1"} for name in ("eth0", "ens5", "docker0", "lo")}
    assert names(entry(FORWARD), facts({"sysctl": {**two, "net.ipv4.ip_forward": {"runtime": "1"}}})) == ["router"]


@pytest.mark.parametrize(
    "unit", ["wg-quick@office.service", "openvpn-client@hq.service", "ipsec.service", "frr.service"]
)
def test_a_tunnel_by_any_name_is_not_filtered_away(facts, unit):
    one = entry({"kind": "firewall", "wanted": {"input": True}}, hold=["router"])
    assert names(one, facts({"units": {unit: {"active": "active"}}, "sysctl": {}})) == ["router"]
    assert names(one, facts({"units": {unit: {"active": "inactive", "enabled": "disabled"}}, "sysctl": {}})) == []


@pytest.mark.parametrize(("name", "found"), [("conmon", ["docker"]), ("containerd-shim", ["docker"]), ("cron", [])])
def test_containers_without_an_engine_are_seen_by_what_stays_beside_them(facts, name, found):
    assert names(entry(FORWARD), facts({"sysctl": {}, "processes": {"x": {"name": name}}})) == found


def test_a_disabled_docker_holds_nothing(facts):
    units = {"docker.service": {"active": "inactive", "enabled": "disabled"}}
    assert names(entry(FORWARD), facts({"sysctl": {}, "units": units})) == []


def test_what_stops_the_machine_is_held(facts):
    assert names(entry({"kind": "auditd", "name": "disk_full_action", "value": "halt"}), facts()) == [
        "disk_full_action"
    ]
    assert names(entry({"kind": "auditd", "name": "disk_full_action", "value": "syslog"}), facts()) == []
    assert names(entry({"kind": "audit_rule", "line": "-e 2"}), facts()) == ["immutable_audit"]
    assert names(entry({"kind": "boot", "password": "x"}), facts()) == ["grub_password"]


def test_advertised_routes_stay_where_the_controller_comes_over_ipv6(facts):
    setting = {"kind": "sysctl", "key": "net.ipv6.conf.all.accept_ra", "value": 0}
    assert names(entry(setting), facts(controllers=("2001:db8::5",))) == ["ipv6_route"]
    assert names(entry(setting), facts(controllers=("192.0.2.5", "::1"))) == []
    assert names(entry(setting), facts()) == ["ipv6_route"]  # nobody knows where we come from
    assert names(entry(setting), facts(local=True)) == []


@pytest.mark.parametrize(
    ("mode", "held"), [("enforcing", False), ("disabled", False), ("permissive", True), (None, True)]
)
def test_selinux_that_only_watches_is_not_set_to_refuse_at_the_next_boot(facts, mode, held):
    rows = {"mac": {"selinux": {"mode": mode}}} if mode else {}
    assert names(entry({"kind": "mac", "selinux": "enforcing"}), facts(rows)) == (["selinux_enforcing"] if held else [])
    assert names(entry({"kind": "mac", "selinux": "permissive"}), facts(rows)) == []


def test_a_way_to_become_root_that_is_not_known_may_be_sudo_and_su(facts):
    sudosu = {"user": "ops", "become": True, "become_method": "sudosu"}
    tables = {"password_ages": {"ops": {"usable": False}, "root": {"usable": True}}}
    for hold in ("sudo_authentication", "sudo_requiretty", "pam_wheel", "password_age"):
        assert names(entry(hold=[hold]), facts(tables, **sudosu)) == [hold]
    assert names(entry(hold=["password_age"]), facts(tables, **OPS)) == []
    assert names(entry(hold=["sudo_requiretty"]), facts(tables, **{**sudosu, "become_method": "doas"})) == []


def test_release_is_by_control_or_by_hold():
    one = entry()
    assert holds.released(one, ["docker", "router"], ()) == ["docker", "router"]
    assert holds.released(one, ["docker", "router"], ("docker",)) == ["router"]
    assert holds.released(one, ["docker", "router"], ("linux.x",)) == []


@pytest.mark.parametrize(
    ("user", "mounts", "held"),
    [
        ({"home": "/home/ops", "kind": "local"}, {"/": "ext4"}, False),
        ({"home": "/home/ops", "kind": "local"}, {"/": "ext4", "/home": "nfs4"}, True),
        ({"home": "/home/ops", "kind": "local"}, {"/": "ext4", "/home": "autofs", "/home/ops": "nfs"}, True),
        ({"home": "/home/ops", "kind": "local"}, {"/": "nfs", "/home": "ext4"}, False),
        ({"home": "/home/ops", "kind": "directory"}, {"/": "ext4"}, True),
        (None, {"/": "ext4"}, True),
        ({"home": "/home/ops", "kind": "local"}, None, True),
    ],
)
def test_what_brings_the_connection_its_home_stays(facts, user, mounts, held):
    tables = {"users": {"ops": user} if user else {}, "listeners": {}}
    if mounts is not None:
        tables["mounts"] = {path: {"live": True, "type": kind} for path, kind in mounts.items()}
    here = facts(tables, **OPS)
    gone = {"kind": "package", "name": "autofs", "state": "absent"}
    off = {"kind": "service", "name": "rpcbind.socket", "states": ["masked", "inactive"]}
    for setting in (gone, off):
        assert ("network_home" in names(entry(setting), here)) is held
    assert names(entry({**gone, "name": "telnet"}), here) == []
    assert "network_home" not in names(entry(gone), facts(tables, **OPS, local=True))


@pytest.mark.parametrize(
    ("setting", "mounts", "held"),
    [
        ({"kind": "service", "name": "rpcbind.service", "states": ["masked", "inactive"]}, {"type": "nfs"}, True),
        ({"kind": "service", "name": "rpcbind.socket", "states": ["masked"]}, {"type": "nfs"}, True),
        ({"kind": "service", "name": "rpcbind.service", "states": ["masked"]}, {"type": "nfs4"}, False),
        ({"kind": "service", "name": "rpcbind.service", "states": ["enabled"]}, {"type": "nfs"}, False),
        ({"kind": "package", "name": "nfs-utils", "state": "absent"}, {"type": "nfs4"}, True),
        ({"kind": "package", "name": "nfs-utils", "state": "installed"}, {"type": "nfs4"}, False),
        ({"kind": "package", "name": "nfs-utils", "state": "absent"}, {"live": False, "persisted_type": "nfs"}, True),
        ({"kind": "package", "name": "nfs-utils", "state": "absent"}, {"type": "ext4"}, False),
        ({"kind": "service", "name": "autofs.service", "states": ["masked", "inactive"]}, {"type": "autofs"}, True),
        (
            {"kind": "service", "name": "autofs.service", "states": ["masked"]},
            {"type": "autofs", "source": "systemd-1"},
            False,
        ),
        ({"kind": "service", "name": "cups.service", "states": ["masked"]}, {"type": "nfs"}, False),
    ],
)
def test_what_mounts_shares_of_other_hosts_stays_while_there_are_some(facts, setting, mounts, held):
    rows = {"mounts": {"/": {"live": True, "type": "ext4"}, "/srv/data": {"live": True, "source": "x", **mounts}}}
    assert ("network_mounts" in names(entry(setting), facts(rows))) is held


def test_mounts_that_are_not_known_may_be_shares(facts):
    setting = {"kind": "service", "name": "autofs.service", "states": ["masked"]}
    assert "network_mounts" in names(entry(setting), facts())


@pytest.mark.parametrize(
    ("setting", "listener", "held"),
    [
        ({"kind": "service", "name": "nginx.service", "states": ["masked", "inactive"]}, {}, True),
        ({"kind": "service", "name": "nginx.service", "states": ["off"]}, {"scope": "private"}, True),
        ({"kind": "service", "name": "nginx.service", "states": ["masked"]}, {"scope": "loopback"}, False),
        ({"kind": "service", "name": "nginx.service", "states": ["on"]}, {}, False),
        ({"kind": "service", "name": "apache2.service", "states": ["masked"]}, {}, False),
        ({"kind": "package", "name": "nginx", "state": "absent"}, {}, True),
        ({"kind": "package", "name": "nginx", "state": "installed"}, {}, False),
        ({"kind": "package", "name": "apache2", "state": "absent"}, {}, False),
    ],
)
def test_a_service_that_answers_others_is_somebodys_work(facts, setting, listener, held):
    row = {"proto": "tcp", "port": 80, "scope": "any", "unit": "nginx.service", "package": "nginx", **listener}
    assert ("service_in_use" in names(entry(setting), facts({"listeners": {"tcp 0.0.0.0:80": row}}))) is held


def test_listeners_that_are_not_known_may_be_somebodys_work(facts):
    setting = {"kind": "service", "name": "nginx.service", "states": ["masked"]}
    assert "service_in_use" in names(entry(setting), facts())

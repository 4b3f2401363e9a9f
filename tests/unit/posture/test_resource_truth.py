"""Cases in which what a file or a name says is not what is: judged by hand for each resource type."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.resources import RESOURCES
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.resources.base import Verdict, worst
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.view import Gap, Snapshot, TableView


def judged(resource, statement, rows, table, state="ok"):
    view = TableView(table, state=state, rows=rows)
    try:
        return worst(RESOURCES[resource].judge(statement, Snapshot({table: view})))
    except Gap as gap:
        return Verdict(gap.status, reason=gap.why)


def key(runtime, persisted, **more):
    where = "/etc/sysctl.d/60.conf:1" if persisted else None
    return {"runtime": runtime, "persisted": persisted, "persisted_where": where, "host_global": False, **more}


NO_KERNEL = {"!": "partial", "why": "the kernel of a root that is not running cannot be asked"}
V6_ON = {"net.ipv6.conf.all.disable_ipv6": key("0", None)}
V6_OFF = {"net.ipv6.conf.all.disable_ipv6": key("1", "1")}
V6_OFF_NOW = {"net.ipv6.conf.all.disable_ipv6": key("1", None)}


@pytest.mark.parametrize(
    ("name", "rows", "status"),
    [
        # An image: what a file sets wrong is certain, what it sets right may not hold now.
        ("kernel.dmesg_restrict", {"kernel.dmesg_restrict": key(NO_KERNEL, "0")}, "fail"),
        ("kernel.dmesg_restrict", {"kernel.dmesg_restrict": key(NO_KERNEL, "1")}, "unreadable"),
        ("kernel.dmesg_restrict", {"kernel.kptr_restrict": key(NO_KERNEL, "1")}, "fail"),
        ("net.ipv6.conf.all.accept_ra", {"net.ipv6.conf.all.accept_ra": key(NO_KERNEL, "1")}, "fail"),
        ("net.ipv6.conf.all.accept_ra", {"net.ipv6.conf.all.disable_ipv6": key(NO_KERNEL, "1")}, "not_applicable"),
        # IPv6: off now and at boot, off only now, not there at all.
        ("net.ipv6.conf.all.accept_ra", {"net.ipv6.conf.all.accept_ra": key("0", "0"), **V6_OFF}, "not_applicable"),
        ("net.ipv6.conf.all.accept_ra", {"net.ipv6.conf.all.accept_ra": key("0", None), **V6_OFF_NOW}, "fail"),
        ("net.ipv6.conf.all.accept_ra", {}, "not_applicable"),
    ],
)
def test_sysctl(name, rows, status):
    expected = 1 if name.startswith("kernel") else 0
    verdict = judged("sysctl", {name: expected}, rows, "sysctl")
    assert verdict.status == status, verdict


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ({"kernel.kptr_restrict": {"one_of": [1, 2]}}, 1),
        ({"kernel.perf_event_paranoid": {"min": 2}}, 2),
        ({"kernel.randomize_va_space": 2}, 2),
        ({"net.ipv4.tcp_syncookies": {"equals": 1}}, 1),
    ],
)
def test_what_hardening_sets_satisfies_what_is_judged(statement, value):
    ((name, _expected),) = statement.items()
    assert RESOURCES["sysctl"].settings(statement) == [{"kind": "sysctl", "key": name, "value": value}]
    rows = {name: key(str(value), str(value)), **V6_ON}
    assert judged("sysctl", statement, rows, "sysctl").status == "pass"


def unit(enabled, active="inactive", **more):
    row = {"enabled": enabled, "active": active, "alias_of": None, "aliases": [], "triggered_by": [], "wanted_by": []}
    return {**row, "path": "/usr/lib/systemd/system/x", **more}


@pytest.mark.parametrize(
    ("state", "rows", "status"),
    [
        ("enabled", {"x.service": unit("static")}, "fail"),
        ("enabled", {"x.service": unit("static", wanted_by=["multi-user.target"])}, "pass"),
        ("disabled", {"x.service": unit("static", wanted_by=["multi-user.target"])}, "fail"),
        ("enabled", {"x.service": unit("alias", alias_of="y.service"), "y.service": unit("enabled")}, "pass"),
        ("masked", {"x.service": unit("alias", alias_of="y.service"), "y.service": unit("enabled")}, "fail"),
        ("masked", {"x.service": unit("masked-runtime")}, "fail"),
        ("masked", {}, "pass"),
        ("enabled", {"x.service": unit("enabled-runtime")}, "fail"),
        ("off", {"x.service": unit("disabled", triggered_by=["x.socket"]), "x.socket": unit("enabled")}, "fail"),
        ("off", {"x.service": unit("disabled", triggered_by=["x.socket"]), "x.socket": unit("disabled")}, "pass"),
        (
            "on",
            {"x.service": unit("disabled", "active", triggered_by=["x.socket"]), "x.socket": unit("enabled")},
            "pass",
        ),
        ("active", {"x.service": unit("enabled", None)}, "unreadable"),
    ],
)
def test_service(state, rows, status):
    assert judged("service", {"x": state}, rows, "units").status == status


def package(state, installed, selection="install"):
    return {"x:amd64": {"name": "x", "version": "1", "state": state, "installed": installed, "selection": selection}}


@pytest.mark.parametrize(
    ("rows", "is_there", "is_absent"),
    [
        (package("installed", True), "pass", "fail"),
        (package("installed", True, "hold"), "pass", "fail"),  # hi
        (package("unpacked", False), "fail", "fail"),  # iU: its files are there, it was never configured
        (package("half-configured", False), "fail", "fail"),  # iF
        (package("half-installed", False), "fail", "fail"),  # iH
        (package("config-files", False, "deinstall"), "fail", "pass"),  # rc
        ({}, "fail", "pass"),
    ],
)
def test_package(rows, is_there, is_absent):
    assert judged("package", {"x": "installed"}, rows, "packages").status == is_there
    assert judged("package", {"x": "absent"}, rows, "packages").status == is_absent


def module(**more):
    row = {
        "loaded": False,
        "builtin": False,
        "available": True,
        "kernels": ["6.1"],
        "blacklist": ["/etc/modprobe.d/a:1"],
    }
    return {"x_y": {**row, "install": "/bin/true", "install_where": "/etc/modprobe.d/a:2", **more}}


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        (module(), "pass"),
        (module(install="/usr/bin/false"), "pass"),
        (module(install="/bin/true "), "pass"),
        (module(install="/bin/truely"), "fail"),
        (module(install="/bin/true; modprobe --ignore-install x_y"), "fail"),
        (module(loaded=None), "unreadable"),
        (module(loaded=None, available=False, kernels=[], install=None, blacklist=[]), "pass"),
        (module(loaded=None, install=None), "fail"),
        (module(blacklist=["/run/modprobe.d/a:1"]), "fail"),
    ],
)
def test_kernel_module(rows, status):
    assert judged("kernel_module", {"x-y": "disabled"}, rows, "kernel_modules").status == status


def mount(options, planned, live=True, **more):
    row = {
        "live": live,
        "type": "ext4" if live else None,
        "source": "/dev/sda2",
        "options": options,
        "persisted": planned is not None,
    }
    row |= {
        "persisted_by": "fstab" if planned is not None else None,
        "persisted_options": planned,
        "persisted_where": "/etc/fstab:2",
    }
    return {"/srv": {**row, "persisted_type": "ext4", "removable": False, **more}}


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        (mount(["nodev"], ["nodev"]), "pass"),
        (mount([], ["nodev"]), "fail"),  # fstab was changed, nothing was remounted
        (mount(["nodev"], []), "fail"),  # remounted by hand
        (mount(["nodev"], None), "fail"),  # nothing mounts it at boot
        (mount(None, ["nodev"], live=None), "unreadable"),
        (mount(None, [], live=None), "fail"),
        ({}, "not_applicable"),
    ],
)
def test_mount(rows, status):
    assert judged("mount", {"/srv": {"options": ["nodev"]}}, rows, "mounts").status == status


def test_words_for_mount_points():
    share = {**mount(["nodev"], ["nodev"])["/srv"], "type": "nfs4", "persisted_type": "nfs", "source": "files:/x"}
    rows = {"/": mount([], [])["/srv"], "/data": share}
    assert judged("mount", {"nfs": {"options": ["nodev"]}}, rows, "mounts").status == "pass"
    assert judged("mount", {"nfs": {"options": ["noexec"]}}, rows, "mounts").status == "fail"
    assert judged("mount", {"removable": {"options": ["noexec"]}}, rows, "mounts").status == "not_applicable"
    assert judged("mount", {"local": {"options": ["nodev"]}}, rows, "mounts").status == "not_applicable"
    option = {"one_of": ["sec=krb5p", "sec=krb5"]}
    assert RESOURCES["mount"].settings({"nfs": {"options": [option]}})[0]["options"] == ["sec=krb5p"]


def found(path, **more):
    row = {"kind": "found", "type": "file", "mode": 0o644, "mode_text": "0644", "uid": 1, "gid": 1, "unowned": False}
    return {path: {**row, **more}}


WALKED = {"filesystem:/": {"kind": "filesystem", "looked_for": ["place", "shared", "trust"]}}


def test_an_owner_whom_only_a_directory_knows_is_not_unowned():
    """The table resolves ids by the system's own name service; one that cannot be asked makes the cell unreadable."""
    silent = {"!": "partial", "why": "sssd did not answer: who has the id 70001 is not known"}
    statement = {"none": ["unowned"]}
    assert judged("file_walk", statement, {**WALKED, **found("/srv/x", uid=70001)}, "file_walk").status == "pass"
    rows = {**WALKED, **found("/srv/x", uid=70001, unowned=silent)}
    verdict = judged("file_walk", statement, rows, "file_walk")
    assert (verdict.status, "70001 is not known" in verdict.reason) == ("unreadable", True)
    rows |= found("/srv/y", uid=4711, unowned=True)
    assert judged("file_walk", statement, rows, "file_walk").status == "fail"


def test_modes_are_masks():
    def mode(bits):
        row = {"exists": True, "type": "file", "mode": bits, "uid": 0, "gid": 0, "owner": "root", "group": "root"}
        return judged("file", {"/x": {"mode": "0640"}}, {"/x": row}, "file_attributes").status

    assert [mode(bits) for bits in (0o640, 0o600, 0o400, 0o000, 0o040)] == ["pass"] * 5
    assert [mode(bits) for bits in (0o641, 0o650, 0o740, 0o644, 0o4640, 0o1640)] == ["fail"] * 6

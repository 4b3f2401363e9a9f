"""Servers with systemd, sshd and sudo, assessed over SSH as a user would."""

from __future__ import annotations

import pytest

from lab import hosts as lab_hosts
from lab import plays

FAST = {"ringwall_cadence": "fast"}
PLANT = r"""
printf 'PermitRootLogin yes\nMaxAuthTries 9\nPermitEmptyPasswords yes\n' >/etc/ssh/sshd_config.d/00-planted.conf
chmod 644 /etc/ssh/sshd_config.d/00-planted.conf
systemctl restart ssh
chmod 666 /etc/passwd-
chmod 777 /etc/crontab
echo 'install cramfs /sbin/modprobe --ignore-install cramfs' >/etc/modprobe.d/planted.conf
"""
PLANTED = {"5.1.16", "5.1.19", "5.1.20", "7.1.2", "2.4.1.2"}
"""Sections of CIS Debian 12 that the clean host passes and the planted host must fail, and no others.

5.1.16 log-in attempts, 5.1.19 empty passwords, 5.1.20 root log-in, 7.1.2 backup of passwd, 2.4.1.2 crontab. An install line
that loads cramfs after all plants nothing more: the clean host allows it too.
"""
PREPARE = r"""
: >/etc/passwd-; chmod 600 /etc/passwd-; chown root:root /etc/passwd-
chmod 600 /etc/crontab
printf 'PermitRootLogin no\nMaxAuthTries 4\n' >/etc/ssh/sshd_config.d/40-good.conf; chmod 600 /etc/ssh/sshd_config.d/40-good.conf
systemctl restart ssh
"""


@pytest.fixture(scope="module")
def fleet(engine, tmp_path_factory):
    """Six hosts: good, mis-set, one whose sudo wants a password, one without Python, one on trixie, one switched off."""
    folder = tmp_path_factory.mktemp("fleet")
    addresses = {
        name: engine.start(name, suite)
        for name, suite in {
            "good": "bookworm",
            "planted": "bookworm",
            "nosudo": "bookworm",
            "nopython": "bookworm",
            "trixie": "trixie",
            "off": "bookworm",
        }.items()
    }
    for address in addresses.values():
        lab_hosts.wait(address)
    for name in ("good", "planted"):
        engine.shell(name, PREPARE)
    engine.shell("planted", PLANT)
    engine.shell("nopython", "rm -f /usr/bin/python3*")
    for address in addresses.values():
        lab_hosts.wait(address)
    variables = {name: {"ansible_host": address} for name, address in addresses.items()}
    variables["nosudo"]["ansible_user"] = "plain"
    inventory = lab_hosts.inventory(folder, variables, groups={"web": ["good", "planted"]})
    engine.docker("stop", "-t", "2", "off")
    return engine, inventory, plays.play(folder, inventory, **FAST)


def statuses(host, benchmark="cis_debian12"):
    found = {}
    for finding in host["findings"]:
        if finding["benchmark"] == benchmark:
            found.setdefault(finding["section"], set()).add(finding["status"])
    return found


def test_each_host_ends_as_what_it_is(fleet):
    _engine, _inventory, played = fleet
    hosts = played.hosts()
    assert {name: host["state"] for name, host in hosts.items()} == {
        "good": "assessed",
        "planted": "assessed",
        "nosudo": "failed",
        "nopython": "failed",
        "trixie": "assessed",
        "off": "unreachable",
    }
    assert hosts["nosudo"]["reason"]["code"] == "become"
    assert "sudo" in hosts["nosudo"]["reason"]["text"]
    assert hosts["nopython"]["reason"]["code"] == "no_python"
    assert hosts["off"]["reason"]["code"] == "unreachable"
    assert played.code == 4  # Ansible's code when a host is unreachable, whatever else failed
    assert played.run()["state"] == "complete"


def test_the_mis_set_host_fails_exactly_what_was_planted(fleet):
    _engine, _inventory, played = fleet
    good, planted = (statuses(played.hosts()[name]) for name in ("good", "planted"))
    assert {section for section in planted if planted[section] != good[section]} == PLANTED
    for section in PLANTED:
        assert "fail" in planted[section]
        assert "fail" not in good[section]


def test_planted_findings_name_the_line_that_did_it(fleet):
    _engine, _inventory, played = fleet
    finding = next(f for f in played.hosts()["planted"]["findings"] if f["section"] == "5.1.16")
    assert finding["actual"] is not None
    assert any("/etc/ssh/sshd_config.d/00-planted.conf:2" in item["where"] for item in finding["evidence"]), finding[
        "evidence"
    ]


def test_what_the_container_cannot_tell_is_unreadable_and_says_why(fleet):
    _engine, _inventory, played = fleet
    unreadable = [f for f in played.hosts()["good"]["findings"] if f["status"] == "unreadable"]
    assert any(f["section"].startswith("6.2") for f in unreadable)
    assert all(f["reason"] for f in unreadable)
    assert not [f for f in played.hosts()["good"]["findings"] if f["status"] == "error"]


def test_a_benchmark_of_another_release_is_refused_and_ours_serves(fleet, tmp_path):
    _engine, inventory, played = fleet
    named = [(entry["id"], entry["fallback"]) for entry in played.hosts()["trixie"]["benchmarks"]]
    assert named == [("cis_debian13", False), ("ringwall_servers", False)]
    wrong = plays.play(tmp_path, inventory, limit="trixie", ringwall_benchmarks=["cis_debian12"], **FAST)
    trixie = wrong.hosts()["trixie"]
    assert [(entry["id"], entry["fallback"]) for entry in trixie["benchmarks"]] == [("ringwall_linux", True)]
    assert any("cis_debian12 is for debian 12, this is debian 13" in note for note in trixie["notes"]), trixie["notes"]


def test_no_table_fails_on_a_real_server(fleet):
    _engine, _inventory, played = fleet
    from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence import runs
    from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence.state import open_state

    run = runs.load_run(open_state(str(played.state)), played.run()["id"])
    for host in run.hosts():
        bad = {
            name: table["why"]
            for name, table in host["tables"].items()
            if table["state"] in ("error", "partial") and name != "pending_updates"
        }  # the lab's image holds no package lists
        assert not bad, (host["host"], bad)


def test_a_second_run_changes_nothing(fleet, tmp_path):
    _engine, inventory, played = fleet
    again = plays.play(tmp_path, inventory, state=played.state, limit="good:planted", **FAST)
    assert again.code == 0
    for name in ("good", "planted"):
        first = {f["section"] + f["control"]: f["first_seen"] for f in played.hosts()[name]["findings"]}
        assert {f["section"] + f["control"]: f["first_seen"] for f in again.hosts()[name]["findings"]} == first
    assert len(again.report()["trend"]) == 2


def test_an_ordinary_user_gets_unreadable_and_never_pass_for_what_only_root_sees(fleet, tmp_path):
    _engine, inventory, played = fleet
    mine = plays.play(tmp_path, inventory, limit="good", ringwall_become=False, **FAST)
    root, user = (
        {
            (finding["benchmark"], finding["section"], finding["control"]): finding["status"]
            for finding in one.hosts()["good"]["findings"]
        }
        for one in (played, mine)
    )
    gained = {
        key
        for key, status in user.items()
        if status == "pass" and root[key] not in ("pass", "not_applicable", "manual")
    }
    assert not gained, {key: (root[key], user[key]) for key in gained}
    assert "unreadable" in user.values()


def test_a_changed_host_key_is_refused_by_name(fleet, tmp_path):
    engine, inventory, _played = fleet
    engine.shell(
        "planted",
        "rm /etc/ssh/ssh_host_ed25519_key*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key; systemctl restart ssh",
    )
    # A control socket of the runs before would hide the new key; ansible-runner switches the check off unless told.
    mine = plays.play(
        tmp_path,
        inventory,
        limit="planted",
        environment={"ANSIBLE_SSH_CONTROL_PATH_DIR": str(tmp_path / "cp"), "ANSIBLE_HOST_KEY_CHECKING": "True"},
        **FAST,
    )
    host = mine.hosts()["planted"]
    assert host["state"] == "unreachable"
    assert host["reason"]["code"] == "host_key"
    assert mine.code == 4

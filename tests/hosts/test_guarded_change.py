"""Guarded changes of real hosts: what goes well stays, what would lock us out is undone by the host itself."""

from __future__ import annotations

import concurrent.futures
import contextlib
import time

import pytest

from lab import changing
from lab import hosts as lab_hosts

GOOD = [
    {"op": "write", "path": "/etc/ssh/sshd_config.d/10-ringwall.conf", "text": "PermitRootLogin no\nMaxAuthTries 4\n", "mode": "0600",
     "controls": ["ssh"], "guarded": True, "validate": "sshd", "follow": ["reload:ssh"]},
    {"op": "write", "path": "/etc/sudoers.d/60-ringwall", "text": "Defaults use_pty\n", "mode": "0440", "controls": ["sudo"],
     "guarded": True, "validate": "visudo"},
    {"op": "edit", "path": "/etc/pam.d/common-password", "controls": ["pam"], "guarded": True, "validate": "pam",
     "edits": [{"pam": {"type": "password", "module": "pam_unix.so", "add": {"remember": "5"}}}]},
    {"op": "edit", "path": "/etc/login.defs", "controls": ["ages"], "edits": [{"set": "PASS_MAX_DAYS", "value": "365", "separator": "\t"}]},
    {"op": "unit", "name": "cron.service", "enabled": False, "masked": True, "active": False, "controls": ["cron"]},
    {"op": "account", "name": "plain", "max_days": 365, "inactive": 30, "controls": ["ages"]},
    {"op": "write", "path": "/etc/modprobe.d/ringwall/none.conf", "text": "install cramfs /bin/false\n", "controls": ["modules"]},
    {"op": "attributes", "path": "/etc/cron.d", "clear_mode": "0077", "controls": ["cron"]},
]  # fmt: skip


@pytest.fixture
def host(engine, tmp_path):
    """(engine, name, inventory, folder) of a host of one's own."""
    name = f"guarded{time.monotonic_ns() % 10**9}"
    inventory = changing.start(engine, tmp_path / "inventory", name)
    yield engine, name, inventory, tmp_path
    engine.docker("rm", "-f", "-v", name)


def healed(engine, name, run, seconds=20):
    """The run's state once the host has undone it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        state = changing.status(engine, name, run)
        if state["phase"] == "rolled_back":
            return state
        time.sleep(0.2)
    raise AssertionError(f"not healed after {seconds} s: {state}")


def test_a_good_change_is_confirmed_stays_and_can_be_rolled_back_to_the_byte(host):
    engine, name, inventory, folder = host
    before = changing.fingerprint(engine, name)
    played, results = changing.change(folder, inventory, GOOD, "good", after=60, cmdline="--check --diff")
    assert played.code == 0, played.output
    assert "+PermitRootLogin no" in played.output
    assert changing.differences(before, changing.fingerprint(engine, name)) == []

    played, results = changing.change(folder, inventory, GOOD, "good", after=60)
    assert played.code == 0, played.output
    assert results[name]["state"] == "confirmed"
    assert {row["status"] for row in results[name]["results"]} == {"changed"}, results
    assert "permitrootlogin no" in engine.shell(name, "sshd -T")
    assert engine.shell(name, "systemctl is-enabled cron || true").strip() == "masked"
    assert engine.shell(name, "systemctl is-active cron || true").strip() == "inactive"
    assert "ringwall" not in engine.shell(
        name, "ls /etc/systemd/system /etc/systemd/system/*.wants; systemctl list-units 'ringwall*' --no-legend"
    )
    played, results = changing.change(folder, inventory, GOOD, "again", after=60)
    assert results[name]["state"] == "unchanged"
    assert played.code == 0

    told = changing.ask(engine, name, "rollback", run="good")
    assert (told["conflicts"], told["problems"]) == ([], [])
    assert changing.differences(before, changing.fingerprint(engine, name)) == []
    assert engine.shell(name, "systemctl is-active cron").strip() == "active"
    assert "permitrootlogin no" not in engine.shell(name, "sshd -T")
    assert engine.shell(name, "chage -l plain | grep Maximum").split(":")[1].strip() == "99999"


LOCKED_OUT = {
    "sshd": [{"op": "write", "path": "/etc/ssh/sshd_config.d/10-ringwall.conf", "text": "AllowUsers nobody\n", "controls": ["x"],
              "guarded": True, "validate": "sshd", "follow": ["restart:ssh"]}],
    "sudo": [{"op": "write", "path": "/etc/sudoers.d/zz-ringwall", "text": "deploy ALL=(ALL) !ALL\n", "mode": "0440", "controls": ["x"],
              "guarded": True, "validate": "visudo"}],
    "pam": [{"op": "edit", "path": "/etc/pam.d/sshd", "controls": ["x"], "guarded": True,
             "edits": [{"line": "account required pam_deny.so", "before": "^"}]}],
    "firewall": [{"op": "write", "path": "/etc/nftables.conf", "controls": ["x"], "guarded": True, "validate": "nft", "follow": ["restart:nftables"],
                  "text": "flush ruleset\ntable inet f {\n chain i {\n  type filter hook input priority 0; policy drop;\n }\n}\n"},
                 {"op": "unit", "name": "nftables.service", "enabled": True, "active": True, "controls": ["x"]}],
    "account": [{"op": "account", "name": "deploy", "shell": "/usr/sbin/nologin", "controls": ["x"], "guarded": True}],
}  # fmt: skip


@pytest.mark.parametrize("what", LOCKED_OUT)
def test_what_locks_us_out_is_undone_by_the_host_in_time(host, what):
    engine, name, inventory, folder = host
    before = changing.fingerprint(engine, name)
    start = time.monotonic()
    played, results = changing.change(folder, inventory, LOCKED_OUT[what], "bad", after=5)
    assert played.code != 0
    assert results[name]["state"] == "rolled_back", results
    assert results[name]["healed"] is True
    assert results[name]["msg"]
    assert time.monotonic() - start < 60
    assert changing.differences(before, changing.fingerprint(engine, name)) == []
    state = changing.status(engine, name, "bad")
    assert state["fired"] is True
    assert "nobody confirmed" in state["why"]
    lab_hosts.wait(engine.docker("inspect", "-f", "{{.NetworkSettings.IPAddress}}", name).strip())


def test_what_does_not_pass_validation_never_takes_effect(host):
    engine, name, inventory, folder = host
    before = changing.fingerprint(engine, name)
    operations = [
        {"op": "write", "path": "/etc/ssh/sshd_config.d/10-ringwall.conf", "text": "Nonsense yes\n", "controls": ["a"], "validate": "sshd"},
        {"op": "write", "path": "/etc/sudoers.d/60-ringwall", "text": "deploy ALL=(\n", "mode": "0440", "controls": ["b"], "validate": "visudo"},
        {"op": "edit", "path": "/etc/pam.d/common-auth", "controls": ["c"], "validate": "pam",
         "edits": [{"pam": {"type": "auth", "module": "pam_unix.so", "state": "absent"}}]},
        {"op": "edit", "path": "/etc/pam.d/common-auth", "controls": ["d"], "validate": "pam",
         "edits": [{"line": "auth sufficient pam_permit.so", "before": "^auth"}]},
        {"op": "edit", "path": "/etc/pam.d/common-session", "controls": ["e"], "validate": "pam", "edits": [{"line": "session required pam_nowhere.so"}]},
        {"op": "edit", "path": "/etc/fstab", "create": {}, "controls": ["f"], "validate": "fstab", "edits": [{"line": "UUID=none /nowhere ext4 defaults 0 7 x"}]},
        {"op": "write", "path": "/etc/nftables.conf", "text": "table inet {", "controls": ["g"], "validate": "nft"},
        {"op": "write", "path": "/etc/good.conf", "text": "good\n", "controls": ["z"]},
    ]  # fmt: skip
    played, results = changing.change(folder, inventory, operations, "invalid", after=30)
    assert played.code == 0, played.output
    told = results[name]
    assert told["state"] == "confirmed"
    assert [row["status"] for row in told["results"]] == ["failed"] * 7 + ["changed"], told["results"]
    changing.ask(engine, name, "rollback", run="invalid")
    assert changing.differences(before, changing.fingerprint(engine, name)) == []


def test_a_restart_while_armed_is_healed_at_boot(host):
    engine, name, _inventory, _folder = host
    before = changing.fingerprint(engine, name)
    from ansible_collections.ringwall.servers.plugins.module_utils.changes import spec

    operations = [*LOCKED_OUT["sshd"], *GOOD[3:]]
    told = changing.ask(
        engine, name, "apply", run="boot", operations=operations, digest=spec.digest(operations), before=None, after=600
    )
    assert told["phase"] == "switched", told
    engine.docker("restart", "-t", "10", name)
    state = healed(engine, name, "boot", 40)
    assert state["fired"] is True
    assert "restarted" in state["why"]
    address = engine.docker("inspect", "-f", "{{.NetworkSettings.IPAddress}}", name).strip()
    lab_hosts.wait(address)
    left = changing.differences(before, changing.fingerprint(engine, name))
    # Docker writes these anew at each start; the others are links that systemd itself makes.
    assert [
        line
        for line in left
        if not any(one in line for one in ("/hosts", "/hostname", "/resolv.conf", "/mtab", ". d "))
    ] == []
    assert engine.shell(name, "systemctl is-active cron").strip() == "active"


def test_two_runs_at_once_the_second_is_refused_by_name(host):
    engine, name, inventory, folder = host
    from ansible_collections.ringwall.servers.plugins.module_utils.changes import spec

    told = changing.ask(
        engine, name, "apply", run="first", operations=GOOD[3:4], digest=spec.digest(GOOD[3:4]), before=None, after=30
    )
    assert told["phase"] == "switched", told
    played, results = changing.change(folder, inventory, GOOD[4:5], "second", after=5)
    assert played.code != 0
    assert "run first changes this host since" in results[name]["msg"]
    assert changing.ask(engine, name, "confirm", run="first")["phase"] == "confirmed"
    played, results = changing.change(folder, inventory, GOOD[4:5], "second", after=30)
    assert results[name]["state"] == "confirmed"


def test_what_somebody_else_changed_meanwhile_is_a_conflict_and_left(host):
    engine, name, inventory, folder = host
    _played, results = changing.change(folder, inventory, GOOD[:4], "mine", after=30)
    assert results[name]["state"] == "confirmed"
    engine.shell(name, "echo 'PrintMotd no' >>/etc/ssh/sshd_config.d/10-ringwall.conf")
    told = changing.ask(engine, name, "rollback", run="mine")
    assert len(told["conflicts"]) == 1
    assert "10-ringwall.conf" in told["conflicts"][0]
    assert "PrintMotd" in engine.shell(name, "cat /etc/ssh/sshd_config.d/10-ringwall.conf")
    assert engine.shell(name, "test -e /etc/sudoers.d/60-ringwall && echo there || echo gone").strip() == "gone"


def apply(engine, name, run, operations, after):
    from ansible_collections.ringwall.servers.plugins.module_utils.changes import spec

    return changing.ask(
        engine, name, "apply", run=run, operations=operations, digest=spec.digest(operations), before=None, after=after
    )


def test_without_a_service_manager_a_process_of_its_own_undoes_it(engine):
    name = f"bare{time.monotonic_ns() % 10**9}"
    engine.start(name, command=("sleep", "infinity"))
    try:
        before = changing.fingerprint(engine, name)
        assert apply(engine, name, "bare", GOOD[:4], 2)["phase"] == "switched"
        state = healed(engine, name, "bare")
        assert state["fired"] is True
        assert changing.differences(before, changing.fingerprint(engine, name)) == []
        assert apply(engine, name, "kept", GOOD[:4], 60)["phase"] == "switched"
        assert changing.ask(engine, name, "confirm", run="kept")["phase"] == "confirmed"
        time.sleep(1)
        assert "engine.pyz" not in engine.shell(name, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    finally:
        engine.docker("rm", "-f", "-v", name)


@pytest.mark.parametrize("files", [1, 150, 299])
def test_an_engine_killed_on_the_host_is_made_up_for_at_once(host, files):
    engine, name, _inventory, _folder = host
    before = changing.fingerprint(engine, name)
    many = [
        {"op": "write", "path": f"/etc/many/{number}.conf", "text": "x\n", "controls": ["m"]} for number in range(300)
    ]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        asked = pool.submit(apply, engine, name, "shot", [*many, *GOOD], 300)
        killing = f"until [ $(ls /etc/many 2>/dev/null | wc -l) -ge {files} ]; do :; done; kill -9 $(pgrep -f '[s]tdin.buffer')"
        engine.shell(name, killing)
        with contextlib.suppress(Exception):
            asked.result()
    assert "half-way" in healed(engine, name, "shot")["why"]
    assert changing.differences(before, changing.fingerprint(engine, name)) == []
    assert ".ringwall-" not in changing.fingerprint(engine, name)
    assert apply(engine, name, "next", GOOD[3:4], 60)["phase"] == "switched"


def test_a_watcher_that_is_killed_comes_back(host):
    engine, name, _inventory, _folder = host
    assert apply(engine, name, "watched", GOOD[3:5], 5)["phase"] == "switched"
    engine.shell(name, "kill -9 $(pgrep -f '[e]ngine.pyz watch')")
    assert healed(engine, name, "watched")["fired"] is True
    assert engine.shell(name, "systemctl is-active cron").strip() == "active"

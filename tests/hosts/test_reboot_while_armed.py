"""A real machine, restarted while nobody has confirmed its change: undone before anybody could be locked out."""

from __future__ import annotations

import os
import re
import time

import pytest

from lab import changing
from lab.image import NotHere

OPERATIONS = [
    {"op": "write", "path": "/etc/ssh/sshd_config.d/10-ringwall.conf", "text": "AllowUsers nobody\n", "controls": ["ssh"],
     "guarded": True, "validate": "sshd", "follow": ["restart:ssh"]},
    {"op": "write", "path": "/etc/sysctl.d/60-ringwall.conf", "text": "kernel.dmesg_restrict = 1\nnet.ipv4.conf.all.send_redirects = 0\n", "controls": ["sysctl"]},
    {"op": "sysctl", "key": "net.ipv4.conf.all.send_redirects", "value": "0", "controls": ["sysctl"]},
    {"op": "remount", "path": "/dev/shm", "options": ["noexec"], "controls": ["shm"]},
    {"op": "edit", "path": "/etc/default/grub", "controls": ["grub"], "follow": ["update-grub"],
     "edits": [{"kernel_arguments": {"audit": "1"}}]},
    {"op": "unit", "name": "cron.service", "enabled": False, "masked": True, "active": False, "controls": ["cron"]},
    {"op": "account", "name": "plain", "max_days": 365, "lock": True, "controls": ["ages"]},
]  # fmt: skip
LOOK = (
    changing.PRINT
    + "; sha256sum /boot/grub/grub.cfg; sysctl net.ipv4.conf.all.send_redirects; systemctl is-active cron; findmnt -no OPTIONS /dev/shm"
)


pytestmark = pytest.mark.skipif(
    os.environ.get("RINGWALL_SOAK") != "1", reason="an emulated machine that starts twice takes four minutes: make soak"
)


@pytest.fixture
def machine(tmp_path):
    from lab.vm import Machine

    try:
        found = Machine(tmp_path)
    except NotHere as reason:
        if os.environ.get("RINGWALL_REQUIRE_HOSTS") == "1":
            pytest.fail(f"hosts are required and cannot run here: {reason}")
        pytest.skip(f"no virtual machine here: {reason}")
    with found.running():
        yield found


def test_restarted_while_armed_it_lets_us_in_and_is_as_it_was(machine):
    from ansible_collections.ringwall.servers.plugins.module_utils.changes import spec

    before = machine.ssh(LOOK).stdout
    told = changing.ask_machine(
        machine, "apply", run="boot", operations=OPERATIONS, digest=spec.digest(OPERATIONS), before=None, after=900
    )
    assert told["phase"] == "switched", told
    assert [row["status"] for row in told["results"]] == ["changed"] * len(OPERATIONS), told
    assert machine.ssh("true", check=False).returncode != 0
    # Nobody can log in any more, so nobody restarts it in order: its power fails.
    machine.kill()
    machine.start()
    end = time.monotonic() + 60
    while (state := changing.ask_machine(machine, "status", run="boot")["runs"]["boot"])["phase"] != "rolled_back":
        assert time.monotonic() < end, state
        time.sleep(1)
    assert state["fired"] is True
    assert state["conflicts"] == []
    left = changing.differences(before, machine.ssh(LOOK).stdout)
    # The DHCP client writes its file anew at each start; directories get new times by that.
    assert [line for line in left if "/resolv.conf" not in line and not re.search(r" d \d+ ", line)] == []

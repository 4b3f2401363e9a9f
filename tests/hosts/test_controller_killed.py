"""The controller dies at any moment of a guarded change: the host is as before or confirmed, and nothing between.

A few moments; ``RINGWALL_SOAK=1``: twenty. ``RINGWALL_SEED`` chooses them.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time

import pytest

from lab import changing, plays

MOMENTS = 20 if os.environ.get("RINGWALL_SOAK") == "1" else 3
AFTER = 5
OPERATIONS = [
    {"op": "write", "path": "/etc/ssh/sshd_config.d/10-ringwall.conf", "text": "AllowUsers nobody\n", "controls": ["ssh"],
     "guarded": True, "validate": "sshd", "follow": ["restart:ssh"]},
    {"op": "unit", "name": "cron.service", "enabled": False, "masked": True, "active": False, "controls": ["cron"]},
    {"op": "account", "name": "plain", "max_days": 365, "controls": ["ages"]},
    *({"op": "write", "path": f"/etc/many/{number}/x.conf", "text": "x\n" * 200, "controls": ["many"]} for number in range(30)),
]  # fmt: skip
KEEPS = [{**OPERATIONS[0], "text": "PermitRootLogin no\n"}, *OPERATIONS[1:]]


@pytest.fixture(scope="module")
def host(engine, tmp_path_factory):
    folder = tmp_path_factory.mktemp("killed")
    inventory = changing.start(engine, folder / "inventory", "killed")
    yield engine, "killed", inventory, folder
    engine.docker("rm", "-f", "-v", "killed")


def moments():
    chosen = random.Random(int(os.environ.get("RINGWALL_SEED", "1")))
    return [(number, chosen.uniform(0.8, 4.5), chosen.random() < 0.5) for number in range(MOMENTS)]


def settled(engine, name, run, seconds):
    """The run's phase once the host waits for nobody any more; None when the run never began."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        known = changing.ask(engine, name, "status", run=run)["runs"].get(run)
        # One that has just begun may not have written its state yet.
        began = known is not None or engine.shell(name, f"ls /var/lib/ringwall/{run} 2>/dev/null || true").strip()
        if not began or (known and known["phase"] in ("confirmed", "rolled_back")):
            return known
        time.sleep(0.2)
    raise AssertionError(f"after {seconds} s the host still waits: {known}")


@pytest.mark.parametrize(("number", "moment", "keeps"), moments())
def test_a_controller_killed_at_any_moment_leaves_no_host_between(host, number, moment, keeps):
    engine, name, inventory, folder = host
    before = changing.fingerprint(engine, name)
    run = f"killed{number}"
    book = changing.playbook(folder / run, KEEPS if keeps else OPERATIONS, run, AFTER)
    environment = dict(
        os.environ, ANSIBLE_CONFIG=str(plays.ROOT / "ansible.cfg"), RINGWALL_STATE=str(folder / "state"), ANSIBLE_TIMEOUT="4",
        PATH=f"{plays.BIN}:{os.environ['PATH']}", ANSIBLE_LOCAL_TEMP=str(folder / "tmp"),
    )  # fmt: skip
    play = subprocess.Popen(
        ["ansible-playbook", "-i", inventory, book], cwd=plays.ROOT, env=environment, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with contextlib.suppress(subprocess.TimeoutExpired):
        play.wait(moment)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(play.pid, signal.SIGKILL)
    play.wait()
    time.sleep(0.5)
    known = settled(engine, name, run, AFTER + 20)
    after = changing.fingerprint(engine, name)
    assert ".ringwall-" not in after
    if known is not None and known["phase"] == "confirmed":
        assert keeps
        assert after.count("./many/") >= 60
        told = changing.ask(engine, name, "rollback", run=run)
        assert told["conflicts"] == []
        after = changing.fingerprint(engine, name)
    assert changing.differences(before, after) == []
    assert engine.shell(name, "systemctl is-active cron ssh").split() == ["active", "active"]

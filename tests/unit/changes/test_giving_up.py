"""Nothing is armed, locked or half undone for ever: what gets in the way of undoing is waited for, not accepted."""

from __future__ import annotations

import errno
import os
import re

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.changes import deadman, durable, engine, hostlock
from ansible_collections.ringwall.servers.plugins.module_utils.changes import journal as journals
from ansible_collections.ringwall.servers.plugins.module_utils.changes.target import Problem

ISSUE = [{"op": "write", "path": "/etc/issue", "text": "Ours\n", "controls": ["a"]}]
TWO = [*ISSUE, {"op": "write", "path": "/etc/new", "text": "new\n", "controls": ["b"]}]


def full_disk(monkeypatch, name):
    """Replacing that file fails as on a full disk until ``monkeypatch`` is undone."""
    real = durable.replace_file

    def replace(directory, file, *rest, **more):
        if file == name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(directory, file, *rest, **more)

    monkeypatch.setattr(durable, "replace_file", replace)


def test_a_full_disk_is_no_reason_to_leave_a_change_half_undone(box, monkeypatch):
    before = box.fingerprint()
    box.apply(TWO)
    journal = journals.Journal(str(box.root), "r1")
    with monkeypatch.context() as patch:
        full_disk(patch, "issue")
        with pytest.raises(Problem, match="make room and undo it again: /etc/issue"):
            deadman.fire(engine, box.target(), journal, "late", False)
        assert journal.state()["phase"] == "rolling_back"
        assert not (box.root / "etc/new").exists()
    assert deadman.fire(engine, box.target(), journal, "late", False) == 0
    assert journal.state()["phase"] == "rolled_back"
    assert not journal.state()["conflicts"]
    assert box.fingerprint() == before


def test_the_switch_insists_with_longer_pauses():
    tried, pauses = [], []

    def work():
        tried.append(1)
        if len(tried) < 9:
            raise OSError(errno.ENOSPC, "full")
        return 0

    assert deadman.insist(work, sleep=pauses.append) == 0
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    tried.clear()
    with pytest.raises(OSError, match="full"):
        deadman.insist(work, tries=3, sleep=pauses.append)
    assert len(tried) == 3


def test_a_run_whose_directory_is_gone_ends_the_switch(box):
    assert deadman.fire(engine, box.target(), journals.Journal(str(box.root), "gone"), "late", False) == 0
    assert not (box.root / "var/lib/ringwall/gone").exists()


def test_who_is_gone_owns_the_host_no_more(box, monkeypatch):
    box.apply(ISSUE)
    assert box.plan(ISSUE)["owner"]["run"] == "r1"
    monkeypatch.setattr(engine, "process_start", lambda pid: None)
    monkeypatch.setattr(hostlock, "process_start", lambda pid: None)
    monkeypatch.setattr(deadman, "process_start", lambda pid: None)
    assert hostlock.HostLock(str(box.root)).owner()["run"] == "r1"
    assert box.plan(ISSUE)["owner"] is None


def test_the_same_run_twice_at_once_leaves_the_first_alone(box):
    journal = journals.Journal(str(box.root), "r1")
    journals.make_base(str(box.root))
    journal.create({"run": "r1", "operations": []})
    descriptor = journal.lock()
    try:
        with pytest.raises(Problem, match="run r1 is being carried out"):
            box.apply(ISSUE)
        assert journal.exists()
    finally:
        os.close(descriptor)


def test_damaged_records_of_an_old_run_do_not_stop_all_later_ones(box):
    box.apply(ISSUE)
    box.confirm()
    (box.root / "var/lib/ringwall/r1/state.json").write_text("{")
    assert box.apply(TWO[1:], run="r2")["phase"] == "switched"


def test_what_could_not_be_armed_waits_for_nothing(box, monkeypatch):
    monkeypatch.setattr(deadman, "archive", lambda: b"")
    monkeypatch.setattr(deadman, "_start", lambda target, journal: (_ for _ in ()).throw(Problem("no process")))
    monkeypatch.setattr(deadman, "SYSTEM", "/nowhere")
    monkeypatch.setattr(deadman, "disarm", lambda target, journal: None)
    journals.make_base(str(box.root))
    journal = journals.Journal(str(box.root), "r1")
    journal.create({"run": "r1", "operations": []})
    target = box.target()
    target.live = True
    with pytest.raises(Problem, match="no process"):
        deadman.arm(target, journal, 5)
    assert journal.state()["phase"] == "rolled_back"
    assert "could not be armed: no process" in journal.state()["why"]


def test_the_unit_of_the_boot_comes_before_what_reads_changed_files_at_boot():
    before = set(" ".join(re.findall(r"(?m)^Before=(.*)$", deadman.BOOT_UNIT)).split())
    assert {"nftables.service", "ufw.service", "firewalld.service", "ssh.service", "sshd.service", "ssh.socket",
            "systemd-sysctl.service", "auditd.service", "apparmor.service", "sysinit.target"} <= before  # fmt: skip
    seconds = int(re.search(r"TimeoutStartSec=(\d+)", deadman.BOOT_UNIT).group(1))
    from ansible_collections.ringwall.servers.plugins.module_utils.changes import follow

    assert seconds > sum(follow.TIMEOUT.values())


def test_another_run_s_unit_of_the_boot_is_left_alone(box):
    unit = box.write("etc/systemd/system/ringwall-rollback.service", deadman.BOOT_UNIT.format(run="r2", python="/p"))
    target = box.target()
    target.live = True
    deadman.disarm(target, journals.Journal(str(box.root), "r1"))
    assert unit.exists()
    deadman.disarm(target, journals.Journal(str(box.root), "r2"))
    assert not unit.exists()


def test_a_hard_link_that_a_user_slips_in_does_not_get_the_mode(box):
    secret = box.write("etc/secret", "s", 0o600)
    os.chown(box.root / "home/alice", 1000, 1000)
    os.link(secret, box.root / "home/alice/.netrc")
    wanted = {"type": "file", "mode": 0o666, "uid": 1000, "gid": 1000}
    with pytest.raises(Problem, match="2 hard links"):
        box.target().put_attributes("/home/alice/.netrc", wanted)
    assert secret.stat().st_mode & 0o777 == 0o600
    assert secret.stat().st_uid == 0


def test_the_directory_of_units_gets_its_time_back_also_when_its_unit_is_long_gone(box):
    folder = box.root / "etc/systemd/system"
    journals.make_base(str(box.root))
    journal = journals.Journal(str(box.root), "r1")
    journal.create({"run": "r1", "operations": []})
    journal.set_state(phase="rolling_back", times={"/etc/systemd/system": 10**18})
    target = box.target()
    target.live = True
    deadman.disarm(target, journal)  # a rollback of what was confirmed long ago
    assert folder.stat().st_mtime_ns == 10**18
    assert not deadman.left_over(target, journal)

"""A kill at every step of applying and of undoing: behind it, undoing leads back to what was there, whole.

``RINGWALL_SOAK=1``: every step instead of a sample.
"""

from __future__ import annotations

import os
import shutil

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.changes import durable, engine, spec
from ansible_collections.ringwall.servers.plugins.module_utils.changes import journal as journals

EVERY = 1 if os.environ.get("RINGWALL_SOAK") == "1" else 5
OPERATIONS = [
    {"op": "write", "path": "/etc/new/deep/file.conf", "text": "x\n", "mode": "0600", "controls": ["a"]},
    {
        "op": "edit",
        "path": "/etc/login.defs",
        "controls": ["b"],
        "edits": [{"set": "UMASK", "value": "027", "separator": " "}],
    },
    {"op": "attributes", "path": "/etc/issue", "mode": "0600", "owner": "1000", "group": "1000", "controls": ["c"]},
    {"op": "remove", "path": "/etc/issue.net", "controls": ["d"]},
    {"op": "unit", "name": "cups.service", "enabled": True, "controls": ["e"]},
    {"op": "account", "name": "alice", "max_days": 365, "lock": True, "controls": ["f"]},
    {"op": "edit", "path": "/etc/login.defs", "controls": ["g"], "edits": [{"set": "LAST", "value": "1"}]},
]

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="changes of owners need root")


def killed(work, at):
    """Do ``work`` in a child that ends itself at its step number ``at``; True if it did."""
    child = os.fork()
    if child == 0:
        count = [0]

        def hook(_name):
            if count[0] == at:
                os._exit(9)
            count[0] += 1

        durable.HOOK.append(hook)
        try:
            work()
        except BaseException:
            os._exit(7)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 9), "it failed by itself"
    return code == 9


def furnish(box):
    box.write("etc/issue.net", "Debian\n")


def states(fingerprint):
    """Without times of directories: a kill comes before those are put back, and so they are no part of `between`."""
    return {path: state[:4] if state[0] == "dir" else state for path, state in fingerprint.items()}


def test_a_kill_at_any_step_of_applying_is_undone_whole(tmp_path, make_box):
    step, seen = 0, 0
    while True:
        box = make_box(tmp_path / f"root{step}")
        furnish(box)
        before = box.fingerprint()
        ended = killed(lambda box=box: box.apply(OPERATIONS), step)
        if not ended:
            break
        journal = journals.Journal(str(box.root), "r1")
        for path in ("etc/login.defs", "etc/shadow"):
            assert box.text(path).endswith("\n"), "half a file"
        if journal.state().get("phase") in journals.OPEN_PHASES:
            seen += 1
            told = engine.roll_back(box.target(), journal, "killed", fired=True)
            assert told["conflicts"] == [], (step, told)
        assert {path: state for path, state in states(box.fingerprint()).items() if ".pwd.lock" not in path} == states(
            before
        ), step
        assert not list((box.root / "etc").rglob(".ringwall-*")), step
        shutil.rmtree(box.root)
        step += EVERY
    assert seen * EVERY > 50


def test_a_kill_at_any_step_of_undoing_is_made_up_for_by_undoing_again(tmp_path, make_box):
    step = 0
    while True:
        box = make_box(tmp_path / f"root{step}")
        furnish(box)
        before = box.fingerprint()
        box.apply(OPERATIONS)
        box.confirm()
        ended = killed(lambda box=box: box.rollback(controls=["a", "b", "c"]), step)
        told = box.rollback()
        assert told["conflicts"] == [], (step, told)
        assert states(box.fingerprint()) == states(before), step
        shutil.rmtree(box.root)
        if not ended:
            break
        step += EVERY
    assert step > 20


def test_what_was_confirmed_is_not_undone_by_a_late_switch(box):
    from ansible_collections.ringwall.servers.plugins.module_utils.changes import deadman

    furnish(box)
    box.apply(OPERATIONS)
    box.confirm()
    after = box.fingerprint()
    assert deadman.fire(engine, box.target(), journals.Journal(str(box.root), "r1"), "late", False) == 0
    assert box.fingerprint() == after
    assert spec.digest(OPERATIONS)

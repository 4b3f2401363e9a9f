"""Errors of the store and the disk reach people as one line that says what to do."""

from __future__ import annotations

import errno
import sqlite3

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.ringwall.servers.plugins.plugin_utils import actions, variables


def test_a_damaged_database_is_named_with_what_to_do_and_without_the_statement():
    sqlalchemy = pytest.importorskip("sqlalchemy")
    error = sqlalchemy.exc.DatabaseError("SELECT secret", {}, sqlite3.DatabaseError("database disk image is malformed"))
    with pytest.raises(AnsibleActionFail) as caught, actions.told():
        raise error
    text = str(caught.value)
    assert "malformed" in text
    assert "store_rebuild" in text
    assert "SELECT" not in text


def test_a_full_disk_is_named():
    with pytest.raises(AnsibleActionFail, match=r"no space left.*run\.json"), actions.told():
        raise OSError(errno.ENOSPC, "No space left on device", "/state/run.json")


def test_other_defects_stay_what_they_are():
    with pytest.raises(ZeroDivisionError), actions.told():
        _ = 1 / 0


def test_a_value_of_the_inventory_knows_its_file_and_line(tmp_path):
    pytest.importorskip("ansible._internal._datatag._tags")
    from ansible.parsing.dataloader import DataLoader

    (tmp_path / "all.yml").write_text("ringwall_parameters:\n  tries: 9\n  names: [a]\n")
    values = DataLoader().load_from_file(str(tmp_path / "all.yml"))["ringwall_parameters"]
    assert variables.origins(values) == {"tries": f"{tmp_path}/all.yml:2", "names": f"{tmp_path}/all.yml:3"}
    assert variables.origins("{{ other }}") == {}


def test_a_store_that_was_filled_again_is_said_before_anything_is_read(tmp_path):
    pytest.importorskip("sqlalchemy")
    from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence import runs
    from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence.state import open_state
    from ansible_collections.ringwall.servers.plugins.plugin_utils.settings import Settings
    from ansible_collections.ringwall.servers.plugins.plugin_utils.store import open_store

    state = open_state(tmp_path / "state")
    run = runs.open_run(state, "r1", {"scope": "default", "content": "", "controls": {}, "dispositions": []})
    run.finish()
    store = open_store(None, state)
    store.record("r1")
    store.close()
    settings = Settings(state.path, f"sqlite:///{tmp_path}/other.db", None, "default", [], [], [], "", 5.0)
    said = []
    past = actions._past(settings, said.append)
    assert past("default", []) == past("default", []) == {}
    assert said == ["The store was empty and has been filled again from 1 recorded runs."]
    lost = {"runs": 0, "missing": ["r1", "r2"], "checkpoint": "c"}
    assert actions.filled_again(lost).endswith("a checkpoint of older ones; 2 runs are not there any more: r1, r2.")

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

"""Every table's spec, the documents written from them, and a real snapshot held against the schema."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import tables as package
from ansible_collections.ringwall.servers.plugins.module_utils.collect import collect
from ansible_collections.ringwall.servers.plugins.module_utils.tables import TABLES

ROOT = Path(__file__).resolve().parents[3]
TOOL = ROOT / "tools/tables_doc.py"
SPECS = {name: module.TABLE for name, module in TABLES.items()}


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("tables_doc", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def snapshot():
    """This machine, all tables, a short walk."""
    return json.loads(
        collect(
            {
                "tables": sorted(TABLES),
                "options": {"file_walk": {"seconds": 2}, "file_attributes": {"paths": ["/etc/*"]}},
            }
        )
    )


def test_the_documents_are_current():
    done = subprocess.run([sys.executable, str(TOOL), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_check_sees_a_changed_spec(tool, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tool, "ROOT", tmp_path)
    monkeypatch.setattr(tool, "PAGE", tmp_path / "tables.md")
    monkeypatch.setattr(tool, "SCHEMA", tmp_path / "snapshot.schema.json")
    loaded = tool.load()
    monkeypatch.setattr(tool, "load", lambda: loaded)
    monkeypatch.setattr(sys, "argv", ["tables_doc.py"])
    assert tool.main() == 0
    monkeypatch.setattr(sys, "argv", ["tables_doc.py", "--check"])
    assert tool.main() == 0
    (tmp_path / "tables.md").write_text((tmp_path / "tables.md").read_text().replace("machine id", "machine number"))
    assert tool.main() == 1
    assert "tables.md is not current" in capsys.readouterr().out


def test_every_table_is_in_the_literal_list():
    files = {path.stem for path in Path(package.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == set(TABLES)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_specs_are_complete(name):
    spec = SPECS[name]
    assert spec.name == name
    assert spec.description
    assert spec.key
    assert spec.cadence in ("fast", "deep")
    names = [column.name for column in spec.columns]
    assert len(names) == len(set(names))
    assert all(column.text.strip() and column.name != "!" for column in spec.columns)


def test_the_schema_is_one_and_takes_a_real_snapshot(tool, snapshot):
    tables, collector, spec = tool.load()
    document = tool.schema(tables, collector, spec)
    jsonschema.Draft202012Validator.check_schema(document)
    validator = jsonschema.Draft202012Validator(document)
    problems = [f"{'/'.join(map(str, error.path))}: {error.message[:200]}" for error in validator.iter_errors(snapshot)]
    assert problems == []


@pytest.mark.parametrize(
    "change",
    [
        lambda tables: tables["identity"]["rows"]["host"].update(machine_id=3),
        lambda tables: tables["identity"]["rows"]["host"].update(unheard_of="x"),
        lambda tables: tables["identity"].update(state="perfect"),
        lambda tables: tables["identity"]["rows"]["host"].update(machine_id={"!": "tired"}),
        lambda tables: tables.update(unheard_of={"version": 1, "state": "ok", "rows": {}}),
        lambda tables: tables["identity"]["rows"].update(second={}),
    ],
)
def test_the_schema_refuses_what_no_table_says(tool, snapshot, change):
    small = json.loads(json.dumps({**snapshot, "tables": {"identity": snapshot["tables"]["identity"]}}))
    validator = jsonschema.Draft202012Validator(tool.schema(*tool.load()))
    validator.validate(small)
    change(small["tables"])
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(small)


def test_no_table_fails_on_this_machine(snapshot):
    broken = {name: table["why"] for name, table in snapshot["tables"].items() if table["state"] == "error"}
    assert broken == {}


def test_rows_hold_every_column(snapshot):
    for name, table in snapshot["tables"].items():
        columns = {column.name for column in SPECS[name].columns}
        for key, row in table["rows"].items():
            assert set(row) == columns, (name, key)


def test_under_a_root_that_does_not_run_nothing_fails_and_live_tables_say_so(tmp_path):
    (tmp_path / "etc").mkdir()
    taken = json.loads(collect({"tables": sorted(TABLES), "root": str(tmp_path)}))
    broken = {name: table["why"] for name, table in taken["tables"].items() if table["state"] == "error"}
    assert broken == {}
    for name, table in taken["tables"].items():
        if SPECS[name].live_only:
            assert table["state"] == "unsupported", name


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to become another user")
def test_as_an_unprivileged_user_nothing_fails(tmp_path):
    script = (
        f"import os, socket, sys; sys.path.insert(0, {str(ROOT / 'collections')!r});"
        "from ansible_collections.ringwall.servers.plugins.module_utils.collect import collect;"
        "from ansible_collections.ringwall.servers.plugins.module_utils.tables import TABLES;"
        "os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534);"
        "sys.stdout.buffer.write(collect({'tables': sorted(TABLES), 'options': {'file_walk': {'seconds': 1}}}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, cwd="/")
    taken = json.loads(done.stdout)
    broken = {name: table["why"] for name, table in taken["tables"].items() if table["state"] == "error"}
    assert broken == {}
    assert taken["tables"]["audit_status"]["state"] in ("denied", "unsupported")

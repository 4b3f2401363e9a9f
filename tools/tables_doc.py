#!/usr/bin/env python3
"""Write docs/tables.md and docs/schema/snapshot.schema.json from the specs, or with --check fail if they are not so."""

from __future__ import annotations

import argparse
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "tables.md"
SCHEMA = ROOT / "docs" / "schema" / "snapshot.schema.json"

HEAD = """\
# Tables

What a snapshot of a host can hold: {count} tables. A table maps a stable key to a row of typed columns. This page is
written by `tools/tables_doc.py` from the specs in `plugins/module_utils/tables/`.

- `null` in a cell: the thing exists and has no such value. A missing row: the thing is absent, unless the
  table says otherwise.
- `{{"!": "denied|timeout|invalid|partial", "why": "..."}}` in a cell: it exists, or may exist, and could not be read.
- A table's `state` is `ok`, `partial`, `denied`, `unsupported` or `error`. Absence may be concluded only from `ok`.
- Bytes that are not UTF-8, NUL and the backslash are written `\\xNN` in every text.
- Columns marked *volatile* (counters, process ids, times of writing) stay out of comparisons.
- Columns of type `text_sensitive` were redacted on the host before they left it.
- *fast* tables are read in every run; *deep* ones walk file systems.
"""

TYPES = {
    "text": {"type": "string", "maxLength": 65536},
    "text_sensitive": {"type": "string", "maxLength": 65536},
    "int": {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "time": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$"},
    "list": {"type": "array"},
    "map": {"type": "object", "not": {"required": ["!"]}},
}
"""Column type -> what a value of it is in JSON Schema."""


def load():
    """Return (name -> Table, the collector's module, the spec's module)."""
    sys.path.insert(0, str(ROOT / "collections"))
    from ansible_collections.ringwall.servers.plugins.module_utils import collect, spec
    from ansible_collections.ringwall.servers.plugins.module_utils.tables import TABLES

    return {name: module.TABLE for name, module in sorted(TABLES.items())}, collect, spec


def _cell(text):
    """A text as it may stand in a cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|")


def _sentence(text):
    text = " ".join(text.split())
    return text if text.endswith(".") else text + "."


def page(tables):
    """Return docs/tables.md for ``tables`` (name -> Table)."""
    parts = [HEAD.format(count=len(tables))]
    parts.append("\n| table | read | what it holds |\n|---|---|---|")
    for name, table in tables.items():
        first = _sentence(table.description).split(". ")[0].rstrip(".")
        parts.append(f"| [{name}](#{name}) | {table.cadence} | {_cell(first)} |")
    for name, table in tables.items():
        facts = [f"version {table.version}", f"*{table.cadence}*", f"stale after {table.max_age_hours} h"]
        facts.append(f"at most {table.max_rows} {'row' if table.max_rows == 1 else 'rows'}")
        if table.live_only:
            facts.append("running systems only (not under `root`)")
        if tuple(table.platforms) != ("linux",):
            facts.append("platforms: " + ", ".join(table.platforms))
        parts.append(f"\n## {name}\n\n{_sentence(table.description)}\n")
        parts.append(f"Key: {_sentence(table.key)} {', '.join(facts).capitalize()}.\n")
        parts.append("| column | type | meaning |\n|---|---|---|")
        for column in table.columns:
            kind = column.type + (", *volatile*" if column.volatile else "")
            parts.append(f"| `{column.name}` | {kind} | {_cell(column.text)} |")
    return "\n".join(parts) + "\n"


def _table_schema(table):
    columns = {
        column.name: {
            "description": " ".join(column.text.split()),
            "$ref": f"#/$defs/cell_{column.type}",
        }
        for column in table.columns
    }
    return {
        "description": " ".join(table.description.split()),
        "type": "object",
        "properties": {
            "version": {"const": table.version},
            "state": {"$ref": "#/$defs/state"},
            "why": {"type": "string", "maxLength": 65536},
            "cost": {"$ref": "#/$defs/cost"},
            "rows": {
                "description": "Key: " + " ".join(table.key.split()),
                "type": "object",
                "maxProperties": table.max_rows,
                "propertyNames": {"maxLength": 4096},
                "additionalProperties": {"type": "object", "properties": columns, "additionalProperties": False},
            },
        },
        "required": ["version", "state", "rows"],
        "additionalProperties": False,
    }


def schema(tables, collector, spec):
    """Return the JSON Schema (draft 2020-12) of a snapshot as the controller accepts it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:ringwall:snapshot:1",
        "title": "Ringwall snapshot",
        "description": "What one host returned in one round trip. Its texts are data of a host that may be hostile.",
        "type": "object",
        "properties": {
            "schema": {"const": collector.SCHEMA},
            "collector": {"type": "string", "description": "version of the collector"},
            "taken": {**TYPES["time"], "description": "the host's clock when collecting began"},
            "euid": {"type": "integer", "description": "effective user id that collected; 0 is root"},
            "root": {"type": "string", "description": "`/`, or the directory that was read in its place"},
            "errors": {"type": "array", "items": {"type": "string"}},
            "tables": {
                "type": "object",
                "properties": {name: {"$ref": f"#/$defs/table_{name}"} for name in tables},
                "additionalProperties": False,
            },
        },
        "required": ["schema", "tables"],
        "additionalProperties": False,
        "$defs": {
            "unreadable": {
                "description": "exists, or may exist, and could not be read",
                "type": "object",
                "properties": {
                    "!": {"enum": list(spec.UNREADABLE_KINDS)},
                    "why": {"type": "string", "maxLength": 65536},
                },
                "required": ["!"],
                "additionalProperties": False,
            },
            **{
                f"cell_{name}": {"anyOf": [kind, {"type": "null"}, {"$ref": "#/$defs/unreadable"}]}
                for name, kind in TYPES.items()
            },
            "state": {"enum": list(spec.TABLE_STATES)},
            "cost": {
                "description": "seconds of CPU and of the clock",
                "type": "object",
                "properties": {"cpu": {"type": "number"}, "wall": {"type": "number"}},
                "additionalProperties": False,
            },
            **{f"table_{name}": _table_schema(table) for name, table in tables.items()},
        },
    }


def documents():
    """Return path -> content of everything this tool writes."""
    tables, collector, spec = load()
    return {
        PAGE: page(tables),
        SCHEMA: json.dumps(schema(tables, collector, spec), indent=2, ensure_ascii=False) + "\n",
    }


def main():
    """Return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a file is not current")
    options = parser.parse_args()
    code = 0
    for path, content in documents().items():
        if options.check:
            if not path.exists() or path.read_text(encoding="utf-8") != content:
                print(f"{path.relative_to(ROOT)} is not current: run python tools/{pathlib.Path(__file__).name}")
                code = 1
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())

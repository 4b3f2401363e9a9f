"""The capabilities: a literal list. What judges a host is here and nowhere else."""

from __future__ import annotations

from ...module_utils.tables import TABLES
from ..posture import Posture

CAPABILITIES = (Posture(),)

VOLATILE = {
    name: {column.name for column in module.TABLE.columns if column.volatile} for name, module in TABLES.items()
}
"""Columns that do not make a table's content another one."""


def needs(content, options):
    """Return (table names, file paths, configuration files) to read.

    The tables are every fast one and what the capabilities ask for beyond.
    """
    tables, paths, configs = {name for name, module in TABLES.items() if module.TABLE.cadence == "fast"}, set(), []
    for capability in CAPABILITIES:
        wanted = capability.needs(content, options)
        tables |= wanted["tables"]
        paths |= wanted["paths"]
        configs += [item for item in wanted.get("configs", ()) if item not in configs]
    return tables, paths, configs


def table_options(paths, configs):
    """Return the options of the tables that read what content names: table -> options."""
    return {"file_attributes": {"paths": sorted(paths)}, "config": {"files": configs}}

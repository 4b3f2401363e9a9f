"""The flow of an assessment above all capabilities: begin, one host, record, report.

This package alone imports several capabilities. What a capability is: a ``noun``, ``needs(content, options)`` ->
``{tables, paths}`` and ``evaluate(snapshot, context)`` -> ``{findings, alerts, benchmarks}``.
"""

from __future__ import annotations

from . import clock
from .beginning import RUN_ID, begin, collectors, header_of, keep_content, load_content, run_id
from .capabilities import CAPABILITIES, VOLATILE, needs, table_options
from .hosts import (
    HOST_SCHEMA,
    assess_host,
    carried_on,
    check_benchmarks,
    judged,
    snapshot_of,
    summary,
    tables_to_read,
)
from .recording import not_assessed, record

__all__ = [
    "CAPABILITIES",
    "HOST_SCHEMA",
    "RUN_ID",
    "VOLATILE",
    "assess_host",
    "begin",
    "carried_on",
    "check_benchmarks",
    "clock",
    "collectors",
    "header_of",
    "judged",
    "keep_content",
    "load_content",
    "needs",
    "not_assessed",
    "record",
    "run_id",
    "snapshot_of",
    "summary",
    "table_options",
    "tables_to_read",
]

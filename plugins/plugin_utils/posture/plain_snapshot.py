"""A snapshot that came as plain data (module ``snapshot``, ``payload: plain``), judged without a run."""

from __future__ import annotations

import datetime

from ..content import compile_content, roots
from ..snapshots.check import check
from ..snapshots.view import Snapshot, TableView
from .capability import Posture
from .parameters import check_tailoring
from .vocabulary import VOCABULARY


def now():
    """Return the controller's time as RFC 3339 UTC."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def view(raw, host="", at=""):
    """Return the Snapshot of a raw one ({schema, tables, ...}), checked as ``assess`` checks what a host sends.

    Raise snapshots.limits.HostFailure for anything that is no snapshot.
    """
    raw = check(raw)
    tables = {
        name: TableView(name, table["version"], table["state"], table.get("why", ""), table["rows"], at)
        for name, table in raw["tables"].items()
    }
    return Snapshot(tables, raw["taken"], host)


def evaluate(raw, options):
    """Judge a plain raw snapshot; return what ``Posture.evaluate`` returns.

    ``options``: ``content`` (directories), ``benchmarks``, ``parameters``, ``roles``, ``host`` (name), ``inventory``
    ({groups, owner}), ``dispositions`` (loaded ones), ``now``, ``cache`` (directory for compiled content).
    """
    content = compile_content(roots(extra=options.get("content") or ()), VOCABULARY, cache=options.get("cache"))
    parameters = options.get("parameters") or {}
    check_tailoring(content, parameters)
    at = options.get("now") or now()
    context = {
        "content": content,
        "parameters": parameters,
        "roles": options.get("roles") or [],
        "benchmarks": options.get("benchmarks"),
        "host": options.get("inventory") or {},
        "dispositions": options.get("dispositions") or [],
        "now": at,
    }
    return Posture().evaluate(view(raw, options.get("host") or "", at), context)

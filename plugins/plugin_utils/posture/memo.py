"""Indexes over a table, made once a snapshot."""

from __future__ import annotations


def memo(snapshot, name, build):
    """Return ``build()`` for this snapshot, made at the first call only. What raises is not remembered."""
    store = vars(snapshot).setdefault("_memo", {})
    if name not in store:
        store[name] = build()
    return store[name]

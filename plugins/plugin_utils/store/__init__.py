"""The store: what the evidence says, derived, in SQLite or PostgreSQL. Imports SQLAlchemy: never in a worker."""

from __future__ import annotations

from .facade import Store, StoreError, open_store

__all__ = ["Store", "StoreError", "open_store"]

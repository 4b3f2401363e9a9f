"""A pytest plugin that leaves the random tests and the kill tests: what grows with RINGWALL_SOAK."""

from __future__ import annotations

import functools
import pathlib


@functools.cache
def _asks(path):
    """True if a file of tests asks for RINGWALL_SOAK itself, as tests of kills and of whole histories do."""
    return "RINGWALL_SOAK" in pathlib.Path(path).read_text(encoding="utf-8")


def pytest_collection_modifyitems(config, items):
    """Keep tests of any input (hypothesis marks them itself) and those whose file knows RINGWALL_SOAK."""
    kept, left = [], []
    for item in items:
        (kept if item.get_closest_marker("hypothesis") or _asks(item.path) else left).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=left)

"""Real hosts for tests. Where they cannot run, tests skip with the reason; RINGWALL_REQUIRE_HOSTS=1 makes that a failure."""

from __future__ import annotations

import os

import pytest

from lab.image import NotHere


def pytest_collection_modifyitems(items):
    """All tests with hosts run in one worker: there is one lab."""
    for item in items:
        if "hosts" in item.path.parts:
            item.add_marker(pytest.mark.hosts)
            item.add_marker(pytest.mark.xdist_group("hosts"))


@pytest.fixture(scope="session")
def engine():
    """A Docker Engine of the lab's own, for the whole session."""
    from lab.engine import Engine

    lab = Engine()
    try:
        lab.__enter__()
    except NotHere as reason:
        if os.environ.get("RINGWALL_REQUIRE_HOSTS") == "1":
            pytest.fail(f"hosts are required and cannot run here: {reason}")
        pytest.skip(f"no test hosts here: {reason}")
    try:
        yield lab
    finally:
        lab.__exit__(None, None, None)

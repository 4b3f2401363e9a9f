"""A state directory for each test."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence import objects, runs
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence.state import open_state


@pytest.fixture
def state(tmp_path):
    """An empty State."""
    return open_state(tmp_path / "state")


@pytest.fixture
def write_run(state):
    """A function that writes a sealed run with two hosts."""

    def write(run_id, scope="default", finish=True, **header):
        run = runs.open_run(state, run_id, {"scope": scope, "asked": ["a", "b"], **header})
        digest = objects.put(state, {"version": 1, "state": "ok", "why": "", "rows": {run_id: {"x": 1}}})
        run.write_host(
            {
                "scope": scope, "host": "a", "state": "assessed", "tables": {"t": {"digest": digest}},
                "findings": [{"status": "pass"}],
            }
        )  # fmt: skip
        run.write_host({"scope": scope, "host": "b", "state": "unreachable", "reason": {"code": "timeout"}})
        if finish:
            run.finish()
        return run

    return write

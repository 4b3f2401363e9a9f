"""What is done once, after the hosts: the run sealed and brought into the store."""

from __future__ import annotations

from ..evidence import past, runs
from ..evidence.state import open_state
from . import clock
from .hosts import HOST_SCHEMA


def record(settings, begun, asked, active, ending=False):
    """Seal the run when no other batch is to come and bring it into the store, after runs that were interrupted.

    ``asked`` are all hosts of the play, ``active`` those that Ansible has not dropped; with ``ending`` none of those
    that are still waiting will come. Returns the store's summary.
    """
    from ..store import open_store

    state = open_state(begun["state"])
    run = runs.load_run(state, begun["run"])
    if not not_assessed(run, asked, () if ending else active):
        run.finish()
        past.forget(run, asked)
    store = open_store(settings.store, state)
    try:
        for old in runs.interrupted(state):
            store.record(old, settings.score_drop)
        return store.record(run.id, settings.score_drop)
    finally:
        store.close()


def not_assessed(run, asked, active):
    """Write a failed file for hosts that ended before they were assessed; return those of a batch still to come."""
    done = run.host_names()
    waiting = [host for host in asked if host not in done and host in active]
    for host in asked:
        if host not in done and host not in active:
            run.write_host(
                {
                    "schema": HOST_SCHEMA,
                    "run": run.id,
                    "scope": run.header["scope"],
                    "host": host,
                    "inventory": {},
                    "state": "failed",
                    "received": clock.now(),
                    "findings": [],
                    "alerts": [],
                    "errors": [],
                    "tables": {},
                    "benchmarks": [],
                    "reason": {
                        "code": "not_assessed",
                        "text": "it left the play before it was assessed",
                        "fix": "The play's output above says why (a variable that is not defined, for example).",
                    },
                }
            )
    return waiting

"""The store on SQLite: a thousand hosts of 300 findings recorded, recorded again without a change, reported."""

from __future__ import annotations

import pathlib
import tempfile
import time
import types

from rows import row

HOSTS, FINDINGS = 1000, 300
RUNS = ("20260314T060000Z-000001", "20260315T060000Z-000002")


def rows():
    """Return the rows of record and report."""
    from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence.state import open_state
    from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.write import write_reports
    from ansible_collections.ringwall.servers.plugins.plugin_utils.store import open_store
    from evidence import write_run
    from fleet import make_report

    with tempfile.TemporaryDirectory(prefix="rwbench-") as folder:
        state = open_state(str(pathlib.Path(folder, "state")))
        fleet = make_report(hosts=HOSTS, sections=FINDINGS, unseen=0)
        expected = sum(len(host["findings"]) for host in fleet["hosts"])
        spent, bad = [], []
        store = open_store(None, state)
        for day, run_id in enumerate(RUNS, 14):
            write_run(state, run_id, fleet, day)
            wall, cpu = time.perf_counter(), time.process_time()
            summary = store.record(run_id)
            spent.append((time.perf_counter() - wall, time.process_time() - cpu))
            stored = sum(len(found) for found in store.findings(run_id).values())
            if summary["quarantined"] or stored != expected:
                bad.append(
                    f"{run_id}: {stored} of {expected} findings stored, {len(summary['quarantined'])} hosts quarantined"
                )
        if summary["opened"] or summary["closed"]:
            bad.append("the unchanged run opened or closed findings")
        store.close()
        del fleet
        wall, cpu = time.perf_counter(), time.process_time()
        write_reports(types.SimpleNamespace(state=state.path, store=None), RUNS[-1])
        spent.append((time.perf_counter() - wall, time.process_time() - cpu))
    what = f"{HOSTS} hosts x {FINDINGS} findings, SQLite"
    names = ((f"record, {what}", 10), ("record of an unchanged run", 2), (f"report in all formats, {what}", 10))
    return [
        row(name, wall, "s", bar, None, f"CPU {cpu:.2f} s", bad)
        for (name, bar), (wall, cpu) in zip(names, spent, strict=True)
    ]

"""The store on SQLite: a thousand hosts of 300 findings recorded, recorded again without a change, reported."""

from __future__ import annotations

import pathlib
import tempfile
import time
import types

from rows import row


class Watch:
    """Wall time of this process as it would be with a core to itself: what it waited for one is left out."""

    def __enter__(self):
        self._start = self._now()
        return self

    def __exit__(self, *_error):
        wall, cpu, waited = (after - before for after, before in zip(self._now(), self._start, strict=True))
        self.value, self.told = (
            wall - waited,
            f"wall {wall:.2f} s, of that {waited:.2f} s waiting for a core, CPU {cpu:.2f} s",
        )

    @staticmethod
    def _now():
        try:
            waited = int(pathlib.Path("/proc/self/schedstat").read_text().split()[1]) / 1e9
        except OSError:  # a kernel that does not tell
            waited = 0.0
        return time.perf_counter(), time.process_time(), waited


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
            with Watch() as watch:
                summary = store.record(run_id)
            spent.append(watch)
            stored = sum(len(found) for found in store.findings(run_id).values())
            if summary["quarantined"] or stored != expected:
                bad.append(
                    f"{run_id}: {stored} of {expected} findings stored, {len(summary['quarantined'])} hosts quarantined"
                )
        if summary["opened"] or summary["closed"]:
            bad.append("the unchanged run opened or closed findings")
        store.close()
        del fleet
        with Watch() as watch:
            write_reports(types.SimpleNamespace(state=state.path, store=None), RUNS[-1])
        spent.append(watch)
    what = f"{HOSTS} hosts x {FINDINGS} findings, SQLite"
    names = ((f"record, {what}", 10), ("record of an unchanged run", 2), (f"report in all formats, {what}", 10))
    return [
        row(name, watch.value, "s", bar, None, watch.told, bad) for (name, bar), watch in zip(names, spent, strict=True)
    ]

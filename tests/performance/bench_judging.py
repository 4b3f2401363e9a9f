"""All benchmarks judged against one real snapshot."""

from __future__ import annotations

import time

import recorded
from rows import median, row

ROUNDS = 9


def rows():
    """Return the row: CPU of one evaluation, compiled content at hand, nothing remembered of the snapshot."""
    from ansible_collections.ringwall.servers.plugins.plugin_utils.posture import Posture
    from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.view import Snapshot, TableView

    content, raw = recorded.content(), recorded.snapshot()
    context = {"content": content, "now": recorded.TAKEN, "benchmarks": sorted(content.benchmarks)}
    times, results = [], []
    for _round in range(ROUNDS):
        views = {name: TableView(name, table["version"], table["state"], table["why"], table["rows"], recorded.TAKEN)
                 for name, table in raw["tables"].items()}  # fmt: skip
        start = time.process_time()
        results.append(Posture().evaluate(Snapshot(views, raw["taken"], "recorded"), context)["findings"])
        times.append(time.process_time() - start)
    bad = [
        f"{name} was read only in part"
        for name, table in raw["tables"].items()
        if table["state"] in ("partial", "error")
    ]
    if any(found != results[0] for found in results):
        bad.append("judging the same snapshot twice gave other findings")
    judged = len(
        {(one["benchmark"], one["section"]) for one in results[0] if one["status"] not in ("manual", "not_applicable")}
    )
    return [row("all benchmarks judged against one snapshot (CPU)", median(times) * 1000, "ms", 150, 50,
                f"{len(content.benchmarks)} benchmarks, {len(results[0])} findings, {judged} sections judged", bad)]  # fmt: skip

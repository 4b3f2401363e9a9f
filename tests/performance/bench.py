#!/usr/bin/env python3
"""Measure Ringwall side by side with its peers, print a table, write state/bench/latest.json.

``bench.py [noun]``: ``posture`` is every row of the way from a host to its report. Rows: see rows.row.
"""

from __future__ import annotations

import importlib
import json
import os
import pathlib
import sys
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
for place in ("collections", "tests", "tests/performance", "tests/fixtures/reports"):
    sys.path.insert(0, str(ROOT / place))

NOUNS = {
    "posture": ("bench_judging", "bench_walk", "bench_store", "bench_fleet", "bench_slow_link", "bench_thousand"),
    "reports": ("bench_report",),
    "hardening": ("bench_hardening",),
}
"""Noun -> modules, each with ``rows()``."""


def measured(names):
    """Yield the rows of the named modules; one that breaks is a row that does not count."""
    from rows import row

    for name in names:
        start = time.monotonic()
        print(f"{name} ...", file=sys.stderr, flush=True)
        try:
            yield from importlib.import_module(name).rows()
        except Exception as error:  # the other rows are worth having
            traceback.print_exc()
            yield row(name, None, "", 0, problems=[f"{type(error).__name__}: {str(error)[:300]}"])
        print(f"{name}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)


def main(arguments):
    """Measure, print, write; return 1 if a bar is not met."""
    import meters
    from rows import table

    nouns = arguments or list(NOUNS)
    unknown = [noun for noun in nouns if noun not in NOUNS and not noun.startswith("bench_")]
    if unknown:
        sys.exit(f"nothing is measured for {', '.join(unknown)}; expected some of {', '.join(NOUNS)}")
    before = meters.machine()
    rows = list(measured([name for noun in nouns for name in NOUNS.get(noun, (noun,))]))
    after = os.getloadavg()
    print(table(rows))
    print(f"{before['cores']} cores, load {before['load'][0]:.1f} before and {after[0]:.1f} after")
    folder = pathlib.Path(os.environ.get("RINGWALL_STATE", ROOT / "state"), "bench")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.parent.chmod(0o700)
    result = {
        "machine": dict(before, load_after=round(after[0], 2)),
        "taken": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "rows": rows,
    }
    (folder / "latest.json").write_text(json.dumps(result, indent=1) + "\n")
    return 0 if all(one["met"] for one in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

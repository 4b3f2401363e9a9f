"""frameworks.csv: one line a requirement of each framework, with the number of hosts by what they come to there."""

from __future__ import annotations

from .frameworks import ORDER
from .to_csv import quoted

COLUMNS = ("run", "scope", "framework", "version", "requirement", "title", "state", "controls",
           *(f"hosts_{name}" for name in ORDER))  # fmt: skip


def write_framework_csv(report, file):
    """Write the requirements as CSV (RFC 4180) into ``file``, open for writing text with ``newline=""``."""
    file.write(",".join(COLUMNS) + "\r\n")
    run = report["run"]
    for framework in (report.get("frameworks") or {}).values():
        head = [run["id"], run["scope"], framework["title"], framework["version"]]
        for name, body in framework["requirements"].items():
            counts = (body["hosts"].get(status, 0) for status in ORDER)
            row = (*head, name, body["title"], body["state"], body["controls"], *counts)
            file.write(",".join(map(quoted, row)) + "\r\n")

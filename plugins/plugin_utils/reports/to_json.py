"""report.json: the whole report, nothing left out."""

from __future__ import annotations

import json


def write_json(report, file):
    """Write the report as JSON (ASCII only, so that no reader meets a raw control or bidi character).

    ``file`` is open for writing text. One host a line: large reports stay readable by line tools, and only one
    host's text is in memory at a time.
    """
    head = {key: value for key, value in report.items() if key != "hosts"}
    file.write(json.dumps(head, allow_nan=False, separators=(",", ":"))[:-1])
    file.write(',"hosts":[')
    for index, host in enumerate(report["hosts"]):
        file.write(",\n" if index else "\n")
        file.write(json.dumps(host, allow_nan=False, separators=(",", ":")))
    file.write("\n]}\n")

"""findings.csv: one line a finding, and one line for each host that could not be assessed."""

from __future__ import annotations

import csv

from .order import title_of
from .visible import as_text

COLUMNS = (
    "run", "scope", "host", "host_state", "environment", "team", "owner", "benchmark", "section", "level", "control",
    "title", "severity", "status", "expected", "actual", "evidence", "reason", "fix", "disposition", "due",
    "first_seen", "last_changed", "observed_at",
)  # fmt: skip

# A cell that begins with one of these is a formula to a spreadsheet (OWASP, CSV Injection); the full-width forms
# are read as their ASCII twins by spreadsheets with an East Asian locale.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def cell(value):
    """Return a JSON value as the text of a CSV cell: one line, invisible characters written out, never a formula.

    >>> cell("=HYPERLINK(1)")
    "'=HYPERLINK(1)"
    """
    text = as_text(value)
    start = value if isinstance(value, str) else text
    if start.startswith(FORMULA_STARTS) or text.lstrip().startswith(FORMULA_STARTS):
        return "'" + text
    return text


def evidence_text(evidence):
    """Return a finding's evidence as one line: ``where: what; where: what``."""
    return "; ".join(f"{item.get('where', '')}: {as_text(item.get('what'))}" for item in evidence or ())


class _Cells(dict):
    """Cells by value: a fleet repeats the same few thousand strings, so each is guarded once."""

    def __missing__(self, value):
        self[value] = made = cell(value)
        return made


def write_csv(report, file):
    """Write the findings as CSV (RFC 4180) into ``file``, open for writing text with ``newline=""``."""
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    cells = _Cells()
    run = [cells[report["run"]["id"]], cells[report["run"]["scope"]]]
    for host in report["hosts"]:
        head = run + [cells[host["name"]], cells[host["state"]], cells[host["environment"] or ""]]
        head.append(cells[host["team"] or ""])
        if host["state"] != "assessed":
            reason = host["reason"] or {}
            row = dict.fromkeys(COLUMNS[6:], "")
            row.update(owner=cell(host["owner"]), status=cells[host["state"]], fix=cell(reason.get("fix")))
            row.update(reason=cell(reason.get("text")), last_changed=cell(host["last_seen"]))
            writer.writerow(head + list(row.values()))
        writer.writerows(head + _finding(report, host, finding, cells) for finding in host["findings"])


def _finding(report, host, finding, cells):
    control = report["controls"].get(finding["control"]) or {}
    expected, actual = finding["expected"], finding["actual"]
    return [
        cells[finding["owner"] or host["owner"] or ""],
        cells[finding["benchmark"]],
        cells[finding["section"]],
        cells[finding["level"] or ""],
        cells[finding["control"]],
        cells[title_of(report, finding)],
        cells[finding["severity"]],
        cells[finding["status"]],
        cells[expected] if isinstance(expected, str) else cell(expected),
        cells[actual] if isinstance(actual, str) else cell(actual),
        cell(evidence_text(finding["evidence"])),
        cells[finding["reason"] or ""],
        cells[control.get("fix") or ""],
        cells[finding["disposition"] or ""],
        cells[finding["due"] or ""],
        cells[finding["first_seen"] or ""],
        cells[finding["last_changed"] or ""],
        cells[finding["observed_at"] or ""],
    ]

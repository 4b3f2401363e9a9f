"""findings.csv: one line a finding, and one line for each host that could not be assessed."""

from __future__ import annotations

from .order import fingerprint, title_of
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
    return "; ".join(f"{as_text(item.get('where'))}: {as_text(item.get('what'))}" for item in evidence or ())


def quoted(value):
    """Return a value's cell as it stands in the file: cells have no line breaks, so comma and quote alone need care."""
    text = cell(value)
    return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text else text


class _Cells(dict):
    """Finished cells by value: a fleet repeats the same few thousand texts, so each is made once."""

    def __missing__(self, value):
        self[value] = made = quoted(value)
        return made


class _Lines:
    """Makes the lines of findings; remembers what findings have in common."""

    def __init__(self, report):
        self.report = report
        self.cells = _Cells()
        self.run = [self.cells[report["run"]["id"]], self.cells[report["run"]["scope"]]]
        self.heads = {}
        self.values = {}

    def host(self, host):
        """Return the cells that every line of a host begins with."""
        return [*self.run, *(self.cells[host[name] or ""] for name in ("name", "state", "environment", "team"))]

    def finding(self, host, finding):
        """Return the cells of one finding that come after those of its host."""
        cells = self.cells
        key = (finding["benchmark"], finding["section"], finding["level"], finding["control"], finding["severity"])
        head = self.heads.get(key)
        if head is None:
            control = self.report["controls"].get(finding["control"]) or {}
            title = title_of(self.report, finding)
            head = self.heads[key] = (",".join(cells[text or ""] for text in (*key[:4], title, key[4])),
                                      cells[control.get("fix") or ""])  # fmt: skip
        return (
            cells[finding["owner"] or host["owner"] or ""],
            head[0],
            finding["status"],
            self._values(finding),
            cells[finding["reason"] or ""],
            head[1],
            cells[finding["disposition"] or ""],
            cells[finding["due"] or ""],
            cells[finding["first_seen"] or ""],
            cells[finding["last_changed"] or ""],
            cells[finding["observed_at"] or ""],
        )

    def _values(self, finding):
        parts = (finding["expected"], finding["actual"], finding["evidence"])
        key = fingerprint(parts)
        made = self.values.get(key)
        if made is None:
            made = ",".join((quoted(parts[0]), quoted(parts[1]), quoted(evidence_text(parts[2]))))
            self.values[key] = made
        return made


def write_csv(report, file):
    """Write the findings as CSV (RFC 4180) into ``file``, open for writing text with ``newline=""``."""
    lines = _Lines(report)
    file.write(",".join(COLUMNS) + "\r\n")
    for host in report["hosts"]:
        start = ",".join(lines.host(host)) + ","
        if host["state"] != "assessed":
            file.write(start + _unassessed(host) + "\r\n")
        file.writelines(start + ",".join(lines.finding(host, finding)) + "\r\n" for finding in host["findings"])


def _unassessed(host):
    reason = host["reason"] or {}
    row = dict.fromkeys(COLUMNS[6:], "")
    row.update(owner=host["owner"], status=host["state"], reason=reason.get("text"), fix=reason.get("fix"),
               last_changed=host["last_seen"])  # fmt: skip
    return ",".join(map(quoted, row.values()))

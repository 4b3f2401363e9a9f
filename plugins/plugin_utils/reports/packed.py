"""The data inside report.html: dictionary-coded columns that stay small and open fast, whatever the fleet.

A browser chokes on a hundred megabytes of repeated text (the common end of HTML reports of large fleets), so each
distinct text is held once and a finding is a handful of integers. What exceeds the budget is left out from the
least urgent end, and the page says what that was; report.json always holds everything.
"""

from __future__ import annotations

import json

from ..findings.model import SEVERITIES, STATUSES
from .frameworks import ORDER, STATE_TITLES, STATES
from .order import fingerprint, section_key, severity_rank, system_name

SCHEMA = "ringwall.page/1"

DETAIL_BUDGET = 6_000_000
"""Characters of detail texts (expected, actual, evidence, reason, history) that the page holds."""

ROW_BUDGET = 400_000
"""Findings that the page holds at all."""

ALERT_BUDGET = 1_000
"""Alerts that the page holds, worst and newest first."""

LONGEST_DETAIL = 8_000
"""Characters of one finding's detail; longer strings inside are cut with a note."""

EXCEPTED = len(STATUSES)
"""Code of the page's own status: a finding that did not pass and that an exception covers."""

_CODES = {status: code for code, status in enumerate(STATUSES)}
_PASSED = _CODES["pass"]

COLUMNS = ("host", "rule", "status", "detail", "owner", "disposition", "due", "first", "changed", "observed", "history")

_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


class Codes(dict):
    """Texts by number, in the order of appearance: ``codes[text]``. Number 0 is "nothing"."""

    def __init__(self):
        super().__init__({None: 0, "": 0})
        self.texts = [""]

    def __missing__(self, text):
        number = self[text] = len(self.texts)
        self.texts.append(text)
        return number


def pack(report, detail_budget=DETAIL_BUDGET, row_budget=ROW_BUDGET):
    """Return the page's data as a dict; ``left_out`` says what the budgets cut (counts of findings).

    Rows come worst first: open failures by severity, then errors, unreadable and manual ones, those with an
    exception, passes, not applicable.
    """
    hosts, rules = report["hosts"], _Rules(report)
    keys = _sorted_keys(hosts, rules)
    left_out = {"rows": max(0, len(keys) - row_budget), "details": 0}
    del keys[row_budget:]
    texts, details = Codes(), _Details(detail_budget)
    details_of = details.codes
    rows = []
    for key in keys:
        key, number = divmod(key, _MOST)
        key, host_number = divmod(key, _MOST)
        place, rule = divmod(key, _MOST)
        host = hosts[host_number]
        finding = host["findings"][number]
        detail, history = details_of(finding)
        rows.append((
            host_number, rule, _STATE_AT[place], detail, texts[finding["owner"] or host["owner"]],
            texts[finding["disposition"]], texts[finding["due"]], texts[finding["first_seen"]],
            texts[finding["last_changed"]], texts[finding["observed_at"]], history,
        ))  # fmt: skip
    left_out["details"] = details.left_out
    columns = dict(zip(COLUMNS, map(list, zip(*rows, strict=True)) if rows else [[]] * len(COLUMNS), strict=True))
    alerts = _alerts(report, left_out)
    return {
        "schema": SCHEMA,
        "run": report["run"],
        "statuses": [*STATUSES, "excepted"],
        "severities": list(SEVERITIES),
        "rules": rules.rows(),
        "rows": {name: _constant(values) for name, values in columns.items()},
        "count": len(keys),
        "texts": texts.texts,
        "details": details.details.texts,
        "histories": details.histories.texts,
        "hosts": [_host(host) for host in hosts],
        "controls": report["controls"],
        "benchmarks": {key: {"title": value["title"], "version": value["version"]}
                       for key, value in report["benchmarks"].items()},
        "areas": {item["key"]: item["title"] for item in report["score"]["secure"]["controls"]},
        "dispositions": report["dispositions"],
        "alerts": alerts,
        "frameworks": _frameworks(report),
        "left_out": left_out,
    }  # fmt: skip


def _frameworks(report):
    """Requirements as lists: id, title, number of the state, controls, hosts by status; without a check, id and title.

    The counts are numbers in the order of frameworks.ORDER, cut behind the last that is not 0.
    """
    return {
        "states": [STATE_TITLES[state] for state in STATES],
        "statuses": list(ORDER),
        "list": [
            {
                "title": f"{body['title']} {body['version']}",
                "counts": [body["states"][state] for state in STATES],
                "rows": [_requirement(name, item) for name, item in body["requirements"].items()],
            }
            for body in (report.get("frameworks") or {}).values()
        ],
    }


def _requirement(name, item):
    if not item["controls"]:
        return [name, item["title"]]
    counts = [item["hosts"].get(status, 0) for status in ORDER]
    while counts and not counts[-1]:
        counts.pop()
    return [name, item["title"], STATES.index(item["state"]), item["controls"], counts]


def _alerts(report, left_out):
    alerts = [{**cut(alert, 1000), "host": host["name"]} for host in report["hosts"] for alert in host["alerts"]]
    alerts += [cut(alert, 1000) for alert in report.get("alerts") or ()]
    alerts.sort(key=lambda alert: alert.get("last_seen") or "", reverse=True)
    alerts.sort(key=lambda alert: (alert["status"] not in ("new", "active"), severity_rank(alert["severity"])))
    left_out["alerts"] = max(0, len(alerts) - ALERT_BUDGET)
    return alerts[:ALERT_BUDGET]


def state_code(finding):
    """Return the page's status number of a finding: its status, or EXCEPTED when an exception covers it."""
    code = _CODES[finding["status"]]
    return EXCEPTED if code < _PASSED and finding["disposition"] else code


# Order of the page's statuses: excepted findings stand after what is open, before what passed.
_STATE_AT = [*range(_PASSED), EXCEPTED, *range(_PASSED, EXCEPTED)]
_PLACE = {code: place for place, code in enumerate(_STATE_AT)}
_MOST = 1 << 24
"""Room for each part of a sort key; a report has fewer hosts, rules and findings a host than this."""


def _sorted_keys(hosts, rules):
    """Return one integer a finding, worst first: its place by status, its rule, host and number, packed."""
    keys = []
    number_of = rules.number
    for host_number, host in enumerate(hosts):
        for number, finding in enumerate(host["findings"]):
            place = _PLACE[state_code(finding)] * _MOST + number_of(finding)
            keys.append((place * _MOST + host_number) * _MOST + number)
    keys.sort()
    return keys


class _Rules:
    """A rule is what a benchmark asks in one place: (benchmark, section, control, level, severity), worst first."""

    def __init__(self, report):
        self.report = report
        found = {self._key(finding) for host in report["hosts"] for finding in host["findings"]}
        order = sorted(found, key=lambda key: (severity_rank(key[4]), key[0], section_key(key[1]), key[2]))
        self.numbers = {key: number for number, key in enumerate(order)}

    @staticmethod
    def _key(finding):
        return (finding["benchmark"], finding["section"], finding["control"], finding["level"], finding["severity"])

    def number(self, finding):
        """Return the number of a finding's rule."""
        return self.numbers[self._key(finding)]

    def rows(self):
        """Return one list a rule: benchmark, section, control, level, severity number, section title, its reason."""
        result = []
        for bench, section, control, level, severity in self.numbers:
            known = self.report["benchmarks"].get(bench, {}).get("sections", {}).get(section, {})
            # A section's own title is only wanted where no control gives one.
            title = "" if control in self.report["controls"] else known.get("title") or ""
            result.append([bench, section, control, level, severity_rank(severity), title, known.get("reason") or ""])
        return result


class _Details:
    """Detail and history texts by number, until the budget (characters) is spent."""

    def __init__(self, budget):
        self.budget = budget
        self.details, self.histories = Codes(), Codes()
        self.known = {}
        self.left_out = 0

    def codes(self, finding):
        """Return the numbers of a finding's detail and history; (0, 0) when there is no room left."""
        parts = (finding["expected"], finding["actual"], finding["evidence"], finding["reason"], finding["history"])
        key = fingerprint(parts)
        pair = self.known.get(key)
        if pair is None:
            if self.budget <= 0:
                self.left_out += 1
                return 0, 0
            pair = self.known[key] = self._add(self.details, _detail(finding)), self._add(
                self.histories, _history(finding))  # fmt: skip
        return pair

    def _add(self, codes, text):
        before = len(codes.texts)
        number = codes[text]
        self.budget -= len(text) if len(codes.texts) > before else 0
        return number


def _constant(values):
    """A column whose values are all the same is that one value."""
    return values[0] if values and values.count(values[0]) == len(values) else values


def _detail(finding):
    text = _ENCODE([finding["expected"], finding["actual"], finding["evidence"], finding["reason"]])
    if len(text) <= LONGEST_DETAIL:
        return text
    for longest in (1000, 200):
        text = _ENCODE([cut(finding[name], longest) for name in ("expected", "actual", "evidence", "reason")])
        if len(text) <= LONGEST_DETAIL:
            return text
    return _ENCODE([None, None, [], "too large for this page: see report.json"])


def cut(value, longest, most=40):
    """Return a JSON value with strings cut to ``longest`` characters and lists and maps to ``most`` items."""
    if isinstance(value, str) and len(value) > longest:
        return f"{value[:longest]}… ({len(value) - longest} more characters in report.json)"
    if isinstance(value, list):
        kept = [cut(item, longest, most) for item in value[:most]]
        if len(value) > most and all(isinstance(item, dict) and "where" in item for item in value):
            return [*kept, {"where": f"{len(value) - most} more in report.json", "what": ""}]
        return kept if len(value) <= most else [*kept, f"… ({len(value) - most} more in report.json)"]
    if isinstance(value, dict):
        return {key[:longest]: cut(item, longest, most) for key, item in list(value.items())[:most]}
    return value


def _history(finding):
    history = finding.get("history") or []
    return _ENCODE([[item["at"], item["status"]] for item in history[-20:]]) if len(history) > 1 else ""


def _host(host):
    counts = [0] * (EXCEPTED + 1)
    failed = [0] * len(SEVERITIES)
    for finding in host["findings"]:
        code = state_code(finding)
        counts[code] += 1
        if code == 0:
            failed[min(severity_rank(finding["severity"]), len(SEVERITIES) - 1)] += 1
    kept = ("name", "state", "reason", "last_seen", "days_unseen", "owner", "team", "environment", "criticality",
            "groups", "score", "notes")  # fmt: skip
    packed = {name: host.get(name) for name in kept}
    packed["system"] = system_name(host["platform"])
    packed["counts"], packed["failed"], packed["alerts"] = counts, failed, len(host["alerts"])
    return packed


def to_script(data):
    """Return data as JSON that may stand inside a ``<script>`` element: pure ASCII and no ``<``, ``>`` or ``&``."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")

"""Orders that every report shares: severities, statuses, section numbers, and which findings are worst."""

from __future__ import annotations

import marshal
import re

from ..findings.model import SEVERITIES, STATUSES

STATUS_TITLES = {
    "fail": "Failed",
    "error": "Error",
    "unreadable": "Unreadable",
    "manual": "Manual",
    "pass": "Passed",
    "not_applicable": "Not applicable",
}
_RANK_OF_STATUS = {name: rank for rank, name in enumerate(STATUSES)}
_RANK_OF_SEVERITY = {name: rank for rank, name in enumerate(SEVERITIES)}
_NUMBERS = re.compile(r"(\d+)")


def status_rank(status):
    """Return 0 for what needs attention first; an unknown status comes last."""
    return _RANK_OF_STATUS.get(status, len(STATUSES))


def severity_rank(severity):
    """Return 0 for critical up to 3 for low; an unknown severity comes last."""
    return _RANK_OF_SEVERITY.get(severity, len(SEVERITIES))


def section_key(section):
    """Return a sort key that puts 1.10 after 1.9 and text sections (``V-230221``) where people look for them."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in _NUMBERS.split(section or "") if part]


def title_of(report, finding):
    """Return the title of a finding: its control's, else its section's, else the section number."""
    control = report["controls"].get(finding["control"])
    if control:
        return control["title"]
    return section_of(report, finding).get("title") or finding["section"]


def section_of(report, finding):
    """Return what the report knows of a finding's section, an empty dict if nothing."""
    return report["benchmarks"].get(finding["benchmark"], {}).get("sections", {}).get(finding["section"], {})


def failed_groups(report):
    """Return open failures grouped by control (by section where there is no control), worst first.

    Each group: ``{control, title, severity, benchmark, section, sections: [...], hosts: [names], points, fix,
    example}`` where ``example`` is the first host's finding. Worst is: severity, then the number of hosts, then the
    points of the score that the control is part of, then the title.
    """
    groups = {}
    points = {one["key"]: one["max"] or 0 for one in report["score"]["secure"]["controls"]}
    for host in report["hosts"]:
        for finding in host["findings"]:
            if finding["status"] != "fail" or finding.get("disposition"):
                continue
            key = finding["control"] or (finding["benchmark"], finding["section"])
            group = groups.get(key)
            if group is None:
                control = report["controls"].get(finding["control"], {})
                group = groups[key] = {
                    "control": finding["control"],
                    "title": title_of(report, finding),
                    "severity": finding["severity"],
                    "benchmark": finding["benchmark"],
                    "section": finding["section"],
                    "sections": {},
                    "hosts": {},
                    "points": points.get(control.get("score"), 0),
                    "fix": control.get("fix") or "",
                    "example": finding,
                }
            group["hosts"][host["name"]] = None
            group["sections"][(finding["benchmark"], finding["section"])] = None
            if severity_rank(finding["severity"]) < severity_rank(group["severity"]):
                group["severity"] = finding["severity"]
    for group in groups.values():
        group["hosts"] = list(group["hosts"])
        group["sections"] = [{"benchmark": bench, "section": section} for bench, section in group["sections"]]
    return sorted(
        groups.values(),
        key=lambda group: (severity_rank(group["severity"]), -len(group["hosts"]), -group["points"], group["title"]),
    )


def not_assessed(report):
    """Return the hosts that could not be assessed in this run, longest unseen first."""
    hosts = [host for host in report["hosts"] if host["state"] != "assessed"]
    return sorted(hosts, key=lambda host: (-(host.get("days_unseen") or 0), host["name"]))


def lost_tables(host):
    """Return the names of the tables of a host that were read completely once and cannot be read now, sorted."""
    return sorted(alert.get("entity") or "" for alert in host["alerts"] if alert["rule"] == "posture.table_unreadable")


def lost_words(count):
    """Return ``1 table no longer readable``, ``2 tables no longer readable``."""
    return f"{count} table{'s' if count != 1 else ''} no longer readable"


def score_controls(report):
    """Return the score's controls by potential increase, largest first; those without points last."""
    controls = report["score"]["secure"]["controls"]
    return sorted(controls, key=lambda one: (-(one["potential"] or 0), -(one["max"] or 0), one["title"]))


def system_name(platform):
    """Return the name of a host's system from its row of the platform table, "" if it is not known."""
    platform = platform or {}
    name = platform.get("pretty_name") or " ".join(
        str(platform[key]) for key in ("id", "version_id") if isinstance(platform.get(key), str) and platform[key]
    )
    return name if isinstance(name, str) else ""


def fingerprint(parts):
    """Return a key for what was already written once: equal keys mean equal values. It never leaves the process.

    marshal is several times cheaper than JSON; version 2 writes no back references, so equal values mostly give equal
    keys (a miss only costs time). Values that are no plain data get a key of their own.
    """
    try:
        return marshal.dumps(parts, 2)
    except ValueError:
        return object()

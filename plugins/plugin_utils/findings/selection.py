"""Which findings need work, in the order in which people should look at them."""

from __future__ import annotations

import re

from .model import SEVERITIES, STATUSES


def section_order(section):
    """Return a sort key that puts section 1.2 before 1.10; sections that are names sort as text."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"[.]", section)]


def failed_findings(findings, severity="low", statuses=("fail",), disposed=False):
    """Return the findings with one of ``statuses`` that are at least as severe as ``severity``, worst first.

    Those with a disposition are left out unless ``disposed``. Raise ValueError for an unknown severity or status.
    """
    if severity not in SEVERITIES:
        raise ValueError(f"unknown severity {severity}; expected one of {', '.join(SEVERITIES)}")
    for status in statuses:
        if status not in STATUSES:
            raise ValueError(f"unknown status {status}; expected one of {', '.join(STATUSES)}")
    counted = SEVERITIES[: SEVERITIES.index(severity) + 1]
    kept = [
        finding
        for finding in findings
        if finding["status"] in statuses
        and finding["severity"] in counted
        and (disposed or not finding.get("disposition"))
    ]
    return sorted(
        kept,
        key=lambda finding: (
            SEVERITIES.index(finding["severity"]),
            finding["benchmark"],
            section_order(finding["section"]),
            finding["control"],
        ),
    )

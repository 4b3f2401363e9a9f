"""What a finding is, which values its fields take, and how several become one status.

Everything here is plain data: a finding is a dict, so that it can be written, compared and filtered as it is.
"""

from __future__ import annotations

from ..content.vocabulary import SEVERITIES

STATUSES = ("fail", "error", "unreadable", "manual", "pass", "not_applicable")
"""All statuses in the order of the roll-up: a section takes the first that is present."""

CLOSED_BY = ("fixed", "disposed", "tailored", "content", "feed", "host_retired")
"""Why a finding ended. Only ``fixed`` counts as remediation."""

HOST_STATES = ("assessed", "unreachable", "failed")

FIELDS = (
    "control", "benchmark", "section", "level", "status", "severity", "expected", "actual", "evidence", "reason",
    "observed_at", "disposition", "owner", "due",
)  # fmt: skip
"""Fields of a finding in a host's file of a run; the store adds first_seen, last_changed, closed_by, history."""


class MalformedFinding(ValueError):
    """A finding or alert with a field that is missing or has a value it must not have."""


def make_finding(
    *,
    control="",
    benchmark,
    section,
    status,
    severity="medium",
    level="l1",
    expected=None,
    actual=None,
    evidence=(),
    reason="",
    observed_at="",
    disposition=None,
    owner=None,
    due=None,
):
    """Return a checked finding. ``control`` is "" for a section that no control judges.

    ``evidence`` is a list of ``{where, what}``; ``observed_at`` RFC 3339 UTC; ``disposition`` an id or None.
    Raise MalformedFinding.
    """
    return check_finding(
        {
            "control": control,
            "benchmark": benchmark,
            "section": section,
            "level": level,
            "status": status,
            "severity": severity,
            "expected": expected,
            "actual": actual,
            "evidence": list(evidence),
            "reason": reason,
            "observed_at": observed_at,
            "disposition": disposition,
            "owner": owner,
            "due": due,
        }
    )


def check_finding(finding):
    """Return the finding; raise MalformedFinding naming the field at fault."""
    for name in FIELDS:
        if name not in finding:
            raise MalformedFinding(f"a finding needs the field {name}")
    if finding["status"] not in STATUSES:
        raise MalformedFinding(f"status {finding['status']!r}: expected one of {', '.join(STATUSES)}")
    if finding["severity"] not in SEVERITIES:
        raise MalformedFinding(f"severity {finding['severity']!r}: expected one of {', '.join(SEVERITIES)}")
    for name in ("control", "benchmark", "section", "level", "reason", "observed_at"):
        if not isinstance(finding[name], str):
            raise MalformedFinding(f"{name} must be text, not {type(finding[name]).__name__}")
    if not finding["benchmark"] or not finding["section"]:
        raise MalformedFinding("a finding needs a benchmark and a section")
    check_evidence(finding["evidence"])
    return finding


def check_evidence(evidence):
    """Raise MalformedFinding unless evidence is a list of ``{where: text, what: ...}``."""
    if not isinstance(evidence, list):
        raise MalformedFinding("evidence must be a list")
    for item in evidence:
        if not isinstance(item, dict) or not isinstance(item.get("where"), str) or "what" not in item:
            raise MalformedFinding("evidence must be a list of {where, what}")


def rollup(statuses):
    """Return the status of a whole of which ``statuses`` are the parts.

    The first present of fail, error, unreadable, manual, pass; not_applicable only if all are. A whole without
    parts is manual: nothing judged it.
    """
    present = set(statuses)
    unknown = present.difference(STATUSES)
    if unknown:
        raise MalformedFinding(f"unknown status {min(unknown)!r}")
    return next((status for status in STATUSES if status in present), "manual")

"""The capability ``posture``: every section of the benchmarks that serve a host becomes findings."""

from __future__ import annotations

import json

from ..content.errors import ContentError
from ..findings import dispositions
from ..findings.model import make_finding
from .judge import judge_control
from .parameters import effective
from .remediation import entries_of
from .resources.base import Verdict
from .selection import select


class Posture:
    """Judge a host's snapshot by benchmarks. Stateless: one object serves all hosts."""

    noun = "posture"

    def needs(self, content, options):
        """Return ``{"tables": set, "paths": set, "configs": list}`` for ``options["benchmarks"]``, default all.

        The system of a host is not known before it is read, so that what any benchmark needs is asked for.
        """
        asked = (options or {}).get("benchmarks")
        if asked is not None:
            asked = [*asked, *(name for name, body in content.benchmarks.items() if body["fallback"])]
        return content.needs(asked)

    def evaluate(self, snapshot, context):
        """Return ``{findings, alerts, benchmarks, notes, tailored, dispositions_used}``, each a list of plain data.

        ``context``: ``content`` (Content), ``parameters`` (the inventory's), ``roles``, ``benchmarks`` (ids or None),
        ``host`` ({owner, groups, ...}), ``dispositions`` (all that were loaded), ``now`` (RFC 3339 UTC). Optional:
        ``parameter_origins`` (parameter -> file:line), ``scope``, ``decided`` (the moment at which dispositions are in
        force, where that is not ``now``).
        """
        content = context["content"]
        chosen, notes = select(content, snapshot, context.get("benchmarks"))
        tailored = context.get("parameters") or {}
        notes += [
            f"ringwall_parameters names {name}, which no control has."
            for name in sorted(set(tailored) - set(content.parameters))
        ]
        judged, findings, changes = {}, [], {}
        for entry in chosen:
            benchmark = content.benchmarks[entry["id"]]
            for section in benchmark["sections"]:
                findings += self._section(snapshot, context, benchmark, section, judged, changes)
        findings, used = _disposed(findings, context, snapshot)
        return {
            "findings": findings,
            "alerts": [],
            "benchmarks": chosen,
            "notes": notes,
            "tailored": [change.plain() for change in changes.values()],
            "dispositions_used": sorted(used),
        }

    def settings(self, snapshot, context, status="fail", findings=None):
        """Return what would set right each finding with that ``status``: a list of plain maps, one a finding.

        ``{control, title, section, benchmark, level, workstation, status, severity, attack, disposition, settings,
        hold, manual, values, stricter, fix}``; ``settings`` (``{kind, ...}``, empty where nothing can be set or the
        status is another one) hold what fails of a control alone. ``findings``: those of ``evaluate``, if at hand.
        """
        content, tailored = context["content"], context.get("parameters") or {}
        if findings is None:
            findings = self.evaluate(snapshot, context)["findings"]

        def values(control, benchmark, section):
            try:
                return effective(content, control, content.benchmarks[benchmark], section, tailored)
            except ContentError:  # its finding says so
                return {}, []

        return entries_of(findings, content, values, snapshot, context, status)

    def _section(self, snapshot, context, benchmark, section, judged, changes):
        body = benchmark["sections"][section]
        common = {
            "benchmark": benchmark["id"],
            "section": section,
            "level": body["level"],
            "owner": (context.get("host") or {}).get("owner"),
        }
        content = context["content"]
        if not body["controls"]:
            return [
                make_finding(
                    status="manual", severity="low", reason=body["reason"], observed_at=context.get("now", ""), **common
                )
            ]
        found = []
        for name in body["controls"]:
            control = content.controls[name]
            tailored = context.get("parameters") or {}
            try:
                values, tailorings = effective(
                    content, name, benchmark, section, tailored, context.get("parameter_origins")
                )
            except ContentError as error:
                found.append(_finding(control, Verdict("error", reason=str(error)), context.get("now", ""), (), common))
                continue
            changes.update({(change.parameter, change.benchmark, change.section): change for change in tailorings})
            key = (name, json.dumps(values, sort_keys=True)) if values else (name, "")
            if key not in judged:
                judged[key] = (judge_control(control, values, snapshot, context), observed(control, snapshot, context))
            verdict, moment = judged[key]
            found.append(_finding(control, verdict, moment, tailorings, common))
        return found


def observed(control, snapshot, context):
    """Return when the oldest table that the control reads was observed: a verdict is as old as its oldest fact."""
    times = [snapshot.table(name).observed_at for name in control["tables"]]
    return min((moment for moment in times if moment), default=context.get("now", ""))


def _finding(control, verdict, moment, tailorings, common):
    reason = verdict.reason
    for change in tailorings:
        kind = "weaker than the benchmark's" if change.weaker else "stricter than the benchmark's"
        note = f"{change.parameter} is tailored to {change.value} ({change.where}), {kind} {change.standard}"
        reason = f"{reason}; {note}" if reason else note
    return make_finding(
        control=control["id"],
        status=verdict.status,
        severity=control["severity"],
        expected=verdict.expected,
        actual=verdict.actual,
        evidence=verdict.evidence,
        reason=reason,
        observed_at=moment,
        **common,
    )


def _disposed(findings, context, snapshot):
    """Return ``(findings, used)`` with the dispositions that are in force now."""
    known = context.get("dispositions") or []
    if not known:
        return findings, ()
    groups = (context.get("host") or {}).get("groups") or ()
    valid = dispositions.in_force(known, context.get("decided") or context["now"])
    return dispositions.dispose(findings, valid, snapshot.host, groups, context.get("scope", "default"))


__all__ = ["Posture", "Verdict", "observed"]

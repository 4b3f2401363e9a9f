"""The report dict (``ringwall.report/1``): what the store knows of a run, joined with the content it was judged by."""

from __future__ import annotations

from ..findings.model import SEVERITIES, STATUSES
from .exceptions import exceptions
from .frameworks import frameworks
from .order import lost_tables, lost_words
from .schema import NAME

TREND_RUNS = 30
"""Runs in the trend, this one included."""

OPEN_ALERTS = ("new", "active")
_CONTROL = ("title", "rationale", "severity", "fix", "attack", "score")
_SECTION = ("title", "level", "assessment", "reason")
_HOST = ("name", "state", "reason", "last_seen", "days_unseen", "platform", "owner", "team", "environment",
         "criticality", "groups", "tags", "score", "benchmarks", "notes", "errors", "privilege")  # fmt: skip


def build_report(store, run_id, content):
    """Return the report of a recorded run as a dict that fits ``schema.SCHEMA``.

    ``store`` is a Store (only its queries are used), ``content`` the compiled Content that the run was judged by.
    Hosts that were not assessed in this run carry no findings: what was known of them last is in the report of the
    run that saw them. Raise StoreError for a run that was not recorded.
    """
    run = store.run(run_id)
    findings = store.findings(run_id)
    alerts = {}
    for alert in store.alerts(run_id=run_id, statuses=OPEN_ALERTS):
        alerts.setdefault(alert["host"], []).append(alert)
    known = store.hosts(run_id)
    tailored = {host["name"]: host.get("tailored") for host in known if host["state"] == "assessed"}
    hosts = [
        _host(host, findings.get(host["name"], ()) if host["state"] == "assessed" else (), alerts.get(host["name"], []))
        for host in known
    ]
    elsewhere = _of_the_fleet(run, alerts, known)
    benchmarks = _benchmarks(hosts, content)
    listed, notes = exceptions(run, [{**host, "tailored": tailored.get(host["name"])} for host in hosts])
    return {
        "schema": NAME,
        "run": _run(run, hosts, content),
        "score": run["score"] or _no_score(hosts),
        "totals": _totals(hosts, elsewhere),
        "trend": store.trend(run["scope"], TREND_RUNS, until=run_id),
        "controls": _controls(hosts, content),
        "benchmarks": benchmarks,
        "frameworks": frameworks(hosts, content),
        "hosts": hosts,
        "alerts": elsewhere,
        "dispositions": listed,
        "notes": _notes(run, hosts, content) + notes,
    }


def _of_the_fleet(run, alerts, known):
    """The alerts that stand at no host of the run: of the fleet (host ""), and of hosts that were not asked.

    A run of some hosts is not the place for the others.
    """
    names = {host["name"] for host in known}
    limited = (run.get("options") or {}).get("limited", False)
    return [alert for host in sorted(alerts) if host not in names and not (host and limited) for alert in alerts[host]]


def _host(host, findings, alerts):
    made = {name: host.get(name) for name in _HOST}
    if made["reason"]:
        made["reason"] = {name: made["reason"].get(name) or "" for name in ("code", "text", "fix")}
    made["findings"] = [finding if finding["observed_at"] else {**finding, "observed_at": ""} for finding in findings]
    made.update(vulnerabilities=[], changes=[], alerts=alerts)
    lost = lost_tables(made)
    if lost:
        made["notes"] = [f"{lost_words(len(lost))}: {', '.join(lost)}", *(made["notes"] or ())]
    return made


def _run(run, hosts, content):
    actor = run.get("actor")
    if isinstance(actor, dict):
        actor = actor.get("name") if not actor.get("job") else f"{actor.get('name')} (job {actor['job']})"
    used = {item["id"]: item for host in hosts for item in host["benchmarks"] or ()}
    privileges = {host["privilege"] for host in hosts if host["state"] == "assessed"}
    return {
        "id": run["id"],
        "scope": run["scope"],
        "started": run["started"],
        "finished": run.get("finished"),
        "state": run["state"],
        "actor": actor,
        "version": run.get("version"),
        "project_commit": run.get("project_commit"),
        "rejudged_from": run.get("rejudged_from"),
        "privilege": privileges.pop() if len(privileges) == 1 else "root and user" if privileges else None,
        "benchmarks": [
            {
                "id": name,
                "title": content.benchmarks.get(name, {}).get("title") or name,
                "version": item.get("version") or "",
                "fallback": bool(item.get("fallback")),
            }
            for name, item in sorted(used.items())
        ],
    }


def _no_score(hosts):
    """The score of a run that has none: nothing was assessed."""
    from ..findings.score import score

    result = score([{**host, "state": "failed"} for host in hosts], {})
    result.pop("hosts")
    return result


def _totals(hosts, elsewhere):
    states = [host["state"] for host in hosts]
    statuses, severities = dict.fromkeys(STATUSES, 0), dict.fromkeys(SEVERITIES, 0)
    for host in hosts:
        for finding in host["findings"]:
            statuses[finding["status"]] += 1
            if finding["status"] == "fail" and not finding["disposition"]:
                severities[finding["severity"]] += 1
    return {
        "hosts": len(hosts),
        **{state: states.count(state) for state in ("assessed", "unreachable", "failed")},
        "findings": statuses,
        "severities": severities,
        "alerts": sum(len(host["alerts"]) for host in hosts) + len(elsewhere),
    }


def _controls(hosts, content):
    used = {finding["control"] for host in hosts for finding in host["findings"]}
    return {name: {field: content.controls[name][field] for field in _CONTROL}
            for name in sorted(used) if name in content.controls}  # fmt: skip


def _benchmarks(hosts, content):
    """The benchmarks of all findings with the sections that occur; ones that the content lacks by their id alone."""
    used = {}
    for host in hosts:
        for finding in host["findings"]:
            used.setdefault(finding["benchmark"], set()).add(finding["section"])
    versions = {item["id"]: item.get("version") for host in hosts for item in host["benchmarks"] or ()}
    made = {}
    for name, sections in sorted(used.items()):
        known = content.benchmarks.get(name) or {"title": name, "version": versions.get(name) or "", "sections": {}}
        made[name] = {
            "title": known["title"],
            "version": known["version"],
            "sections": {section: {field: known["sections"][section][field] for field in _SECTION}
                         for section in known["sections"] if section in sections},
        }  # fmt: skip
    return made


def _notes(run, hosts, content):
    notes = []
    if run.get("rejudged_from"):
        notes.append(f"Judged again from what run {run['rejudged_from']} read: no host was visited.")
    if run["state"] not in ("complete", "running"):
        notes.append(f"The run was {run['state']}: hosts may be missing.")
    notes.extend(f"{one['host'] or one['file']} could not be recorded: {one['reason']}"
                 for one in run.get("quarantined") or ())  # fmt: skip
    fallen = {}
    for host in hosts:
        for item in host["benchmarks"] or ():
            if item.get("fallback") and host["state"] == "assessed":
                fallen.setdefault(item["id"], []).append(host["name"])
    for name, names in sorted(fallen.items()):
        title = content.benchmarks.get(name, {}).get("title") or name
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        notes.append(f"No benchmark of their own, judged by {title}: {shown}.")
    own = {finding["control"] for host in hosts for finding in host["findings"] if finding["control"]}
    if own - content.controls.keys():
        notes.append("The content of this run is not at hand any more: titles and fixes of some controls are missing.")
    return notes

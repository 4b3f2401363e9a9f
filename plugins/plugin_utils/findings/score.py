"""The score: how much of what was assessed is healthy, and how much of it could be assessed at all.

Two figures stand side by side. The **secure score** gives each score control its maximum, shared among the hosts: a
host earns its share only if everything of that control passes on it; what could not be read counts as unhealthy, so
hiding never pays. The **weighted pass rate** is the share of passed checks weighted by severity; what could not be
read is out of it and counted beside it.
"""

from __future__ import annotations

from ..content.vocabulary import DEFAULT_SCORE
from .model import STATUSES

CONTROLS = {
    "enable_mfa": (10, "A second factor guards log-ins"),
    "secure_management_ports": (8, "Management ports are closed or guarded"),
    "apply_system_updates": (6, "Security updates are installed"),
    "remediate_vulnerabilities": (6, "Known vulnerabilities are fixed"),
    "remediate_security_configurations": (4, "The system is configured securely"),
    "manage_access_and_permissions": (4, "Accounts and permissions are kept small"),
    "enable_encryption_at_rest": (4, "Stored data is encrypted"),
    "encrypt_data_in_transit": (4, "Transported data is encrypted"),
    "restrict_unauthorized_network_access": (4, "Networks reach only what they must"),
    "apply_adaptive_application_control": (3, "Only known programs run"),
    "protect_applications_against_ddos_attacks": (2, "Services withstand floods"),
    "enable_endpoint_protection": (
        2,
        "Malware protection and file integrity watch are on",
    ),
    "enable_auditing_and_logging": (1, "Events are audited, logged and kept"),
    "enable_enhanced_security_features": (0, "Protection features are switched on"),
    "implement_security_best_practices": (0, "Good practice without points"),
}
"""Score controls: key -> (points, title). Points as Microsoft published them in 2024; they may be overridden."""

NOT_ON_SERVERS = ("enable_mfa", "protect_applications_against_ddos_attacks")
"""Controls that no server can show by itself: they are outside the 46 points that a report is held against."""

SEVERITY_WEIGHTS = {"critical": 8, "high": 5, "medium": 3, "low": 1}
"""Weights of the pass rate (ours: each step is a little less than twice the one below)."""

_UNHEALTHY = ("fail", "error", "unreadable")


def of_points(points):
    """Return the points that servers can show: 46 unless the points were overridden."""
    return sum(value for key, value in points.items() if key not in NOT_ON_SERVERS)


def control_score(maximum, healthy, unhealthy):
    """Return ``(current, potential)`` of one score control; (0, 0) if it applies to no host.

    Formula: maximum / (healthy + unhealthy) * healthy, and the same * unhealthy.
    """
    hosts = healthy + unhealthy
    if not hosts:
        return 0.0, 0.0
    return maximum * healthy / hosts, maximum * unhealthy / hosts


def combine(scopes):
    """Return the percentage of several scopes: 100 * sum(ratio * weight) / sum(weight), None without points.

    ``scopes``: a list of ``{current, max, weight}``; the weight is the number of hosts unless one wants another.
    """
    counted = [(one["current"] / one["max"], one["weight"]) for one in scopes if one["max"]]
    total = sum(weight for _ratio, weight in counted)
    return 100.0 * sum(ratio * weight for ratio, weight in counted) / total if total else None


def _checks(findings, controls):
    """Return ``[(score control, severity, status)]``: one for each control, its worst status in any benchmark."""
    worst = {}
    for finding in findings:
        control = finding["control"]
        if not control or finding.get("disposition") or finding["status"] in ("manual", "not_applicable"):
            continue
        if control not in worst or STATUSES.index(finding["status"]) < STATUSES.index(worst[control]["status"]):
            worst[control] = finding
    checks = []
    for control, finding in worst.items():
        known = controls.get(control) or {}
        severity = known.get("severity") or finding["severity"]
        checks.append((known.get("score") or DEFAULT_SCORE, severity, finding["status"]))
    return checks


def _empty():
    return {
        "passed": 0.0,
        "counted": 0.0,
        "pass": 0,
        "fail": 0,
        "unreadable": 0,
        "error": 0,
    }


def _tally(checks, severities):
    """Return ``({score control: healthy?}, counts)`` of one host; ``counts`` as in _empty."""
    health = {}
    counts = _empty()
    for key, severity, status in checks:
        health[key] = health.get(key, True) and status not in _UNHEALTHY
        counts[status] += 1
        if status in ("pass", "fail"):
            counts["counted"] += severities[severity]
            counts["passed"] += severities[severity] if status == "pass" else 0
    return health, counts


def _add(total, counts):
    for name, value in counts.items():
        total[name] += value


def _percent(part, whole):
    return 100.0 * part / whole if whole else None


def _weighted(counts):
    return {
        "percent": _percent(counts["passed"], counts["counted"]),
        "passed": counts["pass"],
        "counted": counts["pass"] + counts["fail"],
        "unreadable": counts["unreadable"],
        "error": counts["error"],
    }


def _secure(healths, points, assessed):
    """Return the secure score of hosts: ``healths`` their {score control: healthy?}, ``assessed`` how many they are."""
    rows = []
    for key, (_points, title) in CONTROLS.items():
        healthy = sum(1 for health in healths if health.get(key) is True)
        unhealthy = sum(1 for health in healths if health.get(key) is False)
        current, potential = control_score(points[key], healthy, unhealthy)
        rows.append(
            {
                "key": key,
                "title": title,
                "max": points[key],
                "current": current,
                "potential": potential,
                "healthy": healthy,
                "unhealthy": unhealthy,
                "not_applicable": assessed - healthy - unhealthy,
            }
        )
    maximum = sum(row["max"] for row in rows if row["healthy"] + row["unhealthy"])
    current = sum(row["current"] for row in rows)
    return {
        "percent": _percent(current, maximum),
        "current": current,
        "max": maximum,
        "potential": sum(row["potential"] for row in rows),
        "assessed_points": maximum,
        "of_points": of_points(points),
        "controls": sorted(rows, key=lambda row: (-row["potential"], -row["max"], row["key"])),
    }


def score(hosts, controls, weights=None):
    """Return the score of a fleet, of its groups and of each host.

    ``hosts``: ``[{name, groups, state, findings}]``; only hosts whose state is ``assessed`` are scored, the others
    are ``hosts_unseen``. ``controls``: ``{id: {severity, score}}`` of the content. ``weights``: ``{"points":
    {score control: n}, "severities": {severity: n}}``, each entry overriding the default.

    The result has ``secure``, ``weighted``, ``readable_percent``, ``hosts_unseen``, ``groups``, ``hosts`` and
    ``sentence``; percentages are floats, or None when nothing was assessed. Nothing is rounded: shown are whole
    numbers, or two decimals.
    """
    weights = weights or {}
    points = {key: value for key, (value, _title) in CONTROLS.items()} | dict(weights.get("points") or {})
    severities = SEVERITY_WEIGHTS | dict(weights.get("severities") or {})
    unknown = set(points) - set(CONTROLS) or {c.get("score") for c in controls.values()} - set(CONTROLS) - {None, ""}
    if unknown:
        raise ValueError(f"unknown score control {min(unknown)}; expected one of {', '.join(CONTROLS)}")
    total = _empty()
    healths = []
    groups = {}
    single = {}
    for host in hosts:
        if host["state"] != "assessed":
            continue
        health, counts = _tally(_checks(host["findings"], controls), severities)
        healths.append(health)
        _add(total, counts)
        own = _secure([health], points, 1)
        single[host["name"]] = {name: own[name] for name in ("percent", "current", "max", "potential")} | {
            "weighted": _weighted(counts)["percent"]
        }
        for group in host.get("groups") or ():
            members, sums = groups.setdefault(group, ([], _empty()))
            members.append(health)
            _add(sums, counts)
    result = {
        "secure": _secure(healths, points, len(healths)),
        "weighted": _weighted(total),
        "readable_percent": _percent(
            total["pass"] + total["fail"],
            total["pass"] + total["fail"] + total["unreadable"] + total["error"],
        ),
        "hosts_unseen": sum(1 for host in hosts if host["state"] != "assessed"),
        "groups": {
            name: {
                "percent": _secure(members, points, len(members))["percent"],
                "weighted": _weighted(sums)["percent"],
                "hosts": len(members),
            }
            for name, (members, sums) in sorted(groups.items())
        },
        "hosts": single,
    }
    result["sentence"] = sentence(result)
    return result


def sentence(result):
    """Return what must stand beside every score: ``assessed X of 46 points, Y % readable, Z hosts unseen``.

    The share that was readable is rounded down, so that 100 % means all of it.
    """
    secure = result["secure"]
    readable = result["readable_percent"]
    shown = "nothing" if readable is None else f"{int(readable)} %"
    unseen = result["hosts_unseen"]
    return (
        f"assessed {secure['assessed_points']:g} of {secure['of_points']:g} points, {shown} readable, "
        f"{unseen} {'host' if unseen == 1 else 'hosts'} unseen"
    )

"""How far a fleet meets the requirements of frameworks: counts of hosts, worked out once when the report is built.

A requirement stands with the worst of its controls on each host. Hosts are bits of an integer here, so that a
thousand hosts cost one operation: a control has one integer a status, a requirement the union of its controls'.
"""

from __future__ import annotations

from ..findings.model import STATUSES

EXCEPTED = "excepted"
"""A host on which the requirement fails only where exceptions cover it."""

OPEN = tuple(name for name in STATUSES if name not in ("pass", "not_applicable"))
ORDER = (*OPEN, EXCEPTED, "pass", "not_applicable")
"""What a host stands with when several are present: the first of these."""

STATES = ("failed", "open", "met", "not_applicable", "not_judged", "no_check")
"""What a requirement comes to over all hosts: something fails; nothing fails but something could not be told or waits
for people; met; it applies nowhere; no control of it was judged in this run; no control here speaks to it."""

STATE_TITLES = {
    "failed": "Failed",
    "open": "Open",
    "met": "Met",
    "not_applicable": "Not applicable",
    "not_judged": "Not judged",
    "no_check": "No check",
}


def frameworks(hosts, content):
    """Return id -> ``{title, version, states, requirements}`` for the frameworks of ``content``.

    ``states`` counts the requirements in each of STATES. ``requirements``: id -> ``{title, state, controls, hosts}``,
    ``controls`` the number of controls that speak to it, ``hosts`` the number of hosts by status (without zeros).
    """
    if not getattr(content, "frameworks", None):
        return {}
    masks = _masks(hosts)
    return {name: _framework(body, masks) for name, body in sorted(content.frameworks.items())}


def _masks(hosts):
    """Control -> {status: integer with the bits of the hosts that have a finding of that status}."""
    masks = {}
    for number, host in enumerate(hosts):
        bit = 1 << number
        # Several benchmarks may say the same of a host.
        for key in {(finding["control"], _status(finding)) for finding in host["findings"]}:
            masks[key] = masks.get(key, 0) | bit
    found = {}
    for (control, status), mask in masks.items():
        found.setdefault(control, {})[status] = mask
    return found


def _status(finding):
    status = finding["status"]
    return EXCEPTED if finding["disposition"] and status in OPEN else status


def _framework(body, masks):
    requirements, states = {}, dict.fromkeys(STATES, 0)
    for name, requirement in body["requirements"].items():
        counts = _counts([masks[control] for control in requirement["controls"] if control in masks])
        state = _state(requirement["controls"], counts)
        states[state] += 1
        requirements[name] = {
            "title": requirement["title"],
            "state": state,
            "controls": len(requirement["controls"]),
            "hosts": counts,
        }
    return {"title": body["title"], "version": body["version"], "states": states, "requirements": requirements}


def _counts(controls):
    """Return the number of hosts by the first status of ORDER that any of the controls has there."""
    counts, done = {}, 0
    for status in ORDER:
        mask = 0
        for masks in controls:
            mask |= masks.get(status, 0)
        mask &= ~done
        done |= mask
        if mask:
            counts[status] = mask.bit_count()
    return counts


def _state(controls, counts):
    if not controls:
        return "no_check"
    if not counts:
        return "not_judged"
    if "fail" in counts:
        return "failed"
    if any(status in counts for status in OPEN):
        return "open"
    return "met" if EXCEPTED in counts or "pass" in counts else "not_applicable"

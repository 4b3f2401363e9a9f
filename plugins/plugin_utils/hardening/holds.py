"""Held controls: what would cut somebody off on this very host is not done unless somebody releases it.

A hold is a name and a function ``(entry, facts) -> reason or None``. A control names holds (``hold: [faillock]``);
each is then judged by the host's facts, and so are the settings themselves, whatever the control says of itself. A fact
that is not known never proves that something is safe. ``ringwall_hardening_release`` names control ids or holds.

Guarded change catches what locks out at once. Held is what it cannot catch: what takes effect later (an age, a lock
after failures, the next boot, the next hundred log-ins) and what breaks the work that the host is there for.
"""

from __future__ import annotations

from . import holds_access, holds_work

RULES = {**holds_access.RULES, **holds_work.RULES}
"""Name of a hold -> function ``(entry, facts)`` that returns why it is held here, or None where it is proven safe."""

ALWAYS = (*holds_access.ALWAYS, *holds_work.ALWAYS)
"""``(name, test(setting, facts))``: settings that call for a hold although their control does not name it."""


def held(entry, facts):
    """Return ``[{"name", "reason"}]`` of the holds that keep this entry of ``Posture.settings`` back on this host."""
    names = list(entry.get("hold") or ())
    for name, test in ALWAYS:
        if name not in names and any(test(setting, facts) for setting in entry["settings"]):
            names.append(name)
    found = []
    for name in names:
        reason = RULES[name](entry, facts) if name in RULES else f"there is no rule for {name}: nothing proves it safe"
        if reason:
            found.append({"name": name, "reason": reason})
    return found


def released(entry, names, release):
    """Return those of the held ``names`` that ``release`` (control ids and hold names) does not release."""
    if entry["control"] in release:
        return []
    return [name for name in names if name not in release]

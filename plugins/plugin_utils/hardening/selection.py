"""Which findings a hardening is about: by benchmark, level, control, section, technique of attack, severity."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, fields

from ..content.vocabulary import SEVERITIES

MODES = ("harden", "keep")
LEVELS = {"l1": ("l1",), "l2": ("l1", "l2"), "high": ("high",), "medium": ("high", "medium"),
          "low": ("high", "medium", "low")}  # fmt: skip
"""Level asked for -> levels of sections that belong to it: l2 holds l1, a category of a STIG those above it."""
PROFILES = ("server", "workstation")


class SelectionError(ValueError):
    """What was asked for is malformed or names what there is not; the message says what would do."""


@dataclass(frozen=True)
class Selection:
    """What the user asked for; ``None`` or empty stands for no restriction.

    ``benchmarks``: ids; None is the first of the host's own. ``level``: one of LEVELS, ``all`` or None for ``l1``
    where the benchmark has such levels. ``controls`` and ``sections``: patterns, ``5.1`` holds ``5.1.3``. ``attack``:
    techniques, T1110 holds T1110.001. ``severity``: the least. ``release``: control ids and names of holds.
    """

    benchmarks: tuple | None = None
    level: str | None = None
    profile: str = "server"
    controls: tuple = ()
    sections: tuple = ()
    attack: tuple = ()
    severity: str | None = None
    release: tuple = ()
    mode: str = "harden"

    def plain(self):
        """Return it as JSON data."""
        return {item.name: _plain(getattr(self, item.name)) for item in fields(self)}


def _plain(value):
    return list(value) if isinstance(value, tuple) else value


def read(options):
    """Return the Selection of plain options (keys as in Selection; lists or a single text). Raise SelectionError."""
    known = {item.name for item in fields(Selection)}
    for name in options:
        if name not in known:
            raise SelectionError(f"there is no {name}; expected one of {', '.join(sorted(known))}")
    values = {}
    for name, value in options.items():
        if value in (None, "", [], ()):
            continue
        many = name in ("benchmarks", "controls", "sections", "attack", "release")
        values[name] = tuple(str(one) for one in _list(value)) if many else str(value)
    chosen = Selection(**values)
    _one_of("ringwall_hardening_mode", chosen.mode, MODES)
    _one_of("ringwall_hardening_profile", chosen.profile, PROFILES)
    if chosen.level:
        _one_of("ringwall_hardening_level", chosen.level, (*LEVELS, "all"))
    if chosen.severity:
        _one_of("ringwall_hardening_severity", chosen.severity, tuple(SEVERITIES))
    return chosen


def _list(value):
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _one_of(name, value, choices):
    if value not in choices:
        raise SelectionError(f"{name} is {value!r}; expected one of {', '.join(choices)}")


def select(entries, selection, own):
    """Return the entries (of ``Posture.settings``) that are asked for.

    ``own``: ids of the benchmarks that served the host, in their order; without ``selection.benchmarks`` the first one
    counts. Raise SelectionError for a benchmark that did not serve it, and for controls and sections that name nothing.
    """
    wanted = list(selection.benchmarks or own[:1])
    for name in wanted:
        if name not in own:
            raise SelectionError(
                f"ringwall_hardening_benchmark names {name}, by which this host was not assessed; "
                f"it was by {', '.join(own) or 'none'}"
            )
    here = [entry for entry in entries if entry["benchmark"] in wanted]
    for kind, patterns, key in (
        ("controls", selection.controls, "control"),
        ("sections", selection.sections, "section"),
    ):
        for pattern in patterns:
            if not any(_fits(entry[key], pattern) for entry in here):
                raise SelectionError(f"ringwall_hardening_{kind} names {pattern}, which {', '.join(wanted)} has not")
    return [entry for entry in here if _chosen(entry, selection)]


def _chosen(entry, selection):
    if selection.controls and not any(_fits(entry["control"], one) for one in selection.controls):
        return False
    if selection.sections and not any(_fits(entry["section"], one) for one in selection.sections):
        return False
    if selection.attack and not any(_fits(one, wanted) for one in entry["attack"] for wanted in selection.attack):
        return False
    if selection.severity:
        least = SEVERITIES.index(selection.severity)
        if SEVERITIES.index(entry["severity"]) > least:
            return False
    return _level(entry, selection)


def _fits(name, pattern):
    return name == pattern or name.startswith(pattern + ".") or fnmatch.fnmatchcase(name, pattern)


def _level(entry, selection):
    if selection.level == "all":
        return True
    level = entry["level"] if selection.profile == "server" else entry.get("workstation")
    if selection.level is None:
        named = selection.controls or selection.sections  # who names a control means it, whatever its level
        return bool(named) or level not in ("l2", None)
    return level in LEVELS[selection.level]

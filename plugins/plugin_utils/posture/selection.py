"""Which benchmarks serve a host: those of its system (else our own), those beside them, and why others were refused."""

from __future__ import annotations

from ..content.lines import near
from ..snapshots.view import Gap, cell
from .applicability import platform


def describe(wanted):
    """Return a platform match as words: ``debian 12``."""
    found = [wanted[name] for name in ("family", "id", "version_id", "major") if wanted.get(name)]
    return " ".join(" or ".join(item) if isinstance(item, list) else str(item) for item in found) or "any system"


def fits(wanted, row):
    """True if a benchmark's platform map fits the platform row. ``family: linux`` fits every host of this engine.

    ``major`` is what stands before the first dot of the version: 9 of 9.4.
    """
    for name, value in wanted.items():
        if name == "family" and value == "linux":
            continue
        found = cell(row, "version_id" if name == "major" else name)
        if name == "major" and found is not None:
            found = str(found).split(".", 1)[0]
        if found not in (value if isinstance(value, list) else [value]):
            return False
    return True


def select(content, snapshot, asked=None):
    """Return ``(chosen, notes)``: a list of ``{id, version, title, fallback}`` and sentences for the report.

    ``asked``: ids that the user named, None for those of the host's own system. A benchmark made for another system
    is refused with a note: its verdicts would mean nothing. Where nothing is left, the fallback benchmarks serve; those
    that serve ``beside`` others do so in any case and do not count as made for the system.
    """
    notes = []
    try:
        row = platform(snapshot)
        system = describe({name: cell(row, name) for name in ("id", "version_id")})
    except Gap as gap:
        row, system = None, "unknown"
        notes.append(f"The system could not be told ({gap.why}): only benchmarks for every system were used.")
    chosen = []
    for name in asked if asked is not None else sorted(content.benchmarks):
        benchmark = content.benchmarks.get(name)
        if benchmark is None:
            notes.append(f"There is no benchmark {name}{near(name, content.benchmarks)}")
        elif asked is None and (benchmark["fallback"] or benchmark["optional"] or not benchmark["platform"]):
            continue
        elif row is None and benchmark["platform"] not in ({}, {"family": "linux"}):
            if asked is not None:
                notes.append(
                    f"{name} is for {describe(benchmark['platform'])}, and the system is not known: it was not used."
                )
        elif row is not None and not fits(benchmark["platform"], row):
            if asked is not None:
                notes.append(f"{name} is for {describe(benchmark['platform'])}, this is {system}: it was not used.")
        else:
            chosen.append(_entry(benchmark, False))
    if not any(asked is not None or not content.benchmarks[entry["id"]]["beside"] for entry in chosen):
        fallback = [
            body
            for body in content.benchmarks.values()
            if body["fallback"] and (row is None or fits(body["platform"], row))
        ]
        served = [_entry(body, True) for body in sorted(fallback, key=lambda body: body["id"])]
        chosen = served + chosen
        names = ", ".join(body["id"] for body in served) or "none"
        notes.append(f"No benchmark here is made for {system}: our own serves in its place ({names}).")
    return chosen, notes


def _entry(benchmark, fallback):
    return {"id": benchmark["id"], "version": benchmark["version"], "title": benchmark["title"], "fallback": fallback}

"""Rows of the table that the benchmarks print and write: a figure, what it is held against, whether it is met."""

from __future__ import annotations

import statistics


def row(name, value, unit, bar, aim=None, against="", problems=()):
    """Return one row. Less is better; a row with ``problems`` (sentences) does not count, whatever its value.

    ``value`` None: it could not be measured here, the problems say why.
    """
    problems = list(problems)
    if value is None and not problems:
        problems = ["not measured"]
    return {
        "name": name, "value": None if value is None else round(value, 4), "unit": unit, "against": against,
        "bar": bar, "aim": aim, "met": not problems and value <= bar,
        "aim_met": None if aim is None else not problems and value <= aim, "problems": problems,
    }  # fmt: skip


def median(values):
    """The median of some figures."""
    return statistics.median(values)


def judged(one):
    """How a row ended, in a word or two."""
    if one["problems"]:
        return "DOES NOT COUNT"
    if not one["met"]:
        return "NOT MET"
    return "aim met" if one.get("aim_met") else "met"


def table(rows):
    """Return the rows as text."""
    lines = [f"{'what':<66} {'value':>9} {'':<4} {'bar':>7} {'aim':>7}  "]
    for one in rows:
        value = "-" if one["value"] is None else f"{one['value']:.3f}"
        aim = "" if one.get("aim") is None else f"{one['aim']:g}"
        lines.append(f"{one['name']:<66} {value:>9} {one['unit']:<4} {one['bar']:>7g} {aim:>7}  {judged(one)}")
        if one["against"]:
            lines.append(f"    against {one['against']}")
        lines += [f"    {problem}" for problem in one.get("problems", ())[:5]]
    return "\n".join(lines)

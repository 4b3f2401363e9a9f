"""One benchmark: check the YAML document and turn it into the plain form that judging reads."""

from __future__ import annotations

import re

from .errors import ContentError
from .lines import known_keys, near, no_nulls

KEYS = (
    "id",
    "title",
    "version",
    "platform",
    "source",
    "fallback",
    "beside",
    "optional",
    "include",
    "sections",
    "collect",
    "themes",
)
SECTION_KEYS = ("title", "controls", "level", "workstation", "assessment", "reason", "parameters")
PLATFORM_KEYS = ("family", "id", "version_id", "major")
ASSESSMENTS = ("automated", "manual")
LEVELS = ("l1", "l2", "high", "medium", "low")
"""Levels of published benchmarks: profiles of CIS, categories of a STIG by their severity."""
ID = re.compile(r"[a-z][a-z0-9_]*")


def read_benchmark(document, controls, parameters):
    """Check one benchmark document and return it compiled, with ``include`` still to be resolved.

    ``controls`` are the compiled controls by id, ``parameters`` all known parameters.
    """
    data = document.data
    known_keys(document, (), data, KEYS, ("id", "title", "version"))
    no_nulls(document, (), data)
    for key in ("id", "title", "version"):
        if not isinstance(data[key], str):
            raise ContentError(document.where(key), f"{key} is not text", f'{key}: "..."')
    if not ID.fullmatch(data["id"]):
        raise ContentError(document.where("id"), f"malformed id {data['id']}", "small letters, digits and _")
    for key in ("fallback", "beside", "optional"):
        if not isinstance(data.get(key, False), bool):
            raise ContentError(document.where(key), f"{key} is {data[key]!r}", f"{key}: true")
    if data.get("fallback") and data.get("beside"):
        raise ContentError(document.where("beside"), "a fallback cannot serve beside others", "fallback or beside")
    if data.get("optional") and (data.get("fallback") or data.get("beside")):
        raise ContentError(document.where("optional"), "optional serves only who asks", "optional, fallback or beside")
    platform = data.get("platform") or {}
    known_keys(document, ("platform",), platform, PLATFORM_KEYS)
    for key, value in platform.items():
        values = value if key == "id" and isinstance(value, list) and value else [value]
        if not all(isinstance(item, str) for item in values):
            raise ContentError(document.where("platform", key), f"{key} is not text", f'{key}: "{value}"')
    sections = {}
    for section, body in (data.get("sections") or {}).items():
        sections[section] = _section(document, section, body, controls, parameters)
    if "collect" in data:
        sections.update(_collected(document, data, controls))
    if not sections and not data.get("include"):
        raise ContentError(document.where(), f"{data['id']} has no sections", "sections, include or collect")
    return {
        "id": data["id"],
        "title": data["title"],
        "version": data["version"],
        "platform": platform,
        "fallback": data.get("fallback", False),
        "beside": data.get("beside", False),
        "optional": data.get("optional", False),
        "include": _include(document, data),
        "sections": sections,
    }


def _include(document, data):
    named = data.get("include") or []
    if not isinstance(named, list) or not all(isinstance(item, str) for item in named):
        raise ContentError(document.where("include"), "include is not a list of ids", "include: [cis_debian12]")
    return named


def _section(document, section, body, controls, parameters):
    at = ("sections", section)
    if not isinstance(section, str):
        raise ContentError(document.where(*at), f"section {section} is read as a number", f'"{section}" in quotes')
    known_keys(document, at, body, SECTION_KEYS, ("level",))
    assessment = body.get("assessment", "automated")
    if assessment not in ASSESSMENTS:
        problem = f"unknown assessment {assessment}{near(assessment, ASSESSMENTS)}"
        raise ContentError(document.where(*at, "assessment"), problem, "automated or manual")
    named = body.get("controls") or []
    if not isinstance(named, list):
        raise ContentError(document.where(*at, "controls"), "controls is not a list", "controls: [<id>]")
    for number, name in enumerate(named):
        if name not in controls:
            problem = f"section {section}: unknown control {name}{near(name, controls)}"
            raise ContentError(document.where(*at, "controls", number), problem, "the id of a control")
    if len(set(named)) != len(named):
        raise ContentError(document.where(*at, "controls"), f"section {section} names a control twice", "each id once")
    _check_levels(document, at, body)
    reason = body.get("reason", "")
    if not isinstance(reason, str):
        raise ContentError(document.where(*at, "reason"), f"section {section}: reason is not text", 'reason: "..."')
    if assessment == "manual" and not reason:
        problem = f"section {section} is manual and says no reason"
        raise ContentError(document.where(*at, "assessment"), problem, "reason: why no control can judge it")
    if not named and not reason:
        problem = f"section {section} has neither controls nor a reason"
        raise ContentError(document.where(*at), problem, "controls: [...], or assessment: manual and reason: ...")
    values = body.get("parameters", {})
    if not isinstance(values, dict):
        raise ContentError(
            document.where(*at, "parameters"), "parameters is not a map", "parameters: {<name>: <value>}"
        )
    _check_values(document, at, section, values, named, controls, parameters)
    if "title" not in body and len(named) != 1:
        problem = f"section {section} has no title and {len(named)} controls"
        raise ContentError(document.where(*at), problem, "title: ..., which only one control gives by itself")
    return {
        "title": str(body.get("title") or controls[named[0]]["title"]),
        "level": body["level"],
        "workstation": body.get("workstation", ""),
        "assessment": assessment,
        "reason": reason,
        "controls": named,
        "parameters": values,
    }


def _check_levels(document, at, body):
    for key in ("level", "workstation"):
        level = body.get(key)
        if level is not None and level not in LEVELS:
            problem = f"unknown level {level}{near(level, LEVELS)}"
            raise ContentError(document.where(*at, key), problem, "one of " + ", ".join(LEVELS))


def _check_values(document, at, section, values, named, controls, parameters):
    """Raise ContentError for a value of a parameter that none of the section's controls has."""
    used = {name for control in named for name in controls[control]["parameters"]}
    for name in values:
        if name in used:
            continue
        problem = f"section {section}: unknown parameter {name}{near(name, used)}"
        if name in parameters:
            owner = parameters[name]["control"]
            problem = f"section {section}: parameter {name} belongs to the control {owner}, which is not listed here"
        expected = "one of " + ", ".join(sorted(used)) if used else "no parameters: the section's controls have none"
        raise ContentError(document.where(*at, "parameters", name), problem, expected)


def _collected(document, data, controls):
    """One section a control of the named platform that is not tied to a release, so that a new control is in at once.

    A section's id is the control's id without the platform: it stays the same whatever is added.
    """
    body, themes = data["collect"], data.get("themes") or {}
    known_keys(document, ("collect",), body, ("platform",), ("platform",))
    for theme, about in themes.items():
        known_keys(document, ("themes", theme), about, ("title", "level"), ("title",))
        _check_levels(document, ("themes", theme), about)
    prefix = body["platform"] + "."
    sections = {}
    for name in sorted(controls):
        control = controls[name]
        if not control["ours"] or not name.startswith(prefix) or control["release"]:
            continue
        theme = name.split(".")[1]
        if theme not in themes:
            problem = f"no theme {theme} for control {name}{near(theme, themes)}"
            raise ContentError(document.where("themes"), problem, f"{theme}: {{title: ..., level: l1}}")
        sections[name[len(prefix) :]] = {
            "title": control["title"],
            "level": str(themes[theme].get("level", "l1")),
            "workstation": "",
            "assessment": "automated",
            "reason": "",
            "controls": [name],
            "parameters": {},
            "theme": themes[theme]["title"],
        }
    return sections


def resolve_includes(benchmarks, places):
    """Merge included benchmarks into those that name them (own sections win). ``places``: id -> Document."""

    def merged(name, trail):
        body = benchmarks[name]
        sections = {}
        for other in body["include"]:
            where = places[name].where("include")
            if other not in benchmarks:
                raise ContentError(
                    where, f"unknown benchmark {other}{near(other, benchmarks)}", "the id of a benchmark"
                )
            if other in trail:
                raise ContentError(where, f"{name} includes itself by way of {other}", "no circle")
            sections.update(merged(other, (*trail, other)))
        sections.update(body["sections"])
        return sections

    resolved = {name: merged(name, (name,)) for name in benchmarks}
    for name, sections in resolved.items():
        benchmarks[name]["sections"] = sections

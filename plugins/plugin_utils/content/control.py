"""One control: check the YAML entry and turn it into the plain form that judging reads."""

from __future__ import annotations

import json
import re

from .errors import ContentError
from .lines import known_keys, near, no_nulls
from .vocabulary import DEFAULT_SCORE, HOLDS, SCORES, SEVERITIES, STRICTER

KEYS = (
    "id",
    "title",
    "severity",
    "rationale",
    "require",
    "when",
    "parameters",
    "attack",
    "score",
    "fix",
    "release",
    "set",
    "hold",
)
REQUIRED = ("id", "title", "severity", "rationale", "require")
PARAMETER_KEYS = ("default", "stricter", "description")
ID = re.compile(r"[a-z][a-z0-9]*(\.[a-z0-9_]+)+")
KIND = re.compile(r"[a-z][a-z0-9_]*")
CASE_KEYS = ("when", "require", "set")
TECHNIQUE = re.compile(r"T\d{4}(\.\d{3})?")


def substitute(value, values):
    """Return ``value`` with every ``{parameter: name}`` replaced by ``values[name]``; KeyError if one is missing."""
    if isinstance(value, dict):
        if set(value) == {"parameter"} and isinstance(value["parameter"], str):
            return values[value["parameter"]]
        return {key: substitute(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [substitute(item, values) for item in value]
    return value


def parameter_names(value):
    """Return the names of all parameters that ``value`` refers to, in the order of appearance."""
    if isinstance(value, dict):
        if set(value) == {"parameter"} and isinstance(value["parameter"], str):
            return [value["parameter"]]
        value = list(value.values())
    if isinstance(value, list):
        return list(dict.fromkeys(name for item in value for name in parameter_names(item)))
    return []


def read_parameters(document, at, entry):
    """Check the ``parameters`` of one control and return them as name -> {default, stricter, description}."""
    found = {}
    for name, body in (entry.get("parameters") or {}).items():
        place = (*at, "parameters", name)
        known_keys(document, place, body, PARAMETER_KEYS)
        if "default" not in body:
            raise ContentError(document.where(*place), f"parameter {name} has no default", "default: <value>")
        stricter = body.get("stricter", "equal")
        if stricter not in STRICTER:
            problem = f"unknown direction {stricter}{near(stricter, STRICTER)}"
            raise ContentError(document.where(*place, "stricter"), problem, "one of " + ", ".join(STRICTER))
        found[name] = {"default": body["default"], "stricter": stricter, "description": body.get("description", "")}
    return found


def read_control(document, at, entry, vocabulary, parameters):
    """Check one entry and return the compiled control (plain data).

    ``parameters`` are all known ones (name -> definition): statements are checked with their defaults.
    Raises ContentError with file, line and what was expected.
    """
    known_keys(document, at, entry, KEYS, REQUIRED)
    no_nulls(document, at, entry)
    for key in ("id", "title", "rationale", "fix", "release"):
        if key in entry and not isinstance(entry[key], str):
            raise ContentError(document.where(*at, key), f"{key} is not text", f"{key}: some words")
    if not ID.fullmatch(entry["id"]):
        raise ContentError(
            document.where(*at, "id"), f"malformed id {entry['id']}", "platform.theme.name in small letters"
        )
    _one_of(document, at, entry, "severity", SEVERITIES)
    if "score" in entry:
        _one_of(document, at, entry, "score", SCORES)
    attack = entry.get("attack", [])
    if not isinstance(attack, list) or not all(isinstance(item, str) and TECHNIQUE.fullmatch(item) for item in attack):
        raise ContentError(document.where(*at, "attack"), "not a list of technique ids", "attack: [T1557]")
    defaults = {name: body["default"] for name, body in parameters.items()}
    needs = Needs()
    tree = _tree(document, (*at, "require"), entry["require"], vocabulary, defaults, needs)
    when = entry.get("when") or {}
    check_when(document, (*at, "when"), when, vocabulary, needs.tables)
    settings = _settings(document, (*at, "set"), entry.get("set", []), defaults)
    hold = _hold(document, (*at, "hold"), entry.get("hold", []))
    used = parameter_names([entry["require"], settings])
    for name in entry.get("parameters") or {}:
        if name not in used:
            problem = f"parameter {name} is not used by {entry['id']}, which declares it"
            raise ContentError(document.where(*at, "parameters", name), problem, "{parameter: " + name + "} in require")
    return {
        "id": entry["id"],
        "title": entry["title"],
        "severity": entry["severity"],
        "rationale": entry["rationale"],
        "require": tree,
        "when": when,
        "attack": attack,
        "score": entry.get("score", DEFAULT_SCORE),
        "fix": entry.get("fix", ""),
        "release": entry.get("release", ""),
        "parameters": used,
        "set": settings,
        "hold": hold,
        "tables": sorted(needs.tables),
        "paths": sorted(needs.paths),
        "configs": unique(needs.configs),
    }


class Needs:
    """What judging a control reads: names of tables, paths, and configuration files as plain maps."""

    def __init__(self):
        self.tables, self.paths, self.configs = set(), set(), []


def unique(items):
    """Return plain data without repetitions, in an order of its own."""
    return [json.loads(text) for text in sorted({json.dumps(item, sort_keys=True) for item in items})]


def _settings(document, at, items, defaults):
    """Check ``set``: a list of plain maps, each with the ``kind`` of setting that the hardening knows it by."""
    if not isinstance(items, list):
        raise ContentError(document.where(*at), "set takes a list of maps", "set: [{kind: login_defs, ...}]")
    for number, item in enumerate(items):
        where = document.where(*at, number)
        if not isinstance(item, dict) or not isinstance(item.get("kind"), str) or not KIND.fullmatch(item["kind"]):
            raise ContentError(where, f"this setting has no kind: {item!r}", "{kind: <kind of setting>, ...}")
        for name in parameter_names(item):
            if name not in defaults:
                problem = f"unknown parameter {name}{near(name, defaults)}"
                raise ContentError(where, problem, "a name under some control's parameters")
    return items


def _hold(document, at, names):
    if not isinstance(names, list):
        raise ContentError(document.where(*at), "hold takes a list of names", "hold: [faillock]")
    for number, name in enumerate(names):
        if name not in HOLDS:
            raise ContentError(
                document.where(*at, number), f"unknown hold {name}{near(name, HOLDS)}", "one of " + ", ".join(HOLDS)
            )
    return names


def _one_of(document, at, entry, key, known):
    value = entry[key]
    if value not in known:
        problem = f"unknown {key} {value}{near(value, known)}"
        raise ContentError(document.where(*at, key), problem, "one of " + ", ".join(known))


def _tree(document, at, body, vocabulary, defaults, needs):
    """Return ``[{resource, statement} | {any: [tree, ...]} | {cases: [{when, require: tree, set}]}]``.

    All parts must hold.
    """
    if not isinstance(body, dict) or not body:
        raise ContentError(document.where(*at), "require takes a map", "require: {<resource type>: <statement>}")
    parts = []
    for name, statement in body.items():
        place = (*at, name)
        if name == "any_of":
            if not isinstance(statement, list) or len(statement) < 2:
                raise ContentError(document.where(*place), "any_of takes two or more maps", "any_of: [{...}, {...}]")
            trees = [
                _tree(document, (*place, number), item, vocabulary, defaults, needs)
                for number, item in enumerate(statement)
            ]
            parts.append({"any": trees})
            continue
        if name == "cases":
            parts.append({"cases": _cases(document, place, statement, vocabulary, defaults, needs)})
            continue
        resource = vocabulary.resources.get(name)
        if resource is None:
            problem = f"unknown resource type {name}{near(name, vocabulary.resources)}"
            known = ", ".join(sorted(vocabulary.resources))
            raise ContentError(document.where(*place), problem, f"one of {known}, any_of, cases")
        parts.append({"resource": name, "statement": statement})
        _check_statement(document, place, resource, statement, defaults, needs)
    return parts


def _cases(document, at, cases, vocabulary, defaults, needs):
    """Check ``cases``: the first whose conditions hold is judged. Only the last may be without: it is for the rest."""
    if not isinstance(cases, list) or not cases:
        form = "cases: [{when: {family: debian}, require: {...}}, ...]"
        raise ContentError(document.where(*at), "cases takes a list of maps", form)
    found = []
    for number, case in enumerate(cases):
        place = (*at, number)
        known_keys(document, place, case, CASE_KEYS, ("require",))
        when = case.get("when") or {}
        if not when and number < len(cases) - 1:
            raise ContentError(document.where(*place), "a case without when hides those behind it", "when: {...}")
        check_when(document, (*place, "when"), when, vocabulary, needs.tables)
        tree = _tree(document, (*place, "require"), case["require"], vocabulary, defaults, needs)
        settings = _settings(document, (*place, "set"), case.get("set", []), defaults)
        found.append({"when": when, "require": tree, "set": settings})
    return found


def _check_statement(document, place, resource, statement, defaults, needs):
    where = document.where(*place)
    for name in parameter_names(statement):
        if name not in defaults:
            problem = f"unknown parameter {name}{near(name, defaults)}"
            raise ContentError(where, problem, "a name under some control's parameters")
    plain = substitute(statement, defaults)
    if getattr(resource, "entries", False) and isinstance(plain, dict) and plain:
        for key, value in plain.items():
            resource.check({key: value}, document.where(*place, key))
    else:
        resource.check(plain, where)
    needs.tables.update(resource.tables(plain))
    needs.paths.update(resource.paths(plain))
    needs.configs.extend(resource.configs(plain))


def check_when(document, at, when, vocabulary, tables):
    """Check the conditions of one control and add the tables they read to ``tables``."""
    if not isinstance(when, dict):
        raise ContentError(document.where(*at), "when takes a map", "when: {container: false}")
    for name, value in when.items():
        condition = vocabulary.conditions.get(name)
        if condition is None:
            problem = f"unknown condition {name}{near(name, vocabulary.conditions)}"
            known = ", ".join(sorted(vocabulary.conditions))
            raise ContentError(document.where(*at, name), problem, f"one of {known}")
        condition.check(value, document.where(*at, name))
        tables.update(condition.tables(value))

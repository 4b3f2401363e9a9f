"""Comparators: what a statement may expect of a value, and whether a value meets it."""

from __future__ import annotations

import re

from ..content.errors import ContentError
from ..content.lines import near

COMPARATORS = {
    "equals": "the value is this one (a bare value means the same)",
    "not_equals": "the value is any other, or there is none",
    "min": "the value is a number and at least this",
    "max": "the value is a number and at most this",
    "one_of": "the value is one of the list",
    "none_of": "no item of the value is in the list",
    "all_of": "each item of the list is in the value",
    "subset_of": "each item of the value is in the list, and there is one",
    "within": "each item of the value is in the list, or there is none",
    "count": "the value has this many items",
    "matches": "the regular expression is found in the text (anchor it with ^ and $)",
    "not_matches": "the regular expression is not found in the text, or there is no value",
    "mask": "the value is an octal mask that takes away at least these permission bits, for a umask",
    "absent": "true: there is no value; false: there is one",
    "empty": "true: an empty list, map or text, or no value; false: something is there",
}
"""Comparator -> its meaning, the one source of the documentation. Several in one map must all hold."""

_LISTS = ("one_of", "none_of", "all_of", "subset_of", "within")
_SWITCHES = ("absent", "empty")


def check(expected, where):
    """Raise ContentError when ``expected`` is neither a literal nor a well-formed map of comparators."""
    if not isinstance(expected, dict):
        return
    if not expected:
        raise ContentError(where, "an empty map expects nothing", "a value or one of " + ", ".join(COMPARATORS))
    for name, operand in expected.items():
        if name not in COMPARATORS:
            problem = f"unknown comparator {name}{near(name, COMPARATORS)}"
            raise ContentError(where, problem, "one of " + ", ".join(COMPARATORS))
        if name in ("min", "max", "count") and (isinstance(operand, bool) or not isinstance(operand, (int, float))):
            raise ContentError(where, f"{name} takes a number, found {operand!r}", f"{name}: 4")
        if name in _LISTS and not isinstance(operand, list):
            raise ContentError(where, f"{name} takes a list, found {operand!r}", f"{name}: [a, b]")
        if name in _SWITCHES and not isinstance(operand, bool):
            raise ContentError(where, f"{name} takes true or false, found {operand!r}", f"{name}: true")
        if name == "mask" and octal(operand) is None:
            raise ContentError(where, f"mask takes octal digits in quotes, found {operand!r}", 'mask: "027"')
        if name in ("matches", "not_matches"):
            _check_pattern(name, operand, where)


def _check_pattern(name, operand, where):
    try:
        re.compile(operand)
    except (re.error, TypeError) as error:
        raise ContentError(where, f"{name}: not a regular expression: {error}", f"{name}: ^text$") from None


def number(value):
    """Return ``value`` as int or float, None if it is neither a number nor the text of one. Booleans are none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, str):
        try:
            return int(value, 10)
        except ValueError:
            try:
                return float(value)
            except ValueError:
                return None
    return None


def octal(value):
    """Return a mode or mask given as text of octal digits as int, None for anything else."""
    return int(value, 8) if isinstance(value, str) and re.fullmatch(r"[0-7]{1,5}", value) else None


def _masks(value, operand):
    given = octal(value)
    return given is not None and octal(operand) & ~given == 0


def same(left, right):
    """True if two values are equal for people: ``0`` and ``"0"``, runs of white space as one blank."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if left == right:
        return True
    if left is None or right is None or isinstance(left, (list, dict)) or isinstance(right, (list, dict)):
        return False
    if isinstance(left, str) and isinstance(right, str):
        return left.split() == right.split()
    first, second = number(left), number(right)
    return first is not None and first == second


def _items(value):
    if value is None:
        return []
    if isinstance(value, dict):
        return list(value)
    return value if isinstance(value, list) else [value]


def _within(item, known):
    return any(same(item, other) for other in known)


def _text(value):
    return value if isinstance(value, str) else "" if value is None else str(value)


_TESTS = {
    "equals": same,
    "not_equals": lambda value, operand: not same(value, operand),
    "min": lambda value, operand: number(value) is not None and number(value) >= operand,
    "max": lambda value, operand: number(value) is not None and number(value) <= operand,
    "one_of": _within,
    "none_of": lambda value, operand: not any(_within(item, operand) for item in _items(value)),
    "all_of": lambda value, operand: all(_within(item, _items(value)) for item in operand),
    "subset_of": lambda value, operand: bool(_items(value)) and all(_within(item, operand) for item in _items(value)),
    "within": lambda value, operand: all(_within(item, operand) for item in _items(value)),
    "count": lambda value, operand: len(_items(value)) == operand,
    "matches": lambda value, operand: value is not None and re.search(operand, _text(value)) is not None,
    "not_matches": lambda value, operand: value is None or re.search(operand, _text(value)) is None,
    "mask": _masks,
    "absent": lambda value, operand: (value is None) is operand,
    "empty": lambda value, operand: (value in (None, "", [], {})) is operand,
}


def holds(expected, value):
    """True if ``value`` meets ``expected`` (a literal, or a map of comparators that must all hold)."""
    if not isinstance(expected, dict):
        return same(value, expected)
    return all(_TESTS[name](value, operand) for name, operand in expected.items())


_WORDS = {
    "equals": "{}",
    "not_equals": "not {}",
    "min": "at least {}",
    "max": "at most {}",
    "one_of": "one of {}",
    "none_of": "none of {}",
    "all_of": "all of {}",
    "subset_of": "only of {}",
    "within": "nothing beyond {}",
    "mask": "umask {} or stricter",
    "count": "{} of them",
    "matches": "text like {}",
    "not_matches": "text unlike {}",
}


def words(expected):
    """Return ``expected`` as a short JSON value for people: a literal as it is, comparators as a phrase."""
    if not isinstance(expected, dict):
        return expected
    parts = []
    for name, operand in expected.items():
        if name == "absent":
            parts.append("no value" if operand else "any value")
        elif name == "empty":
            parts.append("nothing" if operand else "something")
        elif name == "within" and not operand:
            parts.append("nothing")
        else:
            shown = ", ".join(str(item) for item in operand) if isinstance(operand, list) else str(operand)
            parts.append(_WORDS[name].format(shown))
    return " and ".join(parts)

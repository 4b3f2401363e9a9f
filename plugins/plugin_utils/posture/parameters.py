"""Values of parameters: the control's default, then the benchmark section's, then the inventory's."""

from __future__ import annotations

from dataclasses import dataclass

from ..content.errors import ContentError, Where
from ..content.lines import near
from .comparison import number, same

VARIABLE = "ringwall_parameters"


@dataclass(frozen=True)
class Tailoring:
    """One parameter that the inventory sets to another value than the benchmark's.

    ``weaker`` is true when the value is less strict than the benchmark's; such a one is listed like a disposition.
    """

    parameter: str
    control: str
    benchmark: str
    section: str
    value: object
    standard: object
    weaker: bool
    where: str = ""

    def plain(self):
        """Return it as JSON data."""
        return dict(vars(self))


def weaker(stricter, standard, value):
    """True if ``value`` is less strict than ``standard``; ``stricter`` is one of content.vocabulary.STRICTER.

    A value that cannot be compared in that direction (text where a number stands) counts as weaker.
    """
    if same(value, standard):
        return False
    if stricter in ("lower", "higher"):
        first, second = number(standard), number(value)
        if first is None or second is None:
            return True
        return second > first if stricter == "lower" else second < first
    if stricter in ("subset", "superset"):
        if not isinstance(standard, list) or not isinstance(value, list):
            return True
        known, given = {str(item) for item in standard}, {str(item) for item in value}
        return not given <= known if stricter == "subset" else not given >= known
    return True


def _kind(value):
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    return {str: "text", list: "a list", dict: "a map"}.get(type(value), "nothing")


def check_tailoring(content, tailored, origins=None):
    """Raise ContentError when ``ringwall_parameters`` names what no control has, or a value of another kind.

    ``origins``: name -> ``file:line`` where it was set, if known.
    """
    for name, value in tailored.items():
        where = Where((origins or {}).get(name, VARIABLE))
        definition = content.parameters.get(name)
        if definition is None:
            raise ContentError(
                where, f"unknown parameter {name}{near(name, content.parameters)}", "a control's parameter"
            )
        kind = _kind(definition["default"])
        if _kind(value) != kind and not (kind == "a number" and number(value) is not None):
            raise ContentError(
                where, f"parameter {name} is {_kind(value)}: {value!r}", f"{kind} like {definition['default']!r}"
            )


def effective(content, control, benchmark, section, tailored, origins=None):
    """Return ``(values, tailorings)`` for one control in one section.

    Raise ContentError when the inventory sets a parameter to a value of another kind.
    ``values``: parameter -> value in force. Tailoring of parameters this control does not use is left out.
    """
    values, changes = {}, []
    own = benchmark["sections"][section]["parameters"]
    for name in content.controls[control]["parameters"]:
        definition = content.parameters[name]
        standard = own.get(name, definition["default"])
        values[name] = standard
        if name not in tailored:
            continue
        check_tailoring(content, {name: tailored[name]}, origins)
        value = tailored[name]
        if isinstance(value, str) and number(value) is not None and not isinstance(standard, str):
            value = number(value)
        values[name] = value
        if not same(value, standard):
            less = weaker(definition["stricter"], standard, value)
            place = (origins or {}).get(name, VARIABLE)
            changes.append(Tailoring(name, control, benchmark["id"], section, value, standard, less, place))
    return values, changes

"""Which one value hardening sets for what a statement expects."""

from __future__ import annotations


def value_for(expected):
    """Return ``(True, value)``: the value that meets ``expected`` best, or ``(False, None)`` when none can be named.

    A literal is itself; of comparators: ``equals``, ``mask``, the bound of ``max`` or ``min`` (of a range the upper
    one: the lower one keeps out a 0 that means never), the first of ``one_of``. The value None says that there must
    be no such setting.
    """
    if not isinstance(expected, dict):
        return True, expected
    if expected.get("absent") is True:
        return True, None
    for name in ("equals", "mask", "max", "min"):
        if name in expected:
            return True, expected[name]
    if expected.get("one_of"):
        return True, expected["one_of"][0]
    if expected.get("all_of"):
        return True, " ".join(str(item) for item in expected["all_of"])
    return False, None

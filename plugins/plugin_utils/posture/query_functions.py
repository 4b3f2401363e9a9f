"""Functions that queries have beside those of JMESPath: ages of times, rows of one table beside those of another."""

from __future__ import annotations

import datetime
import math
from functools import lru_cache

from ..third_party import load

SUMMARIES = {
    "days_since": "`days_since(time)`: days from that time until the table was read, one that has begun counts; null "
    "for null",
    "days_until": "`days_until(time)`: whole days from the reading of the table until that time; null for null",
    "join": "`join(left, right, 'name')`: the rows of `left`, each with the row of `right` of the same key as `name`, "
    "null without one",
    "begins": "`begins(text, prefixes)`: true if the text begins with one of a list; false for null",
}
"""Function -> what it does, the one source of the documentation."""


def days_between(first, second):
    """Return the days (float) from one RFC 3339 time to another; raise ValueError for a malformed one."""
    start, end = (datetime.datetime.fromisoformat(moment) for moment in (first, second))
    return (end - start).total_seconds() / 86400


def join(left, right, name):
    """Return copies of the rows of ``left``, each with the row of ``right`` that has its ``key`` as ``name``."""
    known = {row["key"]: row for row in right}
    return [{**row, name: known.get(row["key"])} for row in left]


@lru_cache(maxsize=1)
def _class():
    functions = load("jmespath.functions")
    time, rows, text = {"types": ["string", "null"]}, {"types": ["array"]}, {"types": ["string"]}

    class Functions(functions.Functions):
        """The functions of JMESPath and ours. ``now``: RFC 3339 time at which the table was read.

        Ages are whole days: a fraction would make the finding of each run another one.
        """

        def __init__(self, now):
            super().__init__()
            self.now = now

        @functions.signature(time)
        def _func_days_since(self, moment):
            return None if moment is None else math.ceil(days_between(moment, self.now))

        @functions.signature(time)
        def _func_days_until(self, moment):
            return None if moment is None else math.floor(days_between(self.now, moment))

        @functions.signature({"types": ["string", "null"]}, rows)
        def _func_begins(self, value, prefixes):
            return value is not None and value.startswith(tuple(prefixes))

        @functions.signature(rows, rows, text)
        def _func_join(self, left, right, name):
            return join(left, right, name)

    return Functions


@lru_cache(maxsize=64)
def options(now):
    """Return the jmespath.Options of queries over tables that were read at ``now`` (RFC 3339)."""
    return load("jmespath").Options(custom_functions=_class()(now))


def known_functions():
    """Return the names of all functions that an expression may call."""
    return frozenset(_class().FUNCTION_TABLE)


def signature_of(name):
    """Return ``(least, most)`` arguments of the function ``name``; ``most`` is infinite for a variadic one."""
    signature = _class().FUNCTION_TABLE[name]["signature"]
    variadic = bool(signature) and bool(signature[-1].get("variadic"))
    return len(signature), float("inf") if variadic else len(signature)

"""Ansible's tagged and lazy containers as plain Python data: a walk over those is 200 times slower."""

from __future__ import annotations

import json


def plain(value):
    """Return a copy of JSON-able ``value`` made of exact dict, list, str, int, float, bool and None.

    Anything else becomes its text. Done once at every door between Ansible and the engine.
    """
    return json.loads(json.dumps(value, default=str))

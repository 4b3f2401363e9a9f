"""How kinds write operations: small builders, so that each kind says only what it is about.

The operations themselves are the closed vocabulary of ``module_utils/changes``; the engine on the target checks each
again. Three more exist only in plans: ``package`` (carried out by Ansible's own modules), ``left`` (nothing can be done
by a machine; the reason goes into the plan) and ``reboot`` (what counts from the next boot on alone).
"""

from __future__ import annotations

import json
import re

CREATED = {"mode": "0644", "owner": "root", "group": "root"}
"""Attributes of files of our own, unless a kind says otherwise."""

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@:-]{0,127}")
"""What a name out of a snapshot (interface, unit, file name) must be before an operation may bear it."""


def operation(op, controls, *, guarded=False, follow=(), **fields):
    """Return ``{"op": op, **fields, "controls", "guarded", "follow"}``; fields that are None are left out.

    ``controls``: ids whose sake it is for. ``guarded``: it could cut us off. ``follow``: follow-ups, run once, last.
    """
    plain = {name: value for name, value in fields.items() if value is not None}
    return {"op": op, **plain, "controls": sorted(set(controls)), "guarded": guarded, "follow": list(follow)}


def left(controls, reason, unless=None, about=None):
    """What no machine can set here: it stands in the plan with its reason and is never sent to a host.

    ``unless``: an operation that is planned in its place if another one makes the file of its path. ``about``: the path
    that is missing: another operation may have it made later.
    """
    return {"op": "left", "reason": reason, "controls": sorted(set(controls)), "unless": unless, "about": about}


def reboot(controls, reason):
    """What counts from the next boot on alone: it stands in the plan with its reason and is never sent to a host."""
    return {"op": "reboot", "reason": reason, "controls": sorted(set(controls))}


def controls_of(items):
    """All control ids of several ``{"setting", "controls"}``, sorted."""
    return sorted({name for item in items for name in item["controls"]})


def edit(path, edits, controls, *, create=None, validate=None, guarded=False, follow=()):
    """An ``edit`` operation. Without ``create`` a file that is not there is an error of the operation."""
    return operation(
        "edit", controls, path=path, edits=edits, create=create, validate=validate, guarded=guarded, follow=follow
    )


def change(controls, **fields):
    """One edit of an ``edit`` operation, with the controls that want it: it can be undone for them alone."""
    return {**fields, "controls": sorted(set(controls))}


def merged(changes):
    """Equal edits as one, wanted by all controls that want one of them; in the order of their first appearance."""
    found = {}
    for item in changes:
        key = json.dumps({name: value for name, value in item.items() if name != "controls"}, sort_keys=True)
        if key in found:
            found[key]["controls"] = sorted({*found[key]["controls"], *item["controls"]})
        else:
            found[key] = dict(item)
    return list(found.values())


def safe_name(text):
    """True if a text out of a snapshot is a plain name."""
    return isinstance(text, str) and bool(SAFE_NAME.fullmatch(text))

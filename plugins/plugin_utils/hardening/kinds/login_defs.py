"""Settings of login.defs(5): ``{kind: login_defs, name, value}``. They serve accounts and sessions made from now on."""

from __future__ import annotations

import re

from ..operations import CREATED, change, controls_of, edit, left, merged

KIND = "login_defs"
PATH = "/etc/login.defs"
NAME = re.compile(r"[A-Z][A-Z0-9_]*")
VALUE = re.compile(r"[^\n\r\0#\"]{0,200}")


def operations(settings, facts):
    """Return one ``edit`` of the file; left where the system keeps it elsewhere and ours would hide it."""
    if not settings:
        return []
    vendor = [row for row in facts.rows("login_defs").values() if not str(row.get("where", "")).startswith(PATH + ":")]
    if vendor:
        return [left(controls_of(settings), f"this system's login.defs is not {PATH}, which would hide it as a whole")]
    found, edits, used = [], [], []
    for item in settings:
        name, value = item["setting"]["name"], text(item["setting"]["value"])
        if not NAME.fullmatch(name) or not VALUE.fullmatch(value):
            found.append(left(item["controls"], f"{name} cannot be written into {PATH}"))
            continue
        edits.append(change(item["controls"], set=name, value=value, separator=" "))
        used.append(item)
    if edits:
        found.append(edit(PATH, merged(edits), controls_of(used), create=CREATED))
    return found


def text(value):
    """Return a value as login.defs writes it."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)

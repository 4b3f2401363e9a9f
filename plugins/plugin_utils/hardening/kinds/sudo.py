"""sudo: ``{kind: sudo, defaults: {name: value}}`` and ``{kind: sudo, nopasswd: false, except: [users]}``.

Settings go into a drop-in whose name is read last; what holds for some users, hosts or commands only still wins over it
and is left to people. Rules lose NOPASSWD where they stand.
"""

from __future__ import annotations

import re

from ..operations import change, controls_of, edit, left

KIND = "sudo"
DROP_IN = "/etc/sudoers.d/zz-ringwall"
CREATED = {"mode": "0440", "owner": "root", "group": "root"}
FILE = re.compile(r"/etc/sudoers(\.d/[A-Za-z0-9][A-Za-z0-9_-]*)?")
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
VALUE = re.compile(r"[A-Za-z0-9_/.:-]{1,200}")
USER = re.compile(r"[%+#]?[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


def operations(settings, facts):
    """Return edits of the drop-in, and of files with rules; all are checked by visudo before they count."""
    wanted, found = {}, []
    for item in settings:
        if item["setting"].get("nopasswd") is False:
            found += _rules(item, facts)
        for name, value in (item["setting"].get("defaults") or {}).items():
            wanted.setdefault(name, []).append((value, item["controls"]))
    edits, controls = [], []
    for name, values in sorted(wanted.items()):
        value, ids = values[0][0], sorted({one for _value, some in values for one in some})
        line = text(name, value)
        if line is None:
            found.append(left(ids, f"sudo: {name} cannot be set to that value"))
            continue
        narrower = _narrower(name, facts)
        if narrower:
            found.append(left(ids, f"{name} is also set for some users, hosts or commands only ({narrower})"))
        edits.append(change(ids, line=line, replaces=rf"^Defaults\s+!?{name}\b.*$"))
        controls += ids
    if edits:
        if facts.known("sudoers") and not _reads_drop_ins(facts):
            return [*found, left(controls, "sudoers reads no directory /etc/sudoers.d")]
        found.append(edit(DROP_IN, edits, controls, create=CREATED, validate="visudo", guarded=True))
    return found


def text(name, value):
    """Return the line of a setting, None when it cannot be written."""
    if not NAME.fullmatch(name):
        return None
    if isinstance(value, bool):
        return f"Defaults {'' if value else '!'}{name}"
    if value is None or not VALUE.fullmatch(str(value)):
        return None
    quoted = f'"{value}"' if "/" in str(value) or ":" in str(value) else value
    return f"Defaults {name}={quoted}"


def _reads_drop_ins(facts):
    rows = facts.rows("sudoers").values()
    return any(row.get("kind") == "include" and row.get("value") == "/etc/sudoers.d" for row in rows)


def _narrower(name, facts):
    for row in facts.rows("sudoers").values():
        if row.get("kind") == "setting" and row.get("setting") == name and row.get("scope") not in (None, "global"):
            return ", ".join(str(place)[:80] for place in (row.get("where") or [])[:3])
    return ""


def _rules(item, facts):
    """Take NOPASSWD from the rules of everybody but root and those named."""
    files, found, spared = {}, [], set(item["setting"].get("except") or ()) | {"root"}
    for row in facts.rows("sudoers").values():
        if row.get("kind") != "rule" or not row.get("nopasswd") or not set(row.get("all_users") or ()) - spared:
            continue
        users = row.get("users") or []
        for place in row.get("where") or []:
            path = str(place).rsplit(":", 1)[0]
            if not FILE.fullmatch(path) or not users or not all(USER.fullmatch(str(user)) for user in users):
                found.append(left(item["controls"], f"{str(place)[:120]}: this rule without a password is for people"))
                continue
            head = r"\s*,\s*".join(re.escape(str(user)) for user in users)
            files.setdefault(path, {})[rf"^(\s*{head}\s.*?)\bNOPASSWD\s*:\s*"] = None
    for path, patterns in sorted(files.items()):
        edits = [change(item["controls"], sub=pattern, **{"with": r"\1"}) for pattern in sorted(patterns)]
        found.append(edit(path, edits, controls_of([item]), validate="visudo", guarded=True))
    return found

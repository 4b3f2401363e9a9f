"""Limits of sessions, limits.conf(5): ``{kind: limit, domain, type, item, value}``."""

from __future__ import annotations

import re

from ..operations import CREATED, change, controls_of, edit, left, merged

KIND = "limit"
DROP_IN = "/etc/security/limits.d/60-ringwall.conf"
OTHERS = re.compile(r"/etc/security/limits\.d/[A-Za-z0-9][A-Za-z0-9_.-]*\.conf")
WORD = re.compile(r"[A-Za-z0-9_@%*:.-]{1,64}")


def operations(settings, facts):
    """Return one ``edit`` of our file, and one of each file that is read later and sets another value."""
    files, found = {}, []
    for item in settings:
        setting = item["setting"]
        words = [str(setting[name]) for name in ("domain", "type", "item", "value")]
        if not all(WORD.fullmatch(word) for word in words):
            found.append(left(item["controls"], f"{' '.join(words)} is no line of limits.conf"))
            continue
        replaces = r"^\s*" + r"\s+".join(re.escape(word) for word in words[:3]) + r"\s+\S+\s*(#.*)?$"
        for path in [DROP_IN, *_later(words, facts)]:
            line = change(item["controls"], line=" ".join(words), replaces=replaces)
            files.setdefault(path, []).append((line, item))
    for path, entries in sorted(files.items()):
        edits = merged(line for line, _item in entries)
        create = CREATED if path == DROP_IN else None
        found.append(edit(path, edits, controls_of(item for _line, item in entries), create=create))
    return found


def _later(words, facts):
    row = facts.row("pam_settings", "limits:" + " ".join(words[:3])) or {}
    path = str(row.get("where", "")).rsplit(":", 1)[0]
    later = OTHERS.fullmatch(path) and path > DROP_IN and str(row.get("value")) != words[3]
    return [path] if later else []

"""What is set of home directories and dot files. Paths come from the host: only plain ones below usual places count."""

from __future__ import annotations

import re
from collections import Counter

from ..operations import left, operation

HOME = re.compile(r"/(home|export/home|srv/home|var/home)(/[A-Za-z0-9_][A-Za-z0-9_.@-]*){1,3}")
"""Never /home itself, nor anything of root's: an account may have such a home and must not be given it."""

ROOT = re.compile(r"/root(/[A-Za-z0-9_][A-Za-z0-9_.@-]*){0,3}|" + HOME.pattern)
DOT = re.compile(r"\.[A-Za-z0-9_][A-Za-z0-9_. -]{0,100}")


def home(item, facts):
    """Return ``attributes`` operations for homes and dot files that are not as the setting says."""
    setting, found = item["setting"], []
    who = setting.get("who", "people")
    homes = facts.rows("homes")
    shared = Counter(str(row.get("home")).rstrip("/") for row in homes.values())
    for name, row in sorted(homes.items()):
        root = row.get("uid") == 0
        if row.get("kind") != "local" or row.get("exists") is not True:
            continue
        if (who == "people" and root) or (who == "root" and not root):
            continue
        wanted = [*_directory(row, setting), *_dots(row, setting)]
        path = str(row.get("home")).rstrip("/")
        if wanted and shared[path] > 1 and any(fields.keys() & {"owner", "group"} for _below, fields in wanted):
            found.append(
                left(item["controls"], f"several accounts live in {path[:200]}: whose it is, a person decides")
            )
            continue
        if wanted and not (ROOT if root else HOME).fullmatch(path):
            found.append(left(item["controls"], f"the home of {name[:64]} lies at no usual place: a person decides"))
            continue
        for below, fields in wanted:
            found.append(operation("attributes", item["controls"], path=path + below, guarded=True, **fields))
    if any("umask" in key for key in setting):
        found += _umasks(item, facts)
    return found


def _clear(mode, allowed):
    """Return the bits to take away as octal text, None if there are none beyond ``allowed``."""
    try:
        beyond = int(mode, 8) & ~int(allowed, 8)
    except (TypeError, ValueError):
        return None
    return f"{0o7777 & ~int(allowed, 8):04o}" if beyond else None


def _owners(uid, gid, row, owner, group):
    fields = {}
    gids = row.get("gids") or [None]
    if owner and uid != row.get("uid"):
        fields["owner"] = str(row["uid"])
    if group and gid != gids[0] and gids[0] is not None:
        fields["group"] = str(gids[0])
    return fields


def _directory(row, setting):
    fields = _owners(row.get("owner"), row.get("group"), row, setting.get("owner"), setting.get("group"))
    clear = _clear(row.get("mode"), setting["mode"]) if "mode" in setting else None
    if clear:
        fields["clear_mode"] = clear
    return [("", fields)] if fields else []


def _dots(row, setting):
    entries = row.get("dot_files")
    found = []
    for entry in entries if isinstance(entries, list) else []:
        name, pattern = str(entry.get("name")), setting.get("dot_names")
        if entry.get("type") != "file" or not DOT.fullmatch(name) or (pattern and not re.search(pattern, name)):
            continue
        fields = _owners(entry.get("uid"), entry.get("gid"), row, setting.get("dot_owner"), setting.get("dot_group"))
        clear = _clear(entry.get("mode"), setting["dot_mode"]) if "dot_mode" in setting else None
        if clear:
            fields["clear_mode"] = clear
        if fields:
            found.append(("/" + name, fields))
    return found


def _umasks(item, facts):
    concerned = sorted(
        name
        for name, row in facts.rows("homes").items()
        if row.get("uid") != 0 and isinstance(row.get("umasks"), list) and row["umasks"]
    )
    if not concerned:
        return []
    return [left(item["controls"], f"start-up files of {', '.join(concerned)[:200]} are theirs: ask them")]

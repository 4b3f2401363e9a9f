"""Mode and ownership of files: ``{kind: file, path, mode, owner, group, state}``.

``path`` may be a pattern, which the engine expands on the host. ``mode`` holds the bits that may be set: only bits
beyond it are cleared, so that what is stricter stays so. Of several owners that may be, the one that is stays.
"""

from __future__ import annotations

import re

from ..operations import left, operation

KIND = "file"
MODE = re.compile(r"0?[0-7]{3,4}")
ENTRY = {"/etc/sudoers", "/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow"}
"""Without these nobody gets in; sshd's files and keys as well."""


def operations(settings, facts):
    """Return one ``attributes`` (or ``remove``) operation a path; equal paths are merged, the strictest mode wins."""
    merged, found = {}, []
    for item in settings:
        merged.setdefault(item["setting"]["path"], []).append(item)
    for path, items in sorted(merged.items()):
        controls = sorted({control for item in items for control in item["controls"]})
        states = {item["setting"].get("state", "present") for item in items}
        if not path.startswith("/") or "/../" in path:
            found.append(left(controls, f"{path} is no absolute path"))
        elif "absent" in states:
            same = states == {"absent"}
            reason = f"one control wants {path} gone, another one wants it there"
            found.append(operation("remove", controls, path=path) if same else left(controls, reason))
        elif facts.value("file_attributes", path, "exists") is False:
            if "present" in states:
                reason = f"{path} is not there; what should stand in it is not ours to say"
                made = _attributes(path, items, controls, facts)
                found.append(left(controls, reason, made[0] if made else None, path))
        else:
            found += _attributes(path, items, controls, facts)
    return found


def _attributes(path, items, controls, facts):
    settings = [item["setting"] for item in items]
    modes = [int(setting["mode"], 8) for setting in settings if MODE.fullmatch(str(setting.get("mode", "")))]
    allowed = 0o7777
    for mode in modes:
        allowed &= mode
    fields = {"clear_mode": f"{0o7777 & ~allowed:04o}" if modes else None}
    for key in ("owner", "group"):
        choices = [setting[key] for setting in settings if setting.get(key) is not None]
        if choices:
            lists = [choice if isinstance(choice, list) else [choice] for choice in choices]
            common = [str(name) for name in lists[0] if all(name in other for other in lists)]
            if not common:
                return [left(controls, f"controls want different {key}s of {path}")]
            fields[key] = _chosen(path, key, common, facts)
    if not any(value is not None for value in fields.values()):
        return []
    guarded = path in ENTRY or path.startswith(("/etc/ssh/", "/etc/sudoers.d", "/etc/pam.d"))
    maybe = all(setting.get("state") == "if_present" for setting in settings) or None
    return [operation("attributes", controls, path=path, guarded=guarded, missing_ok=maybe, **fields)]


def _chosen(path, key, names, facts):
    """The first name, or None (leave it) when it is already one of several that may be."""
    pattern = any(character in path for character in "*?[")
    there = facts.value("file_attributes", path, "matches", []) if pattern else [path]
    number = {"owner": "uid", "group": "gid"}[key]
    for one in there:
        ident, name = facts.value("file_attributes", one, number), facts.value("file_attributes", one, key)
        if name not in names and str(ident) not in names and not (ident == 0 and "root" in names):
            return names[0]
    return None

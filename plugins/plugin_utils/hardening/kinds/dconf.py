"""Settings and locks of GNOME: ``{kind: dconf, profile, path, value, lock}``; then the databases are made anew."""

from __future__ import annotations

import re

from ..operations import CREATED, change, controls_of, edit, left, merged

KIND = "dconf"
TABLE = "dconf"
ROOT = "/etc/dconf/db"
OWN = "60-ringwall"
PATH = re.compile(r"(/[a-z0-9-]+)+")
DATABASE = re.compile(r"[a-z][a-z0-9-]{0,31}")
KEYFILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
UNSIGNED = ("idle-delay", "lock-delay")
"""Keys of the type uint32; others of numbers are int32 (schemas of gsettings-desktop-schemas)."""
PROFILES = {
    "user": ("local", ("user-db:user", "system-db:local")),
    "gdm": ("gdm", ("user-db:user", "system-db:gdm", "file-db:/usr/share/gdm/greeter-dconf-defaults")),
}
"""Profile -> (its database, its lines where the system brings none): GNOME's guide for administrators."""
FOLLOW = ("dconf-update",)


def operations(settings, facts):
    """Return the edits of keyfile, locks and profile for each database that is concerned."""
    keys, locks, profiles, found = {}, {}, {}, []
    for item in settings:
        setting = item["setting"]
        path, profile = setting.get("path"), setting.get("profile")
        if path is None:
            continue
        if not PATH.fullmatch(path) or profile not in PROFILES:
            found.append(left(item["controls"], f"{path} is no path of dconf"))
            continue
        database, known = database_of(profile, facts)
        if not known:
            profiles.setdefault(profile, []).append(item)
        if setting.get("value") is not None:
            section, _slash, key = path[1:].rpartition("/")
            fields = {"set": key, "value": variant(key, setting["value"]), "separator": "=", "section": section}
            for name in [OWN, *_later(database, path, setting["value"], facts)]:
                keys.setdefault(f"{ROOT}/{database}.d/{name}", []).append((fields, item))
        if setting.get("lock"):
            locks.setdefault(f"{ROOT}/{database}.d/locks/{OWN}", []).append(({"line": path}, item))
    for profile, items in sorted(profiles.items()):
        lines = [({"line": line}, item) for line in PROFILES[profile][1] for item in items]
        locks[f"/etc/dconf/profile/{profile}"] = lines
    for path, entries in [*sorted(keys.items()), *sorted(locks.items())]:
        changes = merged(change(item["controls"], **fields) for fields, item in entries)
        found.append(edit(path, changes, controls_of(i for _f, i in entries), create=CREATED, follow=FOLLOW))
    stale = [item for item in settings if item["setting"].get("path") is None]
    if stale and not (keys or locks):
        found.append(left(controls_of(stale), "nothing is to be changed in them: run dconf update"))
    return found


def database_of(profile, facts):
    """Return ``(database, known)``: one that the profile names already, else the usual one and False."""
    usual = PROFILES[profile][0]
    named = sorted(
        str(row.get("database"))
        for row in facts.rows(TABLE).values()
        if row.get("kind") == "database" and profile in (row.get("profiles") or [])
    )
    for name in (usual, "local", *named):
        if name in named and DATABASE.fullmatch(name):
            return name, True
    return usual, False


def variant(key, value):
    """Return a value as a keyfile writes it (GVariant text)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"uint32 {value}" if key in UNSIGNED else str(value)
    if value in ("true", "false") or value.startswith("["):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").rstrip("\n").replace("\n", "\\n")
    return f"'{escaped}'"


def _later(database, path, value, facts):
    """Names of keyfiles of the database that sort behind ours and set another value."""
    row = facts.row(TABLE, f"{database} {path}") or {}
    folder, _slash, name = str(row.get("where", "")).rsplit(":", 1)[0].rpartition("/")
    shown = {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)
    later = folder == f"{ROOT}/{database}.d" and KEYFILE.fullmatch(name) and name > OWN and row.get("value") != shown
    return [name] if later else []

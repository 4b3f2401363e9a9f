"""Mode and ownership of logs: ``{kind: log_files, entries: [{names?, mode?, owner?, group?}]}``.

Bits beyond the mode are cleared everywhere. Owner and group are set where root or the log service owns a file: what
another service writes it must be able to write tomorrow, so that those are left to people.
"""

from __future__ import annotations

import fnmatch
import re

from ..operations import controls_of, left, operation

KIND = "log_files"
TABLE = "log_files"
PATH = re.compile(r"/var/log(/[A-Za-z0-9_@+~-][A-Za-z0-9_.@+~:-]*){1,12}")
KEEPERS = ("root", "syslog")
PACKAGING = {
    "debian": ("/var/log/alternatives.log", "/var/log/apt/history.log", "/var/log/apt/term.log", "/var/log/dpkg.log"),
}
"""Logs that the first package makes; hardening may be what installs it."""


def operations(settings, facts):
    """Return one ``attributes`` a file that is not as it should be."""
    controls, found, foreign = controls_of(settings), [], []
    entries = [entry for item in settings for entry in item["setting"]["entries"]]
    for path, row in sorted(facts.rows(TABLE).items()):
        entry = _entry(path, entries)
        if row.get("type") != "file" or entry is None or not isinstance(row.get("mode"), int):
            continue
        if not PATH.fullmatch(path):
            continue
        fields = {}
        if entry.get("mode") and row["mode"] & ~int(entry["mode"], 8):
            fields["clear_mode"] = f"{0o7777 & ~int(entry['mode'], 8):04o}"
        for key, number in (("owner", "uid"), ("group", "gid")):
            name = "root" if row.get(number) == 0 else row.get(key)
            if key in entry and name not in entry[key]:
                fields[key] = entry[key][0]
        if row.get("uid") != 0 and row.get("owner") not in KEEPERS and {"owner", "group"} & set(fields):
            foreign.append(path)
            fields = {key: value for key, value in fields.items() if key == "clear_mode"}
        if fields:
            found.append(operation("attributes", controls, path=path, **fields))
    for path in PACKAGING.get(facts.family, ()):
        entry = _entry(path, entries)
        if entry is not None and entry.get("mode") and path not in facts.rows(TABLE):
            clear = f"{0o7777 & ~int(entry['mode'], 8):04o}"
            found.append(operation("attributes", controls, path=path, clear_mode=clear, missing_ok=True))
    if foreign:
        shown = ", ".join(foreign[:5])
        found.append(left(controls, f"{len(foreign)} logs belong to accounts of services, which write them: {shown}"))
    return found


def _entry(path, entries):
    name = path.rpartition("/")[2]
    for entry in entries:
        patterns = entry.get("names")
        if patterns is None or any(fnmatch.fnmatchcase(path if one[:1] == "/" else name, one) for one in patterns):
            return entry
    return None

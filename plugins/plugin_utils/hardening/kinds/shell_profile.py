"""umask and TMOUT of shells: ``{kind: shell_profile, name, value, scope, required, readonly}``.

Log-in shells get a file of ours in profile.d. What other start-up files say otherwise is edited where it stands: a
umask gets the new value; a TMOUT becomes a line that does nothing, for a second assignment to a readonly variable
ends a POSIX shell (POSIX 2.8.1).
"""

from __future__ import annotations

import re

from ..operations import change, controls_of, edit, left, merged, operation

KIND = "shell_profile"
TABLE = "shell_profiles"
FOLDER = "/etc/profile.d/"
NAMES = {"umask": "60-ringwall-umask.sh", "TMOUT": "60-ringwall-tmout.sh"}
EDITABLE = re.compile(
    r"/etc/(profile|bash\.bashrc|bashrc|csh\.cshrc|csh\.login|profile\.d/[A-Za-z0-9][A-Za-z0-9_.-]*\.c?sh)"
    r"|/root/\.(bash_profile|bash_login|profile|bashrc)"
)
APPENDED = {"bash": ("/etc/bash.bashrc", "/etc/bashrc"), "csh": ("/etc/csh.cshrc",)}
OCTAL = re.compile(r"0?[0-7]{3}")
SECONDS = re.compile(r"[1-9][0-9]{0,5}")
TMOUT_LINE = (
    r"^(\s*)((export|readonly|declare\s+-\w+|typeset\s+-\w+)\s+)?TMOUT(=[\"']?\d+[\"']?)?"
    r"(\s*;\s*((export|readonly)\s+)?TMOUT(=\d+)?)*\s*(#.*)?$"
)
HERE = ": # TMOUT is set in " + FOLDER + NAMES["TMOUT"]


def operations(settings, facts):
    """Return the files of ours and the edits of others."""
    found, edits = [], {}
    for item in settings:
        setting = item["setting"]
        name, value, scope = setting["name"], str(setting["value"]), setting["scope"]
        pattern = OCTAL if name == "umask" else SECONDS
        if name not in NAMES or not pattern.fullmatch(value) or scope == "zsh":
            found.append(left(item["controls"], f"{name} {value} is not set for {scope} by us"))
            continue
        for path, fields in _corrections(name, value, scope, facts):
            edits.setdefault(path, []).append((fields, item))
        if scope == "login":
            found.append(operation("write", item["controls"], path=FOLDER + NAMES[name], text=script(name, value),
                                   mode="0644", owner="root", group="root"))  # fmt: skip
        elif setting.get("required", True):
            path = _file(scope, facts)
            if path is None:
                found.append(left(item["controls"], f"no start-up file of {scope} is there"))
            else:
                edits.setdefault(path, []).append(({"line": f"{name} {value}"}, item))
    for path, entries in sorted(edits.items()):
        changes = merged(change(item["controls"], **fields) for fields, item in entries)
        found.append(edit(path, changes, controls_of(item for _fields, item in entries)))
    return found


def script(name, value):
    """Return the text of our file in profile.d."""
    if name == "umask":
        return f"# Permission bits that new files never get.\numask {value}\n"
    return f"# Seconds after which an idle shell ends.\nTMOUT={value}\nreadonly TMOUT\nexport TMOUT\n"


def _file(scope, facts):
    there = {row.get("path") for row in facts.rows(TABLE).values()}
    return next((path for path in APPENDED.get(scope, ()) if path in there), None)


def weaker(name, found, value):
    """True if a value that was found is not as strict as ``value``."""
    if name == "umask":
        return not re.fullmatch(r"[0-7]{1,4}", found) or bool(int(value, 8) & ~int(found, 8))
    return not found.isdigit() or not 0 < int(found) <= int(value)


def _corrections(name, value, scope, facts):
    """Yield ``(path, edit)`` of what files of others say."""
    ours = FOLDER + NAMES[name]
    for row in facts.rows(TABLE).values():
        path = str(row.get("path"))
        if row.get("scope") != scope or row.get("setting") != name or path == ours or not EDITABLE.fullmatch(path):
            continue
        if name == "TMOUT":
            yield path, {"sub": TMOUT_LINE, "with": r"\g<1>" + HERE, "missing_ok": True}
        elif weaker(name, str(row.get("value")), value):
            # What the host wrote is octal digits and nothing else: it may stand in an expression.
            old = re.fullmatch(r"[0-7]{1,4}", str(row.get("written")))
            if old:
                yield (
                    path,
                    {"sub": rf"(^|[\s;&|])umask(\s+){old.group(0)}(?![0-9])", "with": rf"\g<1>umask\g<2>{value}"},
                )

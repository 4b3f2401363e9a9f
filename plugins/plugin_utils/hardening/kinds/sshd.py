"""Settings of SSH servers: ``{kind: sshd, name, value, rule}``.

Of a keyword the first value counts (sshd_config(5)). Where the main file includes its directory of drop-ins before it
says anything itself, a drop-in of ours that sorts first decides; else the main file is edited above its first Match
line. Files that are read even earlier, and lines inside Match blocks that say otherwise, are edited in their place.
Algorithms are only those that the installed server knows: one it does not know would keep it from starting.
"""

from __future__ import annotations

import re

from ..operations import change, edit, left, merged

KIND = "sshd"
DROP_IN = "/etc/ssh/sshd_config.d/00-ringwall.conf"
PATTERNS = ("/etc/ssh/sshd_config.d/*.conf", "sshd_config.d/*.conf", "/etc/ssh/sshd_config.d/*")
PRIVATE = {"mode": "0600", "owner": "root", "group": "root"}
PATH = re.compile(r"/etc/ssh/[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)?")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}")
VALUE = re.compile(r"[A-Za-z0-9_.@:,/% =+-]{1,2000}")
MATCH = r"(?i)^\s*match(\s|=)"
LISTS = ("ciphers", "macs", "kexalgorithms", "hostkeyalgorithms", "pubkeyacceptedalgorithms")
WORDS = ("allowusers", "allowgroups", "denyusers", "denygroups")
LAST_WINS = ("maxstartups",)
"""Keywords of which servers before OpenSSH 10 take the last value: every line must have the right one."""

UNITS = ("ssh.service", "sshd.service")

SINCE_6_2 = frozenset((
    "aes128-ctr", "aes192-ctr", "aes256-ctr", "aes128-gcm@openssh.com", "aes256-gcm@openssh.com",
    "hmac-sha2-256", "hmac-sha2-512", "hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com",
    "ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521", "diffie-hellman-group-exchange-sha256",
))  # fmt: skip
"""Algorithms that every OpenSSH since 6.2 (2013) knows."""


def operations(settings, facts):
    """Return the edits of every server's files, and what is left to people with the reason."""
    servers = {
        row["config"]: row
        for row in facts.rows("sshd").values()
        if isinstance(row.get("config"), str) and not row.get("uid") and (row.get("running") or row.get("enabled"))
    }
    if not servers:
        default = facts.row("sshd", "/etc/ssh/sshd_config")
        servers = {"/etc/ssh/sshd_config": default} if default else {}
    files, found = {}, []
    for item in settings:
        for main, row in sorted(servers.items()):
            problem = _one(item, main, row, files)
            if problem:
                found.append(left(item["controls"], problem))
        if not servers:
            found.append(left(item["controls"], "no SSH server was found"))
    follow = _follow(servers, facts)
    for path in sorted(files, key=lambda name: (name != DROP_IN, name)):
        changes, controls = files[path]
        found.append(
            edit(
                path,
                merged(changes),
                controls,
                create=PRIVATE if path == DROP_IN else None,
                validate="sshd",
                guarded=True,
                follow=follow,
            )
        )
    return found


def _one(item, main, row, files):
    """Note the edits for one setting of one server; return why there are none."""
    setting = item["setting"]
    name = str(setting.get("name"))
    if not NAME.fullmatch(name) or not PATH.fullmatch(main):
        return f"{main}: {name} cannot be set there by a machine"
    key = name.lower()
    effective, where, matches = (row.get(column) for column in ("effective", "where", "matches"))
    if any(not isinstance(value, kind) or "!" in value for value, kind in ((effective, dict), (where, dict))):
        return f"{main}: what is set there could not be read"
    value, problem = wanted(setting, effective.get(key))
    if problem:
        return f"{main}: {problem}"
    place = str(where.get(key) or "")
    if place == "command line":
        return f"{main}: {name} is set on the server's command line"
    target = DROP_IN if drops_in(row) else main
    _note(files, target, _set(item, name, value, key))
    earlier = place.rsplit(":", 1)[0]
    if PATH.fullmatch(earlier) and earlier != target and _before(earlier, target, row):
        _note(files, earlier, _set(item, name, value, key))
    for block in matches if isinstance(matches, list) else ():
        inside = block.get("settings", {}).get(key)
        path = str(block.get("lines", {}).get(key, "")).rsplit(":", 1)[0]
        if inside is not None and not fits(setting, inside, value) and PATH.fullmatch(path):
            _note(files, path, _everywhere(item, name, value))
    if key in LAST_WINS:
        for path in row.get("files") or ():
            if path != target and isinstance(path, str) and PATH.fullmatch(path):
                _note(files, path, _everywhere(item, name, value))
    return ""


def _everywhere(item, name, value):
    """Lines that set the keyword, also inside Match blocks, say this value; a file without one stays as it is."""
    pattern = rf"^(\s*)(?i:{re.escape(name)})(?:\s+|\s*=\s*)\S.*$"
    return change(item["controls"], sub=pattern, **{"with": rf"\g<1>{name} {value}"})


def _set(item, name, value, key):
    fields = {"set": name, "value": value, "separator": " ", "ignore_case": True, "until": MATCH}
    return change(item["controls"], **fields)


def _note(files, path, one):
    changes, controls = files.setdefault(path, ([], []))
    changes.append(one)
    controls += one["controls"]


def drops_in(row):
    """True if the main file includes the directory of drop-ins before it says anything."""
    includes = row.get("includes")
    return isinstance(includes, list) and any(
        one.get("first") is True and one.get("pattern") in PATTERNS for one in includes
    )


def _before(path, target, row):
    """True if ``path`` is read before ``target`` (or is the one that decides, where the target is the main file)."""
    if target == DROP_IN:
        return path.startswith("/etc/ssh/sshd_config.d/") and path < DROP_IN
    return path in (row.get("files") or ())


def wanted(setting, now):
    """Return ``(text of the value, "")`` or ``("", why it cannot be set)``. ``now``: the value in force."""
    value, key = setting.get("value"), str(setting["name"]).lower()
    if key in LISTS:
        known = [one for one in (now if isinstance(now, list) else str(now or "").split(",")) if one]
        if setting.get("rule") == "none_of":
            items = [one for one in known if one not in value]
        else:
            items = [one for one in value if one in known or one in SINCE_6_2]
        if not items:
            return "", f"no algorithm of {setting['name']} would be left that this server is known to have"
        text = ",".join(items)
    elif isinstance(value, list):
        if not value:
            return "", f"whom {setting['name']} names is for the site to say"
        text = (" " if key in WORDS else ",").join(str(one) for one in value)
    elif setting.get("rule") == "none_of" or value is None:
        return "", f"what {setting['name']} should be is for the site to say"
    else:
        text = {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
    return (text, "") if VALUE.fullmatch(text) else ("", f"{setting['name']} cannot have that value")


def fits(setting, inside, text):
    """True if what a Match block says is as good as the value."""
    inside = ",".join(inside) if isinstance(inside, list) else str(inside)
    if inside == text:
        return True
    if setting.get("rule") == "max" and inside.isdigit() and text.isdigit():
        return 0 < int(inside) <= int(text)
    if setting.get("rule") == "none_of":
        return not set(inside.split(",")) & set(setting["value"])
    if setting.get("rule") == "subset_of":
        return set(inside.split(",")) <= set(setting["value"])
    return False


def _follow(servers, facts):
    units = {unit for row in servers.values() for unit in row.get("units") or () if unit in UNITS}
    if not units:
        units = {"sshd.service"} if facts.family in ("rhel", "suse") else {"ssh.service"}
    return [f"reload:{unit}" for unit in sorted(units)]

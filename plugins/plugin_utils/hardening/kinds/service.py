"""Units that run, or do not: ``{kind: service, name, states}``; states as the resource type ``service`` names them."""

from __future__ import annotations

from ..operations import left, operation, safe_name

KIND = "service"
WANTED = {
    "enabled": {"enabled": True, "masked": False},
    "active": {"active": True, "masked": False},
    "on": {"enabled": True, "active": True, "masked": False},
    "disabled": {"enabled": False},
    "inactive": {"active": False},
    "masked": {"masked": True},
    "off": {"enabled": False, "active": False, "masked": True},
}
STARTERS = (".socket", ".timer", ".path")
NEEDED = ("ssh.service", "sshd.service", "ssh.socket", "sshd.socket", "dbus.service", "systemd-logind.service")
"""What we come in by: never stopped, disabled or masked."""


UNSET = {
    "systemd-journal-upload.service": (
        "/etc/systemd/journal-upload.conf",
        "it does not start before URL= in /etc/systemd/journal-upload.conf names a log server",
    )
}
"""Units that fail until somebody says what only the site knows: (file, reason)."""


def operations(settings, facts):
    """Return one ``unit`` operation a unit; what starts a unit on demand goes with one that is to be off."""
    wanted, controls, found = {}, {}, []
    for item in settings:
        name = item["setting"]["name"]
        name = name if "." in name else f"{name}.service"
        wanted.setdefault(name, {})
        controls.setdefault(name, []).extend(item["controls"])
        for state in item["setting"]["states"]:
            for key, value in WANTED[state].items():
                wanted[name].setdefault(key, set()).add(value)
    for name in sorted(wanted):
        clash = [key for key, values in wanted[name].items() if len(values) > 1]
        fields = {key: next(iter(values)) for key, values in wanted[name].items()}
        if clash:
            found.append(left(controls[name], f"controls want {name} both ways: {', '.join(sorted(clash))}"))
        elif fields.get("active") and name in UNSET and not _told(name, facts):
            found.append(left(controls[name], UNSET[name][1]))
        elif name in NEEDED and _stops(fields):
            found.append(left(controls[name], f"{name} is what this host is reached by"))
        else:
            names = [*_starters(name, facts), name] if fields.get("masked") else [name]
            found += [operation("unit", controls[name], name=one, **fields) for one in names]
    return found


def _told(name, facts):
    settings = facts.value("config", UNSET[name][0], "directives", [])
    return any(one.get("name") == "URL" for one in settings)


def _stops(fields):
    return fields.get("masked") is True or fields.get("active") is False or fields.get("enabled") is False


def _starters(name, facts):
    """Sockets, timers and paths of the same name that start the unit; others stay: the unit's mask stops them too."""
    stem = name.rsplit(".", 1)[0]
    there = facts.value("units", name, "triggered_by", [])
    return [stem + suffix for suffix in STARTERS if stem + suffix in there and safe_name(stem + suffix)]

"""Kernel parameters: ``{kind: sysctl, key, value}``; in force now, at the next boot, and on interfaces that are there.

All lie in one drop-in of ours. What a file that is read later says is edited in that file, if it is one of the system's
own names below /etc; a file of a package that is read later is overridden by a second drop-in with a later name.
Order of reading: sysctl.d(5), sysctl(8), ufw-framework(8).
"""

from __future__ import annotations

import re

from ..operations import CREATED, change, controls_of, edit, left, merged, operation

KIND = "sysctl"
DROP_IN = "/etc/sysctl.d/60-ringwall.conf"
LATE_DROP_IN = "/etc/sysctl.d/zz-ringwall.conf"
LEGACY = "/etc/sysctl.conf"
KEY = re.compile(r"[a-z0-9_]+(\.[A-Za-z0-9_/-]+)+")
EDITABLE = re.compile(r"/etc/(sysctl\.conf|ufw/sysctl\.conf|sysctl\.d/[A-Za-z0-9][A-Za-z0-9_.-]*\.conf)")
PACKAGED = re.compile(r"/(usr/local/lib|usr/lib|lib)/sysctl\.d/([A-Za-z0-9][A-Za-z0-9_.-]*\.conf)")
LINKED = "/etc/sysctl.d/99-sysctl.conf"  # Debian, Ubuntu and RHEL ship it as a link to the legacy file
CONF = re.compile(r"(net\.ipv[46]\.conf\.)all\.([a-z0-9_]+)")
INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_/-]{0,14}")  # a dot of its name is written / (sysctl(8))
PASSING = re.compile(r"veth|br-|docker|cali|cni|flannel|lxc|vnet|virbr|tap|tun|podman")
"""Interfaces that come and go: set now, but not named in a file."""


def operations(settings, facts):
    """Return the edits of the drop-ins and of later files, then one ``sysctl`` operation a key that is to change."""
    if "ro" in facts.value("mounts", "/proc/sys", "options", []):
        return [left(item["controls"], "/proc/sys can only be read here: its host sets them") for item in settings]
    written, live, found = {}, [], []
    for item in settings:
        key, value = item["setting"]["key"], text(item["setting"]["value"])
        if not KEY.fullmatch(key):
            found.append(left(item["controls"], f"{key} is no name of a kernel parameter"))
            continue
        for one, lasting in [(key, True), *interfaces(key, value, facts)]:
            if lasting:
                for path in files(one, value, facts):
                    written.setdefault(path, []).append((one, value, item))
            if facts.value("sysctl", one, "runtime") is not None:
                live.append(operation("sysctl", item["controls"], key=one, value=value, guarded=one.startswith("net.")))
    for path in sorted(written, key=lambda name: (name != DROP_IN, name)):
        edits = [
            change(item["controls"], set=one, value=value, separator=" = ")
            for one, value, item in sorted(written[path], key=_name)
        ]
        ours = path in (DROP_IN, LATE_DROP_IN)
        found.append(
            edit(
                path,
                merged(edits),
                controls_of(item for _edit, _value, item in written[path]),
                create=CREATED if ours else None,
            )
        )
    return found + live


def _name(entry):
    return entry[0]


def text(value):
    """Return a value as a sysctl file writes it."""
    return str(int(value)) if isinstance(value, bool) else str(value)


def files(key, value, facts):
    """Return the files to set ``key`` in: our drop-in, and those read later that say otherwise."""
    found = [DROP_IN]
    for setting in facts.value("sysctl", key, "settings", []):
        path = str(setting.get("where", "")).rsplit(":", 1)[0]
        if path in (DROP_IN, LATE_DROP_IN) or setting.get("value") == value or setting.get("from") == "glob":
            continue
        packaged = PACKAGED.fullmatch(path)
        name = packaged.group(2) if packaged else path.rsplit("/", 1)[-1]
        if EDITABLE.fullmatch(path) and (path in (LEGACY, LINKED) or "/ufw/" in path or name > "60-ringwall.conf"):
            found.append(LEGACY if path == LINKED else path)
        elif packaged and name > "60-ringwall.conf":
            found.append(LATE_DROP_IN)
    return list(dict.fromkeys(found))


def interfaces(key, value, facts):
    """Return ``[(key of an interface, whether a file must name it)]`` for interfaces that differ from ``all``."""
    whole = CONF.fullmatch(key)
    if not whole or whole.group(2).endswith("forwarding"):  # the kernel itself hands that on to every interface
        return []
    prefix, leaf, found = whole.group(1), whole.group(2), []
    for other in facts.rows("sysctl"):
        if not other.startswith(prefix) or not other.endswith("." + leaf):
            continue
        name = other[len(prefix) : -len(leaf) - 1]
        if name in ("all", "default", "lo") or not INTERFACE.fullmatch(name):
            continue
        if facts.value("sysctl", other, "runtime") not in (None, value):
            found.append((other, not PASSING.match(name)))
    return sorted(found)

"""Modules that must not load: ``{kind: kernel_module, name, state: disabled}``.

One drop-in of ours with an ``install`` rule and a ``blacklist`` line each (modprobe.d(5): the first install rule of a
module counts, blacklist lines add up), and the module is unloaded when it is in the running kernel.
"""

from __future__ import annotations

import re

from ..operations import CREATED, change, controls_of, edit, left, operation

KIND = "kernel_module"
DROP_IN = "/etc/modprobe.d/60-ringwall.conf"
BLOCKER = "/bin/false"
BLOCKERS = ("/bin/true", "/bin/false", "/usr/bin/true", "/usr/bin/false")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
EDITABLE = re.compile(r"(/etc/modprobe\.d/[A-Za-z0-9][A-Za-z0-9_.-]*\.conf):\d+")


def operations(settings, facts):
    """Return the edit of the drop-in, edits of earlier rules that block nothing, and one ``unload`` a loaded module."""
    found, edits, chosen, unloads = [], [], [], []
    for item in sorted(settings, key=lambda one: one["setting"]["name"]):
        name = item["setting"]["name"]
        key = name.replace("-", "_")
        if not NAME.fullmatch(name):
            found.append(left(item["controls"], f"{name} is no name of a kernel module"))
            continue
        if facts.value("kernel_modules", key, "builtin"):
            found.append(left(item["controls"], f"{name} is built into this kernel: another kernel is needed"))
            continue
        chosen.append(item)
        pattern = "[-_]".join(re.escape(part) for part in re.split("[-_]", name))
        rule = f"install {name} {BLOCKER}"
        edits += [
            change(item["controls"], line=rule, state="present", replaces=rf"^\s*install\s+{pattern}\s"),
            change(
                item["controls"],
                line=f"blacklist {name}",
                state="present",
                replaces=rf"^\s*blacklist\s+{pattern}\s*$",
            ),
        ]
        found += _earlier(item, key, pattern, rule, facts)
        if facts.value("kernel_modules", key, "loaded") and facts.own_kernel:
            unloads.append(operation("unload", item["controls"], module=key))
    if edits:
        found.append(edit(DROP_IN, edits, controls_of(chosen), create=CREATED))
    return found + unloads


def _earlier(item, key, pattern, rule, facts):
    """The edit of an install rule of /etc that comes before ours and blocks nothing."""
    command = facts.value("kernel_modules", key, "install")
    if command is None or " ".join(str(command).split()) in BLOCKERS:
        return []
    place = EDITABLE.fullmatch(str(facts.value("kernel_modules", key, "install_where", "")))
    if not place or place.group(1) == DROP_IN:
        return []
    blocked = change(item["controls"], line=rule, state="present", replaces=rf"^\s*install\s+{pattern}\s")
    return [edit(place.group(1), [blocked], item["controls"])]

"""Options of mounted file systems: ``{kind: mount, path, options}``; in what mounts them at boot, and now.

``path`` may be a word for all of a kind (snapshots.mount_classes): nfs, removable, local.

Partitions are never made. A line of fstab is edited; a unit gets a drop-in with all its options; the shared memory,
which systemd mounts by itself, gets a line of its own.
"""

from __future__ import annotations

import re

from ...snapshots.mount_classes import CLASSES, members
from ...snapshots.view import Gap
from ..operations import CREATED, edit, left, operation

KIND = "mount"
FSTAB = "/etc/fstab"
OPPOSITE = {"nodev": "dev", "nosuid": "suid", "noexec": "exec", "ro": "rw", "relatime": "norelatime"}
OPTION = re.compile(r"[a-z][a-z0-9_]*(=[A-Za-z0-9_.,:%/-]+)?")
PATH = re.compile(r"/[A-Za-z0-9._/-]+")
UNIT = re.compile(r"/(etc|run|usr/lib|usr/local/lib|lib)/systemd/system/([A-Za-z0-9_.\\x-]+\.mount)(:\d+)?")
MEMORY = {"/dev/shm": "tmpfs /dev/shm tmpfs rw,nosuid,nodev{extra} 0 0"}
"""Mounted by systemd without any file: the line that says the same (systemd, src/shared/mount-setup.c)."""


def operations(settings, facts):
    """Return, for each mount point, the persistent change and one ``remount``."""
    merged, found = {}, []
    for item in settings:
        for path in _points(item["setting"]["path"], facts):
            entry = merged.setdefault(path, ([], []))
            entry[0].extend(option for option in item["setting"]["options"] if option not in entry[0])
            entry[1].extend(item["controls"])
    for path, (options, controls) in sorted(merged.items()):
        if not PATH.fullmatch(path) or not all(OPTION.fullmatch(option) for option in options):
            found.append(left(controls, f"{path}: {', '.join(options)} cannot be written to fstab as it is"))
            continue
        lasting = _lasting(path, options, controls, facts)
        found.append(lasting)
        if lasting["op"] != "left" and facts.value("mounts", path, "live"):
            noexec = "noexec" in options
            found.append(operation("remount", controls, path=path, options=options, guarded=noexec))
    return found


def _points(path, facts):
    if path not in CLASSES:
        return [path]
    try:
        return members(path, facts.rows("mounts"))
    except Gap:
        return []  # the control is unreadable then


def _lasting(path, options, controls, facts):
    by = facts.value("mounts", path, "persisted_by")
    if by == "fstab":
        drop = [OPPOSITE[option] for option in options if option in OPPOSITE]
        change = {"fstab": path, "options_add": options, "options_remove": drop}
        return edit(FSTAB, [change], controls, validate="fstab", guarded=True, follow=["daemon-reload"])
    if by == "unit":
        return _unit(path, options, controls, facts)
    if path in MEMORY and facts.value("mounts", path, "live"):
        extra = "".join(f",{option}" for option in options if option not in ("rw", "nosuid", "nodev"))
        change = {"line": MEMORY[path].format(extra=extra), "state": "present"}
        return edit(FSTAB, [change], controls, validate="fstab", guarded=True, follow=["daemon-reload"])
    if facts.value("mounts", path, "live"):
        return left(controls, f"{path} is mounted, but neither by fstab nor by a unit: what mounts it must be told")
    return left(controls, f"nothing is mounted at {path}: a file system of its own is needed first")


def _unit(path, options, controls, facts):
    place = UNIT.fullmatch(str(facts.value("mounts", path, "persisted_where", "")))
    if not place:
        return left(controls, f"the unit that mounts {path} lies where no unit should be edited")
    kept = [option for option in facts.value("mounts", path, "persisted_options", []) if OPTION.fullmatch(str(option))]
    drop = {OPPOSITE.get(option) for option in options}
    whole = [option for option in kept if option not in drop and option not in options] + options
    return edit(
        f"/etc/systemd/system/{place.group(2)}.d/60-ringwall.conf",
        [{"set": "Options", "value": ",".join(whole), "separator": "=", "section": "Mount"}],
        controls,
        create=CREATED,
        guarded=True,
        follow=["daemon-reload"],
    )

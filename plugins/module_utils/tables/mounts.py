"""Mounted file systems beside what fstab and mount units would mount at boot."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import re

from ..drop_ins import UNIT_DIRS, last, load_unit, wanted_by
from ..mount_tables import fstab, live_mounts, options_of
from ..redact import redact
from ..spec import Absent, Column, Result, Table, Unreadable, unreadable

TABLE = Table(
    name="mounts",
    description="Mount points: what is mounted there now and what fstab or a mount unit mounts at boot.",
    key="mount point, escapes undone, without trailing slash",
    columns=(
        Column("live", "bool", "mounted now; null when the root is not a running system"),
        Column("type", "text", "file system type of the live mount; null when nothing is mounted"),
        Column("source", "text_sensitive", "device or share of the live mount"),
        Column("device", "text", "major:minor of the live mount", volatile=True),
        Column("root", "text", "path inside its file system that is mounted there (`/` unless a bind mount)"),
        Column(
            "options", "list", "options in force: of the mount, then those of the file system that are not among them"
        ),
        Column("mount_options", "list", "options of the mount alone (nodev, nosuid, noexec, ro hold here)"),
        Column("super_options", "list", "options of the file system, shared by all its mounts"),
        Column("covered", "int", "mounts on the same point that this one hides"),
        Column("persisted", "bool", "mounted at boot by an fstab line without noauto or by an enabled mount unit"),
        Column("persisted_by", "text", "fstab, unit, or null when neither names the mount point"),
        Column("persisted_source", "text_sensitive", "device or share that is named there"),
        Column("persisted_type", "text", "file system type that is named there; `auto` when left open"),
        Column("persisted_options", "list", "options that are named there; null when not persisted_by anything"),
        Column("persisted_where", "text", "file:line of the fstab line, or of the unit's Options (else its What)"),
        Column("persisted_all", "list", "every fstab line and unit for the point: by, where, options, effective"),
        Column(
            "removable",
            "bool",
            "the medium can be taken out or unplugged: an optical or floppy drive, a device that the kernel calls "
            "removable or that hangs on USB, a disc's file system, a place for such media (/media, /run/media)",
        ),
    ),
)


def _effective(mount):
    """The options that a process meets: ro of either level wins over rw of the other."""
    merged = list(mount["options"])
    for option in mount["super_options"]:
        if option == "ro" and "rw" in merged:
            merged[merged.index("rw")] = "ro"
        elif option not in merged and not (option == "rw" and "ro" in merged):
            merged.append(option)
    return merged[:100]


LASTING = tuple(directory for directory in UNIT_DIRS if not directory.startswith("/run/"))
"""What lies in /run is in force now, and so seen among the live mounts, but gone at the next boot."""


def units(host):
    """Return the mount units: ``[{point, source, type, options, where, enabled, path}]``; raise Unreadable.

    A masked unit has ``path`` "" and only its ``unit`` name.
    """
    names = set()
    for directory in LASTING:
        try:
            names.update(name for name in host.listdir(directory) if name.endswith(".mount"))
        except Absent:
            continue
    found = []
    for name in sorted(names)[:2000]:
        unit = load_unit(host, name, LASTING)
        if unit is None:
            continue
        path, entries = unit
        if not path:
            found.append({"unit": name, "path": "", "point": _point_of(name)})
            continue
        point = last(entries, "Mount", "Where")[0]
        what, what_where = last(entries, "Mount", "What")
        options, options_where = last(entries, "Mount", "Options")
        found.append(
            {
                "unit": name,
                "path": path,
                "point": point.rstrip("/") or "/",
                "source": redact(what),
                "type": last(entries, "Mount", "Type")[0] or "auto",
                "options": options_of(options.encode("utf-8", "replace")) if options else [],
                "where": options_where or what_where or path,
                "enabled": any(not link.startswith("/run/") for link in wanted_by(host, name)),
            }
        )
    return found


DRIVES = re.compile(r"/dev/(sr|scd|cdrom|cdrw|dvd|fd|floppy)[0-9]*$")
DISCS = ("iso9660", "udf")
PLACES = ("/media/", "/run/media/", "/cdrom", "/floppy")


def removable(point, sources, types, path):
    """True if what is mounted at ``point`` can be taken out; ``path`` is its device in /sys ("" when not known).

    Optical discs that are mounted from a file (a loop device) are none.
    """
    if any(DRIVES.match(source or "") for source in sources) or "/usb" in path:
        return True
    if any((source or "").startswith("/dev/loop") for source in sources):
        return False
    return point.startswith(PLACES) or any(kind in DISCS for kind in types)


def _device_path(host, number, known):
    """The path in /sys of the device ``major:minor``, with `` removable`` when the kernel says so; "" without one."""
    if not number or number.startswith("0:"):  # file systems without a device
        return ""
    if number not in known:
        known[number] = _path_in_sys(host, number)
    return known[number]


def _path_in_sys(host, number):
    try:
        path = host.readlink("/sys/dev/block/" + number) or ""
        disk = path.rsplit("/", 1)[0] if host.exists("/sys/dev/block/%s/partition" % number) else path
        flag = host.read_text("/sys/class/block/%s/removable" % disk.rsplit("/", 1)[-1], 16).strip()
    except (Absent, Unreadable):
        return ""
    return path + ("/usb removable" if flag == "1" else "")


def _point_of(name):
    """The mount point that a unit's name stands for (systemd.unit(5)); escapes other than ``-`` are rare and kept."""
    stem = name[: -len(".mount")]
    return "/" if stem == "-" else "/" + stem.replace("-", "/")


def _persisted(lines, unit):
    """Choose between fstab lines and a unit for one point; return the persisted_* cells.

    A unit below /etc beats the one that systemd generates from fstab, which beats
    the vendor's (systemd.unit(5), table of the load path). The first of several fstab lines is taken
    (systemd-fstab-generator(8) refuses the others).
    """
    if unit and not unit["path"]:
        return {
            "persisted": False,
            "persisted_by": "unit",
            "persisted_where": "%s is masked" % unit["unit"],
            "persisted_source": None,
            "persisted_type": None,
            "persisted_options": None,
        }
    strong = bool(unit) and unit["path"].startswith("/etc/")
    if lines and not strong:
        line = lines[0]
        auto = "noauto" not in line["options"]
        return _cells("fstab", line, auto)
    if unit:
        # With both, the fstab line's generated dependency starts the unit that overrides it.
        return _cells("unit", unit, unit["enabled"] or any("noauto" not in line["options"] for line in lines))
    return {
        "persisted": False,
        "persisted_by": None,
        "persisted_where": None,
        "persisted_source": None,
        "persisted_type": None,
        "persisted_options": None,
    }


def _cells(kind, item, persisted):
    return {
        "persisted": persisted,
        "persisted_by": kind,
        "persisted_source": item["source"],
        "persisted_type": item["type"],
        "persisted_options": item["options"],
        "persisted_where": item["where"],
    }


def rows_of(mounts, lines, mount_units, path_of=lambda number: ""):
    """Join live mounts (None when not live), fstab lines and mount units into rows by mount point.

    ``path_of`` gives the path in /sys of a device ``major:minor``.
    """
    live, depth = {}, {}
    for mount in mounts or ():
        point = mount["point"]
        depth[point] = depth.get(point, -1) + 1
        live[point] = mount
    by_point, by_unit = {}, {}
    for line in lines:
        if line["point"].startswith("/") and line["type"] != "swap":
            by_point.setdefault(line["point"], []).append(line)
    for unit in mount_units:
        by_unit.setdefault(unit["point"], unit)
    rows = {}
    for point in set(live) | set(by_point) | set(by_unit):
        mount, unit, own = live.get(point), by_unit.get(point), by_point.get(point, [])
        row = {
            "live": None if mounts is None else mount is not None,
            "type": mount["type"] if mount else None,
            "source": redact(mount["source"]) if mount else None,
            "device": mount["device"] if mount else None,
            "root": mount["root"] if mount else None,
            "options": _effective(mount) if mount else None,
            "mount_options": mount["options"] if mount else None,
            "super_options": mount["super_options"] if mount else None,
            "covered": depth.get(point, 0),
        }
        row.update(_persisted(own, unit))
        named = [{"by": "fstab", "where": line["where"], "options": line["options"]} for line in own]
        if unit and unit["path"]:
            named.append({"by": "unit", "where": unit["where"], "options": unit["options"]})
        row["persisted_all"] = [dict(item, effective=item["where"] == row["persisted_where"]) for item in named[:10]]
        sources, types = (row["source"], row["persisted_source"]), (row["type"], row["persisted_type"])
        row["removable"] = removable(point, sources, types, path_of(row["device"]))
        rows[point] = row
    return rows


def collect(host, options):
    """Return a row for each mount point that is mounted or named in a file."""
    mounts = live_mounts(host) if host.live else None
    gaps, lines, found = [], [], []
    try:
        lines = fstab(host)
    except Unreadable as error:
        gaps.append(error.why)
    try:
        found = units(host)
    except Unreadable as error:
        gaps.append(error.why)
    known = {}
    rows = rows_of(mounts, lines, found, lambda number: _device_path(host, number, known))
    if not gaps:
        return rows
    cell = unreadable("partial", gaps[0])
    for row in rows.values():
        for name in ("persisted", "persisted_by", "persisted_source", "persisted_type", "persisted_options"):
            row[name] = cell
    return Result(rows, "partial", "; ".join(gaps))

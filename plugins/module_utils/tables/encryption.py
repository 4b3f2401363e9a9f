"""Encryption at rest, per mount and swap, as this system can see it (not what a cloud does below the disk)."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os
import stat

from ..block_devices import Devices
from ..mount_tables import live_mounts, parse_swaps, unescape
from ..spec import Absent, Column, Result, Table, Unreadable, Unsupported, unreadable

TABLE = Table(
    name="encryption",
    description="Which mounts and swaps lie on encrypted devices, and what crypttab opens at boot.",
    key="mount point; `swap:<path>` for active swap; `crypttab:<name>` for a line whose device is not in use",
    columns=(
        Column("kind", "text", "mount, swap or crypttab"),
        Column(
            "encrypted",
            "text",
            "yes, no, memory (swap in compressed memory), unknown (network, container, unreadable); "
            "null for crypttab rows. `no` speaks of this system: a cloud or an array may encrypt below",
        ),
        Column("why", "text", "what is not encrypted, or why it cannot be told; empty for yes"),
        Column("methods", "list", "luks2, luks1, plain, bitlk, tcrypt, zfs, ecryptfs, ... of the layers met"),
        Column("layers", "list", "devices from the mounted one down to where encryption or the disk is met"),
        Column("type", "text", "file system type of a mount; partition or file of a swap"),
        Column("source", "text", "device that is mounted"),
        Column(
            "crypttab",
            "map",
            "name, device, key (none|file|random|path of a device), options, where of the line "
            "that opens the topmost encrypted layer; null when there is none",
        ),
    ),
)

NETWORK = {
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "ceph",
    "glusterfs",
    "9p",
    "virtiofs",
    "afs",
    "lustre",
    "gfs2",
    "ocfs2",
    "vboxsf",
}
STACKED = {"ecryptfs": "ecryptfs", "fuse.gocryptfs": "gocryptfs", "fuse.encfs": "encfs", "fuse.cryfs": "cryfs"}
ANONYMOUS_DISK = {"btrfs", "bcachefs", "overlay", "zfs", "f2fs"}
"""Types that hold data although their device number is anonymous (major 0)."""


def parse_crypttab(data, path="/etc/crypttab"):
    """Return {name: {name, device, key, options, where}} of crypttab(5). A key file is named by kind only."""
    entries = {}
    for number, line in enumerate(data.split(b"\n"), 1):
        fields = line.split()
        if len(fields) < 2 or fields[0].startswith(b"#"):
            continue
        key = fields[2].decode("utf-8", "replace") if len(fields) > 2 else "none"
        if key in ("none", "-", ""):
            kind = "none"
        elif key in ("/dev/urandom", "/dev/random", "/dev/hw_random"):
            kind = "random"
        else:
            kind = "device" if key.startswith("/dev/") else "file"
        options = unescape(fields[3]).split(",") if len(fields) > 3 else []
        name = unescape(fields[0])
        entries[name] = {
            "name": name,
            "device": unescape(fields[1]),
            "key": kind,
            # Options may name a detached header or a token, never a passphrase.
            "options": [option[:128] for option in options if option][:40],
            "where": "%s:%d" % (path, number),
        }
    return entries


def _zfs(host):
    """Return {dataset: True|False} by one call of zfs, {} when it cannot be asked."""
    try:
        done = host.run(["zfs", "get", "-H", "-o", "name,value", "encryption"], timeout=5)
    except (Absent, Unreadable, Unsupported):
        return {}
    pairs = [line.split("\t") for line in done.lines()]
    return {pair[0]: pair[1] not in ("off", "-") for pair in pairs if len(pair) == 2}


class _Judge:
    """Finds what lies below each mount."""

    def __init__(self, host, mounts):
        self.host = host
        self.mounts = mounts
        self.devices = Devices(host, self._under)
        self.container = bool(host.container())
        self.zfs = None

    def _number(self, path):
        """``major:minor`` of a device node, or None."""
        try:
            info = self.host.stat(path)
        except (Absent, Unreadable):
            return None
        return "%d:%d" % (os.major(info.st_rdev), os.minor(info.st_rdev)) if stat.S_ISBLK(info.st_mode) else None

    def holder(self, path):
        """The mount that holds a path (longest mount point, the last mounted one)."""
        best = None
        for mount in self.mounts:
            point = mount["point"].rstrip("/")
            if (path == point or path.startswith(point + "/")) and (
                best is None or len(point) >= len(best["point"].rstrip("/"))
            ):
                best = mount
        return best

    def _under(self, path):
        mount = self.holder(path)
        return self.names(mount)[0] if mount and self.names(mount) else None

    def names(self, mount):
        """Kernel names of the devices that a mount writes to; [] when there is none that /sys knows."""
        number = mount["device"]
        if number.startswith("0:"):
            number = self._number(mount["source"]) if mount["source"].startswith("/dev/") else None
        name = self.devices.name_of(number) if number else None
        if not name:
            return []
        return self._btrfs_members(name) if mount["type"] == "btrfs" else [name]

    def _btrfs_members(self, name):
        try:
            for volume in self.host.listdir("/sys/fs/btrfs"):
                try:
                    members = self.host.listdir("/sys/fs/btrfs/%s/devices" % volume)
                except Absent:
                    continue
                if name in members:
                    return members
        except (Absent, Unreadable):
            pass
        return [name]

    def mount(self, mount):
        """Return ``(encrypted, methods, layers, why)``, or None for a file system that stores nothing."""
        kind = mount["type"]
        if kind in STACKED:
            return "yes", [STACKED[kind]], [mount["source"]], ""
        if kind in NETWORK or kind == "fuse.sshfs":
            return "unknown", [], [mount["source"]], "on another machine"
        if kind == "zfs":
            if self.zfs is None:
                self.zfs = _zfs(self.host)
            known = self.zfs.get(mount["source"])
            if known is None:
                return "unknown", [], [mount["source"]], "zfs could not be asked"
            return (
                ("yes", ["zfs"], [mount["source"]], "")
                if known
                else ("no", [], [mount["source"]], "zfs encryption is off")
            )
        names = self.names(mount)
        if not names:
            if not mount["device"].startswith("0:") or kind in ANONYMOUS_DISK:
                return (
                    "unknown",
                    [],
                    [],
                    "the device below cannot be seen" + (" from a container" if self.container else ""),
                )
            return None
        return self.all(names)

    def all(self, names):
        """The joint verdict of several devices that hold one file system."""
        found = [self.devices.verdict(name) for name in names]
        states = [item[0] for item in found]
        state = "no" if "no" in states else "unknown" if "unknown" in states else "yes"
        return (
            state,
            sorted({method for item in found for method in item[1]}),
            [layer for item in found for layer in item[2]][:32],
            "; ".join(item[3] for item in found if item[3]),
        )

    def swap(self, swap):
        """The verdict of an active swap."""
        number = self._number(swap["path"])
        name = self.devices.name_of(number) if number else None
        if name and name.startswith("zram"):
            return "memory", [], [name], ""
        if name:
            return self.all([name])
        mount = self.holder(swap["path"]) if swap["kind"] == "file" else None
        found = self.mount(mount) if mount else None
        return found or ("unknown", [], [], "the device below cannot be seen")


def _row(kind, verdict, type_, source, tab):
    state, methods, layers, why = verdict
    used = next((tab[layer.split(" (")[0]] for layer in layers if layer.split(" (")[0] in tab), None)
    return {
        "kind": kind,
        "encrypted": state,
        "why": why,
        "methods": methods,
        "layers": layers,
        "type": type_,
        "source": source,
        "crypttab": used,
    }


def collect(host, options):
    """Return a row for each mount that stores data, each active swap and each crypttab line that is not in use."""
    gaps = []
    try:
        tab = parse_crypttab(host.read("/etc/crypttab"))
    except Absent:
        tab = {}
    except Unreadable as error:
        tab, gaps = {}, [error.why]
    rows = {}
    if host.live:
        mounts = live_mounts(host)
        judge = _Judge(host, mounts)
        known = {}
        for mount in mounts:
            key = (mount["device"], mount["type"], mount["source"])
            if key not in known:
                known[key] = judge.mount(mount)
            if known[key]:
                rows[mount["point"]] = _row("mount", known[key], mount["type"], mount["source"], tab)
            else:
                rows.pop(mount["point"], None)  # covered by one that stores nothing
        try:
            swaps = parse_swaps(host.read("/proc/swaps"))
        except Absent:
            swaps = []
        for swap in swaps:
            rows["swap:" + swap["path"]] = _row("swap", judge.swap(swap), swap["kind"], swap["path"], tab)
    used = {row["crypttab"]["name"] for row in rows.values() if row["crypttab"]}
    for name, entry in tab.items():
        if name not in used:
            rows["crypttab:" + name] = _row("crypttab", (None, [], [], ""), None, entry["device"], {})
            rows["crypttab:" + name]["crypttab"] = entry
    if gaps:
        cell = unreadable("partial", gaps[0])
        for row in rows.values():
            row["crypttab"] = cell
    if not host.live:
        return Result(rows, "partial", "only crypttab can be read where the system is not running")
    return Result(rows, "partial", gaps[0]) if gaps else rows

"""Which mount points of a host are NFS shares, removable media or local disks."""

from __future__ import annotations

from .view import cell

NFS = ("nfs", "nfs4")
DISKS = ("ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "jfs", "reiserfs", "vfat", "exfat", "ntfs", "ntfs3")
CLASSES = {
    "nfs": "NFS share",
    "removable": "file system on removable media",
    "local": "local disk but that of /",
}
"""Words that stand for every mount point of a kind, and what one of them is."""


def members(kind, rows):
    """Return the sorted mount points of one of CLASSES among ``rows`` of the table ``mounts``; raise Gap.

    Those that a file names count although nothing mounts them at boot: sticks and discs are seldom there.
    """
    return sorted(path for path, row in rows.items() if _TESTS[kind](path, row))


def _types(row):
    return [cell(row, name) for name in ("type", "persisted_type") if row.get(name)]


def _is_nfs(path, row):
    return any(kind in NFS for kind in _types(row))


def _is_removable(path, row):
    return bool(cell(row, "removable"))


def _is_local(path, row):
    if path == "/" or _is_removable(path, row):
        return False
    source = str(row.get("source") or row.get("persisted_source") or "")
    return any(kind in DISKS for kind in _types(row)) and not source.startswith("/dev/loop")


_TESTS = {"nfs": _is_nfs, "removable": _is_removable, "local": _is_local}

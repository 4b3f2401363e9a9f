"""Which file systems a walk may enter: local, real, each tree once (proc_pid_mountinfo(5))."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

LOCAL_TYPES = frozenset((
    "ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs", "reiserfs", "reiser4", "bcachefs", "nilfs2", "ufs",
    "ubifs", "jffs2", "vfat", "exfat", "ntfs", "ntfs3", "hfsplus", "tmpfs", "ramfs",
))  # fmt: skip
ROOT_TYPES = frozenset(
    ["virtiofs", "9p", "overlay", "aufs", "fuse.overlayfs", "fuseblk", "rootfs", "erofs", "squashfs", "fuse"]
)
"""Walked as root file system only: there the whole system depends on them already."""

PRUNED = (
    "/proc",
    "/sys",
    "/dev",
    "/run",
    "/snap",
    "/var/lib/snapd/snap",
    "/var/lib/docker",
    "/var/lib/containerd",
    "/var/lib/containers",
    "/var/lib/lxd",
    "/var/lib/lxc",
    "/var/lib/lxcfs",
    "/var/lib/incus",
    "/var/lib/kubelet/pods",
    "/var/lib/rancher",
    "/var/snap/lxd/common/lxd",
)
"""Left out: file systems of the kernel, layers and file systems of containers, snap images."""


def inside(path, places):
    """True if ``path`` is one of ``places`` or lies below one."""
    return any(path == place or path.startswith(place + "/") for place in places)


def chosen(mounts, pruned=PRUNED):
    """Return the mounts to walk, by mount point: local types, outside ``pruned``, and no tree twice.

    ``mounts`` are those of ``mount_tables.parse_mountinfo``, in its order: of several on one point the last hides the
    others. A bind mount whose source is part of a tree that is walked anyway is left out. On btrfs the device number of
    mountinfo is shared by subvolumes that a walk does not cross into, so there only equal roots are the same tree.
    """
    visible = {mount["point"]: mount for mount in mounts}
    walked = []
    for mount in sorted(
        visible.values(), key=lambda item: (len(item["root"]), item["point"].count("/"), item["point"])
    ):
        if mount["type"] not in LOCAL_TYPES and not (mount["point"] == "/" and mount["type"] in ROOT_TYPES):
            continue
        if inside(mount["point"], pruned):
            continue
        same = [other for other in walked if other["device"] == mount["device"]]
        if any(mount["root"] == other["root"] for other in same):
            continue
        if mount["type"] != "btrfs" and any(inside(mount["root"], [other["root"].rstrip("/")]) for other in same):
            continue
        walked.append(mount)
    return sorted(walked, key=lambda item: item["point"])


def layers(mounts):
    """Return directories that hold layers of containers, told by the overlays mounted from them.

    Docker mounts ``<place>/overlay2/<id>/merged``, containers/storage ``<place>/overlay/<id>/merged``: wherever the
    engine was told to keep its data, what lies beside a mounted layer are layers too.
    """
    found = []
    for mount in mounts:
        parts = mount["point"].split("/")
        if mount["type"] == "overlay" and parts[-1] == "merged" and len(parts) > 3 and parts[-3].startswith("overlay"):
            found.append("/".join(parts[:-2]))
    return tuple(dict.fromkeys(found))

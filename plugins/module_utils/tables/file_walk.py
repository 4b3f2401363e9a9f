"""One pass over the local file systems for what permissions and owners give away."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from ..spec import Column, Table

TABLE = Table(
    name="file_walk",
    description="Regular files and directories of the local file systems that stand out by mode or owner, and one row of "
    "totals a file system. Left out: network and virtual file systems, layers of containers, snap images. A row that is there "
    "is certain whatever the state; only `ok` says that there are no others.",
    key="the path of a file; `filesystem:<mount point>` for the totals of one file system",
    columns=(
        Column("kind", "text", "`found` or `filesystem`"),
        Column("type", "text", "found: file, directory, block or char; filesystem: its type, for example ext4"),
        Column("filesystem", "text", "mount point"),
        Column("mode", "int", "permission bits with setuid, setgid and sticky; null for a file system"),
        Column("mode_text", "text", "mode as four octal digits; null for a file system"),
        Column("uid", "int", "owner; null for a file system"),
        Column("gid", "int", "group; null for a file system"),
        Column(
            "world_writable", "bool", "a regular file, or a directory without the sticky bit, that everybody may write"
        ),
        Column("setuid", "bool", "a regular file with the setuid bit"),
        Column("setgid", "bool", "a regular file with the setgid bit"),
        Column("device", "bool", "a device node outside /dev"),
        Column("unowned", "bool", "no user has this uid; unreadable when a directory service could not be asked"),
        Column("ungrouped", "bool", "no group has this gid; unreadable when a directory service could not be asked"),
        Column("options", "text", "filesystem: mount options such as nosuid and noexec; null for a file"),
        Column("inodes", "int", "filesystem: entries seen", True),
        Column("directories", "int", "filesystem: directories read", True),
        Column(
            "counts",
            "map",
            "filesystem: how many were found, by world_writable, setuid, setgid, device, unowned, ungrouped; "
            "may exceed the rows, which are capped",
            True,
        ),
        Column("complete", "bool", "filesystem: walked to its end"),
        Column(
            "stopped_at",
            "text",
            "filesystem: where the walk stopped, or what could not be read; null when complete",
            True,
        ),
    ),
    cadence="deep",
    max_age_hours=192,
    max_rows=20100,
    live_only=False,
)

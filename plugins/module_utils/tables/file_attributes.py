"""Type, mode and owner of the files that controls name."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from ..spec import Column, Table

TABLE = Table(
    name="file_attributes",
    description="Attributes of the paths and patterns asked for (option `paths`). Links are followed where that is safe. "
    "Every path and pattern asked for has a row, also when nothing is there: a missing row was not asked for. What cannot be "
    "read has unreadable cells in its own row and does not spoil the table.",
    key="the path, or the pattern as it was asked for",
    columns=(
        Column("exists", "bool", "the path is there; of a pattern: something matches"),
        Column(
            "type",
            "text",
            "file, directory, fifo, socket, block, char; link for one that leads nowhere; pattern; null when absent",
        ),
        Column("mode", "int", "permission bits with setuid, setgid and sticky (0 to 0o7777)"),
        Column("mode_text", "text", "mode as four octal digits, for example 0644"),
        Column("uid", "int", "owner"),
        Column("gid", "int", "group"),
        Column("owner", "text", "name of the owner by /etc/passwd; null when it has none there"),
        Column("group", "text", "name of the group by /etc/group; null when it has none there"),
        Column("size", "int", "bytes", True),
        Column("mtime", "time", "last modification of the content", True),
        Column("is_link", "bool", "the path itself is a symbolic link; the other columns tell what it leads to"),
        Column("link_target", "text", "text of the link; null when it is none"),
        Column("matches", "list", "of a pattern: sorted paths that match, each with its own row; null otherwise"),
    ),
)

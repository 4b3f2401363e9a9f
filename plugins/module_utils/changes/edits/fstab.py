"""Options of one mount in /etc/fstab. Source: fstab(5)."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import re

from .lines import EditError

_ENTRY = re.compile(r"(\s*\S+\s+)(\S+)(\s+\S+\s+)(\S+)(.*)")
_OPPOSITE = {"nodev": "dev", "nosuid": "suid", "noexec": "exec", "ro": "rw", "rw": "ro", "dev": "nodev",
             "suid": "nosuid", "exec": "noexec"}  # fmt: skip


def _unescaped(word):
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), word)


def options(lines, edit):
    """Add and remove options of every entry of that mount point."""
    entries = [
        (index, match)
        for index, line in enumerate(lines)
        if not line.lstrip().startswith("#")
        for match in [_ENTRY.match(line)]
        if match and (_unescaped(match.group(2)).rstrip("/") or "/") == edit["fstab"]
    ]
    if not entries:
        if edit.get("missing_ok"):
            return
        raise EditError("no entry of %s" % edit["fstab"])
    for index, match in entries:
        words = match.group(4).split(",")
        gone = set(edit.get("options_remove") or ())
        for option in edit.get("options_add") or ():
            gone.add(_OPPOSITE.get(option))
            name, equals, _value = option.partition("=")
            if equals:
                gone.update(word for word in words if word.startswith(name + "=") and word != option)
        kept = [word for word in words if word not in gone]
        kept += [option for option in edit.get("options_add") or () if option not in kept]
        if len(kept) > 1 and "defaults" in kept[1:]:
            kept = ["defaults"] + [word for word in kept if word != "defaults"]
        if kept != words:
            lines.replace(
                index,
                match.group(1) + match.group(2) + match.group(3) + (",".join(kept) or "defaults") + match.group(5),
            )

"""Parsers of the tables of mounts: /proc/self/mountinfo (proc_pid_mountinfo(5)), fstab(5), /proc/swaps."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import re

from .redact import redact
from .spec import Absent
from .text import text

_OCTAL = re.compile(rb"\\([0-3][0-7]{2})")


def unescape(data):
    r"""Return a field of bytes with ``\040`` and the other octal escapes undone, as text."""
    if b"\\" in data:
        data = _OCTAL.sub(lambda match: bytes([int(match.group(1), 8)]), data)
    return text(data)


def options_of(data):
    """Split mount options at commas outside double quotes; passwords in them are redacted."""
    result, current, quoted = [], bytearray(), False
    for byte in data:
        if byte == 0x22:
            quoted = not quoted
        if byte == 0x2C and not quoted:
            result.append(bytes(current))
            current = bytearray()
        else:
            current.append(byte)
    result.append(bytes(current))
    found = []
    for item in result[:100]:
        item = unescape(item)
        if item:
            found.append(redact(item)[:256] if "=" in item else item[:256])
    return found


def parse_mountinfo(data):
    """Return the mounts in order, each ``{id, parent, device, root, point, options, type, source, super_options}``.

    ``device`` is ``major:minor``. Malformed lines are left out.
    """
    mounts = []
    for line in data.split(b"\n"):
        left, separator, right = line.partition(b" - ")
        fields, rest = left.split(b" "), right.split(b" ")
        if not separator or len(fields) < 6 or len(rest) < 2 or not (fields[0] + fields[1]).isdigit():
            continue
        mounts.append(
            {
                "id": int(fields[0]),
                "parent": int(fields[1]),
                "device": text(fields[2]),
                "root": unescape(fields[3]),
                "point": unescape(fields[4]),
                "options": options_of(fields[5]),
                "type": text(rest[0]),
                "source": unescape(rest[1]),
                "super_options": options_of(rest[2]) if len(rest) > 2 else [],
            }
        )
    return mounts


def parse_fstab(data, path="/etc/fstab"):
    """Return the entries ``{source, point, type, options, dump, pass, where}``; incomplete lines are left out.

    ``point`` has no trailing slash; it is ``none`` (or anything) for swap. Numbers are ints, 0 when missing.
    """
    entries = []
    for number, line in enumerate(data.split(b"\n"), 1):
        fields = line.split()
        if not fields or fields[0].startswith(b"#") or len(fields) < 2:
            continue
        kind = text(fields[2]) if len(fields) > 2 else "auto"
        numbers = [int(field) if field.isdigit() and len(field) < 9 else 0 for field in fields[4:6]]
        point = unescape(fields[1])
        entries.append(
            {
                "source": redact(unescape(fields[0])),
                "point": point.rstrip("/") or "/" if point.startswith("/") else point,
                "type": kind,
                "options": options_of(fields[3]) if len(fields) > 3 else ["defaults"],
                "dump": numbers[0] if numbers else 0,
                "pass": numbers[1] if len(numbers) > 1 else 0,
                "where": "%s:%d" % (path, number),
            }
        )
    return entries


def parse_swaps(data):
    """Return the active swaps of /proc/swaps: ``[{path, kind}]``, kind ``partition`` or ``file``."""
    swaps = []
    for line in data.split(b"\n")[1:]:
        fields = line.split()
        if len(fields) >= 2:
            # " (deleted)" is escaped by the kernel as part of the path.
            swaps.append({"path": unescape(fields[0]), "kind": text(fields[1])})
    return swaps


def live_mounts(host):
    """The mounts of this process's namespace (as parse_mountinfo), read once; raise Unsupported, Unreadable."""
    host.need_live()
    return host.cached("mountinfo", lambda: parse_mountinfo(host.read("/proc/self/mountinfo", 1 << 24)))


def fstab(host):
    """Entries of /etc/fstab, [] when there is none; raise Unreadable."""
    try:
        return host.cached("fstab", lambda: parse_fstab(host.read("/etc/fstab")))
    except Absent:
        return []


def visible(mounts):
    """Return {mount point: mount} of what a path really reaches: the last mount on a point covers the others."""
    return {mount["point"]: mount for mount in mounts}

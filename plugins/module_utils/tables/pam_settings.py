"""Files that PAM modules read beside their arguments, resource limits, and the authselect profile."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os

from ..redact import redact_named
from ..spec import Absent, Column, Result, Table, Unreadable, unreadable

TABLE = Table(
    name="pam_settings",
    description="Settings of PAM modules outside the stacks: pwquality, faillock, limits and others; authselect.",
    key="`pwquality:<name>`, `faillock:<name>`, `pwhistory:<name>`, `limits:<domain> <type> <item>`, "
    "`access:<file:line>`, `authselect:profile`, `authselect:features`, `faillock_label:<directory>` (of the directory "
    "that faillock.conf names, else its default; no row: no such directory)",
    columns=(
        Column("group", "text", "what stands before the colon of the key"),
        Column("name", "text", "what stands after it"),
        Column(
            "value",
            "text",
            "value in force; empty for a name that stands alone (a switch); of a label the type that SELinux gave the "
            "directory, empty without one",
        ),
        Column("where", "text", "file:line of the value in force"),
        Column("settings", "list", "all lines of the name in the order of reading: value, where"),
    ),
    max_rows=2000,
)


def parse_conf(lines, path):
    """Return ``[(name, value, where)]`` of ``name = value`` files; a name alone has the value ""."""
    found = []
    for number, line in enumerate(lines, 1):
        line = line.split("#", 1)[0].strip()
        if line:
            name, _separator, value = line.partition("=")
            found.append((name.strip()[:128], redact_named(name, value.strip())[:512], "%s:%d" % (path, number)))
    return found


def parse_limits(lines, path):
    """Return ``[("domain type item", value, where)]`` of limits.conf(5)."""
    found = []
    for number, line in enumerate(lines, 1):
        fields = line.split("#", 1)[0].split()
        if len(fields) == 4:
            found.append((" ".join(fields[:3])[:256], fields[3][:64], "%s:%d" % (path, number)))
        elif len(fields) == 2 and fields[1] == "-":  # this domain has no limits at all
            found.append((fields[0][:256], "-", "%s:%d" % (path, number)))
    return found


def _parse_access(lines, path):
    found = []
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if line and not line.startswith("#"):
            where = "%s:%d" % (path, number)
            found.append((where, " ".join(line.split())[:512], where))
    return found


SOURCES = (
    ("pwquality", parse_conf, "/etc/security/pwquality.conf", "/etc/security/pwquality.conf.d/*.conf", "before"),
    ("faillock", parse_conf, "/etc/security/faillock.conf", None, ""),
    ("pwhistory", parse_conf, "/etc/security/pwhistory.conf", None, ""),
    ("limits", parse_limits, "/etc/security/limits.conf", "/etc/security/limits.d/*.conf", "after"),
    ("access", _parse_access, "/etc/security/access.conf", "/etc/security/access.d/*.conf", "after"),
)
"""Group, parser, file, fragments, and whether fragments are read before or after the file. libpwquality reads
its fragments first (pwquality.conf(5): the file itself has the last word); pam_limits reads them last."""


def _authselect(host):
    """Rows of /etc/authselect/authselect.conf: the profile, then one feature a line."""
    path = "/etc/authselect/authselect.conf"
    words = [(number, line.strip()) for number, line in enumerate(host.lines(path, 65536), 1)]
    words = [(number, line) for number, line in words if line and not line.startswith("#")]
    if not words:
        return []
    found = [("profile", words[0][1][:256], "%s:%d" % (path, words[0][0]))]
    if len(words) > 1:
        found.append(
            ("features", " ".join(line for _number, line in words[1:41])[:1024], "%s:%d" % (path, words[1][0]))
        )
    return found


def rows_of(group, found):
    """Rows of one group; the last line of a name is in force."""
    rows = {}
    for name, value, where in found:
        key = "%s:%s" % (group, name)
        earlier = rows[key]["settings"] if key in rows else []
        rows[key] = {
            "group": group,
            "name": name,
            "value": value,
            "where": where,
            "settings": (earlier + [{"value": value, "where": where}])[-20:],
        }
    return rows


def _paths(host, path, pattern, place):
    extra = host.glob(pattern) if pattern else []
    return extra + [path] if place == "before" else [path] + extra


def _label(host, rows):
    """The type in the SELinux label of the directory where pam_faillock keeps its counts."""
    row = rows.get("faillock:dir")
    directory = row["value"] if row else "/var/run/faillock"
    if not isinstance(directory, str) or not directory.startswith("/"):
        return []
    descriptor = host.tree.directory(directory)
    try:
        label = os.getxattr(descriptor, "security.selinux").rstrip(b"\0").decode("ascii", "replace")
    except OSError:
        label = ""
    finally:
        os.close(descriptor)
    parts = label.split(":")
    return [(directory[:512], parts[2][:128] if len(parts) > 2 else "", directory[:512])]


def collect(host, options):
    """Return a row for each setting of each group."""
    rows, gaps = {}, []
    for group, parser, path, pattern, place in SOURCES:
        found, blind = [], ""
        try:
            paths = _paths(host, path, pattern, place)
        except Unreadable as error:
            paths, blind = [path], error.why
        for item in paths:
            try:
                found += parser(host.lines(item, 1 << 20), item)
            except Absent:
                continue
            except Unreadable as error:
                blind = error.why
        own = rows_of(group, found)
        if blind:
            gaps.append(blind)
            for row in own.values():
                row["value"] = unreadable("partial", blind)
        rows.update(own)
    for group, read in (("authselect", lambda: _authselect(host)), ("faillock_label", lambda: _label(host, rows))):
        try:
            rows.update(rows_of(group, read()))
        except Absent:
            continue
        except Unreadable as error:
            gaps.append(error.why)
    return Result(rows, "partial", "; ".join(gaps[:5])) if gaps else rows

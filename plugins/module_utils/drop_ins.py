"""Directories of configuration fragments that mask one another by base name (sysctl.d(5), systemd.unit(5)),
and the ini dialect of systemd's own files (systemd.syntax(7)).
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from .spec import Absent

CONFIG_PREFIXES = ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib")
"""Where fragments lie, strongest first: a name found in one hides the same name in those that follow."""

UNIT_DIRS = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
"""Where unit files lie, strongest first (systemd.unit(5); generated units are made from what we read elsewhere)."""


def fragments(host, directories, suffix=".conf"):
    """Return ``[(path, hidden)]`` of the fragments in force, in the order in which they are read.

    ``hidden`` lists the paths of the same base name that this one hides. A link to /dev/null is left out:
    it only hides. Raise Unreadable when a directory cannot be listed.
    """
    found = {}
    seen = set()
    for directory in directories:
        try:
            names = host.listdir(directory)
        except Absent:
            continue
        info = host.stat(directory)
        identity = (info.st_dev, info.st_ino)
        if identity in seen:  # /lib is a link to /usr/lib on merged systems
            continue
        seen.add(identity)
        for name in names:
            if name.endswith(suffix):
                found.setdefault(name, []).append("%s/%s" % (directory, name))
    result = []
    for name in sorted(found):
        paths = found[name]
        if host.readlink(paths[0]) != "/dev/null":
            result.append((paths[0], paths[1:]))
    return result


def parse_ini(lines, path):
    r"""Return ``[(section, key, value, where)]`` of a systemd file, in order; ``where`` is ``path:line``.

    A backslash at the end of a line (``\x5c`` after ``host.text``) joins the next one, comments between
    joined lines are dropped, as systemd.syntax(7) has it.
    """
    entries = []
    section = ""
    pending, start = "", 0
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if line[:1] in ("#", ";") or (not line and not pending):
            continue
        if not pending:
            start = number
        if line.endswith("\\x5c"):
            pending += line[:-4] + " "
            continue
        line, pending = pending + line, ""
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif "=" in line:
            key, value = line.split("=", 1)
            entries.append((section, key.strip(), value.strip(), "%s:%d" % (path, start)))
    return entries


def daemon_config(host, name):
    """Return ``(entries, files)`` of ``/etc/systemd/<name>`` and its drop-ins, in the order of reading.

    ``entries`` as parse_ini; the last of a key counts unless the key is a list. Raise Unreadable when any
    of the files cannot be read: what it says could override all others.
    """
    files = []
    for prefix in CONFIG_PREFIXES:
        path = "%s/systemd/%s" % (prefix, name)
        if host.exists(path):
            if host.readlink(path) != "/dev/null":
                files.append(path)
            break
    files += [path for path, _hidden in fragments(host, ["%s/systemd/%s.d" % (p, name) for p in CONFIG_PREFIXES])]
    entries = []
    for path in files:
        entries += parse_ini(host.lines(path), path)
    return entries, files


def load_unit(host, name, directories=UNIT_DIRS):
    """Return ``(path, entries)`` of a unit file and its drop-ins, or None when there is no such unit.

    ``path`` is "" and the entries are empty for a masked unit; ``directories`` are looked at. Raise Unreadable.
    """
    for directory in directories:
        path = "%s/%s" % (directory, name)
        try:
            target = host.readlink(path)
        except Absent:
            continue
        if target == "/dev/null":
            return "", []
        try:
            entries = parse_ini(host.lines(path), path)
        except Absent:  # a dangling link
            continue
        for extra, _hidden in fragments(host, ["%s/%s.d" % (d, name) for d in directories]):
            entries += parse_ini(host.lines(extra), extra)
        return path, entries
    return None


def values(entries, section, key):
    """Return ``[(value, where)]`` of a list setting: an empty assignment clears what was before it."""
    result = []
    for found_section, found_key, value, where in entries:
        if found_section == section and found_key == key:
            if value:
                result.append((value, where))
            else:
                result = []
    return result


def last(entries, section, key):
    """Return ``(value, where)`` of the last assignment, ``("", "")`` when there is none."""
    result = ("", "")
    for found_section, found_key, value, where in entries:
        if found_section == section and found_key == key:
            result = (value, where)
    return result


def wanted_by(host, unit):
    """Return the links in ``*.target.wants`` and ``*.target.requires`` that start a unit at boot (sorted paths)."""
    return host.cached("wanted units", lambda: _wanted(host)).get(unit, [])


def _wanted(host):
    """Return {unit: [links]} of all targets; a target that boot does not reach is not told apart."""
    links, seen = {}, set()
    for directory in UNIT_DIRS:
        try:
            info = host.stat(directory)
            names = host.listdir(directory)
        except Absent:
            continue
        if (info.st_dev, info.st_ino) in seen:
            continue
        seen.add((info.st_dev, info.st_ino))
        for name in names:
            if not name.endswith((".target.wants", ".target.requires")):
                continue
            try:
                units = host.listdir("%s/%s" % (directory, name))
            except Absent:
                continue
            for unit in units:
                links.setdefault(unit, []).append("%s/%s/%s" % (directory, name, unit))
    return links

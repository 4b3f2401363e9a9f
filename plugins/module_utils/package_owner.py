"""Which package a file came with, for a handful of files at once: dpkg's lists, rpm, apk's database."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os

from .spec import Absent, Unreadable
from .text import raw, text

DPKG_LISTS = "/var/lib/dpkg/info"
APK_DATABASE = "/lib/apk/db/installed"
RPM_DATABASES = ("/usr/lib/sysimage/rpm", "/var/lib/rpm")
MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
"""Directories of / that are links into /usr on a system with merged /usr: packages may name either path."""

LIST_CAP = 32 << 20


def spellings(path, merged=True):
    """All names under which packages may list a path: ``/usr/bin/x`` is also ``/bin/x`` when /usr is merged."""
    names = [path]
    parts = path.split("/", 3)
    if not merged:
        return names
    if len(parts) > 2 and parts[1] in MERGED:
        names.append("/usr" + path)
    elif len(parts) > 3 and parts[1] == "usr" and parts[2] in MERGED:
        names.append(path[4:])
    return names


def search_dpkg(names, needles, read):
    """Return path -> package. ``names`` are the ``*.list`` files, ``needles`` path -> bytes lines to look for.

    ``read(name)`` gives the bytes of a list or None. Packages that sound like a path's last part come first, so
    that most are found without reading every list.
    """
    stems = {text(needle).rsplit("/", 1)[-1].strip()[:4] for options in needles.values() for needle in options}
    hinted = [name for name in names if any(stem in name for stem in stems)]
    chosen = set(hinted)
    owners = {}
    missing = dict(needles)
    for name in hinted + [name for name in names if name not in chosen]:
        content = read(name)
        if not content:
            continue
        for path in [
            path
            for path, options in missing.items()
            if any(content.startswith(needle) or b"\n" + needle in content for needle in options)
        ]:
            owners[path] = name[: -len(".list")].split(":")[0]
            del missing[path]
        if not missing:
            break
    return owners


def search_apk(lines, needles):
    """Return path -> package from the lines of apk's database (``P:`` package, ``F:`` directory, ``R:`` file)."""
    owners, package, directory = {}, None, ""
    wanted = {needle: path for path, options in needles.items() for needle in options}
    for line in lines:
        kind = line[:2]
        if kind == "P:":
            package = line[2:]
        elif kind == "F:":
            directory = "/" + line[2:] + "/"
        elif kind == "R:" and directory + line[2:] in wanted:
            owners[wanted[directory + line[2:]]] = package
    return owners


def _dpkg(host, paths, merged):
    needles = {path: [raw(name) + b"\n" for name in spellings(path, merged)] for path in paths}
    descriptor = os.open(DPKG_LISTS, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)

    def read(name):
        try:
            opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=descriptor)
        except OSError:
            return None
        try:
            return os.read(opened, min(os.fstat(opened).st_size, LIST_CAP))
        finally:
            os.close(opened)

    try:
        names = [name for name in os.listdir(descriptor) if name.endswith(".list")]
        return search_dpkg(names, needles, read)
    finally:
        os.close(descriptor)


def _rpm(host, paths):
    """One ``rpm -qf`` for all paths: it answers line by line in their order."""
    done = host.run(["rpm", "-qf", "--qf", "%{NAME}\\n"] + [os.fsdecode(raw(path)) for path in paths], timeout=20.0)
    lines = done.lines()
    if len(lines) != len(paths):
        raise Unreadable("invalid", "rpm -qf: %d answers to %d questions" % (len(lines), len(paths)))
    # "file ... is not owned by any package" and "error: ..." are sentences; a package's name has no blank.
    return {paths[index]: line for index, line in enumerate(lines) if line and " " not in line}


def owners(host, paths):
    """Return path -> package name, without the paths that no package owns; asks once for all of them.

    Raise Unsupported under a root that is not running, Absent without a package database, Unreadable.
    """
    host.need_live()
    paths = sorted(set(paths))
    if not paths:
        return {}
    merged = host.readlink("/bin") is not None
    if host.is_dir(DPKG_LISTS):
        try:
            return _dpkg(host, paths, merged)
        except PermissionError:
            raise Unreadable("denied", "%s: permission denied" % DPKG_LISTS) from None
    if host.exists(APK_DATABASE):
        needles = {path: spellings(path, merged) for path in paths}
        return search_apk(host.lines(APK_DATABASE, 64 << 20), needles)
    if any(host.is_dir(path) for path in RPM_DATABASES):
        return _rpm(host, paths)
    raise Absent("a package database")

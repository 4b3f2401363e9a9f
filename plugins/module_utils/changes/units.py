"""What enables and masks a unit: links below /etc/systemd/system. Sources: systemctl(1), systemd.unit(5)."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os

from ..spec import Absent, Unreadable
from .target import Problem

SYSTEM = "/etc/systemd/system"
DIRECTORIES = (SYSTEM, "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
               "/lib/systemd/system")  # fmt: skip
GENERATED = ("/run/systemd/generator.late", "/run/systemd/generator", "/run/systemd/generator.early")
MASK = "/dev/null"


def _template(name):
    stem, _dot, suffix = name.rpartition(".")
    return stem.split("@", 1)[0] + "@." + suffix if "@" in stem and not stem.endswith("@") else name


def fragment(target, name):
    """Path of the unit's own file, None when there is none; a mask is no file."""
    for directory in DIRECTORIES:
        for one in dict.fromkeys((name, _template(name))):
            path = directory + "/" + one
            try:
                link = target.tree.readlink(path)
                if link == MASK:
                    continue
                target.tree.stat(path)
                return target.resolve(path) if directory == SYSTEM and link else path
            except Absent:
                continue
            except Unreadable as error:
                raise Problem(error.why) from None
    return None


def generated(target, name):
    """True if only a generator made it, from an init script or fstab."""
    return any(target.lstat(directory + "/" + name) is not None for directory in GENERATED)


def install(lines):
    """Return ``{wanted: [], required: [], aliases: [], also: []}`` of the [Install] section in a unit file's lines."""
    found = {"wantedby": [], "requiredby": [], "alias": [], "also": [], "defaultinstance": []}
    section = ""
    for line in lines:
        line = line.strip()
        if line.startswith("["):
            section = line
        elif section == "[Install]" and "=" in line and not line.startswith(("#", ";")):
            key, value = line.split("=", 1)
            words = value.split()
            if key.strip().lower() in found:
                found[key.strip().lower()] = found[key.strip().lower()] + words if words else []
    return found


def links(target, name):
    """Return {path: target} of the links in SYSTEM that enable the unit, aliases among them, its mask left out."""
    found = {}
    names = {name}
    folders = [SYSTEM]
    try:
        lists = [one for one in target.tree.listdir(SYSTEM) if one.endswith((".wants", ".requires", ".upholds"))]
        folders += [SYSTEM + "/" + one for one in lists]
    except Absent:
        return found
    for folder in folders:
        try:
            entries = target.tree.listdir(folder)
        except Absent:
            continue
        for entry in entries:
            path = folder + "/" + entry
            if target.lstat(path) is None or (entry != name and folder != SYSTEM):
                continue
            link = target.tree.readlink(path)
            if link is None or link == MASK:
                continue
            if entry in names or os.path.basename(link) in names:
                found[path] = link
    return found


def _lines(target, path):
    return target.host.lines(path, 1 << 20)


def enabling(target, name, done=(), staged=None):
    """Return {path: target} of the links that enable it; raise Problem when it cannot be enabled.

    ``staged``: lines of the file that is to be written for it in SYSTEM before the links are made.
    """
    path = fragment(target, name) if staged is None else SYSTEM + "/" + name
    if path is None:
        raise Problem("%s: there is no unit file of it to enable" % name)
    said = install(_lines(target, path) if staged is None else staged)
    found = {}
    for key, suffix in (("wantedby", ".wants/"), ("requiredby", ".requires/")):
        for other in said[key]:
            found[SYSTEM + "/" + other + suffix + name] = path
    for alias in said["alias"]:
        if alias != name:
            found[SYSTEM + "/" + alias] = path
    for other in said["also"]:
        if other not in done and other != name and fragment(target, other):
            found.update(enabling(target, other, tuple(done) + (name,)))
    if not found and not done:
        raise Problem("%s cannot be enabled: its file says nothing about when it is wanted" % name)
    return found


def wanted_links(target, name, enabled, masked, staged=None):
    """Return ({path: target or None}, whether anything of it exists) so that it is enabled, masked, or not.

    ``staged``: as ``enabling`` takes it.
    """
    found = {}
    there = staged is not None or fragment(target, name) is not None
    mask = SYSTEM + "/" + name
    info = target.lstat(mask)
    masked_now = info is not None and target.tree.readlink(mask) == MASK
    if masked is True and not masked_now:
        if info is not None and target.tree.readlink(mask) is None:
            raise Problem("%s is a file of the administrator: it cannot be masked" % mask)
        found[mask] = MASK
    elif masked is False and masked_now:
        found[mask] = None
    if enabled is True:
        found.update(enabling(target, name, staged=staged))
    elif enabled is False and there:
        lines = _lines(target, fragment(target, name)) if staged is None else staged
        also = [other for other in install(lines)["also"] if other != name]
        for one in [name] + also:
            for path in links(target, one):
                found.setdefault(path, None)
    elif enabled is False and generated(target, name) and masked is not True:
        raise Problem("%s comes from an init script: mask it instead" % name)
    return found, there or generated(target, name) or masked_now

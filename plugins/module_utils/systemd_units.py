"""Unit files of systemd read without systemd: where they lie, what they say, whether they are enabled.

The enablement states follow ``unit_file_lookup_state`` of systemd's src/shared/install.c, so that a mounted
image gives the same words as ``systemctl list-unit-files`` on the running system.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os
import posixpath

from .reading import logical_lines, names_in
from .spec import Absent, Unreadable
from .text import raw, text

# systemd.unit(5), "System Unit Search Path", highest precedence first.
SEARCH_PATH = (
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
    "/etc/systemd/system",
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/run/systemd/generator.late",
)
PERSISTENT = "/etc/systemd/system"
SUFFIXES = frozenset(
    (
        ".service",
        ".socket",
        ".timer",
        ".target",
        ".path",
        ".mount",
        ".automount",
        ".swap",
        ".slice",
        ".device",
        ".scope",
    )
)
PULLING = (".wants", ".requires", ".upholds")
MAX_UNITS = 8000
FILE_LIMIT = 1 << 20


def parse_unit(data):
    """Yield (section, key, value) of a unit file or drop-in (bytes) in order (systemd.syntax(7))."""
    section = ""
    for _number, line in logical_lines(_without_comments(data)):
        line = line.strip()
        if line.startswith(b"[") and line.endswith(b"]"):
            section = text(line[1:-1])
            continue
        key, equals, value = line.partition(b"=")
        if equals and section:
            yield section, text(key.rstrip()), text(value.lstrip())


def _without_comments(data):
    # Comment lines inside a continued line are skipped, so they must go before lines are joined.
    if b"#" not in data and b";" not in data:
        return data
    return b"\n".join(line for line in data.split(b"\n") if line.lstrip()[:1] not in (b"#", b";"))


def template_of(name):
    """Return ``a@.service`` for the instance ``a@b.service``, None for other names."""
    stem, dot, suffix = name.rpartition(".")
    prefix, at, instance = stem.partition("@")
    return "%s@.%s" % (prefix, suffix) if dot and at and instance else None


def is_template(name):
    """True for ``a@.service``."""
    return "@." in name and name.partition("@")[2].count(".") == 1


def drop_in_names(name):
    """Directories in which drop-ins for a unit are looked for, most specific first (systemd.unit(5))."""
    stem, _dot, suffix = name.rpartition(".")
    names = [name + ".d"]
    template = template_of(name)
    if template:
        names.append(template + ".d")
        stem = template.rpartition(".")[0]
    parts = stem.rstrip("@").split("-")
    names.extend("%s-.%s.d" % ("-".join(parts[:count]), suffix) for count in range(len(parts) - 1, 0, -1))
    names.append(suffix + ".d")
    return names


class Directory:
    """What one directory of the search path holds.

    ``files``, ``links`` {name: absolute target}, ``by_target`` {last part of a target: [link]}, ``pulls`` {name of a
    link in .wants, .requires, .upholds: [unit that pulls]}, ``pulled`` {unit or template: [name of such a link]},
    ``drop_ins`` {directory: [file name]}.
    """

    def __init__(self, host, path):
        self.path = path
        self.files = set()
        self.links = {}
        self.pulls = {}
        self.drop_ins = {}
        for entry_name in host.listdir(path):
            name = text(os.fsencode(entry_name))
            dot = name.rfind(".")
            suffix = name[dot:] if dot > 0 else ""
            if suffix == ".d":
                self.drop_ins[name] = [
                    entry for entry in names_in(host, path + "/" + entry_name) if entry.endswith(".conf")
                ]
            elif suffix in PULLING:
                for entry in names_in(host, path + "/" + entry_name):
                    self.pulls.setdefault(text(os.fsencode(entry)), []).append(name[:dot])
            elif suffix in SUFFIXES:
                target = host.readlink(path + "/" + entry_name)
                if target is None:
                    self.files.add(name)
                else:
                    self.links[name] = posixpath.normpath(posixpath.join(path, target))
        self.pulled = {}
        for name in self.pulls:
            for unit in (name, template_of(name)):
                self.pulled.setdefault(unit, []).append(name)
        self.by_target = {}
        for name, target in self.links.items():
            self.by_target.setdefault(posixpath.basename(target), []).append(name)


class Unit:
    """A unit file as found: ``name``, ``path`` of the file that counts, ``kind`` (file, mask, alias), ``target`` (name
    an alias stands for), ``directory`` (of the search path), ``entries`` [(section, key, value)], ``drop_ins`` [path],
    ``unreadable`` (why, or None).
    """

    def __init__(self, name, directory, kind, path, target=None):
        self.name = name
        self.directory = directory
        self.kind = kind
        self.path = path
        self.target = target
        self.entries = []
        self.drop_ins = []
        self.unreadable = None

    def values(self, section, key):
        """Values of a setting in order; an empty assignment resets the list (systemd.syntax(7))."""
        found = []
        for entry_section, entry_key, value in self.entries:
            if entry_section == section and entry_key == key:
                if value:
                    found.append(value)
                else:
                    found = []
        return found

    def value(self, section, key):
        """The last value of a setting, or None."""
        found = self.values(section, key)
        return found[-1] if found else None

    def words(self, section, key):
        """All words of all values of a setting."""
        return [word for value in self.values(section, key) for word in value.split()]


class UnitFiles:
    """All unit files below the search path of one host. ``gaps`` names directories that could not be read."""

    def __init__(self, host):
        self.host = host
        self.gaps = []
        self.directories = []
        self._units = {}
        seen = set()
        for path in SEARCH_PATH:
            try:
                info = host.stat(path)
                # /lib is /usr/lib on most systems: one directory counts once.
                if (info.st_dev, info.st_ino) not in seen:
                    seen.add((info.st_dev, info.st_ino))
                    self.directories.append(Directory(host, path))
            except Absent:
                continue
            except Unreadable as error:
                self.gaps.append(error.why)

    def names(self):
        """Sorted names of all unit files, links among them, and of instances that a link pulls in."""
        found = set()
        for directory in self.directories:
            found |= directory.files
            found.update(directory.links)
            found.update(name for name in directory.pulls if template_of(name))
        return sorted(found)[:MAX_UNITS]

    def get(self, name):
        """Return the Unit of that name (an instance by its template), or None when there is no file."""
        if name not in self._units:
            self._units[name] = self._load(name)
        return self._units[name]

    def _load(self, name):
        unit = self._find(name)
        template = template_of(name)
        if unit is None and template:
            unit = self._find(template)
            if unit is not None:
                unit.name = name
        if unit is None or unit.kind != "file":
            return unit
        try:
            data = self.host.read(_raw_path(unit.path), FILE_LIMIT)
            if not data:
                unit.kind = "mask"  # an empty file masks like a link to /dev/null
                return unit
            unit.entries.extend(parse_unit(data))
        except Absent:
            return None
        except Unreadable as error:
            unit.unreadable = error.why
        self._add_drop_ins(unit)
        return unit

    def _find(self, name):
        for directory in self.directories:
            path = directory.path + "/" + name
            if name in directory.files:
                return Unit(name, directory.path, "file", path)
            target = directory.links.get(name)
            if target is None:
                continue
            if target == "/dev/null":
                return Unit(name, directory.path, "mask", path)
            base = posixpath.basename(target)
            if base == name:
                return Unit(name, directory.path, "file", target)
            return Unit(name, directory.path, "alias", path, base)
        return None

    def _add_drop_ins(self, unit):
        chosen = {}
        for name in drop_in_names(unit.name):
            for directory in self.directories:
                for entry in directory.drop_ins.get(name, ()):
                    chosen.setdefault(entry, "%s/%s/%s" % (directory.path, name, text(os.fsencode(entry))))
        for entry in sorted(chosen):
            path = chosen[entry]
            try:
                unit.entries.extend(parse_unit(self.host.read(_raw_path(path), FILE_LIMIT)))
            except Absent:
                continue
            except Unreadable as error:
                if self.host.readlink(_raw_path(path)) == "/dev/null":
                    continue
                unit.unreadable = error.why
            unit.drop_ins.append(path)

    def wanted_by(self, name):
        """Sorted names of the units that pull this one in by a link in .wants, .requires or .upholds."""
        found = set()
        for directory in self.directories:
            found.update(directory.pulls.get(name, ()))
        return sorted(found)

    def state(self, name):
        """Return the unit file state as systemctl names it, or None when there is no unit file.

        enabled, enabled-runtime, linked, linked-runtime, alias, masked, masked-runtime, static, disabled, indirect,
        generated, transient.
        """
        unit = self.get(name)
        if unit is None:
            return None
        runtime = "-runtime" if unit.directory.startswith("/run/") else ""
        if unit.kind == "mask":
            return "masked" + runtime
        if unit.kind == "alias":
            return "alias"
        if unit.directory.startswith("/run/systemd/generator"):
            return "generated"
        if unit.directory == "/run/systemd/transient":
            return "transient"
        found = self._links_in_scope(unit, True)
        if found:
            return found
        if self._links_in_scope(unit, False):
            return "indirect"
        if (
            unit.words("Install", "WantedBy")
            or unit.words("Install", "RequiredBy")
            or unit.words("Install", "Alias")
            or unit.words("Install", "UpheldBy")
        ):
            return "disabled"
        return "indirect" if unit.words("Install", "Also") else "static"

    def _links_in_scope(self, unit, own_names):
        known = {unit.name}
        instance = unit.name.rpartition(".")[0].partition("@")[2]
        known.update(alias.replace("%i", instance) for alias in unit.words("Install", "Alias"))
        default = unit.value("Install", "DefaultInstance")
        if default and is_template(unit.name):
            known.add(unit.name.replace("@.", "@%s." % default))
        runtime = anywhere = ignore_same = False
        same = ""
        for directory in self.directories:
            hit, same_name = _find_links(unit, directory, known if own_names else None, ignore_same)
            temporary = directory.path.startswith("/run/")
            if hit:
                if directory.path == PERSISTENT:
                    return "enabled"
                runtime = runtime or temporary
                anywhere = True
            elif same_name:
                if directory.path == PERSISTENT:
                    same = "linked"
                elif temporary and not same:
                    same = "linked-runtime"
            if unit.path.startswith(directory.path + "/"):
                ignore_same = True
        if runtime:
            return "enabled-runtime"
        if anywhere and template_of(unit.name):
            return "static"  # an instance that the distribution itself pulls in
        return same


def _find_links(unit, directory, known, ignore_same):
    """Return (a link that enables the unit lies here, a link of the unit's own name lies here)."""
    for name in directory.pulled.get(unit.name, ()):
        if known is None or name in known:
            return True, False
    by_target = directory.by_target.get(unit.name, ())
    names = list(by_target)
    if not ignore_same and unit.name in directory.links and unit.name not in names:
        names.append(unit.name)
    same_name = False
    for name in names:
        if name == unit.name and name in by_target and not ignore_same:
            same_name = True
        elif known is None or name in known:
            return True, same_name
    return False, same_name


def _raw_path(path):
    if "\\" not in path:
        return path
    return os.fsdecode(raw(path))


def unit_files(host):
    """Return the host's UnitFiles, read once for all tables."""
    return host.cached("systemd unit files", lambda: UnitFiles(host))

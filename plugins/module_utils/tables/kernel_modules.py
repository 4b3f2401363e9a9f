"""Kernel modules that are loaded, named in modprobe.d or asked for, and whether they could be loaded."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os

from ..deb_version import version_key
from ..modprobe import normal, read_modprobe
from ..reading import names_in
from ..redact import redact
from ..spec import Absent, Column, Result, Table, unreadable
from ..text import text

TABLE = Table(
    name="kernel_modules",
    description=(
        "Kernel modules: loaded, built in, available on disk, and what modprobe.d says of them. Rows exist for modules"
        " that are loaded, named in modprobe.d, among the names asked for (option `names`), or among those that"
        " hardening guides commonly switch off; for these a row exists also when the kernel has no such module."
    ),
    key="module name with `_` for `-`",
    columns=(
        Column("loaded", "bool", "in /proc/modules; null under a root that is not live"),
        Column("builtin", "bool", "part of the kernel image; null when the kernel's lists are not there to tell"),
        Column(
            "available",
            "bool",
            "a module file exists for the running kernel (under another root: for any kernel); null in a container"
            " that does not see the module directory of its kernel",
        ),
        Column("kernels", "list", "installed kernel releases that have a module file of this name; at most 16"),
        Column("file", "text", "path of the module file below /lib/modules/<release> of the kernel looked at"),
        Column("blacklist", "list", "path:line of each blacklist command for it; at most 32"),
        Column("install", "text_sensitive", "command that stands in for loading it (the first install line counts)"),
        Column("install_where", "text", "path:line of that install command"),
        Column("install_others", "list", "path:line of further install commands, which modprobe ignores; at most 32"),
        Column("aliases", "list", "`alias path:line` of modprobe.d aliases that stand for it; at most 32"),
        Column("used_by", "list", "loaded modules that use it; at most 32", volatile=True),
        Column(
            "host_global", "bool", "true in a container: loaded and built-in modules are those of the container's host"
        ),
    ),
    max_rows=5000,
)

# Modules of file systems, protocols and buses that hardening guides speak of: answered for on every host, since a
# missing row would not tell an absent module from one that nobody asked for.
COMMON = (
    "afs",
    "appletalk",
    "atm",
    "ax25",
    "bluetooth",
    "can",
    "ceph",
    "cifs",
    "cramfs",
    "dccp",
    "econet",
    "exfat",
    "ext",
    "fat",
    "firewire_core",
    "freevxfs",
    "fscache",
    "fuse",
    "gfs2",
    "hfs",
    "hfsplus",
    "ipx",
    "jffs2",
    "jfs",
    "kafs",
    "ksmbd",
    "nfs",
    "nfs_common",
    "nfsd",
    "nilfs2",
    "ntfs",
    "overlay",
    "overlayfs",
    "rds",
    "sctp",
    "smbfs_common",
    "squashfs",
    "thunderbolt",
    "tipc",
    "udf",
    "uas",
    "usb_storage",
    "uvcvideo",
    "vfat",
    "vivid",
    "x25",
)
# What a module registers in the kernel as soon as it is part of it, built in or loaded: without the kernel's own lists
# (modules.builtin is missing on machines that a provider's kernel boots) this alone tells that it is not built in.
REGISTERS = dict(
    {
        name: "fs " + name
        for name in (
            "cramfs",
            "hfs",
            "hfsplus",
            "jffs2",
            "squashfs",
            "udf",
            "overlay",
            "vfat",
            "exfat",
            "gfs2",
            "nilfs2",
            "nfs",
            "cifs",
            "ceph",
            "fuse",
            "jfs",
            "afs",
        )
    },
    freevxfs="fs vxfs",
    overlayfs="fs overlay",
    dccp="net DCCP",
    sctp="net SCTP",
    tipc="net TIPC",
    rds="net RDS",
    usb_storage="usb usb-storage",
)
MODULES = "/lib/modules"
LISTS = 32
MAX_KERNELS = 16


def parse_proc_modules(data):
    """Return {name: [users]} of /proc/modules (bytes): ``name size refs users state address``."""
    loaded = {}
    for line in data.split(b"\n"):
        words = line.split()
        if len(words) >= 4:
            loaded[text(words[0])] = [text(user) for user in words[3].split(b",") if user and user != b"-"][:LISTS]
    return loaded


def parse_paths(data, wanted):
    """Return {normalised name: path} for the wanted names in modules.dep or modules.builtin (bytes).

    A line begins with the path of a module file; in modules.dep a colon and its dependencies follow.
    """
    found = {}
    for line in data.split(b"\n"):
        path = line.partition(b":")[0]
        # Most lines end here: decoding all of several thousand would cost more than all the rest.
        name = path[path.rfind(b"/") + 1 :].partition(b".ko")[0].replace(b"-", b"_")
        if name in wanted:
            found[text(name)] = text(path)
    return found


def parse_filesystems(data):
    """Names of the file systems the kernel knows now (/proc/filesystems, bytes)."""
    return {text(line.split()[-1]) for line in data.split(b"\n") if line.strip()}


def kernels(host):
    """Installed kernel releases that have a module directory, newest first."""
    names = [
        name
        for name in names_in(host, MODULES)
        if host.exists("%s/%s/modules.dep" % (MODULES, name)) or host.exists("%s/%s/modules.builtin" % (MODULES, name))
    ]
    return sorted(names, key=version_key, reverse=True)[:MAX_KERNELS]


def _optional(host, path, limit=1 << 24):
    try:
        return host.read(path, limit)
    except Absent:
        return None


def _loaded(host):
    """Return {name: users} of the running kernel, {} when it takes no modules at all."""
    if not host.live:
        return None
    data = _optional(host, "/proc/modules")
    return {} if data is None else parse_proc_modules(data)


def _registered(host):
    """What the running kernel has registered, of the kinds in REGISTERS; None under a root that is not live."""
    if not host.live:
        return None
    found = {"fs " + name for name in parse_filesystems(_optional(host, "/proc/filesystems") or b"")}
    for line in (_optional(host, "/proc/net/protocols") or b"").split(b"\n")[1:]:
        found.update("net " + text(word) for word in line.split()[:1])
    if os.path.isdir("/sys/bus/usb/drivers/usb-storage"):
        found.add("usb usb-storage")
    return found


def _builtin(host, name, lists, registered, looked):
    """True, False, or None when nothing can tell."""
    if name in lists:
        return True
    if registered is not None:
        if name in REGISTERS:
            return REGISTERS[name] in registered
        if os.path.isdir("/sys/module/" + name) and not os.path.exists("/sys/module/%s/initstate" % name):
            return True
    return False if looked else None


def collect(host, options):
    """Return one row a module. ``options["names"]``: further modules to answer for (list of names)."""
    why = []
    rows = {}
    loaded = _loaded(host)
    configuration = read_modprobe(host)
    why.extend(configuration.gaps)
    asked = [normal(str(name)) for name in options.get("names", ())][:1000]
    names = set(asked) | set(COMMON) | configuration.named() | set(loaded or {})
    wanted = {host.raw(name) for name in names if len(name) < 128}
    installed = kernels(host)
    running = os.uname().release if host.live else (installed[0] if installed else None)
    files, lists = {}, {}
    for release in installed:
        base = "%s/%s/" % (MODULES, release)
        files[release] = parse_paths(_optional(host, base + "modules.dep") or b"", wanted)
        if release == running:
            lists = parse_paths(_optional(host, base + "modules.builtin") or b"", wanted)
    registered = _registered(host)
    container = host.container() is not None
    here = files.get(running)
    # A machine's kernel without a module directory or without /proc/modules has nothing to load.
    unknown = here is None and (container or running is None)
    for name in sorted(names):
        is_loaded = None if loaded is None else name in loaded
        commands = configuration.commands("install", name)
        holding = [release for release in installed if name in files[release]]
        builtin = None
        if not is_loaded:
            builtin = _builtin(host, name, lists, registered, bool(lists) or here is not None)
        rows[name] = {
            "loaded": is_loaded,
            "builtin": False if is_loaded else builtin,
            "available": None if unknown else bool(holding) if not host.live else name in (here or {}),
            "kernels": holding,
            "file": (here or {}).get(name),
            "blacklist": configuration.blacklist(name)[:LISTS],
            "install": redact(commands[0][0])[:500] if commands else None,
            "install_where": commands[0][1] if commands else None,
            "install_others": [where for _command, where in commands[1:]][:LISTS],
            "aliases": ["%s %s" % alias for alias in configuration.aliases(name)][:LISTS],
            "used_by": (loaded or {}).get(name, []),
            "host_global": container,
        }
    if configuration.gaps:
        # What could not be read might hold a blacklist or install line: its absence must not be concluded.
        cell = unreadable("denied" if "permission" in configuration.gaps[0] else "invalid", configuration.gaps[0])
        for row in rows.values():
            for column in ("blacklist", "install"):
                row[column] = row[column] or cell
    return Result(rows, "partial", "; ".join(why)[:500]) if why else Result(rows)

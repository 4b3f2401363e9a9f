"""What still runs old code: processes with replaced files, a kernel older than the one installed."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os
import re

from .deb_version import version_key
from .procfs import processes
from .text import text

MAPS_LIMIT = 4 << 20
FILES = 2
PROCESSES = 20
NAME = 200
# Files that programs make and remove on purpose: shared memory, just-in-time code, scratch.
TRANSIENT = (
    b"/memfd:",
    b"/dev/",
    b"/SYSV",
    b"/tmp/",
    b"/var/tmp/",
    b"/run/",
    b"/proc/",
    b"/sys/",
    b"/drm",
    b"/i915",
    b"/[aio]",
    b"/anon_hugepage",
    b"/home/",
)
_DELETED = b" (deleted)"

# dnf-plugins-core, needs_restarting: packages whose update wants a reboot.
REBOOT_PACKAGES = frozenset(
    (
        "kernel",
        "kernel-core",
        "kernel-rt",
        "kernel-rt-core",
        "glibc",
        "linux-firmware",
        "systemd",
        "dbus",
        "dbus-broker",
        "dbus-daemon",
        "microcode_ctl",
    )
)


def deleted_files(maps):
    """Return the sorted paths of deleted files that a process executes, from /proc/PID/maps (bytes).

    Only mappings with the execute bit count: data files are deleted by design.
    """
    if _DELETED not in maps:
        return []
    found = set()
    for line in maps.split(b"\n"):
        if not line.endswith(_DELETED):
            continue
        fields = line.split(None, 5)
        if len(fields) < 6 or b"x" not in fields[1]:
            continue
        path = fields[5][: -len(_DELETED)]
        if path.startswith(b"/") and not path.startswith(TRANSIENT):
            found.add(text(path))
    return sorted(found)


def stale_processes(host):
    """Return (list of {name, exe, unit, files}, of distinct programs, number of processes that could not be read).

    Processes of containers and of other roots are left out: their files are not this system's. Nor does systemd's
    ``(sd-pam)`` count, which keeps its code on purpose until the session ends.
    """
    found, unread = [], 0
    root = os.stat("/")
    for process in processes(host):
        base = "/proc/%d/" % process["pid"]
        if process["container"] or process["name"] == "(sd-pam)":
            continue
        try:
            descriptor = os.open(base + "maps", os.O_RDONLY | os.O_CLOEXEC)
            try:
                maps = _read_all(descriptor)
            finally:
                os.close(descriptor)
            files = deleted_files(maps)
            if not files:
                continue
            own = os.stat(base + "root")
        except PermissionError:
            unread += 1
            continue
        except OSError:
            continue  # it ended meanwhile
        if (own.st_dev, own.st_ino) == (root.st_dev, root.st_ino):
            exe = process["exe"] if isinstance(process["exe"], str) else None
            found.append(
                {
                    "name": process["name"],
                    "exe": exe,
                    "unit": process["unit"],
                    "files": [name[:NAME] for name in files[:FILES]],
                }
            )
    unique = {(item["name"], item["exe"], item["unit"]): item for item in found}
    return [unique[key] for key in sorted(unique, key=repr)], unread


def _read_all(descriptor):
    chunks, size = [], 0
    while size < MAPS_LIMIT:
        chunk = os.read(descriptor, 1 << 18)
        if not chunk:
            break
        chunks.append(chunk)
        size += len(chunk)
    return b"".join(chunks)


def flavour(release):
    """Return what a kernel release names besides its version: ``amd64``, ``generic``, ``x86_64+debug``.

    Kernels of different flavours stand beside each other, so only equal ones are compared.
    """
    match = re.search(r"\.(x86_64|aarch64|ppc64le|s390x|i686|riscv64)([+\w]*)$", release)
    if match:
        return match.group(1) + match.group(2)
    match = re.search(r"-([a-z][a-z0-9_-]*)$", release)
    return match.group(1) if match else ""


def newest_kernel(running, installed):
    """Return the newest installed release of the running kernel's flavour, None when that kernel is not here."""
    if running not in installed:
        return None
    same = [release for release in installed if flavour(release) == flavour(running)]
    return max(same, key=version_key)


def running_build(version):
    """Return the Debian package version in ``uname -v`` (``#1 SMP Debian 6.1.176-1 (2026-05-01)``), or None."""
    match = re.search(r"\bDebian (\S+)", version)
    return match.group(1) if match else None


def updated_after(rows, booted):
    """Names of REBOOT_PACKAGES among rpm rows that were installed after the boot (RFC 3339 text), sorted."""
    return sorted(
        {
            row["name"]
            for row in rows.values()
            if row["name"] in REBOOT_PACKAGES and row["installed_at"] and booted and row["installed_at"] > booted
        }
    )

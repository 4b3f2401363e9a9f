"""What waits to be updated or restarted."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os
import re

from .. import apt_lists, pending, restarts
from ..deb_version import version_key
from ..procfs import boot_time
from ..reading import names_in, there
from ..spec import Absent, Column, Table, Unreadable, unreadable
from ..text import rfc3339, text

TABLE = Table(
    name="updates",
    description=(
        "Pending security updates as far as the lists on disk know them, pending restarts and reboot. Nothing is"
        " fetched from the network. Option `pending: true` asks for every pending update (dearer) and lets dnf answer"
        " from its cache."
    ),
    key="always `host`",
    columns=(
        Column(
            "reboot_required",
            "bool",
            "true when a marker, a newer kernel or an update since boot asks for it; null when not live",
        ),
        Column("reboot_reasons", "list", "why, one text a reason; at most 16"),
        Column("reboot_packages", "list", "packages that asked for it (/run/reboot-required.pkgs); at most 50"),
        Column("kernel_running", "text", "release of the running kernel; null when not live or in a container"),
        Column(
            "kernel_newest",
            "text",
            "newest installed release of the same flavour; null when the running kernel is not"
            " installed on this disk (started by a provider)",
        ),
        Column("kernels", "list", "installed kernel releases that have an image; at most 16"),
        Column(
            "stale",
            "list",
            "maps {name, exe, unit, files}: programs that execute files which were deleted or replaced;"
            " at most 20 with 2 files each",
        ),
        Column("stale_count", "int", "number of such programs"),
        Column(
            "security_packages",
            "list",
            "keys of packages with a newer version in a security archive; at most 60, all of"
            " them with versions in the table pending_updates",
        ),
        Column("security_count", "int", "number of packages with a pending security update"),
        Column(
            "pending_count",
            "int",
            "number of packages with any pending update; null unless asked for (option `pending`)",
        ),
        Column("lists_time", "time", "when the package lists on this disk were last written", volatile=True),
        Column(
            "automatic",
            "bool",
            "automatic updates are configured (unattended-upgrades, dnf-automatic); whether its timer"
            " is enabled is in the table units",
        ),
        Column("automatic_where", "text", "path:line that says so"),
    ),
    max_rows=1,
)

MARKERS = ("/run/reboot-required", "/var/run/reboot-required", "/run/reboot-needed")
LISTED = 60
_PERIODIC = re.compile(r"\s*APT::Periodic::Unattended-Upgrade\s+\"([^\"]*)\"\s*;")


def kernels(host):
    """Installed kernel releases that have a boot image."""
    found = {name[8:] for name in names_in(host, "/boot") if name.startswith(("vmlinuz-", "vmlinux-"))}
    found.update(name for name in names_in(host, "/lib/modules") if there(host, "/lib/modules/%s/vmlinuz" % name))
    return sorted(text(os.fsencode(name)) for name in found if "rescue" not in name and not name.endswith(".old"))


def _old_kernel(row, packages):
    """Fill in the kernel columns and yield why another kernel should run."""
    uname = os.uname()
    running = row["kernel_running"] = text(os.fsencode(uname.release))
    newest = row["kernel_newest"] = restarts.newest_kernel(running, row["kernels"])
    if newest not in (None, running):
        yield "kernel %s is installed, %s runs" % (newest, running)
    # An update that keeps the release replaces the image under the running kernel.
    build = restarts.running_build(uname.version)
    image = "linux-image-" + running
    for other in packages.values():
        if (
            build
            and other["name"] == image
            and other["installed"]
            and version_key(other["version"]) > version_key(build)
        ):
            yield "%s is installed in version %s, %s runs" % (image, other["version"], build)


def _reboot(host, row, packages, container):
    reasons = []
    row["reboot_packages"] = []
    for marker in MARKERS:
        if there(host, marker):
            reasons.append("%s is there" % marker)
            try:
                names = host.lines(marker + ".pkgs", 65536)
            except (Absent, Unreadable):
                names = []
            row["reboot_packages"] = sorted({name.strip()[:128] for name in names if name.strip()})[:50]
            break
    if not container:
        reasons.extend(_old_kernel(row, packages))
        if any(other["manager"] == "rpm" for other in packages.values()):
            booted = rfc3339(boot_time(host))
            reasons.extend("%s was updated after boot" % name for name in restarts.updated_after(packages, booted))
    row["reboot_reasons"] = [reason[:300] for reason in reasons][:16]
    row["reboot_required"] = bool(reasons)


def _stale(host, row):
    try:
        found, unread = restarts.stale_processes(host)
    except Unreadable as error:
        row["stale"] = row["stale_count"] = error.cell()
        return
    row["stale"], row["stale_count"] = found[: restarts.PROCESSES], len(found)
    if unread and not found:
        row["stale"] = row["stale_count"] = unreadable(
            "denied", "the memory maps of %d processes cannot be read" % unread
        )


def _security(host, row, everything):
    try:
        found = pending.read_pending(host, everything)
    except Unreadable as error:
        row["security_packages"] = row["security_count"] = error.cell()
        return
    security = sorted(key for key, update in found.items() if update["security"])
    row["security_packages"] = security[:LISTED]
    row["security_count"] = len(security)
    if everything:
        row["pending_count"] = len(found)


def parse_periodic(lines):
    """Return (enabled, line number) of the last APT::Periodic::Unattended-Upgrade, None when there is none."""
    found = None
    for number, line in enumerate(lines, 1):
        match = _PERIODIC.match(line)
        if match:
            found = (match.group(1) not in ("0", ""), number)
    return found


def parse_dnf_automatic(lines):
    """Return (enabled, line number) of ``apply_updates`` in automatic.conf, None when it is not set."""
    found = None
    for number, line in enumerate(lines, 1):
        name, equals, value = line.partition("=")
        if equals and name.strip() == "apply_updates":
            found = (value.strip().lower() in ("yes", "true", "1", "on"), number)
    return found


def _automatic(host, row):
    paths = [("/etc/apt/apt.conf.d/" + name, parse_periodic) for name in names_in(host, "/etc/apt/apt.conf.d")]
    paths += [("/etc/apt/apt.conf", parse_periodic), ("/etc/dnf/automatic.conf", parse_dnf_automatic)]
    row["automatic"] = False
    for path, parse in paths:
        try:
            found = parse(host.lines(path, 1 << 20))
        except Absent:
            continue
        if found:
            row["automatic"], row["automatic_where"] = found[0], "%s:%d" % (text(os.fsencode(path)), found[1])


def collect(host, options):
    """Return the one row. ``options["pending"]``: true to look at all archives, not only those of security."""
    row = dict.fromkeys(column.name for column in TABLE.columns)
    packages = pending.known_packages(host)
    container = host.container() is not None
    try:
        row["kernels"] = [] if container else kernels(host)[:16]
    except Unreadable as error:
        raise Unreadable(error.kind, "installed kernels: %s" % error.why) from None
    if host.live:
        _reboot(host, row, packages, container)
        _stale(host, row)
    _security(host, row, bool(options.get("pending")))
    try:
        row["lists_time"] = rfc3339(apt_lists.lists_time(host))
        _automatic(host, row)
    except Unreadable as error:
        row["automatic"] = error.cell()
    return {"host": row}

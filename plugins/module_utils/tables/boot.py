"""How the host boots: firmware, secure boot, TPM, kernel command line, GRUB."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os
import stat

from .. import grub
from ..reading import first_line, names_in, there
from ..redact import redact
from ..spec import Absent, Column, Result, Table, Unreadable, is_unreadable, unreadable
from ..text import text

TABLE = Table(
    name="boot",
    description="Firmware, secure boot, TPM, kernel lockdown, the running command line and what GRUB will boot next.",
    key="always `host`",
    columns=(
        Column("firmware", "text", "efi, or bios where there is no EFI; null when not live or in a container"),
        Column(
            "secure_boot", "bool", "EFI variable SecureBoot; false without EFI; null when not live or in a container"
        ),
        Column("setup_mode", "bool", "EFI variable SetupMode: keys can be enrolled without authentication"),
        Column("tpm", "bool", "a TPM device is there; null when not live or in a container"),
        Column("tpm_version", "text", "1.2 or 2.0"),
        Column("lockdown", "text", "kernel lockdown: none, integrity, confidentiality; null when the kernel has none"),
        Column("module_signatures", "bool", "the running kernel loads signed modules only (sig_enforce)"),
        Column("cmdline", "text_sensitive", "command line of the running kernel, at most 4,000 characters"),
        Column("grub", "bool", "a menu or the defaults of GRUB are there"),
        Column("grub_cmdline_linux", "text_sensitive", "GRUB_CMDLINE_LINUX after all of /etc/default/grub.d"),
        Column("grub_cmdline_linux_where", "text", "path:line of its last assignment"),
        Column("grub_cmdline_linux_default", "text_sensitive", "GRUB_CMDLINE_LINUX_DEFAULT, added for normal boots"),
        Column("grub_cmdline_linux_default_where", "text", "path:line of its last assignment"),
        Column(
            "kernel_lines",
            "list",
            "maps {where, arguments}: kernel arguments of each menu entry (grub.cfg, boot loader entries), secrets"
            " redacted; at most 16",
        ),
        Column("grub_password", "bool", "a superuser with a password is set; the hash itself is never read out"),
        Column("grub_superusers", "list", "names of the superusers of the menu"),
        Column(
            "grub_files", "map", "path -> {mode, uid, gid} of the menu, user.cfg and grubenv files; mode as octal text"
        ),
        Column(
            "host_global", "bool", "true in a container: the running kernel's facts are those of the container's host"
        ),
    ),
    max_rows=1,
)

EFIVARS = "/sys/firmware/efi/efivars"
GLOBAL_VARIABLE = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
"""EFI_GLOBAL_VARIABLE of the UEFI specification."""


def parse_lockdown(line):
    """Return the level in force of /sys/kernel/security/lockdown: the one in square brackets."""
    for word in line.split():
        if word.startswith("[") and word.endswith("]"):
            return word[1:-1]
    return None


def parse_efi_bool(data):
    """Value of a one-byte EFI variable (efivarfs: 4 bytes of attributes, then the value); None when malformed."""
    return bool(data[4]) if len(data) == 5 else None


def _efi_variable(host, name):
    try:
        return parse_efi_bool(host.read("%s/%s-%s" % (EFIVARS, name, GLOBAL_VARIABLE), 4096))
    except Absent:
        # Without efivarfs it cannot be told; with it, firmware that lacks the variable has no secure boot.
        if not names_in(host, EFIVARS):
            return unreadable("partial", "efivarfs is not mounted")
        return False
    except Unreadable as error:
        return error.cell()


def _machine(host, row):
    """Fill in what only a running machine of its own can tell."""
    efi = there(host, "/sys/firmware/efi")
    row["firmware"] = "efi" if efi else "bios"
    row["secure_boot"] = _efi_variable(host, "SecureBoot") if efi else False
    row["setup_mode"] = _efi_variable(host, "SetupMode") if efi else None
    devices = names_in(host, "/sys/class/tpm")
    row["tpm"] = bool(devices)
    if devices:
        version = first_line(host, "/sys/class/tpm/%s/tpm_version_major" % devices[0])
        row["tpm_version"] = version if is_unreadable(version) else {"1": "1.2", "2": "2.0"}.get(version, version)


def _running(host, row):
    lockdown = first_line(host, "/sys/kernel/security/lockdown")
    row["lockdown"] = parse_lockdown(lockdown) if isinstance(lockdown, str) else lockdown
    enforced = first_line(host, "/sys/module/module/parameters/sig_enforce")
    row["module_signatures"] = enforced == "Y" if isinstance(enforced, str) else enforced
    try:
        row["cmdline"] = redact(host.read_text("/proc/cmdline", 1 << 16).strip())[:4000]
    except Absent:
        row["cmdline"] = None
    except Unreadable as error:
        row["cmdline"] = error.cell()


def _defaults(host, row, gaps):
    try:
        values = grub.read_defaults(host)
    except Unreadable as error:
        gaps.append(error.why)
        row["grub_cmdline_linux"] = row["grub_cmdline_linux_default"] = error.cell()
        return True
    for name, column in (
        ("GRUB_CMDLINE_LINUX", "grub_cmdline_linux"),
        ("GRUB_CMDLINE_LINUX_DEFAULT", "grub_cmdline_linux_default"),
    ):
        if name in values:
            row[column] = redact(values[name][0])
            row[column + "_where"] = values[name][1]
    return bool(values)


def _files(host, fixed, patterns, gaps):
    """Existing paths among the fixed ones and the patterns."""
    found = []
    for path in fixed:
        try:
            if host.exists(path):
                found.append(path)
        except Unreadable as error:
            gaps.append(error.why)
    for pattern in patterns:
        try:
            found.extend(host.glob(pattern)[:8])
        except Unreadable as error:
            gaps.append(error.why)
    return found


def _menus(host, row, gaps):
    """Read menus, user files and entries; True if there is any. A gap makes what it could hide unreadable."""
    lost = []
    menus = _files(host, grub.MENUS, grub.MENU_GLOBS, lost)
    users = _files(host, grub.USER_FILES, grub.USER_GLOBS, lost)
    others = _files(host, grub.ENVIRONMENTS, (), lost)
    password, superusers, kernels = False, [], []
    for path in menus:
        try:
            menu = grub.parse_menu(host.lines(path, grub.LIMIT), text(os.fsencode(path)))
        except (Absent, Unreadable) as error:
            lost.append(getattr(error, "why", "%s: vanished" % path))
            continue
        password = password or menu["password"]
        superusers.extend(name for name in menu["superusers"] if name not in superusers)
        kernels.extend(menu["kernels"])
    for path in users:
        try:
            password = grub.user_password_set(host.lines(path, 65536)) or password
        except (Absent, Unreadable) as error:
            lost.append(getattr(error, "why", "%s: vanished" % path))
    try:
        kernels.extend(grub.read_entries(host, lost))
    except Unreadable as error:
        lost.append(error.why)
    cell = None
    if lost:
        cell = unreadable("denied" if "permission" in lost[0] else "invalid", lost[0])
    there_is = bool(menus or kernels)
    row["grub_password"] = True if password else cell or (False if there_is else None)
    row["grub_superusers"] = superusers if superusers else cell or ([] if there_is else None)
    row["kernel_lines"] = cell or kernels[: grub.LINES]
    row["grub_files"] = {}
    for path in menus + users + others:
        try:
            info = host.stat(path)
        except (Absent, Unreadable):
            continue
        row["grub_files"][text(os.fsencode(path))] = {
            "mode": "%04o" % stat.S_IMODE(info.st_mode),
            "uid": info.st_uid,
            "gid": info.st_gid,
        }
    gaps.extend(lost)
    return there_is


def collect(host, options):
    """Return the one row; partial when a file of GRUB could not be read."""
    row = dict.fromkeys(column.name for column in TABLE.columns)
    container = host.container() is not None
    row["host_global"] = container
    gaps = []
    if host.live:
        _running(host, row)
        if not container:
            _machine(host, row)
    defaults = _defaults(host, row, gaps)
    row["grub"] = _menus(host, row, gaps) or defaults
    return Result({"host": row}, "partial", "; ".join(gaps)[:500]) if gaps else Result({"host": row})

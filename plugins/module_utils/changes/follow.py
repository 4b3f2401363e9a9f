"""Follow-ups: what makes changed files take effect, and which files that writes itself."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os
import re

from ..spec import Absent
from .target import LIMIT, Problem
from .units import SYSTEM

JOURNAL = "systemd-journald.service"
_GRUB = ("/boot/grub/grub.cfg", "/boot/grub2/grub.cfg", "/boot/efi/EFI/*/grub.cfg", "/boot/loader/entries/*.conf",
         "/boot/grub2/grubenv")  # fmt: skip

COMMANDS = {
    "daemon-reload": [["systemctl", "daemon-reload"]],
    "tmpfiles": [["systemd-tmpfiles", "--create"]],
    "sysctl": [["sysctl", "-q", "--system"]],
    "augenrules": [["augenrules", "--load"]],
    # auditd refuses to be restarted by systemctl (RefuseManualStop): it reads its files again at SIGHUP.
    "auditd-restart": [["systemctl", "kill", "--signal=HUP", "auditd.service"], ["pkill", "-HUP", "-x", "auditd"]],
    "update-grub": [["update-grub"], ["grub2-mkconfig", "--update-bls-cmdline", "-o", "/boot/grub2/grub.cfg"],
                    ["grub2-mkconfig", "-o", "/boot/grub2/grub.cfg"]],
    "update-initramfs": [["update-initramfs", "-u"], ["dracut", "-f"]],
    "dconf-update": [["dconf", "update"]],
    "authselect": [["authselect", "apply-changes"]],
    "update-crypto-policies": [["update-crypto-policies", "--no-reload"], ["update-crypto-policies"]],
    "newaliases": [["newaliases"]],
}  # fmt: skip
"""Follow-up -> commands; the first whose program is there and that succeeds."""

TIMEOUT = {"update-grub": 300, "update-initramfs": 600}

TOUCHES = {
    "augenrules": ("/etc/audit/audit.rules", "/etc/audit/audit.rules.prev"),
    "update-grub": _GRUB,
    "dconf-update": ("/etc/dconf/db/*",),
    "authselect": ("/etc/authselect/*", "/var/lib/authselect/*", "/etc/nsswitch.conf", "/etc/nsswitch.conf.bak"),
    "update-crypto-policies": ("/etc/crypto-policies/state/*", "/etc/crypto-policies/back-ends/*"),
    "newaliases": ("/etc/aliases.db", "/etc/aliases.lmdb"),
}
"""Follow-up -> files that it writes: saved before, and put back byte for byte when the change is undone."""

NEEDS = {
    "augenrules": "/sbin/augenrules", "dconf-update": "/etc/dconf/db", "authselect": "/etc/authselect/authselect.conf",
    "newaliases": "/etc/aliases",
}  # fmt: skip
"""Without this file or directory there is nothing to do."""

_SYSCTL_FILES = ("/etc/sysctl.conf", "/etc/sysctl.d/*.conf", "/run/sysctl.d/*.conf", "/usr/lib/sysctl.d/*.conf",
                 "/usr/local/lib/sysctl.d/*.conf")  # fmt: skip
_ASSIGNED = re.compile(r"\s*-?\s*([a-z0-9_]+[./][A-Za-z0-9_./:@-]+)\s*=")


def wanted(operation):
    """The follow-ups that an operation asks for, its own restart among them."""
    found = list(operation.get("follow") or ())
    if operation.get("action"):
        found.append("%s:%s" % (operation["action"], operation["name"]))
    return found


def touched(name, target):
    """Return [(kind, key)] of what the follow-up itself changes."""
    if name == "sysctl":
        keys = set()
        for pattern in _SYSCTL_FILES:
            for path in target.host.glob(pattern):
                try:
                    lines = target.host.lines(path)
                except Absent:
                    continue
                keys.update(found.group(1) for found in map(_ASSIGNED.match, lines) if found)
        return [("sysctl", key) for key in sorted(keys)]
    found = []
    for pattern in TOUCHES.get(name, ()):
        paths = target.host.glob(pattern) if "*" in pattern else [pattern]
        for path in paths:
            info = target.lstat(path)
            if info is None and target.lstat(os.path.dirname(path)) is None:
                continue
            if info is None or (info.st_mode & 0o170000 in (0o100000, 0o120000) and info.st_size <= LIMIT):
                found.append(("content", path))
    return found


def run(name, target, boot=False):
    """Carry it out; raise Problem. ``boot``: the system is just starting, and its services have not begun."""
    if not target.live:
        return
    verb, colon, unit = name.partition(":")
    if colon:
        if boot:
            return
        _unit(verb, unit, target)
        return
    if name in NEEDS and target.lstat(target.resolve(NEEDS[name])) is None:
        return
    if name in ("daemon-reload", "auditd-restart") and not target.host.systemd():
        return
    if name == "auditd-restart" and (boot or not _active("auditd.service", target)):
        return
    problem = None
    for command in COMMANDS[name]:
        if target.host.which(command[0]) is None:
            continue
        try:
            target.run(command, timeout=TIMEOUT.get(name, 120))
            return
        except Problem as error:
            problem = problem or error
    if problem is not None and name != "sysctl":  # one key that this kernel does not have fails all of sysctl(8)
        raise problem


def _active(unit, target):
    try:
        return target.host.run(["systemctl", "is-active", unit], timeout=30).out.strip() == b"active"
    except Exception:
        return False


def _unit(verb, unit, target):
    if not target.host.systemd():
        _without_systemd(unit, target)
        return
    # journald that starts anew switches the kernel's audit off where its Audit= says so (Debian's default).
    audited = unit == JOURNAL and _audits(target)
    if verb == "restart":
        target.run(["systemctl", "try-restart", unit], timeout=120)
    else:
        target.run(["systemctl", "try-reload-or-restart", unit], timeout=120)
    if audited and not _audits(target):
        target.run(["auditctl", "-e", "1"])


def _audits(target):
    """True if the kernel's audit is switched on."""
    try:
        return b"enabled 1" in target.host.run(["auditctl", "-s"], timeout=30).out.split(b"\n")
    except Exception:
        return False


def _without_systemd(unit, target):
    """A process that reads its files again at SIGHUP, where no service manager can be asked."""
    name = {"ssh.service": "sshd", "sshd.service": "sshd"}.get(unit)
    if name is None:
        return
    try:
        number = target.host.read_text("/run/sshd.pid", 64).strip()
    except Absent:
        return
    if number.isdigit():
        try:
            os.kill(int(number), 1)
        except OSError:
            pass


def units_changed(changes):
    """True if the service manager must read its files again."""
    places = (SYSTEM + "/", "/usr/lib/systemd/", "/lib/systemd/", "/etc/systemd/system.conf")
    return any(one["kind"] == "content" and one["key"].startswith(places) for one in changes)

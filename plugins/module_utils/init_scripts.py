"""Services of System V init and OpenRC as their directories and links describe them."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os
import re
import stat

from .reading import names_in
from .spec import Absent
from .text import text

# Parts of the boot machinery that lie beside the services and are none.
NOT_SERVICES = frozenset(
    (
        "README",
        "skeleton",
        "functions",
        "functions.sh",
        "rc",
        "rcS",
        "rc.local",
        "halt",
        "killall",
        "single",
        "reboot",
        "network-functions",
        "boot",
        "boot.local",
    )
)
LEFTOVER = re.compile(r"\.(?:dpkg-\w+|rpm(?:save|new|orig)|ucf-\w+|bak|old|orig|swp)$|~$")


def is_openrc(host):
    """True when OpenRC manages the services of this system."""
    return host.is_dir("/etc/runlevels")


def sysv_scripts(host):
    """Return {script name: {"path", "enabled"}} of /etc/init.d; enabled by an S link of run levels 2 to 5 or S.

    The levels are those that Debian's systemd-sysv-install and chkconfig look at.
    """
    found = {}
    directory = next((path for path in ("/etc/init.d", "/etc/rc.d/init.d") if names_in(host, path)), None)
    if directory is None:
        return found
    started = set()
    for base in ("/etc", "/etc/rc.d"):
        for level in "2345S":
            for name in names_in(host, "%s/rc%s.d" % (base, level)):
                match = re.match(r"S\d\d(.+)", text(os.fsencode(name)))
                if match:
                    started.add(match.group(1))
    for entry in names_in(host, directory):
        name = text(os.fsencode(entry))
        if name in NOT_SERVICES or name.startswith(".") or LEFTOVER.search(name):
            continue
        try:
            mode = host.stat("%s/%s" % (directory, entry)).st_mode
        except Absent:
            continue
        if stat.S_ISREG(mode) and mode & 0o111:
            found[name[:-3] if name.endswith(".sh") else name] = {
                "path": "%s/%s" % (directory, name),
                "enabled": name in started,
            }
    return found


def openrc_services(host):
    """Return {name: {"path", "enabled", "levels", "active"}}; active is None under a root that is not live."""
    levels = {}
    for level in names_in(host, "/etc/runlevels"):
        for name in names_in(host, "/etc/runlevels/" + level):
            levels.setdefault(text(os.fsencode(name)), []).append(text(os.fsencode(level)))
    started = set(names_in(host, "/run/openrc/started")) if host.live else None
    return {
        name: {
            "path": script["path"],
            "enabled": name in levels,
            "levels": sorted(levels.get(name, ())),
            "active": None if started is None else name in started,
        }
        for name, script in sysv_scripts(host).items()
    }

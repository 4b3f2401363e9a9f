"""Mandatory access control: AppArmor and SELinux, as the kernel runs them and as they are configured."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os
import stat

from ..procfs import processes, read_small
from ..reading import first_line, names_in, there
from ..spec import Absent, Column, Table, Unreadable, is_unreadable, unreadable
from ..text import text

TABLE = Table(
    name="mac",
    description="State of AppArmor and SELinux. Both rows exist on every Linux host.",
    key="`apparmor` or `selinux`",
    columns=(
        Column(
            "enabled", "bool", "the running kernel enforces or observes with it; null under a root that is not live"
        ),
        Column(
            "mode", "text", "SELinux: enforcing, permissive, disabled; AppArmor: enabled, disabled; null when not live"
        ),
        Column("installed", "bool", "its policy files are there (/etc/apparmor.d, /etc/selinux/config)"),
        Column("configured", "text", "SELinux: value of SELINUX= in its configuration; null for AppArmor"),
        Column("policy", "text", "SELinux: value of SELINUXTYPE=; null for AppArmor"),
        Column("where", "text", "path:line of the configured mode"),
        Column("loaded", "int", "AppArmor: number of loaded profiles"),
        Column("enforce", "int", "AppArmor: number of loaded profiles in enforce mode"),
        Column("complain", "int", "AppArmor: number of loaded profiles in complain mode"),
        Column("other", "int", "AppArmor: number of loaded profiles in other modes (kill, prompt, unconfined, mixed)"),
        Column("complaining", "list", "AppArmor: names of profiles in complain mode; at most 100"),
        Column("not_confining", "list", "AppArmor: names of profiles in unconfined mode; at most 100"),
        Column(
            "unconfined",
            "list",
            "AppArmor: programs that run unconfined though a loaded profile bears their path; at most 50",
        ),
        Column("disabled", "list", "AppArmor: profiles switched off by a link in /etc/apparmor.d/disable; at most 100"),
        Column("force_complain", "list", "AppArmor: profiles in /etc/apparmor.d/force-complain; at most 100"),
        Column("profile_files", "int", "AppArmor: profile files in /etc/apparmor.d"),
        Column(
            "unlabeled_devices",
            "list",
            "SELinux: device files with the type of no device (device_t, unlabeled_t); at most 50; null where off",
        ),
        Column(
            "login_map", "map", "SELinux: log-in name, %group or __default__ -> SELinux user, of the policy in force"
        ),
        Column("relabel", "bool", "SELinux: all files are labelled anew at the next boot (/.autorelabel)"),
        Column("stack", "list", "security modules of the running kernel in their order; null when it does not tell"),
        Column("host_global", "bool", "true in a container: the kernel's state is that of the container's host"),
    ),
    max_rows=2,
)

CAP = 100
SECURITYFS = "/sys/kernel/security"


def parse_profiles(data):
    """Return {profile name: mode} of AppArmor's profile list (bytes): one ``name (mode)`` a line."""
    profiles = {}
    for line in data.split(b"\n"):
        name, bracket, mode = line.rpartition(b" (")
        if bracket and mode.endswith(b")"):
            profiles[text(name)] = text(mode[:-1])
    return profiles


def parse_selinux_config(lines):
    """Return {SELINUX or SELINUXTYPE: (value, line number)} of /etc/selinux/config as libselinux reads it.

    Of SELINUX the first line counts that begins with the name itself, of SELINUXTYPE the last one.
    """
    found = {}
    for number, line in enumerate(lines, 1):
        if line.startswith("SELINUX="):
            found.setdefault("SELINUX", (line[8:].strip().lower(), number))
        elif line.lstrip().startswith("SELINUXTYPE="):
            found["SELINUXTYPE"] = (line.lstrip()[12:].strip(), number)
    return found


def _names(host, path):
    try:
        return sorted(text(os.fsencode(name)) for name in names_in(host, path) if not name.startswith("."))[:CAP]
    except Unreadable as error:
        return error.cell()


def _profile_files(host):
    try:
        return sum(
            1
            for name in names_in(host, "/etc/apparmor.d")
            if not name.startswith((".", "README")) and not host.is_dir("/etc/apparmor.d/" + name)
        )
    except Unreadable as error:
        return error.cell()


def _unconfined(host, profiles):
    """Programs whose path a loaded profile bears and which run unconfined, as aa-status counts them."""
    paths = {name for name in profiles if name.startswith("/")}
    found = set()
    for process in processes(host):
        if is_unreadable(process["exe"]):
            return process["exe"]
        if process["exe"] not in paths or process["container"]:
            continue
        for name in ("apparmor/current", "current"):
            try:
                label = read_small("/proc/%d/attr/%s" % (process["pid"], name))
            except FileNotFoundError:
                continue
            except OSError:
                break
            if label.strip(b"\0\n ").startswith(b"unconfined"):
                found.add(process["exe"])
            break
    return sorted(found)[:50]


def _apparmor(host, row):
    row["installed"] = there(host, "/etc/apparmor.d")
    row["disabled"] = _names(host, "/etc/apparmor.d/disable")
    row["force_complain"] = _names(host, "/etc/apparmor.d/force-complain")
    row["profile_files"] = _profile_files(host)
    if not host.live:
        return
    switch = first_line(host, "/sys/module/apparmor/parameters/enabled")
    row["enabled"] = switch if is_unreadable(switch) else switch == "Y"
    row["mode"] = switch if is_unreadable(switch) else "enabled" if switch == "Y" else "disabled"
    counted = ("loaded", "enforce", "complain", "other", "complaining", "not_confining", "unconfined")
    if row["enabled"] is False:
        row.update(dict.fromkeys(counted[:4], 0), complaining=[], not_confining=[], unconfined=[])
        return
    try:
        profiles = parse_profiles(host.read(SECURITYFS + "/apparmor/profiles", 1 << 22))
    except Absent:
        row.update(
            dict.fromkeys(counted, unreadable("partial", "securityfs is not mounted: profiles cannot be listed"))
        )
        return
    except Unreadable as error:
        row.update(dict.fromkeys(counted, error.cell()))
        return
    modes = list(profiles.values())
    row["loaded"] = len(modes)
    row["enforce"], row["complain"] = modes.count("enforce"), modes.count("complain")
    row["other"] = len(modes) - row["enforce"] - row["complain"]
    row["complaining"] = sorted(name for name, mode in profiles.items() if mode == "complain")[:CAP]
    row["not_confining"] = sorted(name for name, mode in profiles.items() if mode == "unconfined")[:CAP]
    try:
        row["unconfined"] = _unconfined(host, profiles)
    except Unreadable as error:
        row["unconfined"] = error.cell()


def _selinux(host, row):
    path = "/etc/selinux/config"
    try:
        values = parse_selinux_config(host.lines(path, 1 << 20))
        row["installed"] = True
        if "SELINUX" in values:
            row["configured"], line = values["SELINUX"]
            row["where"] = "%s:%d" % (path, line)
        row["policy"] = values.get("SELINUXTYPE", (None,))[0]
    except Absent:
        row["installed"] = False
    except Unreadable as error:
        row["installed"] = True
        row["configured"] = row["policy"] = error.cell()
    row["relabel"] = there(host, "/.autorelabel")
    row["login_map"] = _login_map(host, row["policy"])
    if not host.live:
        return
    enforcing = first_line(host, "/sys/fs/selinux/enforce")
    if is_unreadable(enforcing):
        row["enabled"] = row["mode"] = enforcing
        return
    row["enabled"] = enforcing is not None
    row["mode"] = {"1": "enforcing", "0": "permissive"}.get(enforcing, "disabled")
    if row["enabled"]:
        row["unlabeled_devices"] = unlabeled("/dev")


def parse_seusers(lines):
    """Return {log-in name: SELinux user} of a policy's seusers: ``__default__:user_u:s0``."""
    found = {}
    for line in lines:
        fields = line.strip().split(":")
        if len(fields) > 1 and fields[0] and not fields[0].startswith("#"):
            found[fields[0][:128]] = fields[1][:64]
    return dict(list(found.items())[:200])


def _login_map(host, policy):
    if not isinstance(policy, str) or "/" in policy or policy.startswith("."):
        return None
    try:
        return parse_seusers(host.lines("/etc/selinux/%s/seusers" % policy, 1 << 20))
    except Absent:
        return None
    except Unreadable as error:
        return error.cell()


def unlabeled(top):
    """Paths of devices below ``top`` whose SELinux type is that of no device, sorted; a cell when it cannot be told."""
    found = []
    try:
        for directory, names, files in os.walk(top):
            names[:] = [name for name in names if name not in ("shm", "mqueue", "hugepages", "pts")]
            for name in files:
                path = directory + "/" + name
                mode = os.lstat(path).st_mode
                if not (stat.S_ISCHR(mode) or stat.S_ISBLK(mode)):
                    continue
                label = os.getxattr(path, "security.selinux", follow_symlinks=False).rstrip(b"\0").split(b":")
                if len(label) > 2 and label[2] in (b"device_t", b"unlabeled_t"):
                    found.append(text(os.fsencode(path)))
    except OSError as error:
        return unreadable("partial", "labels below %s: %s" % (top, error.strerror))
    return sorted(found)[:50]


def _stack(host):
    line = first_line(host, SECURITYFS + "/lsm") if host.live else None
    return line.split(",")[:32] if isinstance(line, str) else line


def collect(host, options):
    """Return the two rows."""
    container = host.container() is not None
    stack = _stack(host)
    rows = {}
    for name, fill in (("apparmor", _apparmor), ("selinux", _selinux)):
        row = dict.fromkeys(column.name for column in TABLE.columns)
        row.update(stack=stack, host_global=container)
        fill(host, row)
        rows[name] = row
    return rows

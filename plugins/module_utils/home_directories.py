"""Who the people of a host are, and what the start-up files in their homes do. What a person owns is hostile input."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import re
import stat

from .accounts import integer, parse_shells
from .name_service import enumerate_directory, file_entries
from .shell_settings import parse, path_parts
from .spec import Absent, Unreadable

INIT_FILES = (
    ".bashrc", ".bash_profile", ".bash_login", ".bash_logout", ".profile", ".zshrc", ".zprofile", ".zshenv", ".zlogin",
    ".kshrc", ".cshrc", ".tcshrc", ".login", ".logout",
)  # fmt: skip
"""Files in a home that a shell runs: bash(1), zsh(1), ksh(1), tcsh(1)."""

CSH = (".cshrc", ".tcshrc", ".login", ".logout")
NO_LOGIN = ("nologin", "false", "true", "sync", "halt", "shutdown")
LIMIT = 128 * 1024
MAX_PROGRAMS = 100
_PROGRAM = re.compile(r"(?:^|[\s;&|(`=\"'])((?:/|~/|\$HOME/|\$\{HOME\}/)[\w.+/-]{1,200})")


def uid_range(lines):
    """Return (UID_MIN, UID_MAX) of login.defs; its defaults are 1000 and 60000, login.defs(5)."""
    found = {"UID_MIN": 1000, "UID_MAX": 60000}
    for line in lines:
        words = line.split()
        if len(words) > 1 and words[0] in found and integer(words[1]) is not None:
            found[words[0]] = int(words[1])
    return found["UID_MIN"], found["UID_MAX"]


def lets_in(shell, shells):
    """True if the shell gives a person a session. ``shells`` is the set of /etc/shells, None without the file."""
    path = shell or "/bin/sh"
    return path.rsplit("/", 1)[-1] not in NO_LOGIN and (shells is None or path in shells)


def _optional(host, path):
    try:
        return host.lines(path)
    except Absent:
        return None


def people(host):
    """Return ``([{name, uid, gids, kind, home}], gap)``: root, and who has a log-in shell and a person's id."""
    low, high = uid_range(_optional(host, "/etc/login.defs") or [])
    shells = _optional(host, "/etc/shells")
    shells = None if shells is None else parse_shells(shells)
    listed, gap = enumerate_directory(host, "passwd")
    groups, group_gap = enumerate_directory(host, "group")
    member_of = {}
    for group in list(file_entries(host, "group")) + groups:
        for member in group["members"] if group["gid"] is not None else ():
            member_of.setdefault(member, []).append(group["gid"])
    found = {}
    for entry in list(file_entries(host, "passwd")) + [dict(entry, kind="directory") for entry in listed]:
        uid, name = entry["uid"], entry["name"]
        if uid is None or not name or name in found or entry["kind"] not in ("local", "directory"):
            continue
        if 61184 <= uid <= 65519 and entry["kind"] == "directory":  # made by systemd while a service runs
            continue
        if lets_in(entry["shell"], shells) and (uid == 0 or low <= uid <= high):
            gids = [entry["gid"]] + sorted(set(member_of.get(name, ())) - {entry["gid"]})
            found[name] = {"name": name, "uid": uid, "gids": gids[:200], "kind": entry["kind"], "home": entry["home"]}
    return list(found.values()), gap or group_gap


def init_facts(host, home, names):
    """Return the cells umasks, paths, loose_programs of the start-up files ``names``; raise Unreadable."""
    umasks, paths, programs = [], [], {}
    for name in names:
        path = home + "/" + name
        try:
            lines = host.lines(path, LIMIT)
        except Absent:
            continue
        for entry in parse(lines, csh=name in CSH):
            where = "%s:%d" % (path, entry["line"])
            if entry["setting"] == "umask":
                umasks.append({"value": entry["value"], "where": where})
            elif entry["setting"] == "PATH":
                paths += [{"part": part[:200], "where": where} for part in path_parts(entry["value"])]
        for number, line in enumerate(lines[:5000], 1):
            if line.lstrip().startswith("#"):
                continue
            for match in _PROGRAM.finditer(line):
                if len(programs) < MAX_PROGRAMS:
                    programs.setdefault(_absolute(match.group(1), home), "%s:%d" % (path, number))
    return {"umasks": umasks[:100], "paths": paths[:100], "loose_programs": _loose(host, programs)}


def _absolute(path, home):
    for prefix in ("~/", "$HOME/", "${HOME}/"):
        if path.startswith(prefix):
            return home + "/" + path[len(prefix) :]
    return path


def _loose(host, programs):
    found = []
    for path, where in programs.items():
        if path.startswith(("/dev/", "/proc/", "/sys/")):
            continue
        try:
            info = host.stat(path)
        except Absent:
            continue
        except Unreadable:  # behind a link of the person's own: what it leads to is not looked at
            continue
        if stat.S_ISREG(info.st_mode) and info.st_mode & stat.S_IWOTH:
            found.append({"path": path, "where": where, "mode": "%04o" % stat.S_IMODE(info.st_mode)})
    return found

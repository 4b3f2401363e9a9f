"""Where this system looks accounts up, and what a directory (LDAP, Active Directory, NIS) answers.

A directory that is down looks like one without users: getent(1) then lists the local accounts and ends
well. So silence is never taken for absence. A directory counts as answering when it returned at least one
account that no local file holds, or when its daemon takes connections and is set not to list its accounts.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os

from .accounts import nis_line, parse_group, parse_nsswitch, parse_passwd
from .spec import Absent, Unreadable

TIMEOUT = 5.0
"""Seconds that a directory gets to answer one question."""

FILE_SOURCES = {
    "files": "/etc/%s",
    "compat": "/etc/%s",
    "altfiles": "/usr/lib/%s",
    "extrausers": "/var/lib/extrausers/%s",
}
"""Sources that are plain files, with their path: nss(5), nss_altfiles, libnss-extrausers."""

LOCAL_SOURCES = ("systemd", "db", "mymachines", "myhostname", "usrfiles")
"""Sources that hold no accounts of another machine."""

SETTINGS = {
    "sss": ("/etc/sssd/sssd.conf", "/etc/sssd/conf.d/*.conf"),
    "ldap": ("/etc/nslcd.conf", "/etc/ldap.conf", "/etc/libnss-ldap.conf", "/etc/pam_ldap.conf", "/etc/sudo-ldap.conf"),
    "winbind": ("/etc/samba/smb.conf",),
}
"""A source without its settings is not in use: RHEL and Fedora name ``sss`` on every system."""

SOCKETS = {
    "sss": ("/var/lib/sss/pipes/nss",),
    "ldap": ("/run/nslcd/socket", "/var/run/nslcd/socket"),
    "winbind": ("/run/samba/winbindd/pipe", "/var/lib/samba/winbindd_privileged/pipe"),
}
"""Where the daemon of a source takes questions."""

PARSERS = {"passwd": parse_passwd, "group": parse_group}


def sources(host, database):
    """Sources of a database (passwd, group, sudoers) in order; without nsswitch.conf the C library's default."""
    try:
        listed = host.cached("nsswitch", lambda: parse_nsswitch(host.lines("/etc/nsswitch.conf")))
    except Absent:
        listed = {}
    return listed.get(database) or ["files"]


def _configured(host, source):
    patterns = SETTINGS.get(source)
    if patterns is None:
        return True
    try:
        return any(host.glob(pattern) for pattern in patterns)
    except Unreadable:
        return True  # settings that we may not look at are there to be used


def directories(host, database):
    """Names of the sources in use that are neither files nor this system itself."""
    found = [
        source
        for source in sources(host, database)
        if source not in FILE_SOURCES and source not in LOCAL_SOURCES and _configured(host, source)
    ]
    if "compat" in sources(host, database) and any(nis_line(x) for x in _file_lines(host, "/etc/" + database)):
        found.append("nis")
    return found


def _file_lines(host, path):
    try:
        return host.lines(path)
    except Absent:
        return []


def file_entries(host, database):
    """Entries of all files of a database (``passwd`` or ``group``), each with its ``path``.

    Raise Unreadable when a file cannot be read; a missing /etc file raises Absent.
    """

    def read():
        entries = []
        for source in sources(host, database):
            template = FILE_SOURCES.get(source)
            if template is None or any(entry["path"] == template % database for entry in entries):
                continue
            path = template % database
            try:
                lines = host.lines(path)
            except Absent:
                if path.startswith("/etc/"):
                    raise
                continue
            for entry in PARSERS[database](lines):
                entry["path"] = path
                entries.append(entry)
        return entries

    return host.cached(("account files", database), read)


def _connects(paths):
    """True if one of the unix sockets takes a connection."""
    import socket

    for path in paths:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(1.0)
            try:
                probe.connect(path)
                return True
            except OSError:
                continue
    return False


def _lists_by_design(host, source):
    """False if this source is set not to enumerate its accounts (the default of SSSD and winbind)."""
    wanted = {"sss": "enumerate", "winbind": "winbind enum users"}.get(source)
    if wanted is None:
        return True
    for pattern in SETTINGS[source]:
        for path in host.glob(pattern):
            for line in host.lines(path):
                name, _equals, value = line.partition("=")
                if name.strip().lower() == wanted and value.strip().lower() in ("true", "yes", "1", "all"):
                    return True
    return False


def ask(host, database, keys=()):
    """Run getent(1) once; return its entries (parsed). Raise Unreadable when it hangs or breaks.

    Without ``keys`` everything is listed. Exit status 2 says that a key was not found.
    """
    done = host.run(["getent", database] + [str(key) for key in keys], timeout=TIMEOUT)
    if done.code not in (0, 2):
        raise Unreadable("partial", "getent %s: exit status %d" % (database, done.code))
    return PARSERS[database](done.lines())


def enumerate_directory(host, database):
    """Return (entries, gap): what the directory lists beyond the files, and why that is not all of it ("" if it is).

    Nothing is run unless a directory is in use.
    """
    return host.cached(("directory", database), lambda: _enumerate(host, database))


def _enumerate(host, database):
    asked = directories(host, database)
    if not asked:
        return [], ""
    named = "the directory (%s)" % ", ".join(asked)
    if not host.live:
        return [], "%s cannot be asked: the system is not running" % named
    local = {entry["name"] for entry in file_entries(host, database)}
    try:
        entries = [entry for entry in ask(host, database) if entry["kind"] == "local" and entry["name"] not in local]
    except Unreadable as error:
        return [], "%s did not answer: %s" % (named, error.why)
    except Absent:
        return [], "%s cannot be asked: getent is not there" % named
    dynamic = [entry for entry in entries if 61184 <= (entry.get("uid") or entry.get("gid") or 0) <= 65519]
    if len(entries) > len(dynamic):
        return entries, ""
    silent = [source for source in asked if not _alive_and_quiet(host, source)]
    return entries, "%s lists nobody: down, or set not to list its accounts" % ", ".join(silent) if silent else ""


def _alive_and_quiet(host, source):
    try:
        return source in SOCKETS and not _lists_by_design(host, source) and _connects(SOCKETS[source])
    except (Absent, Unreadable):
        return False


def known_ids(host, database):
    """Ids (uid or gid) that local files give a name: a set of int. Raise Absent or Unreadable."""
    column = "uid" if database == "passwd" else "gid"
    return {entry[column] for entry in file_entries(host, database) if entry[column] is not None}


def resolve_ids(host, database, ids):
    """Return the subset of ``ids`` (uid or gid, int) that has no name at all.

    Files first; what they do not know is asked of the directory in one go (at most 500 ids). Raise Unreadable
    when a directory is in use and cannot be shown to answer: owners must not look unowned because it is down.
    """
    unknown = sorted(set(ids) - known_ids(host, database))
    if not unknown:
        return set()
    local_only = not directories(host, database)
    if local_only and "systemd" not in sources(host, database):
        return set(unknown)
    if not host.live:
        if local_only:
            return set(unknown)
        raise Unreadable("partial", "owners may be in a directory, which cannot be asked here")
    if len(unknown) > 500:
        raise Unreadable("partial", "more than 500 owners that no local file knows")
    column = "uid" if database == "passwd" else "gid"
    try:
        named = {entry[column] for entry in ask(host, database, unknown)}
    except Absent:
        raise Unreadable("partial", "owners cannot be looked up: getent is not there") from None
    if not local_only and not named:
        gap = enumerate_directory(host, database)[1]
        if gap:
            raise Unreadable("partial", gap)
    return set(unknown) - named


def user_names(host):
    """Uid -> name from the local files, the first line of a uid wins; {} when they cannot be read."""

    def read():
        names = {}
        try:
            for entry in file_entries(host, "passwd"):
                if entry["uid"] is not None:
                    names.setdefault(entry["uid"], entry["name"])
        except (Absent, Unreadable):
            pass
        return names

    return host.cached("user names", read)


NETWORK_TYPES = ("nfs", "nfs4", "cifs", "smb3", "autofs", "ceph", "afs", "lustre", "glusterfs", "ocfs2", "gfs2")
"""File systems whose server may be gone: touching them can hang for ever."""


def risky_mounts(host):
    """Mount points (text, without the root) on file systems that can hang: network, automount, FUSE."""

    def read():
        found = []
        if host.live:
            for line in host.lines("/proc/self/mountinfo", 1 << 24):
                head, _dash, tail = line.partition(" - ")
                kind = tail.split(" ")[0]
                where = head.split(" ")[4].replace("\\x5c040", " ")  # the kernel writes a blank as \\040
                if where != "/" and (kind in NETWORK_TYPES or kind.startswith("fuse")):
                    found.append(os.path.normpath(where))
        return found

    return host.cached("risky mounts", read)


def may_hang(host, path):
    """The mount point on which ``path`` lies if touching it may hang, else None."""
    for where in risky_mounts(host):
        if path == where or path.startswith(where + "/"):
            return where
    return None

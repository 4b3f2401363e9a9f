"""Directives of configuration files: in which files a program looks, in which order, and in which form they stand.

Sources: systemd.syntax(7), pwquality.conf(5), faillock.conf(5), sssd.conf(5), dnf.conf(5), chrony.conf(5),
krb5.conf(5), aide.conf(5), postconf(5), usbguard-daemon.conf(5), audisp-remote.conf(5), gdm and dconf documentation.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import fnmatch
import re

from .drop_ins import CONFIG_PREFIXES, fragments, parse_ini
from .redact import redact_named
from .spec import Absent, Unreadable

FORMATS = ("systemd", "ini", "keyvalue", "shell", "words", "postfix", "aide")
"""``ini``: ``k = v`` below ``[section]``; ``systemd``: its dialect; ``keyvalue``: ``k = v`` or ``k`` alone;
``shell``: assignments, quotes go; ``words``: ``k v``; ``postfix``: values go on in indented lines; ``aide``: both."""

MAX_FILES = 1000
MAX_DIRECTIVES = 5000
MAX_DEPTH = 8

_SYSTEMD = {
    "coredump": ("Coredump", None),
    "journald": ("Journal", "restart:systemd-journald"),
    "journal-remote": ("Remote", "restart:systemd-journal-remote"),
    "journal-upload": ("Upload", "restart:systemd-journal-upload"),
    "logind": ("Login", "reload:systemd-logind"),
    "networkd": ("Network", "restart:systemd-networkd"),
    "oomd": ("OOM", "restart:systemd-oomd"),
    "resolved": ("Resolve", "restart:systemd-resolved"),
    "sleep": ("Sleep", None),
    "system": ("Manager", "daemon-reload"),
    "timesyncd": ("Time", "restart:systemd-timesyncd"),
    "user": ("Manager", None),
}

KNOWN = {
    "/etc/systemd/%s.conf" % name: {"format": "systemd", "section": section, "follow": follow}
    for name, (section, follow) in _SYSTEMD.items()
}
KNOWN.update(
    {
        "/etc/NetworkManager/NetworkManager.conf": {
            "format": "ini",
            "drop_ins": "/etc/NetworkManager/conf.d/*.conf",
            "follow": "reload:NetworkManager",
        },
        "/etc/aide.conf": {"format": "aide"},
        "/etc/aide/aide.conf": {"format": "aide"},
        "/etc/audit/audisp-remote.conf": {"format": "keyvalue", "lower": True, "follow": "auditd-restart"},
        "/etc/chrony.conf": {"format": "words", "follow": "restart:chronyd"},
        "/etc/chrony/chrony.conf": {"format": "words", "follow": "restart:chrony"},
        "/etc/default/aide": {"format": "shell"},
        "/etc/default/useradd": {"format": "shell"},
        "/etc/dnf/dnf.conf": {"format": "ini", "section": "main", "folded": True},
        "/etc/fapolicyd/fapolicyd.conf": {"format": "keyvalue", "follow": "restart:fapolicyd"},
        "/etc/firewalld/firewalld.conf": {"format": "keyvalue", "follow": "restart:firewalld"},
        "/etc/gdm/custom.conf": {"format": "ini"},
        "/etc/gdm3/custom.conf": {"format": "ini"},
        "/etc/gdm3/daemon.conf": {"format": "ini"},
        "/etc/ipsec.conf": {"format": "words", "drop_ins": "/etc/ipsec.d/*.conf"},
        "/etc/krb5.conf": {"format": "ini"},
        "/etc/postfix/main.cf": {"format": "postfix", "follow": "reload:postfix"},
        "/etc/security/faillock.conf": {"format": "keyvalue"},
        "/etc/security/pwhistory.conf": {"format": "keyvalue"},
        "/etc/security/pwquality.conf": {
            "format": "keyvalue",
            "drop_ins": "/etc/security/pwquality.conf.d/*.conf",
            "read": "before",
        },
        "/etc/selinux/config": {"format": "shell"},
        "/etc/sudoers": {"format": "words", "drop_ins": "/etc/sudoers.d/*"},
        "/etc/sssd/sssd.conf": {
            "format": "ini",
            "section": "sssd",
            "drop_ins": "/etc/sssd/conf.d/*.conf",
            "folded": True,
            "follow": "restart:sssd",
        },
        "/etc/usbguard/usbguard-daemon.conf": {"format": "keyvalue", "follow": "restart:usbguard"},
        "/etc/yum.conf": {"format": "ini", "section": "main", "folded": True},
    }
)
"""Path -> how it is read: ``format``, ``section`` (the one meant), ``drop_ins`` (pattern), ``read`` (whether the
drop-ins are read ``before`` or ``after`` the file; the last word counts), ``folded`` (an indented line goes on with the
value before), ``lower`` (names in small letters), ``follow`` (what makes the program read it again)."""

_NAME = re.compile(r"^([A-Za-z0-9_@][^\s=]*)\s*=\s*(.*)$")
_ATTRIBUTES = re.compile(r"^(?:[a-z](?:,[a-z])*\s+)?[A-Za-z0-9_]{1,20}(?:[+-][A-Za-z0-9_]{1,20})+(?:\s+#.*)?$")
_QUOTED = re.compile(r"^(?:\"([^\"]*)\"|'([^']*)')")
_BLANK_HASH = re.compile(r"(?:^|\s)#.*$")
_INCLUDES = {
    "include": "file",
    "confdir": "*.conf",
    "sourcedir": "*.sources",
    "includedir": "*",
    "@@include": "aide",
    "@@x_include": "aide",  # what may be executed there is run by AIDE: nothing here can tell what it prints
}
"""Directives that read more files (chrony, Kerberos, AIDE) -> what their words mean."""


def profile(spec):
    """Return how the file of ``spec`` (``{file, format?, drop_ins?}``) is read: KNOWN, then what the spec says."""
    found = {"format": "ini", "section": None, "drop_ins": None, "read": "after", "folded": False, "lower": False}
    found.update(KNOWN.get(spec["file"], {}))
    if spec.get("format"):
        found["format"] = spec["format"]
    drop_ins = spec.get("drop_ins")
    if drop_ins is True:
        drop_ins = spec["file"] + ".d/*.conf"
    if drop_ins is not None:
        found["drop_ins"] = drop_ins or None
    return found


def files_of(host, spec, how):
    """Return the paths to read, in the order of reading; raise Unreadable when a directory cannot be listed."""
    path = spec["file"]
    if how["format"] == "systemd" and path.startswith("/etc/"):
        tail = path[len("/etc/") :]
        files = [place for place in ("%s/%s" % (prefix, tail) for prefix in CONFIG_PREFIXES) if host.exists(place)][:1]
        if files and host.readlink(files[0]) == "/dev/null":
            files = []
        return files + [found for found, _hidden in fragments(host, ["%s/%s.d" % (p, tail) for p in CONFIG_PREFIXES])]
    extra = host.glob(how["drop_ins"]) if how["drop_ins"] else []
    own = [path] if host.exists(path) else []
    return extra + own if how["read"] == "before" else own + extra


def read(host, spec):
    """Return ``(directives, files)``: ``[{section, name, value, where}]`` in the order of reading, and what was read.

    Raise Unreadable when anything of it cannot be read: it could override all else.
    """
    how = profile(spec)
    directives, files = [], []
    for path in files_of(host, spec, how):
        _read(host, path, how, directives, files, 0)
    return directives, files


def _read(host, path, how, directives, files, depth):
    if depth > MAX_DEPTH or len(files) >= MAX_FILES:
        raise Unreadable("partial", "%s: too many files are included" % path)
    try:
        lines = host.lines(path, 1 << 20)
    except Absent:
        return
    files.append(path)
    for section, name, value, where in parse(lines, path, how):
        pattern = _INCLUDES.get(name) if how["format"] in ("words", "aide", "ini") else None
        if len(directives) >= MAX_DIRECTIVES:
            raise Unreadable("partial", "%s: more than %d directives" % (path, MAX_DIRECTIVES))
        directives.append({"section": section, "name": name[:128], "value": _shown(name, value, how), "where": where})
        if pattern and value:
            for found in _included(host, pattern, value.split()):
                if name == "@@x_include" and host.stat(found).st_mode & 0o111:
                    continue
                _read(host, found, how, directives, files, depth + 1)


def _shown(name, value, how):
    if how["format"] == "aide" and _ATTRIBUTES.match(value):
        return value[:1024]  # sums of AIDE's words are long and look like keys
    return redact_named(name, value)[:1024]


def _included(host, pattern, words):
    """Paths that an include directive names, in the order of reading."""
    if pattern == "file":
        return host.glob(words[0])
    if pattern == "aide":
        if len(words) < 2:
            return [words[0]]
        try:
            wanted = re.compile(words[1])
        except re.error:
            raise Unreadable("invalid", "%s: %s is no regular expression" % (words[0], words[1])) from None
        return [path for path in host.glob(words[0].rstrip("/") + "/*") if wanted.search(path.rpartition("/")[2])]
    found = {}
    for directory in words:  # of several directories the first that has a name provides it (chrony.conf(5))
        for path in host.glob(directory.rstrip("/") + "/*"):
            name = path.rpartition("/")[2]
            if fnmatch.fnmatchcase(name, pattern) and not name.endswith((".rpmsave", ".rpmnew", "~")):
                found.setdefault(name, path)
    return [found[name] for name in sorted(found)]


def parse(lines, path, how):
    """Return ``[(section, name, value, where)]`` of one file's lines; ``how`` as ``profile`` gives it."""
    form = how["format"]
    if form == "systemd":
        return parse_ini(lines, path)
    found = _PARSERS[form](lines, path, how)
    return [(section, name.lower(), value, where) for section, name, value, where in found] if how["lower"] else found


def _ini(lines, path, how):
    found, section = [], ""
    for number, line in enumerate(lines, 1):
        bare = line.strip()
        if not bare or bare[0] in "#;":
            continue
        if how["folded"] and line[:1] in " \t" and found:
            before = found[-1]
            found[-1] = (before[0], before[1], (before[2] + " " + bare).strip(), before[3])
            continue
        if bare[0] == "[" and "]" in bare:
            section = bare[1 : bare.index("]")]
            continue
        name, equals, value = bare.partition("=")
        if not equals:
            name, _blank, value = bare.partition(" ")
        found.append((section, name.strip(), value.strip(), "%s:%d" % (path, number)))
    return found


def _keyvalue(lines, path, how):
    found = []
    for number, line in enumerate(lines, 1):
        line = _BLANK_HASH.sub("", line).strip()
        if line:
            name, _equals, value = line.partition("=")
            found.append(("", name.strip(), value.strip(), "%s:%d" % (path, number)))
    return found


def _shell(lines, path, how):
    found = []
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if line.startswith("export "):
            line = line[7:].lstrip()
        name, equals, value = line.partition("=")
        if not equals or not re.match(r"^[A-Za-z_][A-Za-z0-9_]*$", name):
            continue
        quoted = _QUOTED.match(value)
        if quoted:
            value = quoted.group(1) if quoted.group(1) is not None else quoted.group(2)
        else:
            value = value.split(" ", 1)[0].split("\t", 1)[0].split(";", 1)[0]
        found.append(("", name, value, "%s:%d" % (path, number)))
    return found


def _words(lines, path, how):
    found = []
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if line and line[0] not in "#!;%":
            words = line.split(None, 1)
            found.append(("", words[0], " ".join(words[1].split()) if len(words) > 1 else "", "%s:%d" % (path, number)))
    return found


def _postfix(lines, path, how):
    found = []
    for number, line in enumerate(lines, 1):
        bare = line.strip()
        if not bare or bare[0] == "#":
            continue
        if line[0] in " \t" and found:
            found[-1] = found[-1][:2] + ((found[-1][2] + " " + bare).strip(),) + found[-1][3:]
            continue
        name, equals, value = bare.partition("=")
        if equals:
            found.append(("", name.strip(), value.strip(), "%s:%d" % (path, number)))
    return found


def _aide(lines, path, how):
    found = []
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if not line or line[0] == "#":
            continue
        where = "%s:%d" % (path, number)
        match = None if line[0] in "/!=@" else _NAME.match(line)
        if match:
            found.append(("", match.group(1), match.group(2).strip(), where))
        else:
            words = line.split(None, 1)
            found.append(("", words[0], words[1].strip() if len(words) > 1 else "", where))
    return found


_PARSERS = {
    "ini": _ini, "keyvalue": _keyvalue, "shell": _shell, "words": _words, "postfix": _postfix, "aide": _aide,
}  # fmt: skip

"""Parsers of the account files: passwd(5), group(5), gshadow(5), shadow(5), subuid(5), nsswitch.conf(5).

They take lines and give plain data, one entry per line, so that duplicate names and ids stay visible.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

MEMBER_CAP = 200
"""Members of one group that are listed; their number is always exact."""

HASH_PREFIXES = (
    ("$y$", "yescrypt"),
    ("$gy$", "gost-yescrypt"),
    ("$7$", "scrypt"),
    ("$6$", "sha512"),
    ("$5$", "sha256"),
    ("$2a$", "bcrypt"),
    ("$2b$", "bcrypt"),
    ("$2x$", "bcrypt"),
    ("$2y$", "bcrypt"),
    ("$sha1", "sha1"),
    ("$md5", "sunmd5"),
    ("$1$", "md5"),
    ("$3$", "nthash"),
    ("_", "bsdi-des"),
)
"""Prefix of a hash -> name of its method, crypt(5)."""


def integer(value):
    """Return a decimal field as int, None for an empty, negative or malformed one."""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None


def algorithm(secret):
    """Name of the hash method of a shadow field (without its lock mark), ``unknown`` or None for no hash."""
    if not secret or secret[0] in "*!" or secret == "x":
        return None
    for prefix, name in HASH_PREFIXES:
        if secret.startswith(prefix):
            return name
    if secret.startswith("$"):
        return "unknown"
    # Traditional DES: 13 characters of [./0-9A-Za-z]; anything else can never match a password.
    return "des" if len(secret) >= 13 and secret.isascii() and "$" not in secret else None


def password_kind(secret):
    """What a password field says: ``shadowed``, ``empty``, ``locked`` or ``set`` (a hash stands in the file)."""
    if secret == "x":
        return "shadowed"
    if not secret:
        return "empty"
    if secret[0] in "*!" or algorithm(secret) is None:
        return "locked"
    return "set"


def nis_line(name):
    """True for the ``+``, ``-``, ``+@netgroup`` lines that compat reads as "include the directory here"."""
    return name[:1] in ("+", "-")


def parse_passwd(lines):
    """Return one dict a line: kind (local, nis, malformed), line, name, password, uid, gid, full_name, home, shell.

    Only the first part of GECOS is kept: the rest are telephone numbers.
    """
    entries = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split(":")
        nis = nis_line(parts[0])
        entry = {
            "kind": "nis" if nis else "local",
            "line": number,
            "name": parts[0],
            "password": None,
            "uid": None,
            "gid": None,
            "full_name": None,
            "home": None,
            "shell": None,
        }
        if not nis and (len(parts) != 7 or not parts[0] or integer(parts[2]) is None or integer(parts[3]) is None):
            # Its text may be anything, even a hash that slipped: nothing of it is repeated.
            entry.update(kind="malformed", name=None)
        elif len(parts) == 7:
            entry.update(
                password=password_kind(parts[1]),
                uid=integer(parts[2]),
                gid=integer(parts[3]),
                full_name=parts[4].split(",")[0] or None,
                home=parts[5] or None,
                shell=parts[6] or None,
            )
        entries.append(entry)
    return entries


def parse_group(lines):
    """Return one dict a line: kind (local, nis, malformed), line, name, password, gid, members (all)."""
    entries = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split(":")
        nis = nis_line(parts[0])
        entry = {
            "kind": "nis" if nis else "local",
            "line": number,
            "name": parts[0],
            "password": None,
            "gid": None,
            "members": [],
        }
        if not nis and (len(parts) != 4 or not parts[0] or integer(parts[2]) is None):
            entry.update(kind="malformed", name=None)
        elif len(parts) == 4:
            entry.update(password=password_kind(parts[1]), gid=integer(parts[2]), members=_names(parts[3]))
        entries.append(entry)
    return entries


def _names(field):
    return [name.strip() for name in field.split(",") if name.strip()]


def parse_gshadow(lines):
    """Return name -> {password, admins, members}; the password is told by kind only."""
    found = {}
    for line in lines:
        parts = line.split(":")
        if len(parts) == 4 and parts[0] and parts[0] not in found:
            found[parts[0]] = {
                "password": password_kind(parts[1]),
                "admins": _names(parts[2]),
                "members": _names(parts[3]),
            }
    return found


def parse_shadow(lines):
    """Return one dict a line: name, line, malformed, algorithm, locked, empty, and the six day counts (int or None).

    ``locked``: no password can match (``!`` or ``*`` in front, or something that is no hash); ``empty``: log-in
    needs none. The hash goes no further than this function.
    """
    entries = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        parts = line.split(":")
        entry = dict.fromkeys(("name", "algorithm", "changed", "min", "max", "warn", "inactive", "expire"))
        entry.update(line=number, malformed=len(parts) not in (8, 9) or not parts[0], locked=False, empty=False)
        if not entry["malformed"]:
            secret = parts[1]
            entry.update(
                name=parts[0],
                empty=secret == "",
                algorithm=algorithm(secret.lstrip("!")),
                locked=password_kind(secret) == "locked" or secret == "x",
                changed=integer(parts[2]),
                min=integer(parts[3]),
                max=integer(parts[4]),
                warn=integer(parts[5]),
                inactive=integer(parts[6]),
                expire=integer(parts[7]),
            )
        entries.append(entry)
    return entries


def parse_subids(lines):
    """Return owner (name or uid as written) -> list of ``start:count``."""
    ranges = {}
    for line in lines:
        parts = line.split(":")
        if len(parts) == 3 and parts[0] and not line.startswith("#"):
            start, count = integer(parts[1]), integer(parts[2])
            if start is not None and count is not None:
                ranges.setdefault(parts[0], []).append("%d:%d" % (start, count))
    return ranges


def parse_shells(lines):
    """Return the valid log-in shells as a set, shells(5)."""
    return {line.strip() for line in lines if line.strip().startswith("/")}


def parse_nsswitch(lines):
    """Return database -> list of sources in order; actions in brackets are left out."""
    databases = {}
    for line in lines:
        line = line.split("#", 1)[0]
        name, colon, rest = line.partition(":")
        if not colon or not name.strip():
            continue
        sources, depth = [], False
        for word in rest.replace("[", " [ ").replace("]", " ] ").split():
            if word in "[]":
                depth = word == "["
            elif not depth:
                sources.append(word)
        databases[name.strip()] = sources
    return databases


def numbered(entries):
    """Give each entry a unique, stable key: its name, and ``name#2`` for the second line of that name.

    Malformed lines share the name ``(malformed)``. Returns a list of (key, entry).
    """
    seen, keyed = {}, []
    for entry in entries:
        name = entry["name"] or "(malformed)"
        seen[name] = seen.get(name, 0) + 1
        keyed.append((name if seen[name] == 1 else "%s#%d" % (name, seen[name]), entry))
    return keyed

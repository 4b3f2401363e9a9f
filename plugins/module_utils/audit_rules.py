"""Audit rules in one canonical form, whether written by hand or listed by the kernel (auditctl(8), audit.rules(7)).

``-w /x -p wa -k k`` and ``-a always,exit -F path=/x -F perm=wa -F key=k`` are the same rule; so are ``auid!=-1``,
``auid!=unset`` and ``auid!=4294967295``, and one ``-S`` with a comma or two without. Checked against what
auditctl 3.0.9 lists after loading.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import errno
import re

LISTS = ("task", "exit", "user", "exclude", "filesystem", "io_uring")
ACTIONS = ("always", "never", "possible")
MAX_LINE = 3000
"""Characters of one rule: its canonical form is a key and has to fit into one (auditctl takes 8970)."""

_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9_]*)(!=|>=|<=|&=|=|>|<|&)(.*)\Z", re.DOTALL)
_ARCH_64 = ("b64", "x86_64", "aarch64", "ppc64", "ppc64le", "s390x", "ia64", "riscv64", "loongarch64")
_ARCH_32 = (
    "b32",
    "i386",
    "i486",
    "i586",
    "i686",
    "arm",
    "armv5tejl",
    "armv6l",
    "armv7l",
    "armeb",
    "ppc",
    "s390",
    "riscv32",
)
_ID_FIELDS = ("uid", "euid", "suid", "fsuid", "auid", "obj_uid")
_GROUP_FIELDS = ("gid", "egid", "sgid", "fsgid", "obj_gid")
_ALIASES = {"loginuid": "auid", "sessionid": "ses", "filterkey": "key"}
_WITH_VALUE = ("-b", "-f", "-e", "-r", "-m", "--backlog_wait_time", "--signal")
_UNSET = ("-1", "unset", "4294967295")


class BadRule(ValueError):
    """The line is no audit rule; the text says why without repeating the line's values."""


def _words(line):
    # A backslash before a blank joins two words; host.read_text() has written it as \x5c.
    line = line.replace("\\x5c ", "\a").replace("\\ ", "\a")
    return [word.replace("\a", " ") for word in line.split()]


def _number(value):
    """The integer that strtol(3) with base 0 reads, or None."""
    try:
        return int(value, 8) if re.match(r"-?0[0-7]+\Z", value) else int(value, 0)
    except ValueError:
        return None


def _arch(value):
    name = value.lower()
    if name in _ARCH_64:
        return "b64"
    if name in _ARCH_32:
        return "b32"
    number = _number(name)
    if number is None:
        return name
    return "b64" if number & 0x80000000 else "b32"  # __AUDIT_ARCH_64BIT of linux/audit.h


def _perm(value):
    letters = set(value.lower())
    if not letters or letters - set("rwxa"):
        raise BadRule("permissions are letters of rwxa")
    return "".join(letter for letter in "rwxa" if letter in letters)


def _exit_value(value):
    number = _number(value)
    if number is None:
        return value
    name = errno.errorcode.get(abs(number))
    return ("-" + name if number < 0 else name) if name else str(number)


def _value(field, value, users, groups):
    """The one spelling of a field's value."""
    if field == "perm":
        return _perm(value)
    if field in _ID_FIELDS or field == "ses":
        if value in _UNSET:
            return "unset"
        return str(users.get(value, value)) if field != "ses" else value
    if field in _GROUP_FIELDS:
        return "unset" if value in _UNSET else str(groups.get(value, value))
    if field == "exit":
        return _exit_value(value)
    if field == "success":
        return {"yes": "1", "no": "0"}.get(value, value)
    if field in ("a0", "a1", "a2", "a3"):
        number = _number(value)
        return value if number is None else hex(number & 0xFFFFFFFFFFFFFFFF)
    if field in ("path", "dir", "exe"):
        return value.rstrip("/") or "/"
    number = _number(value)
    return value if number is None else str(number)


class _Reader:
    """Collects what the options of one line say."""

    def __init__(self, is_dir, users, groups):
        self.is_dir, self.users, self.groups = is_dir, users, groups
        self.list = self.action = self.arch = self.place = self.perm = None
        self.syscalls, self.fields, self.keys = set(), set(), set()

    def add(self, value):
        names = value.split(",")
        self.list = next((name for name in names if name in LISTS), None)
        self.action = next((name for name in names if name in ACTIONS), None)
        if len(names) != 2 or not self.list or not self.action:
            raise BadRule("-a takes a list and an action")

    def field(self, value):
        match = _FIELD.match(value.strip("\"'"))
        if not match:
            raise BadRule("-F takes field, operator, value")
        name, op, content = match.groups()
        name = _ALIASES.get(name.lower(), name.lower())
        if name == "key":
            self.keys.update(content.split("\x01"))
        elif name == "arch" and op == "=":
            self.arch = _arch(content)
        else:
            self.fields.add((name, op, _value(name, content, self.users, self.groups)))

    def compare(self, value):
        match = _FIELD.match(value)
        if not match or match.group(2) not in ("=", "!="):
            raise BadRule("-C takes two fields and = or !=")
        pair = sorted(_ALIASES.get(name, name) for name in (match.group(1).lower(), match.group(3).lower()))
        self.fields.add(("compare:" + pair[0], match.group(2), pair[1]))

    def watch(self):
        """Turn -w and -p into the fields they stand for; a directory is watched as a tree."""
        place = self.place.rstrip("/") or "/"
        tree = self.place.endswith("/") or self.is_dir(place)
        self.fields.add(("dir" if tree else "path", "=", place))
        self.fields.add(("perm", "=", self.perm or "rwxa"))
        self.list, self.action = "exit", "always"


def parse_rule(line, is_dir=None, users=None, groups=None):
    """Return the columns of one rule or control line (see tables/audit_rules.py, ``kind`` to ``watch``).

    ``line`` must be neither empty nor a comment. ``is_dir(path)`` tells whether ``-w`` names a directory, ``users``
    and ``groups`` map names to ids. Raise BadRule for what auditctl would refuse.
    """
    if len(line) > MAX_LINE:
        raise BadRule("longer than %d characters" % MAX_LINE)
    words = _words(line)
    if not words or not words[0].startswith("-"):
        raise BadRule("a line begins with an option")
    if words[0] not in ("-a", "-A", "-w", "-p", "-F", "-S", "-C", "-k"):
        return _control(words)
    reader = _Reader(
        is_dir or (lambda path: False), dict({"root": 0}, **(users or {})), dict({"root": 0}, **(groups or {}))
    )
    if len(words) % 2:
        raise BadRule("%s has no value" % words[-1][:20])
    for index in range(0, len(words), 2):
        option, value = words[index], words[index + 1]
        if option in ("-a", "-A"):
            reader.add(value)
        elif option == "-w":
            reader.place = value
        elif option == "-p":
            reader.perm = _perm(value)
        elif option == "-k":
            reader.keys.add(value.strip("\"'"))
        elif option == "-F":
            reader.field(value)
        elif option == "-C":
            reader.compare(value)
        elif option == "-S":
            reader.syscalls.update(name for name in value.split(",") if name)
        else:
            raise BadRule("unknown option in a rule")
    return _rule(reader)


def _rule(reader):
    if reader.place is not None:
        if reader.action or reader.syscalls or not reader.place.startswith("/"):
            raise BadRule("-w takes an absolute path and stands without -a and -S")
        reader.watch()
    elif reader.action is None:
        raise BadRule("neither -a nor -w")
    elif reader.perm is not None:
        raise BadRule("-p stands with -w only")
    if reader.list != "exit" and reader.list != "io_uring":
        syscalls = []
    elif not reader.syscalls or "all" in reader.syscalls:
        syscalls = ["all"]
    else:
        syscalls = sorted(reader.syscalls)
    return {
        "kind": "rule",
        "list": reader.list,
        "action": reader.action,
        "arch": reader.arch,
        "syscalls": syscalls,
        "fields": [{"field": name, "op": op, "value": value} for name, op, value in sorted(reader.fields)],
        "keys": sorted(reader.keys),
        "option": None,
        "value": None,
        "watch": reader.place is not None,
    }


def _control(words):
    option = words[0]
    if option in ("-d", "-W"):  # takes a rule away: kept as one value, for whoever judges to see
        value = " ".join(words[1:])
    elif option in _WITH_VALUE:
        if len(words) != 2:
            raise BadRule("%s takes one value" % option)
        value = words[1]
    elif len(words) == 1:
        value = None
    else:
        raise BadRule("unknown option")
    return {
        "kind": "control",
        "list": None,
        "action": None,
        "arch": None,
        "syscalls": [],
        "fields": [],
        "keys": [],
        "option": option,
        "value": value,
        "watch": False,
    }


def rule_key(row):
    """The key of a parsed line: everything that makes a rule what it is, without its filter keys.

    >>> rule_key(parse_rule("-w /etc/group -p aw -k identity"))
    'always,exit all path=/etc/group perm=wa'
    """
    if row["kind"] == "control":
        return row["option"] if row["value"] is None else "%s %s" % (row["option"], row["value"])
    parts = ["%s,%s" % (row["action"], row["list"])]
    if row["arch"]:
        parts.append("arch=" + row["arch"])
    if row["syscalls"]:
        parts.append(",".join(row["syscalls"]))
    parts.extend("%(field)s%(op)s%(value)s" % item for item in row["fields"])
    return " ".join(parts)


def add_row(rows, row):
    """Add a parsed line to ``rows``; the same rule with another filter key is one row. Return its key."""
    key = rule_key(row)
    known = rows.get(key)
    if known is None:
        rows[key] = row
    else:
        known["keys"] = sorted(set(known["keys"]) | set(row["keys"]))
        known["watch"] = known["watch"] or row["watch"]
    return key

"""Audit rules on disk, in the one form in which they can be compared with the loaded ones."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os
import re

from ..audit_rules import BadRule, add_row, parse_rule
from ..spec import Absent, Column, Result, Table, Unreadable
from ..text import text

DIRECTORY = "/etc/audit/rules.d"
COMPILED = "/etc/audit/audit.rules"
LIMIT = 1 << 20

RULE_COLUMNS = (
    Column(
        "kind",
        "text",
        "`rule`; `control` for a line that sets something (`-e 2`, `-b 8192`, `-D`); `invalid` for one "
        "that auditctl refuses",
    ),
    Column("list", "text", "filter list: task, exit, user, exclude, filesystem, io_uring; null for a control line"),
    Column("action", "text", "always, never or possible; null for a control line"),
    Column("arch", "text", "b32, b64 or another machine; null when the rule names none"),
    Column(
        "syscalls", "list", 'sorted system call names; ["all"] when the rule names none; empty where a list takes none'
    ),
    Column(
        "fields",
        "list",
        "sorted {field, op, value}: the filters without arch and key. A watch becomes path or dir, and perm",
    ),
    Column("keys", "list", "sorted filter keys (-k)"),
    Column("option", "text", "of a control line: its option, for example -e; null for a rule"),
    Column("value", "text", "of a control line: its value, null when it has none; of an invalid line: what is wrong"),
    Column("watch", "bool", "written with -w; its path counts as dir when it is a directory"),
)
"""The columns that disk and loaded rules share (parser: module_utils/audit_rules.py)."""

TABLE = Table(
    name="audit_rules",
    description="Audit rules and control lines of /etc/audit/rules.d/*.rules and /etc/audit/audit.rules, normalised. "
    "Complete and empty when there are none.",
    key="the rule in canonical text without its keys, for example `always,exit arch=b64 all path=/etc/passwd perm=wa`; "
    "`invalid <path:line>` for an invalid line",
    columns=RULE_COLUMNS
    + (
        Column("where", "list", "path:line of every place that holds the rule, in the order in which they are read"),
        Column("rules_d", "bool", "one of those places is /etc/audit/rules.d (augenrules loads it at boot)"),
        Column("compiled", "bool", "one of those places is /etc/audit/audit.rules"),
        Column(
            "order",
            "int",
            "position among all lines, from 0, rules.d first; of a rule the first place, of a control line the last",
            True,
        ),
    ),
    max_rows=5000,
)


_SUFFIX = re.compile(r"(\.[A-Za-z~][A-Za-z0-9~]*)*\Z")


def by_version(name):
    """Sort key of augenrules, which reads its files in the order of ``ls -v`` (filevercmp of gnulib): the suffix counts
    last, numbers count as numbers, what begins with one comes first, letters come before other characters.
    """
    stem = name[: _SUFFIX.search(name).start()] or name
    return [_version(stem), _version(name)]


def _version(text_):
    parts = re.split(r"([0-9]+)", text_)
    return [int(part) if index % 2 else _letters(part) for index, part in enumerate(parts)]


def _letters(part):
    return [-1 if one == "~" else ord(one) + (0 if one.isalpha() else 256) for one in part] + [0]


def names_of(lines):
    """Return name -> id of the lines of a passwd or group file."""
    ids = {}
    for line in lines:
        parts = line.split(":")
        if len(parts) > 2 and parts[2].isdigit():
            ids.setdefault(parts[0], int(parts[2]))
    return ids


def parse(files, is_dir=None, users=None, groups=None):
    """Return the rows of ``files``, a list of (path, lines) in the order of reading."""
    rows = {}
    order = 0
    for path, lines in files:
        for number, line in enumerate(lines, 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            where = "%s:%d" % (path, number)
            try:
                row = parse_rule(line, is_dir, users, groups)
            except BadRule as error:
                row = _invalid(str(error))
                rows["invalid " + where] = row
            else:
                row = rows[add_row(rows, row)]
            row.setdefault("where", [])
            if len(row["where"]) < 50:
                row["where"].append(where)
            if row["kind"] != "rule" or "order" not in row:
                row["order"] = order
            row["rules_d"] = row.get("rules_d", False) or path.startswith(DIRECTORY + "/")
            row["compiled"] = row.get("compiled", False) or path == COMPILED
            order += 1
    return rows


def _invalid(why):
    row = {column.name: None for column in RULE_COLUMNS}
    row.update(kind="invalid", value=why, syscalls=[], fields=[], keys=[], watch=False)
    return row


def identities(host):
    """The keyword arguments ``users``, ``groups`` and ``is_dir`` with which this host's rules are parsed."""
    found = {"is_dir": lambda path: _is_dir(host, path)}
    for name, path in (("users", "/etc/passwd"), ("groups", "/etc/group")):
        try:
            found[name] = names_of(host.lines(path))
        except (Absent, Unreadable):
            found[name] = {}
    return found


def _is_dir(host, path):
    try:
        return host.is_dir(path)
    except Unreadable:
        return False


def collect(host, options):
    """Return one row a rule or control line; ``partial`` when a file could not be read."""
    files, gaps = [], []
    try:
        names = [name for name in host.listdir(DIRECTORY) if name.endswith(".rules") and not name.startswith(".")]
    except Absent:
        names = []
    paths = ["%s/%s" % (DIRECTORY, name) for name in sorted(names, key=by_version)]
    for path in paths + [COMPILED]:
        try:
            files.append((text(os.fsencode(path)), host.lines(path, LIMIT)))
        except Absent:
            continue
        except Unreadable as error:
            gaps.append(error.why)
    rows = parse(files, **identities(host))
    return Result(rows, "partial", "; ".join(gaps)[:1000]) if gaps else rows

"""Who may run what as whom by sudo: /etc/sudoers and all that it includes."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import hashlib
import posixpath
import re

from ..name_service import directories
from ..redact import redact
from ..spec import Absent, Column, Result, Table, Unreadable
from ..sudo_rules import (
    expand,
    included_names,
    logical_lines,
    parse_alias,
    parse_defaults,
    parse_include,
    parse_rule,
)

TABLE = Table(
    name="sudoers",
    description="Rules, settings, aliases and includes of sudo. Without /etc/sudoers there are no rows: nobody gains "
    "rights by sudo. `partial` when an included file cannot be read, or when rules also come from a directory.",
    key="`<kind> <name> <8 hex digits of its meaning>`: name is the users of a rule, the setting, the alias, the path",
    columns=(
        Column("kind", "text", "rule, setting, alias, include or invalid (a line that sudo would refuse)"),
        Column("where", "list", "file:line of each place that says so, in order of reading"),
        Column("users", "list", "of a rule: users and %groups as written"),
        Column("all_users", "list", "of a rule: the same with aliases resolved"),
        Column("hosts", "list", "of a rule: hosts with aliases resolved"),
        Column("runas_users", "list", "of a rule: users it may run as, aliases resolved; root when none is given"),
        Column("runas_groups", "list", "of a rule: groups it may run as"),
        Column("tags", "list", "of a rule: NOPASSWD, NOEXEC, SETENV, ..., sorted"),
        Column("nopasswd", "bool", "of a rule: no password is asked"),
        Column(
            "commands",
            "list",
            "of a rule: commands with aliases resolved, secrets redacted; long lists are cut and say so",
        ),
        Column("all_commands", "bool", "of a rule: ALL is among its commands"),
        Column("setting", "text", "of a setting: its name, for example use_pty"),
        Column("scope", "text", "of a setting: global, or host, user, runas, command when it holds for some only"),
        Column("scope_of", "list", "of a setting: those some"),
        Column("operator", "text", "of a setting: =, += or -="),
        Column(
            "value",
            "text_sensitive",
            "of a setting: `true` or `false` for a flag, else its value as text; an "
            "include's path; an alias's type (user, runas, host, command)",
        ),
        Column("number", "float", "of a setting: its value where that is a number"),
        Column("members", "list", "of an alias: what it stands for, secrets redacted"),
        Column("last", "bool", "of a setting: the one read last among those of its name and scope, which wins"),
    ),
    max_rows=5000,
)

MAIN = "/etc/sudoers"
FILE_CAP = 1 << 20
LIST_CAP = 100
LIST_SIZE = 2000
"""Characters of one list in a row."""
DEPTH = 128
"""Include depth at which sudo itself gives up, sudoers(5)."""

_BACKSLASH = re.compile(r"\\(?!x[0-9a-f]{2})")
_ESCAPE = re.compile(r"\\([,:=\\#! ])")
"""What sudoers(5) wants escaped. To be undone first: redaction knows ``--password=x``, not ``--password\\=x``."""


def _text(value):
    """The backslash as host.text() writes it, secrets gone, cut at 500 characters."""
    return redact(_BACKSLASH.sub(r"\\x5c", _ESCAPE.sub(r"\1", value)))[:500]


def _texts(values):
    """Texts of a list, cut when they grow too many for one row; the last then says how many are missing."""
    found, size = [], 0
    for value in values:
        found.append(_text(value))
        size += len(found[-1])
        if len(found) >= LIST_CAP or size > LIST_SIZE:
            break
    if len(found) < len(values):
        found.append("(%d more)" % (len(values) - len(found)))
    return found


class Reader:
    """Reads sudoers and what it includes into statements [(kind, where, content)]."""

    def __init__(self, host):
        self.host = host
        self.statements = []
        self.gaps = []
        self._open = []

    def read(self, path):
        """Read one file and follow its includes in place; raise Absent or Unreadable for the file itself."""
        lines = logical_lines(self.host.lines(path, FILE_CAP))
        self._open.append(path)
        for number, text in lines:
            where = "%s:%d" % (path, number)
            include = parse_include(text)
            if include:
                self.statements.append(("include", where, include))
                self._include(include[0], include[1], path)
                continue
            for kind, parse in (("setting", parse_defaults), ("alias", parse_alias), ("rule", parse_rule)):
                found = parse(text)
                if found:
                    self.statements += [(kind, where, item) for item in found]
                    break
            else:
                self.statements.append(("invalid", where, text))
        self._open.pop()

    def _include(self, kind, path, parent):
        if "%h" in path:
            name = (
                self.host.read_text("/proc/sys/kernel/hostname" if self.host.live else "/etc/hostname", 4096)
                .strip()
                .split(".")[0]
            )
            path = path.replace("%h", name)
        if not path.startswith("/"):
            path = posixpath.join(posixpath.dirname(parent), path)
        paths = [path]
        if kind == "includedir":
            try:
                paths = [path.rstrip("/") + "/" + name for name in included_names(self.host.listdir(path))]
            except Absent:
                return  # a directory that is not there is no error, sudoers(5)
            except Unreadable as error:
                self.gaps.append(error.why)
                return
        for name in paths:
            if name in self._open or len(self._open) >= DEPTH or len(self.statements) > TABLE.max_rows:
                self.gaps.append("%s: not followed, too deep" % name)
                continue
            try:
                if kind != "includedir" or not self.host.is_dir(name):
                    self.read(name)
            except Absent:
                continue  # certainly not there: it adds no rule
            except Unreadable as error:
                self.gaps.append(error.why)


def _blank(kind):
    row = dict.fromkeys(column.name for column in TABLE.columns)
    row.update(kind=kind, where=[])
    return row


def _rule_row(grant, aliases):
    commands = expand(grant["commands"], aliases["command"])
    row = _blank("rule")
    row.update(
        users=_texts(grant["users"]),
        all_users=_texts(expand(grant["users"], aliases["user"])),
        hosts=_texts(expand(grant["hosts"], aliases["host"])),
        runas_users=_texts(expand(grant["runas_users"], aliases["runas"])),
        runas_groups=_texts(expand(grant["runas_groups"], aliases["runas"])),
        tags=grant["tags"],
        nopasswd="NOPASSWD" in grant["tags"],
        commands=_texts(commands),
        all_commands="ALL" in commands,
    )
    return row, ",".join(row["users"])


def _setting_row(item):
    row = _blank("setting")
    value = item["value"]
    number = None if isinstance(value, (bool, str)) else float(value)
    row.update(
        setting=item["setting"],
        scope=item["scope"],
        scope_of=_texts(item["scope_of"]),
        operator=item["operator"],
        number=number,
        last=False,
        value=_text(str(value).lower() if isinstance(value, bool) else str(value)),
    )
    return row, row["setting"]


def rows_of(statements):
    """Return the rows of parsed statements [(kind, where, content)]; the same said twice is one row with two places."""
    aliases = {"user": {}, "runas": {}, "host": {}, "command": {}}
    for kind, _where, item in statements:
        if kind == "alias":
            aliases[item["type"]][item["name"]] = item["members"]
    rows, last = {}, {}
    for kind, where, item in statements:
        if kind == "rule":
            row, name = _rule_row(item, aliases)
        elif kind == "setting":
            row, name = _setting_row(item)
        elif kind == "alias":
            row, name = _blank("alias"), item["name"]
            row.update(value=item["type"], members=_texts(item["members"]))
        else:
            # What an invalid line says may be anything: only its place is told.
            row, name = _blank(kind), item[1] if kind == "include" else where
            row["value"] = _text(item[1]) if kind == "include" else None
        meaning = repr([row[column.name] for column in TABLE.columns if column.name not in ("where", "last")])
        key = "%s %s %s" % (kind, _text(name)[:80], hashlib.sha256(meaning.encode("utf-8")).hexdigest()[:8])
        row = rows.setdefault(key, row)
        if len(row["where"]) < 50:
            row["where"].append(where)
        if kind == "setting":
            last[(row["setting"], row["scope"], tuple(row["scope_of"]))] = key
    for key in last.values():
        rows[key]["last"] = True
    return rows


def collect(host, options):
    """Return the rows of /etc/sudoers and its includes; raise Unreadable for anyone but root."""
    reader = Reader(host)
    try:
        reader.read(MAIN)
    except Absent:
        pass
    gaps = reader.gaps
    elsewhere = directories(host, "sudoers")
    if elsewhere:
        gaps.append("rules may also come from a directory (%s)" % ", ".join(elsewhere))
    rows = rows_of(reader.statements)
    return Result(rows, "partial" if gaps else "ok", "; ".join(gaps[:5]))

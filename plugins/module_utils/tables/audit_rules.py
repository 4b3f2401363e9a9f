"""Audit rules on disk, in the one form in which they can be compared with the loaded ones."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from ..spec import Column, Table

RULE_COLUMNS = (
    Column("kind", "text", "`rule`, or `control` for a line that sets something (`-e 2`, `-b 8192`, `-f 1`, `-D`)"),
    Column("list", "text", "filter list: task, exit, user, exclude, filesystem, io_uring; null for a control line"),
    Column("action", "text", "always, never or possible; null for a control line"),
    Column("arch", "text", "b32, b64 or another machine; null when the rule names none"),
    Column("syscalls", "list", "sorted system call names; [\"all\"] when the rule names none; empty where a list takes none"),
    Column("fields", "list", "sorted {field, op, value}: the filters without arch and key. A watch becomes path or dir, and perm"),
    Column("keys", "list", "sorted filter keys (-k)"),
    Column("option", "text", "of a control line: its option, for example -e; null for a rule"),
    Column("value", "text", "of a control line: its value, null when it has none; null for a rule"),
)
"""The columns that disk and loaded rules share (parser: module_utils/audit_rules.py)."""

TABLE = Table(
    name="audit_rules",
    description="Audit rules and control lines of /etc/audit/rules.d/*.rules and /etc/audit/audit.rules, normalised. "
    "Complete and empty when there are none.",
    key="the rule in canonical text without its keys, for example `always,exit arch=b64 all path=/etc/passwd perm=wa`",
    columns=RULE_COLUMNS + (
        Column("where", "list", "path:line of every place that holds the rule, in the order in which they are read"),
        Column("rules_d", "bool", "one of those places is /etc/audit/rules.d (augenrules loads it at boot)"),
        Column("compiled", "bool", "one of those places is /etc/audit/audit.rules"),
        Column("order", "int", "position of the first place among all lines, from 0; the rules of rules.d come first", True),
    ),
    max_rows=5000,
)

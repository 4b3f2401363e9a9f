"""Audit rules in the running kernel."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from ..audit_netlink import loaded_rules
from ..audit_rules import BadRule, add_row, parse_rule
from ..spec import Absent, Result, Table, Unreadable
from .audit_rules import RULE_COLUMNS, identities

TABLE = Table(
    name="audit_rules_loaded",
    description="Audit rules loaded in the kernel, in the same form and with the same keys as `audit_rules`. "
    "`denied` in a container, whose kernel's audit belongs to its host; `unsupported` on a kernel without audit.",
    key="as in `audit_rules`",
    columns=RULE_COLUMNS,
    max_rows=5000,
    live_only=True,
)


def parse(lines, is_dir=None, users=None, groups=None):
    """Return (rows, number of lines that are no rules) of the output of ``auditctl -l``."""
    rows, strange = {}, 0
    for line in lines:
        line = line.strip()
        if not line or line == "No rules":
            continue
        try:
            add_row(rows, parse_rule(line, is_dir, users, groups))
        except BadRule:
            strange += 1
    return rows, strange


def collect(host, options):
    """Return one row a loaded rule. The kernel tells how many there are; auditctl, how they read."""
    count = len(loaded_rules(host))
    if not count:
        return {}
    try:
        listed = host.run(["auditctl", "-l"], timeout=10.0)
    except Absent:
        raise Unreadable("partial", "%d rules are loaded, and no auditctl is there to spell them" % count) from None
    if listed.code:
        raise Unreadable("denied", "auditctl -l ended with %d" % listed.code)
    rows, strange = parse(listed.lines(), **identities(host))
    if strange:
        return Result(rows, "partial", "%d lines of auditctl -l were not understood" % strange)
    return rows

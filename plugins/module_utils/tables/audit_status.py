"""State of the kernel's audit subsystem (audit netlink, AUDIT_GET)."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import struct

from ..audit_netlink import AUDIT_GET, AUDIT_GET_FEATURE, ask, is_never_task, loaded_rules, parse_status
from ..spec import Column, Table, Unreadable, Unsupported

LOGIN_IDS_IMMUTABLE = 1 << 1
"""AUDIT_FEATURE_LOGINUID_IMMUTABLE of linux/audit.h."""

TABLE = Table(
    name="audit_status",
    description="State of the kernel's audit subsystem. `denied` in a container, whose kernel's audit "
    "belongs to its host; "
    "`unsupported` on a kernel without audit.",
    key="always `host`",
    columns=(
        Column("enabled", "int", "0 off, 1 on, 2 on and locked until the next boot"),
        Column("failure", "int", "on a critical error: 0 silent, 1 printk, 2 panic"),
        Column("pid", "int", "process id of the audit daemon, 0 when none receives records", True),
        Column("daemon", "bool", "a daemon receives the records"),
        Column("rate_limit", "int", "records a second that are let through, 0 without limit"),
        Column("backlog_limit", "int", "records that may wait"),
        Column("lost", "int", "records lost since boot", True),
        Column("backlog", "int", "records waiting now", True),
        Column("backlog_wait_time", "int", "jiffies that a process waits for room; null on kernels that do not tell"),
        Column("never_task", "bool", "a loaded rule `never,task` switches auditing of processes off"),
        Column("rules", "int", "number of loaded rules"),
        Column("login_ids_immutable", "bool", "a log-in id that was set stays; null on kernels that do not tell"),
    ),
    max_rows=1,
    live_only=True,
)

_PLAIN = ("enabled", "failure", "pid", "rate_limit", "backlog_limit", "lost", "backlog", "backlog_wait_time")


def row_of(status, rules):
    """Return the row of parsed AUDIT_GET ``status`` and the payloads of the loaded ``rules``."""
    row = {name: status[name] for name in _PLAIN}
    row["daemon"] = bool(status["pid"])
    row["never_task"] = any(is_never_task(rule) for rule in rules)
    row["rules"] = len(rules)
    return row


def login_ids_immutable(answers):
    """True or False from the payloads of AUDIT_GET_FEATURE (struct audit_features: version, mask, features, lock)."""
    if not answers or len(answers[0]) < 16:
        return None
    return bool(struct.unpack_from("=I", answers[0], 8)[0] & LOGIN_IDS_IMMUTABLE)


def collect(host, options):
    """Return the one row."""
    answers = ask(AUDIT_GET, host.container())
    if not answers or len(answers[0]) < 32:
        raise Unreadable("invalid", "kernel audit: the answer is too short")
    row = row_of(parse_status(answers[0]), loaded_rules(host))
    return {"host": dict(row, login_ids_immutable=_login_ids_immutable(host))}


def _login_ids_immutable(host):
    try:
        return login_ids_immutable(ask(AUDIT_GET_FEATURE, host.container()))
    except (Unreadable, Unsupported):
        return None  # kernels before 3.13 know no features

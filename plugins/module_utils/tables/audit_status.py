"""State of the kernel's audit subsystem (audit netlink, AUDIT_GET)."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from ..spec import Column, Table

TABLE = Table(
    name="audit_status",
    description="State of the kernel's audit subsystem. `denied` in a container, whose kernel's audit belongs to its host; "
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
    ),
    max_rows=1,
    live_only=True,
)

"""Audit rules in the running kernel."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from ..spec import Table
from .audit_rules import RULE_COLUMNS

TABLE = Table(
    name="audit_rules_loaded",
    description="Audit rules loaded in the kernel, in the same form and with the same keys as `audit_rules`. `denied` in "
    "a container, whose kernel's audit belongs to its host; `unsupported` on a kernel without audit.",
    key="as in `audit_rules`",
    columns=RULE_COLUMNS,
    max_rows=5000,
    live_only=True,
)

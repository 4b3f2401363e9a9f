"""Settings of the audit daemon as auditd.conf gives them (auditd.conf(5))."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from ..spec import Column, Table

PATH = "/etc/audit/auditd.conf"

TABLE = Table(
    name="audit_config",
    description="Settings of /etc/audit/auditd.conf. Complete and empty when the file does not exist.",
    key="name of the setting in lower case, for example `max_log_file_action`",
    columns=(
        Column("value", "text", "the value as written, surrounding blanks removed; of a repeated setting the last one"),
        Column("where", "text", "path:line of that value"),
        Column("ignored", "list", "earlier values of a repeated setting, as {value, where}"),
    ),
    max_rows=200,
)

"""Settings of the audit daemon as auditd.conf gives them (auditd.conf(5))."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from ..redact import redact_named
from ..spec import Absent, Column, Table

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


def parse(lines, path=PATH):
    """Return the rows of an auditd.conf given as lines: ``name = value``, ``#`` begins a comment line."""
    rows = {}
    for number, line in enumerate(lines, 1):
        line = line.strip()
        name, equals, value = line.partition("=")
        name = name.strip().lower()
        if not line or line.startswith("#") or not equals or not name or len(name) > 64:
            continue
        ignored = []
        if name in rows:
            ignored = (rows[name]["ignored"] + [{key: rows[name][key] for key in ("value", "where")}])[-10:]
        value = redact_named(name, value.strip())[:1024]
        rows[name] = {"value": value, "where": "%s:%d" % (path, number), "ignored": ignored}
    return rows


def collect(host, options):
    """Return one row a setting."""
    try:
        return parse(host.lines(PATH, 1 << 18))
    except Absent:
        return {}

"""``auditd``: settings of the audit daemon."""

from __future__ import annotations

from ...content.errors import ContentError
from ...content.lines import near
from ...snapshots.view import cell
from .. import comparison
from ..audit_words import SETTINGS
from ..settable import value_for
from .base import Resource, Verdict

TABLE = "audit_config"
LOG_DIRECTORY = "log_directory"
PERCENT = {"space_left_percent": "space_left", "admin_space_left_percent": "admin_space_left"}
"""Key of a statement -> the setting of which the number before ``%`` counts; MiB alone are no share."""
FILE = "/etc/audit/auditd.conf"
DEFAULTS = {
    "log_file": "/var/log/audit/audit.log",
    "max_log_file_action": "ignore",
    "space_left_action": "ignore",
    "admin_space_left_action": "ignore",
    "disk_full_action": "ignore",
    "disk_error_action": "syslog",
    "action_mail_acct": "root",
    "log_group": "root",
    "local_events": "yes",
    "write_logs": "yes",
    "name_format": "none",
    "overflow_action": "syslog",
}
"""What auditd does when the file does not say (clear_config() of auditd-config.c)."""

EXACT = ("action_mail_acct", "log_file", "log_group")
"""Settings whose values are names: upper and lower case differ, everywhere else they do not (auditd.conf(5))."""


class Auditd(Resource):
    """See ``summary``."""

    name = "auditd"
    entries = True
    summary = (
        "`auditd: {<setting of auditd.conf>: <value or comparators>}`: keywords are compared in small letters; a "
        "setting that the file lacks has the daemon's own default. `{log_directory: <path>}`: the logs are "
        "there; if they are elsewhere, what a control says of that directory says nothing of them and cannot be "
        "told. `{space_left_percent: {min: 25}}`, `admin_space_left_percent`: the setting is a share of the "
        "space, this one."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        self.expect_map(statement, where)
        for name, expected in statement.items():
            if name == LOG_DIRECTORY and not (isinstance(expected, str) and expected.startswith("/")):
                raise ContentError(where, f"{LOG_DIRECTORY}: {expected!r}", f"{LOG_DIRECTORY}: /var/log/audit")
            if name != LOG_DIRECTORY and name not in SETTINGS and name not in PERCENT:
                raise ContentError(
                    where, f"auditd: unknown setting {name}{near(name, SETTINGS)}", "one of auditd.conf(5)"
                )
            comparison.check(expected, where)

    def tables(self, statement):
        """The one table it reads."""
        return (TABLE,)

    def judge(self, statement, snapshot):
        """Return a Verdict a setting."""
        rows = snapshot.rows(TABLE)
        return [
            _log_directory(expected, rows) if name == LOG_DIRECTORY else self._setting(name, expected, rows)
            for name, expected in statement.items()
        ]

    def settings(self, statement):
        """One ``auditd`` setting a name that expects one value, or the first of several that may be."""
        found = []
        for name, expected in statement.items():
            if name == LOG_DIRECTORY:
                continue
            known, value = value_for(expected)
            if known and value is not None:
                value = f"{value}%" if name in PERCENT else value
                found.append({"kind": "auditd", "name": PERCENT.get(name, name), "value": value})
        return found

    def _setting(self, name, expected, rows):
        wanted = {name: comparison.words(expected)}
        if not rows:
            text = f"{FILE} does not exist or is empty"
            return Verdict("fail", wanted, {name: None}, [{"where": FILE, "what": text}], text)
        percent, name = name in PERCENT, PERCENT.get(name, name)
        row = rows.get(name)
        if row is None:
            value = DEFAULTS.get(name)
            told = f"{name} is not set" + (f": the default is {value}" if value else "")
            evidence = [{"where": FILE, "what": told}]
        else:
            value = cell(row, "value")
            evidence = [{"where": row.get("where") or FILE, "what": f"{name} = {value}"}]
            for old in row.get("ignored") or []:
                evidence.append(
                    {"where": old.get("where", FILE), "what": f"{name} = {old.get('value')}, set again later"}
                )
        compared = value.lower() if isinstance(value, str) and name not in EXACT else value
        if percent:
            compared = str(value).rstrip("%") if str(value).endswith("%") else None
        good = comparison.holds(expected, compared)
        return Verdict("pass" if good else "fail", wanted, {name: value}, evidence)


def _log_directory(expected, rows):
    if not rows:
        return Verdict("not_applicable", {LOG_DIRECTORY: expected}, reason=f"{FILE} does not exist or is empty")
    row = rows.get("log_file")
    path = cell(row, "value") if row else DEFAULTS["log_file"]
    evidence = [{"where": (row or {}).get("where") or FILE, "what": f"log_file = {path}"}]
    if path.rpartition("/")[0] == expected:
        return Verdict("pass", {LOG_DIRECTORY: expected}, {"log_file": path}, evidence)
    why = f"audit logs are written to {path}, outside of {expected}: their files were not read"
    return Verdict("unreadable", {LOG_DIRECTORY: expected}, {"log_file": path}, evidence, why)

"""AIDE: ``{kind: aide, program: <path>, attributes: p+i+...}`` are lines of its configuration.

``{kind: aide, schedule: daily}`` has it look every day: by Debian's own timer where there is one, else by a cron job of
ours. ``{kind: aide, database: true}`` has its first database made.

That takes minutes and must see the host as hardening leaves it: a cron job of ours makes it some minutes later, and
does nothing once it is there. Until then the control fails, as it should.
"""

from __future__ import annotations

import re

from ..operations import CREATED, change, controls_of, edit, left, merged, operation

KIND = "aide"
FILES = {"debian": "/etc/aide/aide.conf", "rhel": "/etc/aide.conf"}
DATABASES = {"debian": "/var/lib/aide/aide.db", "rhel": "/var/lib/aide/aide.db.gz"}
PROGRAMS = {"debian": "/usr/bin/aide --config /etc/aide/aide.conf", "rhel": "/usr/sbin/aide"}
COMMON = "aide-common"
"""Debian's two hundred snippets of configuration and its timer. Not installed here: its scripts run for a minute."""
TIMER = "dailyaidecheck.timer"
JOB = "/etc/cron.d/ringwall-aide"
TEXT = """\
# Written by Ringwall's hardening: removed by its rollback.
5 4 * * * root nice -n 19 {program} --check
"""
FIRST = "/etc/cron.d/ringwall-first-database"
FIRST_TEXT = """\
# Written by Ringwall's hardening: makes the first database of AIDE, once; removed by its rollback.
SHELL=/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin
*/5 * * * * root test -e {database} || test -z "$(find {path} -mmin +4)" || ( {command} ) >/dev/null 2>&1
"""
INIT = (
    "umask 077; mkdir -p /var/lib/aide; flock -n /run/lock/ringwall-aide nice -n 19 {program} --init && "
    "test -e {path} && mv {new} {database}"
)
"""The new database counts only if nobody took the job back meanwhile."""
RULES = (
    "database_in=file:/var/lib/aide/aide.db",
    "database_out=file:/var/lib/aide/aide.db.new",
    "gzip_dbout=no",
    "report_url=stdout",
    "report_url=syslog:LOG_AUTH",
    "Ringwall = p+u+g+s+m+acl+xattrs+sha512",
    "/boot Ringwall",
    "/etc Ringwall",
    "/root/\\.ssh Ringwall",
    "/usr/(s?bin|libexec|local|lib[^/]*) Ringwall",
    "!/etc/(resolv\\.conf|adjtime|mtab)$",
    "!/usr/lib/(debug|python[^/]*/.*/__pycache__)",
)
"""What AIDE shall look at where its package brings no configuration (aide.conf(5)): programs, libraries, settings."""
PROGRAM = re.compile(r"/[A-Za-z0-9_./-]+")
ATTRIBUTES = re.compile(r"[A-Za-z0-9+]+")


def operations(settings, facts):
    """Return the operations. A database that is there already has to be made anew by people afterwards."""
    if not settings:
        return []
    timed = [item for item in settings if item["setting"].get("schedule")]
    first = [item for item in settings if item["setting"].get("database")]
    listed = [item for item in settings if item["setting"].get("program")]
    if facts.family not in FILES:
        return [left(controls_of(settings), "where AIDE keeps its configuration on this system is not known")]
    found = []
    if facts.family == "debian" and not facts.installed(COMMON) and not _configured(facts):
        lines = [change(controls_of(settings), line=line, state="present") for line in RULES]
        create = {**CREATED, "mode": "0640"}
        found.append(edit(FILES["debian"], lines, controls_of(settings), create=create))
    found += _schedule(controls_of(timed), facts) if timed else []
    found += _first(controls_of(first), facts) if first else []
    return found + (_programs(listed, facts) if listed else [])


def _configured(facts):
    """True if somebody wrote a configuration, or it cannot be told: it is theirs then."""
    return facts.value("config", FILES["debian"], "exists") is not False


def _schedule(controls, facts):
    if facts.family == "debian" and facts.installed(COMMON):
        return [operation("unit", controls, name=TIMER, enabled=True, active=True, masked=False)]
    text = TEXT.format(program=PROGRAMS[facts.family])
    return [operation("write", controls, path=JOB, text=text, mode="0600", owner="root", group="root")]


def _first(controls, facts):
    database = DATABASES[facts.family]
    new = "/var/lib/aide/aide.db.new" + database.partition(".db")[2]
    words = {"database": database, "path": FIRST, "program": PROGRAMS[facts.family], "new": new}
    text = FIRST_TEXT.format(command=INIT.format(**words), **words)
    makes = ["/var/lib/aide", database, new]
    return [operation("write", controls, path=FIRST, text=text, mode="0600", owner="root", group="root", makes=makes)]


def _programs(settings, facts):
    controls = controls_of(settings)
    path = FILES[facts.family]
    changes = []
    for item in settings:
        program, attributes = item["setting"]["program"], item["setting"]["attributes"]
        if PROGRAM.fullmatch(program) and ATTRIBUTES.fullmatch(attributes):
            bare = re.escape(program[4:] if program.startswith("/usr/") else program)
            fields = {"line": f"{program} {attributes}", "state": "present", "replaces": rf"^(/usr)?{bare}\s"}
            changes.append(change(item["controls"], **fields))
    if not changes:
        return [left(controls, "nothing to record is named")]
    return [edit(path, merged(changes), controls)]

"""AIDE: ``{kind: aide, program: <path>, attributes: p+i+...}`` are lines of its configuration, ``{kind: aide, schedule:
daily}`` has it look every day: by Debian's own timer, elsewhere by a cron job of ours. ``{kind: aide, database: true}``
has its first database made.

That takes minutes and must see the host as hardening leaves it: a cron job of ours makes it some minutes later, and
does nothing once it is there. Until then the control fails, as it should.
"""

from __future__ import annotations

import re

from ..operations import change, controls_of, edit, left, merged, operation

KIND = "aide"
FILES = {"debian": "/etc/aide/aide.conf", "rhel": "/etc/aide.conf"}
TIMER = "dailyaidecheck.timer"
JOB = "/etc/cron.d/ringwall-aide"
TEXT = "# Written by Ringwall's hardening: removed by its rollback.\n5 4 * * * root /usr/sbin/aide --check\n"
PACKAGE = "aide-common"
"""Debian's configuration of AIDE, its timer and ``aideinit``: only recommended by the package ``aide``."""
FIRST = "/etc/cron.d/ringwall-first-database"
FIRST_TEXT = """\
# Written by Ringwall's hardening: makes the first database of AIDE, once; removed by its rollback.
SHELL=/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin
*/5 * * * * root test -e {database} || test -z "$(find {path} -mmin +4)" || {command}
"""
INIT = {
    "debian": ("/var/lib/aide/aide.db", "aideinit -y -f"),
    "rhel": (
        "/var/lib/aide/aide.db.gz",
        "{ aide --init && mv /var/lib/aide/aide.db.new.gz /var/lib/aide/aide.db.gz; }",
    ),
}
"""Family -> (database, what makes it)."""
PROGRAM = re.compile(r"/[A-Za-z0-9_./-]+")
ATTRIBUTES = re.compile(r"[A-Za-z0-9+]+")


def operations(settings, facts):
    """Return the operations. A database that is there already has to be made anew by people afterwards."""
    timed = [item for item in settings if item["setting"].get("schedule")]
    first = [item for item in settings if item["setting"].get("database")]
    found = []
    if facts.family == "debian" and (timed or first) and not facts.installed(PACKAGE):
        found.append(operation("package", controls_of([*timed, *first]), name=PACKAGE, state="installed"))
    found += _schedule(controls_of(timed), facts) if timed else []
    found += _first(controls_of(first), facts) if first else []
    settings = [item for item in settings if item["setting"].get("program")]
    return found + (_programs(settings, facts) if settings else [])


def _schedule(controls, facts):
    if facts.family == "debian":
        return [operation("unit", controls, name=TIMER, enabled=True, active=True, masked=False)]
    return [operation("write", controls, path=JOB, text=TEXT, mode="0600", owner="root", group="root")]


def _first(controls, facts):
    if facts.family not in INIT:
        return [left(controls, "how the database of AIDE is made on this system is not known")]
    database, command = INIT[facts.family]
    quiet = f"( umask 027; flock -n /run/lock/ringwall-aide nice -n 19 sh -c '{command}' ) >/dev/null 2>&1"
    text = FIRST_TEXT.format(database=database, path=FIRST, command=quiet)
    return [operation("write", controls, path=FIRST, text=text, mode="0600", owner="root", group="root")]


def _programs(settings, facts):
    controls = controls_of(settings)
    path = FILES.get(facts.family)
    if path is None:
        return [left(controls, "where AIDE keeps its configuration on this system is not known")]
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

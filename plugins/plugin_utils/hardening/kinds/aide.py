"""AIDE: ``{kind: aide, program: <path>, attributes: p+i+...}`` are lines of its configuration, ``{kind: aide, schedule:
daily}`` has it look every day: by Debian's own timer, elsewhere by a cron job of ours.
"""

from __future__ import annotations

import re

from ..operations import change, controls_of, edit, left, merged, operation

KIND = "aide"
FILES = {"debian": "/etc/aide/aide.conf", "rhel": "/etc/aide.conf"}
TIMER = "dailyaidecheck.timer"
JOB = "/etc/cron.d/ringwall-aide"
TEXT = "# Written by Ringwall's hardening: removed by its rollback.\n5 4 * * * root /usr/sbin/aide --check\n"
PROGRAM = re.compile(r"/[A-Za-z0-9_./-]+")
ATTRIBUTES = re.compile(r"[A-Za-z0-9+]+")


def operations(settings, facts):
    """Return the operations. AIDE's database has to be made anew by people afterwards."""
    timed = [item for item in settings if item["setting"].get("schedule")]
    found = _schedule(controls_of(timed), facts) if timed else []
    settings = [item for item in settings if item["setting"].get("program")]
    return found + (_programs(settings, facts) if settings else [])


def _schedule(controls, facts):
    if facts.family == "debian":
        return [operation("unit", controls, name=TIMER, enabled=True, active=True, masked=False)]
    return [operation("write", controls, path=JOB, text=TEXT, mode="0600", owner="root", group="root")]


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

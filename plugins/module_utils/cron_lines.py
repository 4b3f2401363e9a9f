"""The languages of crontab(5), anacrontab(5) and at's spool, and which file names cron reads."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import re

NICKNAMES = ("@reboot", "@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_ENVIRONMENT = re.compile(r"\s*(?:\"[^\"=]+\"|'[^'=]+'|[A-Za-z_]\w*)\s*=")
_FIELD = re.compile(r"[-0-9*,/~A-Za-z]+$")
_DEBIAN_NAME = re.compile(r"[A-Za-z0-9_-]+$")
_AT_NAME = re.compile(r"([a-zA-Z=])([0-9a-f]{5})([0-9a-f]{8})$")
_REDHAT_SKIPPED = (".rpmsave", ".rpmorig", ".rpmnew", ".swp", ".cfsaved", ",v", "~")


def parse_crontab(lines, with_user):
    """Return the jobs [{line, schedule, user, command, valid}]. ``with_user``: a system crontab names the user.

    Settings of the environment are left out: their values may be secrets. A line that cron would refuse has
    valid False and nothing else.
    """
    jobs = []
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if not line or line.startswith("#") or _ENVIRONMENT.match(line):
            continue
        job = {"line": number, "schedule": None, "user": None, "command": None, "valid": False}
        jobs.append(job)
        # "-" before the minute keeps cronie and SUSE's cron from logging the job.
        line = line[1:] if line.startswith("-") else line
        count = 1 if line.startswith("@") else 5
        words = line.split(None, count + (1 if with_user else 0))
        if len(words) != count + (2 if with_user else 1):
            continue
        schedule = words[:count]
        if count == 1 and not (schedule[0].lower() in NICKNAMES or re.match(r"@\d+$", schedule[0])):
            continue
        if count == 5 and not all(_FIELD.match(word) for word in schedule):
            continue
        job.update(schedule=" ".join(schedule), user=words[count] if with_user else None, command=words[-1], valid=True)
    return jobs


def parse_anacrontab(lines):
    """Return the jobs of anacrontab in the shape of ``parse_crontab``; the schedule is period and delay (minutes)."""
    jobs = []
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if not line or line.startswith("#") or _ENVIRONMENT.match(line):
            continue
        words = line.split(None, 3)
        valid = len(words) == 4 and words[1].isdigit() and (words[0].isdigit() or words[0].startswith("@"))
        jobs.append(
            {
                "line": number,
                "schedule": "every %s days, delay %s min" % tuple(words[:2]) if valid else None,
                "user": "root" if valid else None,
                "command": words[3] if valid else None,
                "valid": valid,
            }
        )
    return jobs


def name_is_read(name, debian):
    """True if cron, or run-parts, takes a file of that name into account.

    Debian: letters, digits, ``_`` and ``-`` only, run-parts(8), cron(8). cronie: no hidden files, backups, leftovers.
    """
    if debian:
        return bool(_DEBIAN_NAME.match(name))
    return not (name.startswith((".", "#")) or name.endswith(_REDHAT_SKIPPED))


def parse_at_name(name):
    """Return (queue, number, Unix time in seconds) of a file of at's spool, or None. ``=`` marks a running job."""
    match = _AT_NAME.match(name)
    return (match.group(1), int(match.group(2), 16), int(match.group(3), 16) * 60) if match else None

"""What cron, anacron and at will run, and who may use them."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import hashlib
import os
import stat

from ..cron_lines import name_is_read, parse_anacrontab, parse_at_name, parse_crontab
from ..name_service import user_names
from ..redact import redact
from ..spec import Absent, Column, Result, Table, Unreadable
from ..text import rfc3339, text

TABLE = Table(
    name="cron",
    description="Jobs of cron, anacron and at, scripts that run-parts starts, and the files that say who may use cron "
    "and at (no row: no such file). `partial` when users' crontabs cannot be read: only root may.",
    key="`<file> <8 hex digits of schedule, user and command>` of a job, `#2` for one alike; the path of anything else",
    columns=(
        Column(
            "kind",
            "text",
            "job (a line), script (a file that run-parts starts), at (a waiting job of at), access "
            "(an allow or deny file) or invalid (a line that cron would refuse)",
        ),
        Column("where", "text", "file, of a line file:line"),
        Column("schedule", "text", "five fields or a nickname; of a script hourly, daily, ...; of at when it runs"),
        Column("user", "text", "as whom it runs; null when that is not known"),
        Column("command", "text_sensitive", "command, cut at 500 characters; null for what at runs"),
        Column("active", "bool", "cron or run-parts takes it into account (name, execute permission)"),
        Column("uid", "int", "owner of the file"),
        Column("gid", "int", "group of the file"),
        Column("mode", "text", "permission bits of the file, four octal digits"),
        Column("names", "list", "of an access file: the users in it, at most 200"),
    ),
    max_rows=5000,
)

ACCESS = ("/etc/cron.allow", "/etc/cron.deny", "/etc/at.allow", "/etc/at.deny")
SPOOLS = ("/var/spool/cron/crontabs", "/var/spool/cron/tabs", "/var/spool/cron", "/etc/crontabs")
AT_SPOOLS = ("/var/spool/cron/atjobs", "/var/spool/at", "/var/spool/atjobs")
PERIODS = ("hourly", "daily", "weekly", "monthly", "yearly")
ALPINE_PERIODS = ("15min",) + PERIODS
FILE_CAP = 1 << 20
ENTRY_CAP = 5000
"""Files of one directory that are read: a spool with 200,000 of them would take all the time of the table."""


class Reader:
    """Gathers the rows, and what could not be read."""

    def __init__(self, host):
        self.host = host
        self.rows = {}
        self.gaps = []
        self.debian = host.exists("/etc/debian_version")

    def blank(self, kind, path, info=None, **cells):
        """A row of one file; ``info`` is its stat, looked up when not given."""
        row = dict.fromkeys(column.name for column in TABLE.columns)
        info = info or self.host.stat(path)
        row.update(kind=kind, where=path, uid=info.st_uid, gid=info.st_gid, mode="%04o" % stat.S_IMODE(info.st_mode))
        row.update(cells)
        return row

    def try_(self, read, *arguments):
        """Call a reader; what is absent is skipped, what is unreadable is a gap."""
        try:
            read(*arguments)
        except Absent:
            pass
        except Unreadable as error:
            self.gaps.append(error.why)

    def crontab(self, path, user, active=True, parse=None):
        """Add the jobs of one crontab; ``user`` None means that its lines name the user."""
        info = self.host.stat(path)
        if stat.S_ISDIR(info.st_mode):
            return
        lines = self.host.lines(path, FILE_CAP)
        jobs = parse(lines) if parse else parse_crontab(lines, user is None)
        path = text(os.fsencode(path))
        for job in jobs:
            said = "%s\0%s\0%s" % (job["schedule"], job["user"], job["command"])
            base = "%s %s" % (path, hashlib.sha256(said.encode("utf-8")).hexdigest()[:8])
            key, number = base, 1
            while key in self.rows:
                number += 1
                key = "%s#%d" % (base, number)
            if len(self.rows) >= TABLE.max_rows:
                self.gaps.append("more than %d jobs" % TABLE.max_rows)
                return
            self.rows[key] = self.blank(
                "job" if job["valid"] else "invalid",
                "%s:%d" % (path, job["line"]),
                info,
                schedule=job["schedule"],
                user=job["user"] if user is None else user,
                command=redact(job["command"])[:500] if job["valid"] else None,
                active=active and job["valid"],
            )

    def names(self, path):
        """The entries of a directory, ENTRY_CAP of them; more are a gap."""
        names = self.host.listdir(path)
        if len(names) > ENTRY_CAP:
            self.gaps.append("%s: only %d of %d entries" % (path, ENTRY_CAP, len(names)))
        return names[:ENTRY_CAP]

    def directory(self, path, read):
        """Call ``read(path of the entry, its name)`` for each file of a directory."""
        for name in self.names(path):
            self.try_(read, path + "/" + name, name)

    def cron_d(self, path, name):
        """One file of /etc/cron.d."""
        if not name.startswith("."):
            self.crontab(path, None, name_is_read(name, self.debian))

    def spool(self, path, name):
        """One user's crontab; editors and crontab(1) leave tmp.* files behind."""
        if not name.startswith((".", "tmp.")):
            self.crontab(path, text(os.fsencode(name)))

    def scripts(self, directory, period):
        """The files that run-parts starts."""
        for name in self.names(directory):
            path = directory + "/" + name
            try:
                info = self.host.stat(path)
            except (Absent, Unreadable) as error:
                if isinstance(error, Unreadable):
                    self.gaps.append(error.why)
                continue
            if name.startswith(".") or not stat.S_ISREG(info.st_mode):
                continue
            shown = text(os.fsencode(path))
            self.rows[shown] = self.blank(
                "script",
                shown,
                info,
                schedule=period,
                user="root",
                active=bool(info.st_mode & 0o111) and name_is_read(name, self.debian),
            )

    def at_job(self, path, name):
        """One waiting job of at: its owner and time, never its text, which holds the whole environment."""
        job = parse_at_name(name)
        if job:
            info = self.host.lstat(path)
            self.rows[path] = self.blank(
                "at",
                path,
                info,
                schedule=rfc3339(job[2]),
                active=job[0] != "=",
                user=user_names(self.host).get(info.st_uid),
            )

    def access(self, path):
        """One allow or deny file."""
        names = [line.strip() for line in self.host.lines(path, FILE_CAP) if line.strip() and line[0] != "#"]
        self.rows[path] = self.blank("access", path, names=names[:200])


def collect(host, options):
    """Return the rows of all jobs, scripts and access files."""
    reader = Reader(host)
    for path in ACCESS:
        reader.try_(reader.access, path)
    reader.try_(reader.crontab, "/etc/crontab", None)
    reader.try_(reader.crontab, "/etc/anacrontab", None, True, parse_anacrontab)
    reader.try_(reader.directory, "/etc/cron.d", reader.cron_d)
    for period in PERIODS:
        reader.try_(reader.scripts, "/etc/cron." + period, period)
    for period in ALPINE_PERIODS:
        reader.try_(reader.scripts, "/etc/periodic/" + period, period)
    seen = set()
    for path in SPOOLS + AT_SPOOLS:
        try:
            info = host.stat(path)
        except (Absent, Unreadable) as error:
            if isinstance(error, Unreadable):
                reader.gaps.append(error.why)
            continue
        # Alpine links one to the other.
        if (info.st_dev, info.st_ino) not in seen:
            seen.add((info.st_dev, info.st_ino))
            reader.try_(reader.directory, path, reader.at_job if path in AT_SPOOLS else reader.spool)
    return Result(reader.rows, "partial" if reader.gaps else "ok", "; ".join(sorted(set(reader.gaps))[:5]))

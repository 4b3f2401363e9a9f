"""Who logged in: the last 30 days, the last time ever, failed attempts, sessions of the moment."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import time

from ..assignments import parse_assignments
from ..login_records import USER_PROCESS, read_lastlog, read_lastlog2, read_records, read_wtmpdb
from ..name_service import file_entries
from ..spec import Absent, Column, Result, Table, Unreadable, Unsupported
from ..text import rfc3339

DAYS = 30

TABLE = Table(
    name="logons",
    description="Log-ins by user: the last 30 days of wtmp or wtmpdb, the last one ever of lastlog or lastlog2, failed "
    "attempts of btmp (root only), sessions of the moment. Users without any of these have no row.",
    key="log-in name; `(unknown)` gathers failed attempts under names that no local file holds, which are not kept: "
    "people type passwords there",
    columns=(
        Column("uid", "int", "user id of the local files; null for others"),
        Column("count", "int", "log-ins of the last 30 days"),
        Column("first", "time", "first of them"),
        Column("last", "time", "last of them"),
        Column(
            "sources",
            "list",
            "hosts and addresses that they came from, most frequent first, at most 20; `local` for those without one",
        ),
        Column("terminals", "list", "terminals, digits as `*`, most frequent first, at most 10"),
        Column("last_ever", "time", "last log-in of all; null when none is recorded"),
        Column("last_from", "text", "where that came from"),
        Column("failed", "int", "failed attempts of the last 30 days"),
        Column("last_failed", "time", "last of them"),
        Column("failed_sources", "list", "hosts and addresses that they came from, most frequent first, at most 20"),
        Column(
            "capped",
            "list",
            "logs (wtmp, btmp) of which only the newest 12,000 records were read: counts are then lower bounds",
        ),
        Column("sessions", "int", "sessions at the moment", volatile=True),
    ),
    max_rows=5000,
)

UNKNOWN = "(unknown)"
WTMP = ("/var/log/wtmp.1", "/var/log/wtmp")
BTMP = ("/var/log/btmp.1", "/var/log/btmp")
FAILED_CELLS = ("failed", "last_failed", "failed_sources")


def ranked(values, most):
    """Values by frequency, then by name; at most ``most``."""
    counts = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return sorted(counts, key=lambda value: (-counts[value], value))[:most]


def terminal(line):
    """``pts/12`` -> ``pts/*``: the number says nothing."""
    return "".join("*" if char.isdigit() else char for char in line).replace("**", "*").replace("**", "*")


def summary(records, failed=False):
    """Cells of the records (type, line, user, host, time) of one user, either of log-ins or of failed attempts."""
    times = [record[4] for record in records]
    sources = ranked([record[3] or "local" for record in records], 20)
    if failed:
        return {
            "failed": len(records),
            "last_failed": rfc3339(max(times)) if times else None,
            "failed_sources": sources,
        }
    return {
        "count": len(records),
        "first": rfc3339(min(times)) if times else None,
        "last": rfc3339(max(times)) if times else None,
        "sources": sources,
        "terminals": ranked([terminal(record[1]) for record in records if record[1]], 10),
    }


class Reader:
    """Gathers the records of all sources that this system has; ``found`` tells whether there was any."""

    def __init__(self, host, since, now):
        self.host = host
        self.since = since
        self.now = now
        self.found = False
        self.capped = set()
        self.gaps = []

    def _try(self, read, *arguments):
        try:
            result = read(*arguments)
        except Absent:
            return None
        except Unreadable as error:
            self.found = True
            self.gaps.append(error.why)
            return None
        self.found = True
        return result

    def records(self, paths):
        """Records of a log and the one before it, oldest first."""
        together = []
        for path in paths:
            try:
                if path.endswith(".1") and self.host.stat(path).st_mtime < self.since:
                    continue
            except (Absent, Unreadable):
                pass
            result = self._try(read_records, self.host, path, self.since, self.now)
            if result is not None:
                together += result[0]
                if not result[1]:
                    self.capped.add(path.split("/")[-1].split(".")[0])
        return together

    def logons(self):
        """User -> records of log-ins, from wtmp and wtmpdb."""
        records = self.records(WTMP) + (self._try(read_wtmpdb, self.host, self.since) or [])
        return group([record for record in records if record[0] == USER_PROCESS and record[2]])

    def last(self, uids):
        """User -> (time, terminal, source) of the last log-in; ``uids`` maps names to ids."""
        found = {}
        by_uid = self._try(read_lastlog, self.host, "/var/log/lastlog", sorted(set(uids.values()))) or {}
        for name, uid in uids.items():
            if uid in by_uid:
                found[name] = by_uid[uid]
        for name, record in (self._try(read_lastlog2, self.host) or {}).items():
            if name not in found or record[0] > found[name][0]:
                found[name] = record
        return found

    def failed(self, known):
        """User -> records of failed attempts, or the Unreadable; names not in ``known`` become UNKNOWN."""
        gaps, self.gaps = self.gaps, []
        records = self.records(BTMP)
        denied = [why for why in self.gaps if "denied" in why]
        # Kept among the gaps: who only failed has no row then, and must not be taken for absent.
        self.gaps = gaps + self.gaps
        if denied:
            return Unreadable("denied", denied[0])
        return group(
            [
                record[:2] + (record[2] if record[2] in known else UNKNOWN,) + record[3:]
                for record in records
                if record[0]
            ]
        )

    def sessions(self):
        """User -> number of sessions, of logind or of utmp."""
        counts = {}
        if not self.host.live:
            return counts
        try:
            for name in self.host.listdir("/run/systemd/sessions"):
                if name.endswith(".ref"):
                    continue
                cells = parse_assignments(self.host.read_text("/run/systemd/sessions/" + name, 65536))
                if cells.get("CLASS") == "user" and cells.get("STATE") != "closing":
                    user = cells.get("USER", "")
                    counts[user] = counts.get(user, 0) + 1
            if counts:
                return counts
        except (Absent, Unreadable):
            pass
        for path in ("/run/utmp", "/var/run/utmp"):
            try:
                records = read_records(self.host, path, 0, self.now)[0]
            except (Absent, Unreadable):
                continue
            for record in records:
                if record[0] == USER_PROCESS and record[2]:
                    counts[record[2]] = counts.get(record[2], 0) + 1
            break
        return counts


def group(records):
    """User -> its records."""
    found = {}
    for record in records:
        found.setdefault(record[2], []).append(record)
    return found


def collect(host, options):
    """Return one row a user that logged in or failed to; raise Unsupported when no records are kept."""
    now = time.time()
    reader = Reader(host, int(now) - DAYS * 86400, now)
    uids = {}
    try:
        for entry in file_entries(host, "passwd"):
            if entry["uid"] is not None:
                uids.setdefault(entry["name"], entry["uid"])
    except (Absent, Unreadable):
        pass
    logons = reader.logons()
    last = reader.last(uids)
    failed = reader.failed(set(uids) | set(logons) | set(last))
    if not reader.found:
        raise Unsupported("this system keeps no records of log-ins")
    sessions = reader.sessions()
    tried = {} if isinstance(failed, Unreadable) else failed
    names = sorted(set(logons) | set(last) | set(tried) | set(sessions))
    rows = {}
    for name in names[: TABLE.max_rows]:
        row = {
            "uid": uids.get(name),
            "capped": sorted(reader.capped),
            "last_ever": None,
            "last_from": None,
            "sessions": sessions.get(name, 0),
        }
        row.update(summary(logons.get(name, [])))
        row.update(summary(tried.get(name, []), failed=True))
        if isinstance(failed, Unreadable):
            row.update(dict.fromkeys(FAILED_CELLS, failed.cell()))
        when = [(last[name][0], last[name][2])] if name in last else []
        when += [(record[4], record[3]) for record in logons.get(name, [])]
        if when:
            row["last_ever"] = rfc3339(max(when)[0])
            row["last_from"] = max(when)[1] or "local"
        rows[name] = row
    if len(names) > TABLE.max_rows:
        reader.gaps.append("more than %d users" % TABLE.max_rows)
    return Result(rows, "partial" if reader.gaps else "ok", "; ".join(reader.gaps[:5]))

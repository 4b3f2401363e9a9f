"""Log-in records: utmp(5) files (utmp, wtmp, btmp), lastlog, and the databases that follow them (lastlog2, wtmpdb).

glibc writes times of 32 bits on x86_64, ppc64 and s390x (records of 384 and 292 bytes) and of 64 bits on aarch64
and riscv64 (400 and 296 bytes); which one a file holds is told from its records, so that an image of another
architecture reads as well.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os
import struct
import sys

from .spec import Absent, Unreadable
from .text import text

USER_PROCESS = 7
"""ut_type of a log-in, utmp(5)."""

_ORDER = "<" if sys.byteorder == "little" else ">"
# type, pid, line, id, user, host, seconds; what is skipped: exit status, session, microseconds, address, reserve
NARROW = struct.Struct(_ORDER + "h2xi32s4s32s256s8xi4x16x20x")
WIDE = struct.Struct(_ORDER + "h2xi32s4s32s256s4x8xq8x16x20x4x")
LAST_NARROW = struct.Struct(_ORDER + "i32s256s")
LAST_WIDE = struct.Struct(_ORDER + "q32s256s")

CHUNK = 384 * 400
"""Bytes read at once from the end of a file: whole records of both sizes."""

SIZE_CAP = CHUNK * 30
"""Bytes looked at of one file, newest first: 12,000 records of 384 bytes. A btmp under attack has gigabytes."""

ROW_CAP = 50000


def layout(data, now):
    """The Struct whose records this data (whole file or a part from its start) holds; NARROW for an empty one."""

    def fits(shape):
        good = total = 0
        for offset in range(0, min(len(data), shape.size * 64) - shape.size + 1, shape.size):
            kind, pid, _line, _id, _user, _host, when = shape.unpack_from(data, offset)
            total += 1
            good += 0 <= kind <= 9 and pid >= 0 and 0 <= when <= now + 10 * 366 * 86400
        return good / total if total else 0.0

    narrow, wide = fits(NARROW), fits(WIDE)
    return WIDE if wide > narrow or (wide == narrow == 1.0 and len(data) % 384 and not len(data) % 400) else NARROW


def _word(data):
    return text(data.split(b"\0", 1)[0])


def parse_records(data, shape, since=0):
    """Return (records since then, time of the oldest of all or None) of the whole records in ``data``.

    A record is (type, line, user, host, Unix time in seconds).
    """
    whole = len(data) - len(data) % shape.size
    found, oldest = [], None
    for kind, _pid, line, _id, user, source, when in shape.iter_unpack(data[:whole]):
        if when > 0 and (oldest is None or when < oldest):
            oldest = when
        if when >= since:
            found.append((kind, _word(line), _word(user), _word(source), when))
    return found, oldest


def read_records(host, path, since, now):
    """Return (records since then in the order of the file, complete); raise Absent or Unreadable.

    ``complete`` is False when records of the period may lie before the part that was read.
    """
    descriptor = host.tree.open(path)
    try:
        size = os.fstat(descriptor).st_size
        shape = layout(os.pread(descriptor, 400 * 64, 0), now)
        end = size - size % shape.size
        stop = max(0, end - SIZE_CAP)
        parts, oldest = [], None
        while end > stop and (oldest is None or oldest >= since):
            start = max(0, end - CHUNK)
            found, oldest = parse_records(os.pread(descriptor, end - start, start), shape, since)
            parts.append(found)
            end = start
        complete = end == 0 or (oldest is not None and oldest < since)
        return [record for found in reversed(parts) for record in found], complete
    except OSError as error:
        raise Unreadable("invalid", "%s: %s" % (path, error.strerror)) from None
    finally:
        os.close(descriptor)


def read_lastlog(host, path, uids):
    """Return uid -> (Unix time, terminal, source) of the last log-in; the file is sparse, one record a uid."""
    descriptor = host.tree.open(path)
    try:
        size = os.fstat(descriptor).st_size
        # The file ends with a whole record: its size tells which one it holds.
        shape = LAST_NARROW if size % LAST_NARROW.size == 0 or size % LAST_WIDE.size else LAST_WIDE
        found = {}
        for uid in uids:
            data = os.pread(descriptor, shape.size, uid * shape.size)
            if len(data) == shape.size:
                when, line, source = shape.unpack(data)
                if when > 0:
                    found[uid] = (when, _word(line), _word(source))
        return found
    except OSError as error:
        raise Unreadable("invalid", "%s: %s" % (path, error.strerror)) from None
    finally:
        os.close(descriptor)


def query_database(host, path, statement, arguments=()):
    """Rows of an SQLite file, at most ROW_CAP, opened read-only by descriptor; raise Absent or Unreadable.

    ``immutable`` keeps SQLite from touching anything beside the file: no journal, no lock.
    """
    descriptor = host.tree.open(path)
    try:
        try:
            import sqlite3
        except ImportError:
            raise Unreadable("partial", "%s: this Python has no sqlite3" % path) from None
        try:
            connection = sqlite3.connect(
                "file:/proc/self/fd/%d?mode=ro&immutable=1" % descriptor, uri=True, timeout=1.0
            )
            try:
                connection.text_factory = text
                return connection.execute(statement + " LIMIT %d" % ROW_CAP, arguments).fetchall()
            finally:
                connection.close()
        except (sqlite3.Error, UnicodeError):
            raise Unreadable("invalid", "%s: cannot be read as a database" % path) from None
    finally:
        os.close(descriptor)


LASTLOG2 = ("/var/lib/lastlog/lastlog2.db",)
WTMPDB = ("/var/lib/wtmpdb/wtmp.db", "/var/log/wtmp.db")


def read_lastlog2(host):
    """Return name -> (Unix time, terminal, source), from the database of lastlog2(8). Raise Absent, Unreadable."""
    for path in LASTLOG2:
        rows = query_database(host, path, "SELECT Name, Time, TTY, RemoteHost FROM Lastlog2")
        return {
            str(name): (int(when), str(line or ""), str(source or ""))
            for name, when, line, source in rows
            if isinstance(when, int) and when > 0
        }
    raise Absent("lastlog2")


def read_wtmpdb(host, since):
    """Return the log-ins since then, oldest first, in the shape of ``read_records``; its times are microseconds."""
    for path in WTMPDB:
        try:
            rows = query_database(
                host,
                path,
                "SELECT User, Login, TTY, RemoteHost FROM wtmp WHERE Type = 3 AND Login >= ? ORDER BY Login",
                (since * 1000000,),
            )
        except Absent:
            continue
        return [
            (USER_PROCESS, str(line or ""), str(name or ""), str(source or ""), when // 1000000)
            for name, when, line, source in rows
            if isinstance(when, int)
        ]
    raise Absent(WTMPDB[0])

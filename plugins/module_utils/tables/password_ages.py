"""Passwords of the local accounts: method, lock and ages from /etc/shadow; never the hash."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import time

from ..accounts import numbered, parse_shadow
from ..spec import Column, Table
from ..text import rfc3339

DAY = 86400

TABLE = Table(
    name="password_ages",
    description="What /etc/shadow says of each password: hash method, lock and ages. Readable by root only.",
    key="the name; `name#2` for a second line of that name; `(malformed)` for lines that are none",
    columns=(
        Column("name", "text", "log-in name; null for a malformed line"),
        Column("where", "text", "file:line"),
        Column(
            "algorithm",
            "text",
            "method of the hash (yescrypt, sha512, md5, des, ...), also of a locked one; "
            "`unknown` for a method not known here; null without a hash",
        ),
        Column("locked", "bool", "no password can match"),
        Column("empty", "bool", "log-in needs no password"),
        Column("usable", "bool", "there is a password and it is not locked"),
        Column("changed", "time", "day of the last change; null when not recorded"),
        Column("must_change", "bool", "the password has to be changed at the next log-in"),
        Column("changed_in_future", "bool", "the last change lies after the host's own clock"),
        Column("min", "int", "days before a password may be changed again; null: no limit"),
        Column("max", "int", "days after which it must be changed; null: never"),
        Column("warn", "int", "days of warning before that; null: none"),
        Column("inactive", "int", "days after expiry until the account is disabled; null: never"),
        Column("expires", "time", "day on which the account expires; null: never"),
        Column("expired", "bool", "the account has expired by the host's own clock"),
    ),
)


def row_of(entry, now):
    """Return the row of one parsed line; ``now`` is the host's Unix time in seconds."""
    changed, expire = entry["changed"], entry["expire"]
    malformed = entry["malformed"]
    return {
        "name": entry["name"],
        "where": "/etc/shadow:%d" % entry["line"],
        "algorithm": entry["algorithm"],
        "locked": None if malformed else entry["locked"],
        "empty": None if malformed else entry["empty"],
        "usable": None if malformed else not entry["locked"] and not entry["empty"],
        # 0 is no date: it asks for a change at the next log-in, shadow(5).
        "changed": rfc3339(changed * DAY) if changed else None,
        "must_change": None if malformed else changed == 0,
        "changed_in_future": None if malformed else changed is not None and changed * DAY > now,
        "min": entry["min"],
        "max": entry["max"],
        "warn": entry["warn"],
        "inactive": entry["inactive"],
        "expires": None if expire is None else rfc3339(expire * DAY),
        "expired": None if malformed else expire is not None and expire * DAY <= now,
    }


def collect(host, options):
    """Return one row a line of /etc/shadow; raise Unreadable (denied) for anyone but root."""
    now = time.time()
    return {key: row_of(entry, now) for key, entry in numbered(parse_shadow(host.lines("/etc/shadow")))}

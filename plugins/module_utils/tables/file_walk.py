"""One pass over the local file systems for what permissions and owners give away."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import json
import os
import stat
import time

from ..mount_tables import parse_mountinfo
from ..mounts_local import PRUNED, chosen, layers
from ..name_service import known_ids, resolve_ids
from ..spec import Absent, Column, Result, Table, Unreadable
from ..text import raw, text
from ..walk import TRUST_FILES, EveryId, Walk, node_of, path_tree
from .file_attributes import type_name

TABLE = Table(
    name="file_walk",
    description="Regular files and directories of the local file systems that stand out by mode or owner, and one "
    "row of totals a file system. Left out: network and virtual file systems, layers of containers, snap images. "
    "A row that is there is certain whatever the state; only `ok` says that there are no others. Options: `seconds` "
    "(time budget), `prune` (more directories to leave out).",
    key="the path of a file; `filesystem:<mount point>` for the totals of one file system",
    columns=(
        Column("kind", "text", "`found` or `filesystem`"),
        Column("type", "text", "found: file, directory, block or char; filesystem: its type, for example ext4"),
        Column("filesystem", "text", "mount point"),
        Column("mode", "int", "permission bits with setuid, setgid and sticky; null for a file system"),
        Column("mode_text", "text", "mode as four octal digits; null for a file system"),
        Column("uid", "int", "owner; null for a file system"),
        Column("gid", "int", "group; null for a file system"),
        Column("world_writable", "bool", "a regular file, or a directory without sticky bit, that everybody may write"),
        Column("setuid", "bool", "a regular file with the setuid bit"),
        Column("setgid", "bool", "a regular file with the setgid bit"),
        Column("device", "bool", "a device node outside /dev"),
        Column("unowned", "bool", "no user has this uid; unreadable when a directory service could not be asked"),
        Column("ungrouped", "bool", "no group has this gid; unreadable when a directory service could not be asked"),
        Column("shared", "bool", "a directory that everybody may write, with or without sticky bit"),
        Column(
            "trust", "bool", "a file that lets users of other hosts in: .rhosts, .shosts, hosts.equiv, shosts.equiv"
        ),
        Column(
            "place",
            "text",
            "`programs` or `libraries` below the directories of the system's own, null elsewhere; there also what a "
            "group may write or what does not belong to root and its group is found",
        ),
        Column(
            "looked_for",
            "list",
            "filesystem: columns that older walks had not (shared, trust, place): null where none was looked for",
        ),
        Column("options", "list", "filesystem: mount options such as nosuid and noexec; null for a file"),
        Column("pruned", "list", "filesystem: directories left out that exist, mount points aside; null for a file"),
        Column("inodes", "int", "filesystem: entries seen", True),
        Column("directories", "int", "filesystem: directories read", True),
        Column(
            "counts",
            "map",
            "filesystem: how many stand out, by column name; may exceed the rows, which are capped",
            True,
        ),
        Column("complete", "bool", "filesystem: walked to its end, every directory read"),
        Column("stopped_at", "text", "filesystem: where time ran out or the first directory that was not read", True),
    ),
    cadence="deep",
    max_age_hours=192,
    max_rows=20100,
)

DAEMON = "/etc/docker/daemon.json"
SECONDS = 45.0
"""Time budget when the caller names none."""
MAX_ROWS = 20000
MAX_PER_OWNER = 1000
"""Rows of one unknown owner: a deleted user's home may hold a million files."""
MAX_PATH = 4000
"""Characters of a path that still make a key."""
_QUESTIONS = ("world_writable", "setuid", "setgid", "device")
LOOKED_FOR = ["place", "shared", "trust"]
_EMPTY = dict.fromkeys(column.name for column in TABLE.columns)


class _Findings:
    """What all walks found: rows, how many per file system, and the owners that no local file knows."""

    def __init__(self, uids, gids):
        self.uids, self.gids = uids, gids
        self.rows, self.counts, self.gaps = {}, {}, []
        self.owners = {"uid": {}, "gid": {}}  # id -> {mount point: how many}
        self.mount = ""
        self.prefix = ""

    def found(self, names, name, info, place=None):
        """Take one entry that Walk handed over."""
        mode = info.st_mode
        regular, directory = stat.S_ISREG(mode), stat.S_ISDIR(mode)
        row = {
            "world_writable": bool(mode & 0o002) and (regular or (directory and not mode & 0o1000)),
            "setuid": regular and bool(mode & 0o4000),
            "setgid": regular and bool(mode & 0o2000),
            "device": not regular and not directory,
        }
        shared, trust = directory and bool(mode & 0o002), regular and name in TRUST_FILES
        new = shared or trust or bool(place and (mode & 0o022 or info.st_uid or info.st_gid))
        counts = self.counts[self.mount]
        for question in _QUESTIONS:
            if row[question]:
                counts[question] += 1
                new = True
        for column, number, known in (("uid", info.st_uid, self.uids), ("gid", info.st_gid, self.gids)):
            if number not in known:
                per_mount = self.owners[column].setdefault(number, {})
                per_mount[self.mount] = per_mount.get(self.mount, 0) + 1
                if sum(per_mount.values()) <= MAX_PER_OWNER:
                    new = True
                else:
                    self.gap("%s %d owns more than %d files: not all are listed" % (column, number, MAX_PER_OWNER))
        if not new:
            return
        path = text(os.fsencode("/".join([self.prefix] + names + [name])))
        if len(self.rows) >= MAX_ROWS or len(path) > MAX_PATH:
            self.gap("more than %d files stand out, or their paths are too long: not all are listed" % MAX_ROWS)
            return
        self.rows[path] = dict(
            _EMPTY, kind="found", type=type_name(mode), filesystem=self.mount, mode=stat.S_IMODE(mode),
            mode_text="%04o" % stat.S_IMODE(mode), uid=info.st_uid, gid=info.st_gid, unowned=False, ungrouped=False,
            shared=shared, trust=trust, place=place, **row
        )  # fmt: skip

    def top(self, point, info):
        """Take the directory that a file system is mounted at: no walk meets it on its way."""
        if point != "/" and (info.st_mode & 0o002 or info.st_uid not in self.uids or info.st_gid not in self.gids):
            kept, self.prefix = self.prefix, os.path.dirname(self.prefix).rstrip("/")
            self.found([], os.path.basename(kept), info)
            self.prefix = kept

    def gap(self, why):
        """Remember why the rows are not everything."""
        if why not in self.gaps and len(self.gaps) < 10:
            self.gaps.append(why)


def _known(host, database, findings):
    try:
        return known_ids(host, database)
    except Absent:
        return frozenset()
    except Unreadable as error:
        findings.gap("owners cannot be told: %s" % error.why)
        return EveryId()


def settle_owners(findings, resolve):
    """Say of every unknown owner whether it has no name. ``resolve(database, ids)`` returns those without one."""
    for column, cell, database in (("uid", "unowned", "passwd"), ("gid", "ungrouped", "group")):
        per_id = findings.owners[column]
        nameless, unread = set(), None
        if per_id:
            try:
                nameless = resolve(database, per_id)
            except Unreadable as error:
                unread = error.cell()
        for number, per_mount in per_id.items():
            for mount, count in per_mount.items():
                if unread:
                    findings.counts[mount][cell] = unread
                elif number in nameless:
                    findings.counts[mount][cell] += count
        for row in findings.rows.values():
            if row[column] in per_id:
                row[cell] = unread or row[column] in nameless
    # Owners that turned out to have a name made rows that say nothing.
    return {
        path: row
        for path, row in findings.rows.items()
        if row["unowned"] or row["ungrouped"] or any(row[name] for name in _QUESTIONS + ("shared", "trust", "place"))
    }


def _data_root(host):
    """Where Docker keeps its data when /etc/docker/daemon.json says so, as a tuple of none or one path."""
    try:
        settings = json.loads(host.read(DAEMON, 1 << 20).decode("utf-8"))
        path = settings.get("data-root") or settings.get("graph")
    except (Absent, Unreadable, ValueError, AttributeError, RecursionError):
        return ()
    return (path.rstrip("/"),) if isinstance(path, str) and path.startswith("/") and path.rstrip("/") else ()


def _places(host, prune):
    """Return (mounts to walk, directories left out, every path that no walk enters)."""
    prune = tuple(dict.fromkeys(prune + _data_root(host)))
    if not host.live:
        return [{"point": "/", "type": None, "options": []}], prune, prune
    mounts = parse_mountinfo(host.read("/proc/self/mountinfo", 1 << 24))
    prune = tuple(dict.fromkeys(prune + tuple(os.fsdecode(raw(path)) for path in layers(mounts))))
    points = tuple(os.fsdecode(raw(mount["point"])) for mount in mounts)
    return chosen(mounts, prune), prune, prune + tuple(point for point in points if point != "/")


def _walk_one(host, mount, tree, findings, deadline):
    """Walk one file system; return its row of totals."""
    point = os.fsdecode(raw(mount["point"]))
    findings.mount, findings.prefix = mount["point"], "" if point == "/" else point
    counts = findings.counts[mount["point"]] = dict.fromkeys(_QUESTIONS + ("unowned", "ungrouped"), 0)
    walk = Walk(findings.found, findings.uids, findings.gids, deadline, findings.prefix)
    top = os.open(host.root if not host.live else point, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        findings.top(mount["point"], os.fstat(top))
        finished = walk.run(top, node_of(tree, point))
    finally:
        os.close(top)
    where = walk.stopped if walk.stopped is not None else walk.trouble
    where = None if where is None else text(os.fsencode("/".join([findings.prefix] + where))[:MAX_PATH]) or "/"
    shown = mount["point"]
    if not finished:
        findings.gap("%s: time ran out at %s after %d entries" % (shown, where, walk.inodes))
    if walk.denied or walk.broken:
        findings.gap("%s: %d directories could not be read, first %s" % (shown, walk.denied + walk.broken, where))
    if walk.too_deep:
        findings.gap("%s: directories nested too deep below %s" % (shown, where[:200]))
    return dict(
        _EMPTY, kind="filesystem", type=mount["type"], filesystem=shown, options=mount["options"], counts=counts,
        inodes=walk.inodes, directories=walk.directories, stopped_at=where,
        complete=finished and not (walk.denied or walk.broken or walk.too_deep),
        pruned=[], looked_for=LOOKED_FOR,
    )  # fmt: skip


def collect(host, options):
    """Return what stands out, and one row of totals a file system."""
    deadline = time.monotonic() + float(options.get("seconds") or SECONDS)
    more = (path.rstrip("/") for path in options.get("prune") or () if path.startswith("/"))
    prune = PRUNED + tuple(path for path in more if path)
    findings = _Findings(None, None)
    findings.uids, findings.gids = _known(host, "passwd", findings), _known(host, "group", findings)
    mounts, prune, skipped = _places(host, prune)
    tree = path_tree(skipped)
    totals = {}
    for mount in mounts:
        try:
            totals[mount["point"]] = _walk_one(host, mount, tree, findings, deadline)
        except NotADirectoryError:
            continue  # a single file mounted over another, as container engines do
        except OSError as error:
            findings.gap("%s: %s" % (mount["point"], os.strerror(error.errno or 0)))
    for path in prune:
        try:
            if host.is_dir(path):
                owner = max((point for point in totals if (path + "/").startswith(point.rstrip("/") + "/")), key=len)
                totals[owner]["pruned"].append(text(os.fsencode(path)))
        except (Unreadable, ValueError):
            continue
    rows = settle_owners(findings, lambda database, ids: resolve_ids(host, database, ids))
    for point, row in totals.items():
        rows["filesystem:" + point] = row
    if not findings.gaps:
        return rows
    return Result(rows, "partial", "; ".join(findings.gaps)[:2000])

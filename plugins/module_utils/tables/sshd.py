"""Every SSH server of the host with its effective settings and the line that each comes from."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import re

from ..redact import redact
from ..spec import Absent, Column, Result, Table, Unreadable, unreadable
from ..sshd_config import parse, parse_effective
from ..sshd_instances import DEFAULT_CONFIG, Instance, instances
from ..sshd_keywords import ALGORITHMS, DEFAULTS, DEFAULTS_OF, presentable
from ..text import rfc3339

TABLE = Table(
    name="sshd",
    description="SSH servers, running or started by a unit: effective settings, their origin, Match blocks.",
    key="configuration file, then ` -o Keyword=value` for each override of the command line; "
    "` uid N` is added for a server that an ordinary user runs",
    columns=(
        Column("config", "text", "main configuration file"),
        Column("overrides", "list", "settings of the command line (-o, -p) as Keyword=value"),
        Column("files", "list", "files read, in order; Include globs expanded"),
        Column("program", "text", "path of the server program"),
        Column("version", "text", "`OpenSSH_9.2p1` as the program prints it; null when it cannot be asked"),
        Column("running", "bool", "a listener runs; null when /proc could not tell"),
        Column("pids", "list", "process ids of the listeners", volatile=True),
        Column("uid", "int", "user id of the listener; null when none runs"),
        Column("started", "time", "when the oldest listener started or last read its files again", volatile=True),
        Column(
            "outdated", "bool", "a file changed after that: what runs is not what the files say; null when none runs"
        ),
        Column("units", "list", "units that run it (ssh.service, ssh@.service, ssh.socket, ...)"),
        Column("enabled", "bool", "one of the units starts at boot; null without units"),
        Column("socket_listen", "list", "addresses of its enabled socket unit"),
        Column(
            "effective",
            "map",
            "keyword in lower case -> value for a connection that no Match line but `all` meets. Times "
            "in seconds, `without-password` written `prohibit-password`; lists for port, listenaddress, "
            "hostkey, acceptenv, allow*, deny*, subsystem, setenv (values redacted); null: set, but what it "
            "comes to is not known",
        ),
        Column(
            "effective_root", "map", "keyword -> value where user root from 127.0.0.1 gets another one by a Match block"
        ),
        Column(
            "where",
            "map",
            "keyword -> file:line, `command line`, `default` (the program said so) or "
            "`default (OpenSSH 8.0 to 10.0)` (the manual says so; only where the program could not be asked)",
        ),
        Column("source", "text", "what told the values: `sshd -T`, `sshd -G` or `files`"),
        Column("source_why", "text", "why the program could not be asked; empty when it was"),
        Column(
            "matches",
            "list",
            "Match blocks in order: criteria, where, settings (keyword -> value), lines (keyword -> file:line)",
        ),
        Column(
            "includes",
            "list",
            "Include lines: pattern, where, first (nothing is set before it, so that what it brings wins)",
        ),
        Column("unknown", "list", "file:line of keywords that are not of sshd_config(5)"),
    ),
    max_rows=200,
)

_VERSION = re.compile(r"OpenSSH_[0-9A-Za-z.]+")
MAX_MATCHES = 60


def _program(host, instance):
    """The program that may be asked: the system's own sshd, and only if the instance runs that one."""
    ours = host.which("sshd") if host.live else None
    return ours if ours and instance.program in (ours, "sshd", ours.replace("/usr/", "/")) else None


def _ask(host, program, instance, criteria):
    """Return ``(settings, source, why)`` of ``sshd -T``, else ``-G`` (since 9.3, needs no host keys)."""
    if program is None:
        return None, "files", "not the system's sshd" if host.live else "the root is not a running system"
    arguments = ["-f", instance.config]
    for item in instance.overrides:
        arguments += ["-o", item]
    if criteria:
        arguments += ["-C", criteria]
    why = ""
    for flag in ("-T", "-G"):
        try:
            done = host.run([program, flag] + arguments, timeout=5, limit=1 << 20)
        except (Absent, Unreadable) as error:
            return None, "files", str(error)
        if done.code == 0:
            return parse_effective(done.lines()), "sshd " + flag, ""
        # The first message names the cause; it may quote a line of a file, so only known ones go on.
        message = host.text(done.err)
        for known in (
            "Missing privilege separation directory",
            "no hostkeys available",
            "Permission denied",
            "Bad configuration option",
        ):
            if known in message and not why:
                why = "sshd -T: " + known
        why = why or "sshd -T: ended with code %d" % done.code
    return None, "files", why


def _version(host, program):
    if program is None:
        return None

    def ask():
        try:
            done = host.run([program, "-V"], timeout=5, limit=65536)  # old ones say it among their usage
        except (Absent, Unreadable):
            return None
        found = _VERSION.search(host.text(done.err + done.out))
        return found.group(0) if found else None

    return host.cached(("sshd version", program), ask)


def from_files(config):
    """Return ``(effective, where)`` by our own reading; what the file leaves out has the manual's default."""
    effective, where = {}, {}
    for keyword, (value, place) in config.effective().items():
        relative = keyword in ALGORITHMS and value[:1] in ("+", "-", "^")
        effective[keyword] = None if relative else value
        where[keyword] = place
    for keyword, value in DEFAULTS.items():
        if keyword not in effective:
            effective[keyword] = value
            where[keyword] = "default (%s)" % DEFAULTS_OF
    return effective, where


def from_program(told, config):
    """Return ``(effective, where)``: values as the program told, places as our parser found them."""
    ours = config.effective()
    where = {keyword: ours[keyword][1] if keyword in ours else "default" for keyword in told}
    return told, where


def _match_rows(config):
    return [
        {
            "criteria": block.criteria,
            "where": block.where,
            "settings": {keyword: presentable(keyword, pair[0]) for keyword, pair in block.settings.items()},
            "lines": {keyword: pair[1] for keyword, pair in block.settings.items()},
        }
        for block in config.matches[:MAX_MATCHES]
    ]


def _loaded_at(host, instance, effective):
    """When the listener read its files: its start, or its pid file's time (a reload writes that file anew)."""
    if instance.started is None:
        return None
    loaded = instance.started
    for path in (effective.get("pidfile"), "/run/sshd.pid", "/var/run/sshd.pid"):
        if not isinstance(path, str) or not path.startswith("/"):
            continue
        try:
            if host.read_text(path, 64).strip() in [str(pid) for pid in instance.pids]:
                return max(loaded, host.stat(path).st_mtime)
        except (Absent, Unreadable):
            continue
    return loaded


def _outdated(host, files, loaded):
    """True if a file, or the directory of an Include, changed after ``loaded`` (2 s of grace for clock steps)."""
    if loaded is None:
        return None
    for path in files:
        try:
            if host.stat(path).st_mtime > loaded + 2:
                return True
        except Absent:
            return True
        except Unreadable as error:
            return error.cell()
    return False


def _row(host, instance, process_gap):
    foreign = instance.uid not in (None, 0)
    row = {
        "config": instance.config,
        "overrides": [redact(item) for item in instance.overrides[:40]],
        "files": [],
        "program": instance.program,
        "version": None,
        "running": None if process_gap or not host.live else bool(instance.pids),
        "pids": instance.pids[:100],
        "uid": instance.uid,
        "started": rfc3339(instance.started),
        "outdated": None,
        "units": instance.units,
        "enabled": instance.enabled,
        "socket_listen": instance.listen[:40],
        "effective": {},
        "effective_root": {},
        "where": {},
        "source": "files",
        "source_why": "",
        "matches": [],
        "includes": [],
        "unknown": [],
    }
    if foreign:
        # His files are his to name: what root reads there would tell him (and us) what is not meant for either.
        cell = unreadable("denied", "run by uid %d: its files are not read" % instance.uid)
        row.update({"effective": cell, "effective_root": cell, "where": cell, "matches": cell, "outdated": cell})
        return row, ""
    config = parse(host.lines, host.glob, instance.config, instance.overrides)
    program = _program(host, instance)
    told, source, why = _ask(host, program, instance, "")
    row.update(
        {
            "files": config.files,
            "version": _version(host, program),
            "source": source,
            "source_why": why,
            "unknown": config.unknown[:100],
            "includes": config.includes[:20],
            "matches": _match_rows(config),
        }
    )
    gap = ""
    if told is None and config.gaps:
        gap = config.gaps[0]
        cell = unreadable("denied" if "denied" in gap else "partial", gap)
        row.update({"effective": cell, "effective_root": cell, "where": cell, "matches": cell})
        return row, gap
    effective, where = from_files(config) if told is None else from_program(told, config)
    if len(config.matches) > MAX_MATCHES:
        row["matches"] = unreadable("partial", "more than %d Match blocks" % MAX_MATCHES)
    row["effective"] = {
        keyword: presentable(keyword, value) if value is not None else None for keyword, value in effective.items()
    }
    row["where"] = where
    loaded = _loaded_at(host, instance, effective)
    row["started"] = rfc3339(loaded)
    row["outdated"] = _outdated(host, config.files, loaded)
    if told is not None and any(not block.always() for block in config.matches):
        criteria = "user=root,host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=%s" % effective.get("port", ["22"])[0]
        root, _source, root_why = _ask(host, program, instance, criteria)
        if root is None:
            row["effective_root"] = unreadable("partial", root_why)
        else:
            row["effective_root"] = {
                key: presentable(key, value) for key, value in root.items() if value != effective.get(key)
            }
    elif config.matches and told is None:
        row["effective_root"] = unreadable("partial", "Match blocks can be resolved only by the program: " + why)
    return row, gap


def collect(host, options):
    """Return a row for each server; one for the default file when sshd is there and nothing names it."""
    found, process_gap = instances(host)
    if not found:
        installed = any(host.exists(path) for path in ("/usr/sbin/sshd", "/usr/bin/sshd", "/usr/local/sbin/sshd"))
        if installed and host.exists(DEFAULT_CONFIG):
            found = [Instance(host.which("sshd") or "/usr/sbin/sshd", DEFAULT_CONFIG, [])]
    rows, gaps = {}, [process_gap] if process_gap else []
    for instance in found[:200]:
        row, gap = _row(host, instance, process_gap)
        key = redact(instance.key()) + (" uid %d" % instance.uid if instance.uid else "")
        rows[key[:1024]] = row
        if gap:
            gaps.append(gap)
    return Result(rows, "partial", "; ".join(gaps[:5])) if gaps else rows

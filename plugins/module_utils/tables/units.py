"""What is started at boot and what runs: systemd units, init scripts, OpenRC services."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os
import re

from .. import init_scripts
from ..procfs import processes
from ..redact import redact
from ..spec import Absent, Column, Result, Table, Unreadable, is_unreadable
from ..systemd_units import template_of, unit_files
from ..text import text

TABLE = Table(
    name="units",
    description=(
        "Units of systemd: enablement from the unit files, live state from one call of systemctl. Init scripts without"
        " a unit and OpenRC services stand in the same form. Left out: devices, scopes, units that systemd knows by"
        " name only, and instances that come and go with log-ins and connections."
    ),
    key="unit name (`ssh.service`); init scripts and OpenRC services as `<name>.service`",
    columns=(
        Column("type", "text", "service, socket, timer, target, path, mount, automount, swap, slice"),
        Column(
            "enabled",
            "text",
            "unit file state as `systemctl is-enabled` names it: enabled, enabled-runtime, linked, linked-runtime,"
            " alias, masked, masked-runtime, static, disabled, indirect, generated, transient; of an init script"
            " enabled or disabled by its links; null without a unit file",
        ),
        Column("masked", "bool", "true when the unit can not be started at all"),
        Column(
            "active",
            "text",
            "active, inactive, failed, activating, deactivating, reloading, maintenance; inactive when systemd has not"
            " loaded it. Where systemd is not the running init, a service is active if its program runs, inactive if"
            " not, null when that cannot be told (a script, a one-shot); null when the root is not live",
        ),
        Column(
            "sub", "text", "finer state (running, exited, listening, waiting, ...); null without systemd", volatile=True
        ),
        Column(
            "load",
            "text",
            "loaded, masked, not-found, bad-setting, error; null when systemd has not loaded it",
            volatile=True,
        ),
        Column(
            "source", "text", "unit, generator, transient, sysv, openrc; live when only the running systemd knows it"
        ),
        Column("path", "text", "the file that counts"),
        Column("drop_ins", "list", "drop-in files that apply, in the order of reading; at most 32"),
        Column("alias_of", "text", "name of the unit this name stands for; null for a unit of its own"),
        Column("aliases", "list", "other names of this unit that exist as links; at most 32"),
        Column("triggered_by", "list", "sockets, timers, paths and automounts that start it; at most 32"),
        Column("wanted_by", "list", "units that pull it in by a link in .wants, .requires, .upholds; at most 32"),
        Column("listen", "list", "of a socket: what it listens on, as `ListenStream 22`; at most 32"),
        Column("user", "text", "User= of a service; null means root, or the unit's own default"),
        Column("exec_start", "text_sensitive", "ExecStart lines after drop-ins, one a line, at most 1,000 characters"),
    ),
    max_rows=20000,
)

LISTS = 32
LISTENS = (
    "ListenStream",
    "ListenDatagram",
    "ListenSequentialPacket",
    "ListenFIFO",
    "ListenSpecial",
    "ListenNetlink",
    "ListenMessageQueue",
    "ListenUSBFunction",
)
SKIPPED = ("device", "scope")
_SESSION = re.compile(r"(?:user@\d+|user-runtime-dir@\d+)\.service|user-\d+\.slice")
_SCRIPTED = re.compile(r"(?:[bd]?a?sh|busybox|env|python[\d.]*|perl[\d.]*|ruby[\d.]*|node|java|true)")
_STATE_WORDS = frozenset(("loaded", "not-found", "bad-setting", "error", "masked", "merged", "stub"))


def parse_list_units(lines):
    """Return {unit: (load, active, sub)} of ``systemctl list-units --all --plain --no-legend`` lines (text).

    A state mark before the name (a dot or a cross, by version) is skipped.
    """
    units = {}
    for line in lines:
        words = line.split(None, 5)
        if len(words) > 1 and "." not in words[0] and words[1] not in _STATE_WORDS:
            words = words[1:]
        if len(words) >= 4 and words[1] in _STATE_WORDS:
            units[words[0]] = (words[1], words[2], words[3])
    return units


def ephemeral(name, accepting):
    """True for instances that come and go: of a log-in, or of a connection to one of the ``accepting`` templates."""
    return bool(_SESSION.fullmatch(name)) or template_of(name) in accepting


def triggers(files, names):
    """Return ({unit: [units that start it]}, templates started once a connection) from sockets, timers and paths."""
    started, accepting = {}, set()
    for name in names:
        stem, _dot, suffix = name.rpartition(".")
        if suffix not in ("socket", "timer", "path", "automount"):
            continue
        unit = files.get(name)
        if unit is None or unit.kind != "file":
            continue
        section = suffix.capitalize()
        accept = suffix == "socket" and (unit.value(section, "Accept") or "").lower() in ("yes", "true", "on", "1")
        target = unit.value(section, "Service" if suffix == "socket" else "Unit")
        if suffix == "automount":
            target = stem + ".mount"
        if accept:
            target = stem + "@.service"
            accepting.add(target)
        target = target or stem + ".service"
        started.setdefault(target, []).append(name)
    return started, accepting


def _live_states(host):
    if not host.systemd():
        return None
    done = host.run(["systemctl", "list-units", "--all", "--full", "--plain", "--no-legend", "--no-pager"])
    if done.code != 0:
        raise Unreadable("invalid", "systemctl list-units ended with code %d" % done.code)
    return parse_list_units(text(done.out).split("\n"))


def blank(name):
    """A row that knows nothing but the type of the unit."""
    row = dict.fromkeys((column.name for column in TABLE.columns))
    row.update(
        type=name.rpartition(".")[2], masked=False, drop_ins=[], aliases=[], triggered_by=[], wanted_by=[], listen=[]
    )
    return row


def _file_row(files, name, started):
    row = blank(name)
    unit = files.get(name)
    row["enabled"] = files.state(name)
    row["masked"] = unit.kind == "mask"
    row["path"] = unit.path
    row["wanted_by"] = files.wanted_by(name)[:LISTS]
    row["triggered_by"] = sorted(set(started.get(name, []) + started.get(template_of(name), [])))[:LISTS]
    row["source"] = {"generated": "generator", "transient": "transient"}.get(row["enabled"], "unit")
    if unit.kind == "alias":
        row["alias_of"] = unit.target
        return row
    row["drop_ins"] = unit.drop_ins[:LISTS]
    if unit.unreadable:
        kind = "denied" if "permission" in unit.unreadable else "invalid"
        for column in ("user", "exec_start", "enabled"):
            row[column] = {"!": kind, "why": unit.unreadable}
        return row
    if row["type"] == "service":
        row["user"] = (unit.value("Service", "User") or "")[:256] or None
        lines = unit.values("Service", "ExecStart")
        row["exec_start"] = redact("\n".join(lines))[:1000] if lines else None
    elif row["type"] == "socket":
        row["listen"] = [("%s %s" % (key, value))[:256] for key in LISTENS for value in unit.values("Socket", key)][
            :LISTS
        ]
    return row


def _without_systemd(host, files, rows):
    """Tell the state of units on a live system whose process 1 is not systemd, from the programs that run."""
    try:
        running = {process["exe"]: process["pid"] for process in processes(host) if not is_unreadable(process["exe"])}
        # Of other users' programs an unprivileged reader sees the name alone.
        hidden = {process["name"] for process in processes(host) if is_unreadable(process["exe"])}
    except Unreadable:
        return
    root = os.stat("/")
    for name, row in rows.items():
        if row["active"] is not None or row["alias_of"]:
            continue
        if row["type"] != "service" or row["masked"]:
            row["active"] = "inactive"  # nothing but systemd could have started it
            continue
        unit = files.get(name)
        command = (unit.value("Service", "ExecStart") or "").lstrip("-@+!:").split() if unit else []
        program = os.path.realpath(command[0]) if command and command[0].startswith("/") else None
        if (
            program is None
            or unit.value("Service", "Type") == "oneshot"
            or _SCRIPTED.fullmatch(os.path.basename(program))
        ):
            continue
        try:
            own = os.stat("/proc/%d/root" % running[program]) if program in running else None
        except OSError:
            continue
        if own is not None and (own.st_dev, own.st_ino) == (root.st_dev, root.st_ino):
            row["active"] = "active"
        elif os.path.basename(program)[:15] not in hidden:
            row["active"] = "inactive"


def _fill_aliases(rows):
    for name in sorted(rows):
        row, hops = rows[name], 0
        while row["alias_of"] in rows and rows[row["alias_of"]]["alias_of"] and hops < 8:
            row["alias_of"] = rows[row["alias_of"]]["alias_of"]
            hops += 1
        target = rows.get(row["alias_of"])
        if target is None or target is row:
            continue
        if len(target["aliases"]) < LISTS:
            target["aliases"].append(name)
        # A timer or socket that names the alias starts the unit itself.
        target["triggered_by"] = sorted(set(target["triggered_by"] + row["triggered_by"]))[:LISTS]
        for column in ("masked", "active", "sub", "load"):
            row[column] = target[column]


def _add_scripts(host, rows, live):
    openrc = init_scripts.is_openrc(host)
    scripts = init_scripts.openrc_services(host) if openrc else init_scripts.sysv_scripts(host)
    for name, script in scripts.items():
        key = name + ".service"
        row = rows.get(key)
        if row is not None and row["source"] == "unit":
            continue  # the native unit wins, masks included
        if row is None:
            row = rows[key] = blank(key)
        row["source"] = "openrc" if openrc else "sysv"
        row["enabled"] = "enabled" if script["enabled"] else "disabled"
        row["path"] = script["path"]
        if openrc:
            row["wanted_by"] = script["levels"][:LISTS]
            if script["active"] is not None:
                row["active"] = "active" if script["active"] else "inactive"
        elif live is not None and row["active"] is None:
            row["active"], row["sub"] = "inactive", "dead"


def collect(host, options):
    """Return one row a unit. Partial when systemctl or a directory could not be read (active is then unreadable)."""
    files = unit_files(host)
    names = files.names()
    started, accepting = triggers(files, names)
    why = list(files.gaps)
    live, cell = None, None
    try:
        live = _live_states(host)
    except Absent as error:
        cell = {"!": "invalid", "why": "%s is not there" % error}
    except Unreadable as error:
        cell = error.cell()
    rows = {
        name: _file_row(files, name, started)
        for name in names
        if files.get(name) is not None and not ephemeral(name, accepting)
    }
    _add_live(files, rows, live or {}, started, accepting)
    for row in rows.values():
        if cell is not None:
            row["active"] = row["sub"] = cell
        elif live is not None and row["active"] is None:
            row["active"], row["sub"] = "inactive", "dead"
    if host.live and live is None and cell is None:
        _without_systemd(host, files, rows)
    _fill_aliases(rows)
    _add_scripts(host, rows, live)
    if cell is not None:
        why.append(cell["why"])
    return Result(rows, "partial", "; ".join(why)[:500]) if why else Result(rows)


def _add_live(files, rows, live, started, accepting):
    """Add what the running systemd says of each unit, and rows for units without a file."""
    for name, state in sorted(live.items()):
        if name.rpartition(".")[2] in SKIPPED or ephemeral(name, accepting):
            continue
        if name not in rows:
            if state[0] == "not-found" and state[1] == "inactive":
                continue
            known = files.get(name) is not None
            rows[name] = _file_row(files, name, started) if known else dict(blank(name), source="live")
        rows[name].update(load=state[0], active=state[1], sub=state[2])

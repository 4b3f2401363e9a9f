"""System logging: journald, rsyslog, syslog-ng, journal upload, core dumps, logrotate."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from .. import rsyslog_config
from ..drop_ins import daemon_config
from ..logrotate_config import read as read_logrotate
from ..procfs import processes
from ..redact import redact_named
from ..spec import Absent, Column, Result, Table, Unreadable, Unsupported, unreadable

TABLE = Table(
    name="logging",
    description="Settings of the logging daemons, each with the line it comes from.",
    key="`<component>:<name>`; a name that may occur more than once has `#<n>` after it. Components: journald, "
    "coredump, journal-upload, journal-remote, rsyslog, syslog-ng, logrotate; name `daemon` tells of "
    "the component itself",
    columns=(
        Column("component", "text", "what stands before the colon of the key"),
        Column(
            "name",
            "text",
            "setting as its manual spells it; `daemon`; for rsyslog also directive names, `forward`, `file`, "
            "`input`, `module`, `global`; for logrotate `default` and the patterns of files",
        ),
        Column(
            "value",
            "text_sensitive",
            "value in force; target of a forward, path of a file, name of a module; null for daemon",
        ),
        Column("where", "text", "file:line of it; null for daemon"),
        Column(
            "settings", "list", "journald and the like: every line of the name in the order of reading: value, where"
        ),
        Column(
            "parameters",
            "map",
            "rsyslog objects: their parameters in lower case (protocol, port, filecreatemode, ...), and "
            "`mode_in_force`, the $FileCreateMode that holds for a file; logrotate: directive -> arguments",
        ),
        Column("installed", "bool", "daemon rows: the program is there"),
        Column("running", "bool", "daemon rows: a process of it runs; null when that could not be told"),
        Column("persistent", "bool", "journald:daemon: the journal survives a reboot (Storage and /var/log/journal)"),
        Column("files", "list", "daemon rows: configuration files read, in order"),
    ),
    max_rows=5000,
)

SYSTEMD = (
    ("journald", "systemd-journald", "systemd-journald"),
    ("coredump", "systemd-coredump", None),
    ("journal-upload", "systemd-journal-upload", "systemd-journal-upload"),
    ("journal-remote", "systemd-journal-remote", "systemd-journal-remote"),
)
"""Component (its configuration is ``<component>.conf``), its program in systemd's directory, its process name."""


def _row(component, name, **cells):
    row = dict.fromkeys(column.name for column in TABLE.columns)
    row.update(component=component, name=name, **cells)
    return row


class _Running:
    """Which process names run here; containers' own daemons do not count."""

    def __init__(self, host):
        self.names, self.why = set(), ""
        try:
            inside = host.container()
            for process in processes(host):
                if inside or not process["container"]:
                    self.names.add(process["name"])
        except (Unreadable, Unsupported) as error:
            self.why = str(error)

    def has(self, name):
        """True, False, or None when /proc could not tell."""
        return None if self.why else name[:15] in self.names


def _installed(host, paths):
    return any(host.exists(path) for path in paths)


def systemd_rows(component, entries):
    """Rows of a systemd configuration: the last assignment of a name counts."""
    rows = {}
    for _section, name, value, where in entries:
        key = "%s:%s" % (component, name[:128])
        value = redact_named(name, value)[:1024]
        settings = rows[key]["settings"] if key in rows else []
        rows[key] = _row(
            component,
            name[:128],
            value=value,
            where=where,
            settings=(settings + [{"value": value, "where": where}])[-20:],
        )
    return rows


def _systemd(host, running, gaps):
    rows = {}
    for component, program, process in SYSTEMD:
        installed = _installed(host, ["%s/systemd/%s" % (directory, program) for directory in ("/usr/lib", "/lib")])
        files, blind = [], ""
        try:
            entries, files = daemon_config(host, component + ".conf")
        except Unreadable as error:
            entries, blind = [], error.why
            gaps.append(error.why)
        own = systemd_rows(component, entries)
        if not (installed or own or blind):
            continue
        persistent = None
        if component == "journald":
            storage = own.get("journald:Storage")
            persistent = (
                unreadable("partial", blind) if blind else _persistent(host, storage["value"] if storage else "")
            )
        rows.update(own)
        rows[component + ":daemon"] = _row(
            component,
            "daemon",
            installed=installed,
            running=running.has(process) if process else None,
            persistent=persistent,
            files=files,
        )
    return rows


def _persistent(host, storage):
    """journald.conf(5): `auto`, the default, keeps the journal when /var/log/journal exists."""
    storage = storage.lower() or "auto"
    try:
        return storage == "persistent" or (storage == "auto" and host.is_dir("/var/log/journal"))
    except Unreadable as error:
        return error.cell()


def rsyslog_rows(entries):
    """Rows of rsyslog's entries. A file's ``mode_in_force`` follows the $FileCreateMode before it."""
    rows, count, mode = {}, {}, None
    for entry in entries:
        kind, parameters = entry["kind"], dict(entry["parameters"])
        name, value = entry["name"], None
        if kind == "directive":
            value = parameters.pop("value")
            mode = value if name == "FileCreateMode" else mode
        elif kind == "legacy":
            name = "forward" if name.startswith("forward") else name
            parameters["protocol"] = entry["name"].partition(" ")[2] or None
            value = parameters.pop("target")
        elif kind == "action":
            type_ = parameters.get("type", "").lower()
            name = {"omfwd": "forward", "omfile": "file", "omrelp": "forward"}.get(type_, "action")
            value = parameters.get("target") or parameters.get("file") or parameters.get("type")
            if type_ == "omrelp":
                parameters["protocol"] = "relp"
        elif kind == "module":
            value = parameters.get("load")
            if value and "omfile" in value and parameters.get("filecreatemode"):
                mode = parameters["filecreatemode"]
        elif kind == "input":
            value = parameters.get("type")
        if name == "file":
            parameters["mode_in_force"] = parameters.get("filecreatemode") or mode
        count[name] = count.get(name, 0) + 1
        rows["rsyslog:%s#%d" % (name, count[name])] = _row(
            "rsyslog",
            name,
            value=value,
            where=entry["where"],
            parameters={key: item for key, item in parameters.items() if item is not None},
        )
    return rows


def _syslog(host, running, gaps):
    rows, files = {}, []
    try:
        entries, files, blind = rsyslog_config.read(host)
        rows = rsyslog_rows(entries)
        gaps.extend(blind)
    except Absent:
        pass
    installed = _installed(host, ("/usr/sbin/rsyslogd", "/sbin/rsyslogd"))
    if installed or files:
        rows["rsyslog:daemon"] = _row(
            "rsyslog", "daemon", installed=installed, running=running.has("rsyslogd"), files=files
        )
    if _installed(host, ("/usr/sbin/syslog-ng",)):
        rows["syslog-ng:daemon"] = _row(
            "syslog-ng", "daemon", installed=True, running=running.has("syslog-ng"), files=[]
        )
    return rows


def _logrotate(host, gaps):
    blocks, files, blind = read_logrotate(host)
    gaps.extend(blind)
    rows = {}
    for name, where, directives in blocks:
        key = "logrotate:" + name
        if key in rows:  # two blocks for one pattern: logrotate refuses the second (duplicate log entry)
            key = "%s#%s" % (key, where)
        rows[key[:2048]] = _row("logrotate", name[:1024], where=where, parameters=directives)
    installed = _installed(host, ("/usr/sbin/logrotate", "/usr/bin/logrotate"))
    if installed or files:
        rows["logrotate:daemon"] = _row("logrotate", "daemon", installed=installed, files=files)
    return rows


def collect(host, options):
    """Return rows of every logging component that is installed or configured."""
    gaps = []
    running = _Running(host)
    rows = _systemd(host, running, gaps)
    rows.update(_syslog(host, running, gaps))
    rows.update(_logrotate(host, gaps))
    if running.why and host.live:
        gaps.append(running.why)
    return Result(rows, "partial", "; ".join(gaps[:5])) if gaps else rows

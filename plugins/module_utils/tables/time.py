"""Time keeping: daemons, the sources they are told to use, and whether the clock is synchronised."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from ..drop_ins import UNIT_DIRS, wanted_by
from ..ntp_config import SOURCES, chrony, ntpd, timesyncd
from ..procfs import processes
from ..redact import redact
from ..spec import Absent, Column, Result, Table, Unreadable, Unsupported, unreadable

TABLE = Table(
    name="time",
    description="NTP daemons with their state, their configured sources and settings, and the state of the clock.",
    key="`clock`; `<daemon>:daemon`; `<daemon>:<kind> <value>` of a source; `<daemon>:<setting>` (`#<n>` after "
    "a repeated one). Daemons: timesyncd, chrony, ntpsec, ntp, openntpd",
    columns=(
        Column("daemon", "text", "which daemon; null for the clock"),
        Column("kind", "text", "clock, daemon, server, pool, peer, refclock, fallback (timesyncd), setting"),
        Column("name", "text", "name of a setting in lower case (timesyncd: as written)"),
        Column("value", "text_sensitive", "address of a source; first argument of a setting"),
        Column("options", "list", "further words of the line (iburst, nts, key numbers, ...)"),
        Column(
            "maxpoll",
            "int",
            "of a source: longest time between two questions, as a power of 2 in seconds; null: not said",
        ),
        Column("where", "text", "file:line of a source or setting"),
        Column(
            "in_force",
            "bool",
            "source: false for a fallback that a configured server replaces; setting: the last of its name",
        ),
        Column("installed", "bool", "daemon: its program is there"),
        Column("running", "bool", "daemon: a process of it runs; null when /proc could not tell"),
        Column("enabled", "bool", "daemon: started at boot (a unit is wanted, or an OpenRC run level holds it)"),
        Column("masked", "bool", "daemon: its unit is masked"),
        Column(
            "user",
            "text",
            "daemon: name of the user that it runs as (a number when it has none); null when it does not run",
        ),
        Column("files", "list", "daemon: configuration files read, in order"),
        Column(
            "synchronised",
            "bool",
            "clock: null when nothing here can tell (no daemon runs, or the clock is the host's)",
        ),
        Column("synchronised_by", "text", "clock: what told (timesyncd, chronyc, kernel)"),
        Column(
            "offset_s", "float", "clock: seconds by which it was last found fast; null when not told", volatile=True
        ),
    ),
    max_rows=2000,
)

DAEMONS = {
    "timesyncd": (("/usr/lib/systemd/systemd-timesyncd", "/lib/systemd/systemd-timesyncd"), "systemd-timesyncd",
                  ("systemd-timesyncd.service",)),
    "chrony": (("/usr/sbin/chronyd", "/sbin/chronyd"), "chronyd", ("chrony.service", "chronyd.service")),
    "ntpsec": ((), "ntpd", ("ntpsec.service",)),
    "ntp": (("/usr/sbin/ntpd", "/sbin/ntpd"), "ntpd", ("ntp.service", "ntpd.service")),
    "openntpd": (("/usr/sbin/openntpd",), "openntpd", ("openntpd.service",)),
}  # fmt: skip
"""Daemon -> programs, process name, units."""

TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised


def _row(**cells):
    row = dict.fromkeys(column.name for column in TABLE.columns)
    row.update(cells)
    return row


def user_name(lines, uid):
    """Return the name of a uid in lines of passwd(5), else the number as text."""
    for line in lines:
        fields = line.split(":")
        if len(fields) > 2 and fields[2] == str(uid):
            return fields[0]
    return str(uid)


def _masked(host, units):
    for unit in units:
        for directory in UNIT_DIRS[:2]:
            try:
                if host.readlink("%s/%s" % (directory, unit)) == "/dev/null":
                    return True
            except Absent:
                continue
    return False


def _running(host):
    """Return ``({process name: uid}, why)``: what runs on this system itself, not in its containers."""
    try:
        inside = host.container()
        return {item["name"]: item["uid"] for item in processes(host) if inside or not item["container"]}, ""
    except (Unreadable, Unsupported) as error:
        return {}, str(error)


def _daemon(host, name, files, running, why):
    programs, process, units = DAEMONS[name]
    found = running.get(process[:15], False)
    runs = None if why else found is not False
    try:
        user = user_name(host.lines("/etc/passwd"), found) if runs and found is not None else None
    except (Absent, Unreadable):
        user = str(found)
    links = any(wanted_by(host, unit) for unit in units)
    masked = _masked(host, units)
    return _row(
        daemon=name,
        kind="daemon",
        installed=any(host.exists(path) for path in programs),
        running=runs,
        masked=masked,
        enabled=not masked and (links or host.exists("/etc/runlevels/default/" + process)),
        user=user,
        files=files,
    )


def number_after(words, name):
    """Return the number behind the word ``name`` in a list of words, None when there is none."""
    for place, word in enumerate(words[:-1]):
        if word.lower() == name and words[place + 1].lstrip("-").isdigit():
            return int(words[place + 1])
    return None


def entry_rows(daemon, entries):
    """Rows of ``(name, value, options, where)`` entries."""
    rows, count = {}, {}
    servers = any(entry[0] == "server" for entry in entries)
    last = {entry[0]: entry for entry in entries}
    for entry in entries:
        name, value, options, where = entry
        source = name in SOURCES or name == "fallback"
        key = "%s:%s" % (daemon, "%s %s" % (name, value) if source else name)
        count[key] = count.get(key, 0) + 1
        if count[key] > 1:
            key = "%s#%d" % (key, count[key])
        rows[key] = _row(
            daemon=daemon,
            kind=name if source else "setting",
            name=None if source else name,
            value=redact(value),
            options=[redact(option) for option in options],
            maxpoll=number_after(options, "maxpoll") if source else None,
            where=where,
            in_force=not (name == "fallback" and servers) if source else last[name] is entry,
        )
    return rows


def parse_tracking(line):
    """Return ``(synchronised, offset in s)`` of the line that ``chronyc -c tracking`` prints, None if it is none.

    Fields: reference id, name, stratum, time, system time offset (positive: slow), ..., leap status.
    """
    fields = line.strip().split(",")
    if len(fields) < 14:
        return None
    try:
        return fields[13] != "Not synchronised", -float(fields[4])
    except ValueError:
        return None


def _kernel_synchronised():
    """Ask adjtimex(2) without changing anything (modes 0); None when it cannot be asked."""
    import ctypes  # costs 3 ms that only hosts with ntpd need to pay

    try:
        buffer = ctypes.create_string_buffer(512)  # struct timex has 208 bytes; zero means: only tell
        state = ctypes.CDLL(None).adjtimex(buffer)
    except (AttributeError, OSError):
        return None
    return None if state < 0 else state != TIME_ERROR


def _clock(host, running):
    row = _row(kind="clock")
    if "systemd-timesyncd"[:15] in running:
        row.update(synchronised=host.exists("/run/systemd/timesync/synchronized"), synchronised_by="timesyncd")
    elif "chronyd" in running:
        row["synchronised_by"] = "chronyc"
        try:
            lines = host.run(["chronyc", "-c", "-n", "tracking"], timeout=5, limit=65536).lines()
            told = parse_tracking(lines[0]) if lines else None
        except (Absent, Unreadable) as error:
            told = None
            row["synchronised"] = unreadable("partial", "chronyc: %s" % error)
        if told:
            row["synchronised"], row["offset_s"] = told
        elif row["synchronised"] is None:
            row["synchronised"] = unreadable("partial", "chronyc: no answer from chronyd")
    elif {"ntpd", "openntpd"} & set(running):
        row.update(synchronised=_kernel_synchronised(), synchronised_by="kernel")
    return row


def _configured(host, gaps):
    """Return {daemon: (entries, files)} of those that have a configuration."""
    found = {}
    try:
        entries, files = timesyncd(host)
        if files:
            found["timesyncd"] = (entries, files)
    except Unreadable as error:
        gaps.append(error.why)
    for name, reader in (
        ("chrony", chrony(host)),
        ("ntpsec", ntpd(host, "/etc/ntpsec/ntp.conf")),
        ("ntp", ntpd(host, "/etc/ntp.conf")),
        ("openntpd", ntpd(host, "/etc/openntpd/ntpd.conf")),
    ):
        gaps.extend(reader.gaps)
        if reader.files:
            found[name] = (reader.entries, reader.files)
    return found


def collect(host, options):
    """Return the clock's row and those of every daemon that is installed or configured."""
    gaps = []
    configured = _configured(host, gaps)
    running, why = _running(host)
    rows = {"clock": _clock(host, running)} if host.live else {}
    for name in DAEMONS:
        entries, files = configured.get(name, ([], []))
        row = _daemon(host, name, files, {} if name in ("ntp", "ntpsec") and name not in configured else running, why)
        if name == "ntpsec" and files:
            row["installed"] = host.exists("/usr/sbin/ntpd")
        elif name == "ntp" and "ntpsec" in configured:
            row["installed"] = False  # ntpsec's program bears the same name
        if row["installed"] or files:
            rows[name + ":daemon"] = row
        rows.update(entry_rows(name, entries))
    if why and host.live:
        gaps.append(why)
    return Result(rows, "partial", "; ".join(gaps[:5])) if gaps else rows

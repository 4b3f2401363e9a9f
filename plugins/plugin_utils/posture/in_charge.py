"""Which of several programs that do the same has the job on a host: packet filter, clock, log.

Benchmarks describe each of them and mean the one that is used. What cannot be told raises Gap.
"""

from __future__ import annotations

from ..snapshots.view import Gap, cell
from .lookups import active, enabled
from .memo import memo

FRONT_ENDS = {
    "nftables": "nftables",
    "ufw": "ufw",
    "firewalld": "firewalld",
    "iptables": "iptables",
    "ip6tables": "iptables",
    "iptables-legacy": "iptables",
    "ip6tables-legacy": "iptables",
}
"""Row of the table ``firewall`` -> the program that people name."""

BOOT_UNITS = {
    "nftables": ("nftables",),
    "firewalld": ("firewalld",),
    "iptables": ("netfilter-persistent", "iptables", "ip6tables"),
}
"""Units that load a front end's rules at boot. That of ufw runs also where ufw is off: its own settings tell."""

TIME_DAEMONS = {"chrony": "chrony", "timesyncd": "timesyncd", "ntp": "ntpd", "ntpsec": "ntpd", "openntpd": "ntpd"}
"""Daemon in the table ``time`` -> the program that people name."""


def firewall(snapshot):
    """The front ends that decide about incoming packets; where nothing filters, those that will after the next boot."""
    row = snapshot.row("firewall", "host")
    if row is None:
        raise Gap("error", "firewall: no row of the host")
    now = [cell(row, "front_end"), *(cell(row, "others") or ())]
    found = [FRONT_ENDS.get(name, name) for name in now if name]
    if found:
        return found
    ufw = snapshot.row("firewall", "ufw")
    booted = ["ufw"] if ufw is not None and cell(ufw, "enabled") else []
    return booted + [name for name, units in BOOT_UNITS.items() if any(enabled(snapshot, unit) for unit in units)]


def time(snapshot):
    """The daemons that keep the clock: those that run, else those that start at boot."""
    daemons = [
        (TIME_DAEMONS.get(key.split(":", 1)[0], key.split(":", 1)[0]), row)
        for key, row in snapshot.rows("time").items()
        if key.endswith(":daemon")
    ]
    running = [name for name, row in daemons if cell(row, "running")]
    return running or [name for name, row in daemons if cell(row, "enabled")]


def logging(snapshot):
    """Return rsyslog where it runs or starts at boot, for then it keeps the logs; else journald."""
    if active(snapshot, "rsyslog") or enabled(snapshot, "rsyslog"):
        return ["rsyslog"]
    row = snapshot.row("logging", "journald:daemon")
    if row is not None and (cell(row, "running") or active(snapshot, "systemd-journald")):
        return ["journald"]
    # Under a root that is not live nothing runs; the journal is static and starts wherever it is installed.
    return ["journald"] if row is not None and cell(row, "running") is None and cell(row, "installed") else []


GROUPS = {
    "firewall": (firewall, ("nftables", "ufw", "firewalld", "iptables"), ("firewall", "units"), "the firewall"),
    "time": (time, ("chrony", "timesyncd", "ntpd"), ("time",), "the clock"),
    "logging": (logging, ("journald", "rsyslog"), ("logging", "units"), "the logs"),
}
"""Group -> (function of the snapshot, members, tables that it reads, what the group is called in a sentence)."""


def in_charge(snapshot, group):
    """Return the list of members of the group that have the job on this host, most often one; raise Gap."""
    return memo(snapshot, f"in charge of {group}", lambda: list(dict.fromkeys(GROUPS[group][0](snapshot))))


def fact(snapshot, group):
    """Return who is in charge as a sentence: ``ufw is in charge of the firewall``; raise Gap."""
    names, job = in_charge(snapshot, group), GROUPS[group][3]
    if not names:
        return f"nothing is in charge of {job}"
    return f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} in charge of {job}"

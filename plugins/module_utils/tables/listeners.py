"""Sockets that wait for traffic: address, port, and the process and package behind each."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os

from ..name_service import user_names
from ..package_owner import owners
from ..procfs import processes
from ..sockets import parse_sockets, scope, show_address
from ..spec import Absent, Column, Result, Table, Unreadable, is_unreadable, unreadable

TABLE = Table(
    name="listeners",
    description="TCP sockets in LISTEN and UDP sockets without a peer, of the network namespace that the log-in "
    "lands in. Only root sees which process holds a socket of another user.",
    key="`<tcp|udp> <address>:<port>`, an IPv6 address in brackets; several sockets on one address share a row",
    columns=(
        Column("proto", "text", "tcp or udp"),
        Column("family", "text", "ipv4 or ipv6; an ipv6 socket on `::` usually takes IPv4 as well"),
        Column("address", "text", "local address"),
        Column("port", "int", "local port"),
        Column("scope", "text", "reach of the address: any, loopback, link-local, private, multicast, public"),
        Column("uid", "int", "user id that owns the socket"),
        Column("user", "text", "its name in the local files; null when they have none"),
        Column("pid", "int", "process that holds it; null for a socket of the kernel", volatile=True),
        Column("process", "text", "name of that process; null for a socket of the kernel (NFS, WireGuard, ...)"),
        Column("exe", "text", "program file of that process"),
        Column("package", "text", "package that brought the program; null when none did"),
        Column("unit", "text", "systemd unit of that process"),
        Column("container", "text", "container of that process"),
        Column("sockets", "int", "sockets on this address", volatile=True),
    ),
    max_rows=20000,
    live_only=True,
)

PROTOCOLS = ("tcp", "tcp6", "udp", "udp6")
FD_CAP = 200000
"""Descriptors looked at in all before giving up."""


def _namespace(pid):
    try:
        return os.readlink("/proc/%s/ns/net" % pid)
    except OSError:
        return None


def holders(host, inodes):
    """Return (inode -> process, gap) for the given socket inodes; ``gap`` says what could not be looked at.

    The process with the lowest id wins (a server before its workers), but systemd, which keeps the sockets that
    it passes on, comes last.
    """
    missing = set(inodes)
    found = {}
    gap = ""
    ours = _namespace("self")
    looked = 0
    try:
        running = processes(host)
    except Unreadable as error:
        return {}, "processes cannot be seen: " + error.why
    for process in sorted(running, key=lambda item: (item["pid"] == 1, item["pid"])):
        if not missing:
            break
        pid = process["pid"]
        namespace = _namespace(pid)
        if namespace is not None and ours is not None and namespace != ours:
            continue
        directory = "/proc/%d/fd" % pid
        try:
            names = os.listdir(directory)
        except PermissionError:
            gap = "not every process may be looked into"
            continue
        except OSError:
            continue
        looked += len(names)
        if looked > FD_CAP:
            return found, "more than %d open descriptors" % FD_CAP
        for name in names:
            try:
                target = os.readlink(directory + "/" + name)
            except PermissionError:
                gap = "not every process may be looked into"
                continue
            except OSError:
                continue
            if target.startswith("socket:[") and int(target[8:-1]) in missing:
                inode = int(target[8:-1])
                found[inode] = process
                missing.discard(inode)
    return found, gap if missing else ""


def _packages(host, found):
    """Return exe -> package, or the cell that says why that cannot be told."""
    paths = {
        process["exe"]
        for process in found.values()
        if process["exe"] and not is_unreadable(process["exe"]) and not process["container"]
    }
    try:
        return owners(host, paths)
    except Absent:
        return {}
    except Unreadable as error:
        return error.cell()


def _process_cells(process, packages, gap):
    if process is None:
        nothing = unreadable("denied" if "process" in gap else "partial", gap) if gap else None
        return dict.fromkeys(("pid", "process", "exe", "package", "unit", "container"), nothing)
    exe = process["exe"]
    package = packages
    if isinstance(packages, dict) and not is_unreadable(packages):
        # The database of this system says nothing of what lies in a container.
        package = exe if is_unreadable(exe) else None if process["container"] else packages.get(exe)
    return {
        "pid": process["pid"],
        "process": process["name"],
        "exe": exe,
        "package": package,
        "unit": process["unit"],
        "container": process["container"],
    }


def collect(host, options):
    """Return one row an address and port."""
    waiting = []
    for proto in PROTOCOLS:
        try:
            lines = host.lines("/proc/net/" + proto, 64 << 20)
        except Absent:
            continue  # no IPv6 in this kernel
        waiting += [(proto, item) for item in parse_sockets(lines, proto)]
    found, gap = holders(host, {item[3] for _proto, item in waiting if item[3]})
    packages = _packages(host, found)
    names = user_names(host)
    rows = {}
    for proto, (address, port, uid, inode) in waiting:
        shown = show_address(address)
        family = "ipv6" if len(address) == 16 else "ipv4"
        key = "%s %s:%d" % (proto[:3], "[%s]" % shown if family == "ipv6" else shown, port)
        if key in rows:
            rows[key]["sockets"] += 1
            continue
        rows[key] = {
            "proto": proto[:3],
            "family": family,
            "address": shown,
            "port": port,
            "scope": scope(address),
            "uid": uid,
            "user": names.get(uid),
            "sockets": 1,
        }
        rows[key].update(_process_cells(found.get(inode), packages, gap))
        if len(rows) >= TABLE.max_rows:
            return Result(rows, "partial", "more than %d listeners" % TABLE.max_rows)
    return rows

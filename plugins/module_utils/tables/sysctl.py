"""Kernel parameters: what runs, and what every file of the system would set at boot."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os

from ..redact import redact
from ..spec import Absent, Column, Result, Table, Unreadable, unreadable
from ..sysctl_files import Settings, canonical, is_glob, matches, path_of, read_settings

TABLE = Table(
    name="sysctl",
    description="Kernel parameters: the running value and every persistent setting with its precedence.",
    key="name in dotted form; a dot inside a component (an interface `eth0.100`) is written `/`: "
    "`net.ipv4.conf.eth0/100.rp_filter`, as sysctl(8) prints it; a wildcard setting keeps its pattern as key",
    columns=(
        Column(
            "runtime", "text_sensitive", "value in force, white space collapsed; null when the kernel has no such key"
        ),
        Column("persisted", "text_sensitive", "value that the files set at boot; null when none does"),
        Column("persisted_where", "text", "file:line of that setting; null when there is none"),
        Column(
            "settings",
            "list",
            "every setting of the key in order of reading: value, where, from (exact|glob|ufw), "
            "in_force (it decides the persisted value), note",
        ),
        Column("host_global", "bool", "true when read in a container and the key belongs to the kernel of its host"),
        Column("glob", "bool", "true when the key is a pattern, not the name of a parameter"),
    ),
)

PER_INTERFACE = {
    "accept_local", "accept_ra", "accept_ra_defrtr", "accept_ra_from_local", "accept_ra_pinfo",
    "accept_ra_rtr_pref", "accept_redirects", "accept_source_route", "arp_accept", "arp_announce", "arp_filter",
    "arp_ignore", "autoconf", "bootp_relay", "dad_transmits", "disable_ipv6", "disable_policy", "disable_xfrm",
    "drop_gratuitous_arp", "drop_unicast_in_l2_multicast", "drop_unsolicited_na", "force_tllao", "forwarding",
    "log_martians", "max_addresses", "mc_forwarding", "ndisc_notify", "proxy_arp", "proxy_arp_pvlan", "proxy_ndp",
    "route_localnet", "router_solicitations", "rp_filter", "secure_redirects", "send_redirects", "seg6_enabled",
    "shared_media", "src_valid_mark", "use_tempaddr",
}  # fmt: skip
"""Read for each interface; ``all`` and ``default`` are read whole."""

LEFT_OUT = {
    "kernel/random", "kernel/ns_last_pid", "kernel/hung_task_detect_count",
    "kernel/perf_event_max_sample_rate", "kernel/pty/nr", "kernel/sched_domain", "kernel/keys", "kernel/spl",
    "kernel/firmware_config", "fs/binfmt_misc", "fs/file-nr", "fs/inode-nr", "fs/inode-state", "fs/dentry-state",
    "fs/quota", "fs/aio-nr", "fs/nfs", "fs/xfs/stats_clear", "vm/stat_refresh", "vm/compact_memory",
    "vm/drop_caches", "net/ipv4/neigh", "net/ipv6/neigh", "net/ipv4/route", "net/ipv4/tcp_fastopen_key",
    "net/ipv4/tcp_available_congestion_control", "net/ipv4/tcp_available_ulp", "net/netfilter/nf_conntrack_count",
    "net/netfilter/nf_log", "net/unix", "net/core/netdev_rss_key",
}  # fmt: skip
"""Counters, keys, triggers (reading or even looking them up does something) and bulk without bearing on security."""

ESSENTIAL = {
    "accept_ra", "accept_redirects", "accept_source_route", "disable_ipv6", "forwarding", "log_martians", "proxy_arp",
    "route_localnet", "rp_filter", "secure_redirects", "send_redirects",
}  # fmt: skip
"""All that is read for each interface where there are more than MAX_WHOLE: hosts of containers have hundreds."""

MAX_WHOLE = 100
SECRET_LEAVES = {"stable_secret", "tcp_fastopen_key"}
TREES = ("kernel", "fs", "vm", "net/core", "net/ipv4", "net/ipv6", "net/netfilter", "user", "dev/tty")
MAX_VALUE = 512  # characters: longer ones are bitmaps
MAX_DEPTH = 6

NAMESPACED = (
    "net.",
    "user.",
    "fs.mqueue.",
    "kernel.msg",
    "kernel.sem",
    "kernel.shm",
    "kernel.auto_msgmni",
    "kernel.hostname",
    "kernel.domainname",
)
"""Keys of which a container has its own copy (namespaces(7): net, user, ipc, uts)."""


def clean(value):
    """Return a value with white space collapsed, capped and redacted."""
    value = " ".join(value.split())[:MAX_VALUE]
    return redact(value) if len(value) > 7 and not value[:6].replace(" ", "").isdigit() else value


def _read(descriptor, name):
    """The value of one entry below an open directory; None when it cannot be asked (write only, no such device)."""
    try:
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=descriptor)
    except PermissionError as error:
        return unreadable("denied", "/proc/sys/../%s: %s" % (name, error.strerror))
    except OSError:
        return None
    try:
        return clean(os.read(handle, 4096).decode("utf-8", "replace"))
    except PermissionError as error:
        return unreadable("denied", "/proc/sys/../%s: %s" % (name, error.strerror))
    except OSError:
        return None
    finally:
        os.close(handle)


def _walk(relative, depth, result, wanted):
    """Read /proc/sys/<relative>: only the kernel makes entries there, so that plain directory reading is safe."""
    interfaces = relative in ("net/ipv4/conf", "net/ipv6/conf")
    try:
        descriptor = os.open("/proc/sys/" + relative, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return
    try:
        with os.scandir(descriptor) as entries:
            found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        many = ESSENTIAL if interfaces and len(found) > MAX_WHOLE else PER_INTERFACE
        for name, directory in found:
            path = relative + "/" + name
            if path in LEFT_OUT or name in SECRET_LEAVES:
                continue
            if directory:
                if depth < MAX_DEPTH:
                    narrow = many if interfaces and name not in ("all", "default") else wanted
                    _walk(path, depth + 1, result, narrow)
            elif wanted is None or name in wanted:
                value = _read(descriptor, name)
                if value is not None:
                    result[canonical(path)] = value
    except OSError:
        return
    finally:
        os.close(descriptor)


def runtime_values(host):
    """Return {name: value} of the running kernel; raise Unsupported under another root."""
    host.need_live()
    result = {}
    for tree in TREES:
        _walk(tree, 1, result, None)
    return result


def rows_of(runtime, settings, container=False, blind=None):
    """Join running values and ``Settings``; ``blind`` is the cell of all that could not be told from the files.

    ``runtime`` maps names to values, or is a cell when the kernel could not be asked.
    """
    asked = "!" not in runtime
    globs = [item for item in settings.items if is_glob(item.key) and item.value is not None]
    names = set(runtime if asked else ()) | {item.key for item in settings.items}
    exact = {}
    for item in settings.items:
        exact.setdefault(item.key, []).append(item)
    rows = {}
    for name in names:
        pattern = is_glob(name)
        own = exact.get(name, ())
        items = list(own) if pattern else list(own) + [item for item in globs if matches(item.key, name)]
        winner = None if pattern else settings.winner(name, items)
        listed = [_listed(item, item is winner) for item in sorted(items, key=lambda item: item.order)]
        rows[name] = {
            "runtime": runtime.get(name) if asked else runtime,
            "persisted": blind or (clean(winner.value) if winner else None),
            "persisted_where": winner.where if winner else None,
            "settings": listed[:40],
            "host_global": bool(container) and not name.startswith(NAMESPACED),
            "glob": pattern,
        }
    return rows


def _listed(item, in_force):
    return {
        "value": None if item.value is None else clean(item.value),
        "where": item.where,
        "from": item.source if item.source == "ufw" else "glob" if is_glob(item.key) else "exact",
        "in_force": in_force,
        "note": item.note,
    }


def _add_named(host, runtime, settings):
    """Ask the kernel also for keys that a file names and the trees above leave out."""
    for item in settings.items:
        parts = item.key.split(".")
        if item.key in runtime or is_glob(item.key) or parts[-1] in SECRET_LEAVES or ".." in item.key:
            continue
        path = path_of(item.key)
        if any(path == skipped or path.startswith(skipped + "/") for skipped in LEFT_OUT):
            continue
        try:
            runtime[item.key] = clean(host.read_text("/proc/sys/" + path, 65536))
        except Absent:
            continue
        except Unreadable as error:
            runtime[item.key] = error.cell()


def collect(host, options):
    """Return a row for each running key of interest and each key that a file sets."""
    settings = read_settings(host)
    if host.live:
        runtime = runtime_values(host)
        _add_named(host, runtime, settings)
    else:
        runtime = unreadable("partial", "the kernel of a root that is not running cannot be asked")
    blind = (
        unreadable("partial", "not every settings file could be read: %s" % settings.gaps[0]) if settings.gaps else None
    )
    rows = rows_of(runtime, settings, bool(host.container()), blind)
    if settings.gaps:
        return Result(rows, "partial", "; ".join(settings.gaps[:5]))
    return rows


__all__ = ["TABLE", "Settings", "clean", "collect", "rows_of", "runtime_values"]

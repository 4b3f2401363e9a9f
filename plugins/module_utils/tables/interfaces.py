"""Network interfaces of the network namespace that the log-in lands in."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from ..spec import Absent, Column, Table, Unreadable

TABLE = Table(
    name="interfaces",
    description="Network interfaces: what they are and whether one takes packets that are not for this host. Of the "
    "network namespace that the log-in lands in.",
    key="name of the interface",
    columns=(
        Column("kind", "text", "loopback, ether, infiniband, tunnel, none or a number (ARPHRD of the kernel)"),
        Column("up", "bool", "switched on by the administrator"),
        Column("promiscuous", "bool", "takes packets for others: a program, a bridge or an administrator asked for it"),
        Column("wireless", "bool", "a radio"),
        Column("bridge", "text", "bridge or bond that it is a port of; null without one"),
        Column("virtual", "bool", "made by software, not a device"),
    ),
    live_only=True,
    max_rows=5000,
)

PLACE = "/sys/class/net"
KINDS = {
    1: "ether",
    32: "infiniband",
    772: "loopback",
    768: "tunnel",
    769: "tunnel",
    776: "tunnel",
    778: "tunnel",
    65534: "none",
}
UP, PROMISCUOUS = 0x1, 0x100
"""IFF_UP, IFF_PROMISC (linux/if.h). The file in /sys shows the kernel's own flags: also what programs asked for by
packet sockets, which SIOCGIFFLAGS and `ip link` leave out (net/core/dev.c, dev_get_flags)."""


def row(flags, kind, wireless, bridge, virtual):
    """Return the row for the texts of the files `flags` and `type`."""
    bits = int(flags.strip(), 16)
    number = int(kind.strip())
    return {
        "kind": KINDS.get(number, str(number)),
        "up": bool(bits & UP),
        "promiscuous": bool(bits & PROMISCUOUS),
        "wireless": wireless,
        "bridge": bridge,
        "virtual": virtual,
    }


def _master(host, path):
    try:
        target = host.readlink(path + "/master")
    except (Absent, Unreadable):
        return None
    return target.rsplit("/", 1)[-1] if target else None


def collect(host, options):
    """Return a row for each interface; one that goes away meanwhile has none."""
    host.need_live()
    rows = {}
    for name in host.listdir(PLACE):
        path = PLACE + "/" + name
        try:
            flags, kind = host.read_text(path + "/flags", 64), host.read_text(path + "/type", 64)
            radio = host.exists(path + "/wireless") or host.exists(path + "/phy80211")
            target = host.readlink(path) or ""
            rows[name] = row(flags, kind, radio, _master(host, path), "/virtual/" in target)
        except (Absent, ValueError):
            continue  # gone, or a file that is no interface (bonding_masters)
    return rows

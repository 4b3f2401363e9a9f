"""What a packet filter must let in so that nothing that is reached today is cut off: ports and controllers."""

from __future__ import annotations

import ipaddress
import re

NAMES = {"dhclient", "dhcpcd", "systemd-networkd", "NetworkManager"}
"""Programs whose open ports are answers to their own questions."""

FOUR = re.compile(
    r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(/(3[0-2]|[12]?\d))?"
)
SIX = re.compile(r"[0-9A-Fa-f:]{2,39}(/(12[0-8]|1[01]\d|\d?\d))?")


def ssh_ports(facts):
    """Ports of the SSH servers and the one of this connection, sorted."""
    found = {facts.connection.port or 22}
    for row in facts.rows("sshd").values():
        effective = row.get("effective")
        ports = effective.get("port") if isinstance(effective, dict) else None
        for port in ports if isinstance(ports, list) else [ports]:
            if str(port).isdigit():
                found.add(int(port))
    return sorted(port for port in found if 0 < port < 65536)


def served(facts):
    """Return ``{"tcp": [ports], "udp": [ports]}`` that something listens on for others than this host itself."""
    found = {"tcp": set(), "udp": set()}
    for row in facts.rows("listeners").values():
        proto, port, scope = row.get("proto"), row.get("port"), row.get("scope")
        if proto not in found or not isinstance(port, int) or not 0 < port < 65536 or scope == "loopback":
            continue
        # Nobody's process: a socket of the kernel, a tunnel (WireGuard) by which we may come in.
        if proto == "udp" and row.get("process") in NAMES:
            continue
        found[proto].add(port)
    found["tcp"].update(ssh_ports(facts))
    return {proto: sorted(ports) for proto, ports in found.items()}


def controllers(facts):
    """Return ``([IPv4], [IPv6])`` of the addresses that must stay able to connect; from the controller itself."""
    four, six = [], []
    for address in facts.connection.controllers:
        text = str(address).strip().partition("%")[0]
        if FOUR.fullmatch(text):
            four.append(text)
        elif ":" in text and SIX.fullmatch(text) and _is_address(text):
            six.append(text)
    return _collapsed(four), _collapsed(six)


def _is_address(text):
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _collapsed(addresses):
    """Without those that lie in others: a set of nftables refuses ranges that overlap."""
    networks = {ipaddress.ip_network(text, strict=False) for text in addresses}
    return sorted(
        str(one.network_address) if one.prefixlen == one.max_prefixlen else str(one)
        for one in ipaddress.collapse_addresses(networks)
    )


def front_ends(facts):
    """Names of the front ends that decide now; empty when nothing filters. None when that is not known."""
    row = facts.row("firewall", "host")
    if row is None or not facts.known("firewall"):
        return None
    told = [row.get("front_end"), *(row.get("others") or [] if isinstance(row.get("others"), list) else [None])]
    if any(isinstance(name, dict) for name in told):
        return None
    return [name for name in told if name]

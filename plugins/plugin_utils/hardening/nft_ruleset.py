"""The table of ours in nftables: what it says, as text of nft(8). Works with nftables 0.9.0 and newer."""

from __future__ import annotations

TABLE = "ringwall"

HEAD = """#!/usr/sbin/nft -f
# Written by Ringwall's hardening. Ports below are those that something listened on when it was written.
# Made and deleted first, so that loading it again replaces it and leaves tables of others alone.
table inet ringwall
delete table inet ringwall

table inet ringwall {
"""

NEIGHBOURS = (
    "nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-query, "
    "mld-listener-report, mld-listener-done, mld2-listener-report, packet-too-big, time-exceeded, "
    "parameter-problem, destination-unreachable, echo-request, echo-reply"
)
ICMP = "destination-unreachable, time-exceeded, parameter-problem, echo-request, echo-reply"


def _set(items):
    return "{ " + ", ".join(str(item) for item in items) + " }"


def ruleset(ports, ssh, four, six):
    """Return the file.

    ``ports``: ``{"tcp": [...], "udp": [...]}`` open to all; ``ssh``: ports open to controllers (``four``, ``six``).
    """
    lines = ["\tchain input {", "\t\ttype filter hook input priority 0; policy drop;"]
    lines += ['\t\tiifname "lo" accept']
    lines += ['\t\tiifname != "lo" ip saddr 127.0.0.0/8 drop', '\t\tiifname != "lo" ip6 saddr ::1 drop']
    if four:
        lines.append(f"\t\tip saddr {_set(four)} tcp dport {_set(ssh)} accept")
    if six:
        lines.append(f"\t\tip6 saddr {_set(six)} tcp dport {_set(ssh)} accept")
    lines += ["\t\tct state { established, related } accept", "\t\tct state invalid drop"]
    lines += [f"\t\ticmp type {_set([ICMP])} accept", f"\t\ticmpv6 type {_set([NEIGHBOURS])} accept"]
    lines += ["\t\tip protocol 2 accept"]
    lines += ["\t\tudp sport 67 udp dport 68 accept", "\t\tip6 saddr fe80::/10 udp sport 547 udp dport 546 accept"]
    lines += [f"\t\t{proto} dport {_set(ports[proto])} accept" for proto in ("tcp", "udp") if ports[proto]]
    lines += ["\t}", "", "\tchain forward {", "\t\ttype filter hook forward priority 0; policy drop;"]
    lines += ["\t\tct state { established, related } accept", "\t}", ""]
    lines += ["\tchain output {", "\t\ttype filter hook output priority 0; policy drop;", '\t\toifname "lo" accept']
    lines += ["\t\tct state { new, established, related } accept"]
    lines += ["\t\tmeta l4proto { 1, 2, 58 } accept", "\t}", "}"]
    return HEAD + "\n".join(lines) + "\n"

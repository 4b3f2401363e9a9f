"""Whether the packet filter of a host lets anybody reach a port, from the tables firewall and firewall_rules.

The packet that is followed opens a connection, comes from an address that no rule names, and arrives on an interface
that leads outside. A rule that names sources therefore does not meet it. What such a packet cannot be, it is not:
established, ICMP, multicast, on the loopback interface.
"""

from __future__ import annotations

import re

from ..snapshots.view import Gap, cell
from .memo import memo

OTHER_TABLES = ("nat", "mangle", "raw", "security")
"""Tables of iptables that decide nothing about a packet's acceptance."""

INSIDE = ("lo", "wg", "tun", "tap", "tailscale", "zt", "docker", "br-", "virbr", "veth", "vnet", "lxc", "lxd", "incus",
          "cni", "podman", "cali", "cilium", "flannel", "ham")  # fmt: skip
"""Names of interfaces that lead to this machine itself, its containers and guests, or a private network by a tunnel."""

STRICT = ("drop", "reject")
_NAMES_OF = {"tcp": (None, "tcp", "6", "all", "0"), "udp": (None, "udp", "17", "all", "0")}
DEPTH = 16
"""Jumps that the kernel follows at most."""

_NAMED_SOURCE = re.compile(
    r"(?<!\S)(?:-s|--src\S*|--source|--match-set|--mac-source|--pol|--dir|--mark)(?!\S)"
    r"|saddr|ether |ipsec |(?:^|\s)(?:meta |ct )?mark |geoip|cgroup"
)
_FROM_OTHERS = re.compile(r"! (?:-s|--src\S*|--source)(?!\S)|saddr !=")
_NOT_THIS_PACKET = re.compile(
    r"icmp|igmp|! --syn|--tcp-flags|tcp flags|pkttype|--pkt-type|ct status|--ctstatus"
    r"|(?<![!] )--dst-type (?!LOCAL|UNICAST)|(?:daddr )?type (?:broadcast|multicast|anycast)"
)
_ABOVE = re.compile(
    r"--hitcount|--update|--rcheck|--connlimit-above|--hashlimit-above|rate over|ct count over|quota over"
)
_RATE = re.compile(r"limit|ct count|quota")
_VERDICT = re.compile(r"(?:^|\s)(?:-j|--jump|-g|--goto|reject)(?:\s.*|$)", re.DOTALL)
_COMMENT = re.compile(r'--comment (?:"[^"]*"|\S+)|(?<!-)comment "[^"]*"')
_PAIRS = re.compile(r"l4proto \. th dport \{ (.*?) \}")
_VMAP = re.compile(r"(?:^|\s)((?:\S+ )?\S+) vmap \{ (.*?) \}")


def _inside(interface):
    name = (interface or "").rstrip("*+")
    return bool(interface) and (name == "lo" or any(name.startswith(prefix) for prefix in INSIDE if prefix != "lo"))


def in_ports(port, ports):
    """True if ``port`` is among ports as rules write them (``22``, ``20:25``, ``1000-2000``); None for a named set."""
    unknown = False
    for item in ports:
        first, _sign, last = str(item).replace(":", "-").partition("-")
        if first.isdigit() and (not last or last.isdigit()):
            if int(first) <= port <= int(last or first):
                return True
        else:
            unknown = True
    return None if unknown else False


def _everywhere(sources):
    return all(str(source).partition("/")[2] in ("0", "0.0.0.0") for source in sources)


class Filter:
    """The chains of one snapshot. ``opens`` is what others ask."""

    def __init__(self, snapshot):
        self.front_ends = snapshot.rows("firewall")
        self.chains, self.bases = {}, {}
        for row in snapshot.rows("firewall_rules").values():
            place = (row["family"], row["table"], row["chain"])
            self.chains.setdefault(place, []).append(row)
            if row["hook"] == "input" and row["table"] not in OTHER_TABLES:
                self.bases.setdefault(_front_end(row), set()).add(place)
        for rules in self.chains.values():
            rules.sort(key=lambda row: row["position"] or 0)

    def opens(self, proto, port, family):
        """Return why anybody may reach a port, or None if the filter keeps strangers out.

        ``proto`` tcp or udp, ``family`` ip or ip6. Raise Gap when a rule or policy does not let that be told.
        """
        host = self.front_ends.get("host")
        if host is None:
            raise Gap("error", "firewall: no row of the host")
        cell(host, "policies")
        accepted, policies = [], {}
        for name, row in self.front_ends.items():
            if name not in ("host", "ufw"):  # ufw's rules are in the kernel as those of iptables
                policies[name] = (cell(row, "policies") or {}).get(f"{family} input")
        for name in sorted(set(policies) | set(self.bases)):
            ends = [
                self._walk(place, proto, port, 0)
                for place in sorted(self.bases.get(name, ()))
                if place[0] in (family, "inet")
            ]
            if any(end in STRICT for end in ends if end):
                return None
            said = [end for end in ends if end]
            if not said and policies.get(name) in STRICT:
                return None
            accepted += said
        return accepted[0] if accepted else "no firewall keeps strangers out"

    def _walk(self, place, proto, port, depth):
        """Follow a chain; return drop, reject, the rule that accepts, or None when it decides nothing."""
        if depth > DEPTH:
            raise Gap("unreadable", f"firewall: chains jump deeper than {DEPTH}")
        for row in self.chains.get(place, ()):
            for action, target in self._actions(row, proto, port):
                if action == "return":
                    return None
                if action in STRICT:
                    return action
                if action == "accept":
                    return f"{' '.join(place)}: {row['rule']}"
                if action in ("jump", "goto"):
                    end = self._walk((place[0], place[1], target), proto, port, depth + 1)
                    if end in STRICT and _RATE.search(conditions(row)):
                        continue  # what stays below the rate, or comes above it, gets through
                    if end or action == "goto":
                        return end
        return None

    def _actions(self, row, proto, port):
        """Return what a rule does with the packet: [(action, target)], empty when it does not meet it."""
        matched = meets(row, proto, port)
        if matched is False:
            return []
        branches = _branches(row["rule"], port)
        if branches is not None:
            return branches
        action = row["action"]
        if matched is None:
            if action == "accept":
                raise Gap("unreadable", f"firewall: whom this rule lets in cannot be told: {row['rule']}")
            return []
        return [(action, row["target"])] if action else []


def _front_end(row):
    return "firewalld" if row["table"].startswith("firewalld") else row["source"]


def conditions(row):
    """Return the text of a rule without what it does with a packet, and without its comment."""
    return _VERDICT.sub("", _COMMENT.sub("", row["rule"] or ""))


def meets(row, proto, port):
    """True if a rule meets the packet, False if not, None if it cannot be told."""
    if row["unconditional"]:
        return True
    if row["protocol"] not in _NAMES_OF[proto]:
        return False
    named = in_ports(port, row["ports"]) if row["ports"] else True
    if named is False or (row["states"] and "new" not in row["states"]) or _inside(row["in_interface"]):
        return False
    if row["sources"] and not _everywhere(row["sources"]):
        return False
    text = conditions(row)
    if _NOT_THIS_PACKET.search(text) or _ABOVE.search(text):
        return False
    if not row["sources"] and _NAMED_SOURCE.search(text) and not _FROM_OTHERS.search(text):
        return False
    if row["action"] in STRICT and _RATE.search(text):
        return False  # what stays below the rate gets through
    pairs = _PAIRS.search(text)
    if pairs:
        listed = [pair.partition(" . ")[::2] for pair in pairs.group(1).split(", ")]
        return in_ports(port, [number for name, number in listed if name == proto])
    return named


def _branches(text, port):
    """What the verdict map of a rule does with the packet, None if the rule has none."""
    match = _VMAP.search(text or "")
    if not match:
        return None
    key, found = match.group(1), []
    for line in match.group(2).split(", "):
        value, _colon, verdict = line.partition(" : ")
        action, _blank, target = verdict.partition(" ")
        if key.endswith("dport"):
            hit = in_ports(port, [value])
        elif key.endswith(("iifname", "iif")):
            hit = not _inside(value)
        elif key.endswith("ct state"):
            hit = "new" in value
        else:
            hit = False
        if hit:
            found.append((action, target or None))
    return found


def packet_filter(snapshot):
    """Return the Filter of a snapshot; raise Gap when its rules could not be read completely."""
    return memo(snapshot, "packet filter", lambda: Filter(snapshot))

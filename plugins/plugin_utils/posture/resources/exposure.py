"""``exposure``: ports that not everybody may reach: who listens, and what the packet filter lets through."""

from __future__ import annotations

from ...content.errors import ContentError
from ...content.lines import near
from ...snapshots.view import Gap, cell
from ..lookups import ipv6
from ..reach import packet_filter
from .base import Resource, Verdict
from .sshd import in_use

KEYS = ("tcp", "udp", "sshd")
SCOPES = ("any", "public")
"""Reach of an address that is open to any other one. An address of a private network is not."""

FORWARDING = ("docker-proxy", "rootlessport", "conmon")
"""Processes that stand in for a container's port: its packets are forwarded, not let in by the rules of input."""


class Exposure(Resource):
    """See ``summary``."""

    name = "exposure"
    summary = (
        "`exposure: {tcp: {<name>: <port>, ...}, udp: {...}, sshd: true}`: none of these ports (with `sshd: true` also "
        "those that SSH servers listen on) takes connections from everywhere: nothing listens on all or on public "
        "addresses, or the firewall of the host keeps strangers out: it drops by default, and what lets the port in "
        "names its sources. Ports that an engine publishes for containers go around those rules. Firewalls in front "
        "of the host are not seen."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        self.expect_map(statement, where)
        for key, value in statement.items():
            if key not in KEYS:
                raise ContentError(where, f"exposure: unknown key {key}{near(key, KEYS)}", ", ".join(KEYS))
            if key == "sshd":
                if value is not True:
                    raise ContentError(where, f"exposure: sshd is {value!r}", "sshd: true")
            elif not isinstance(value, dict) or not value or not all(_is_port(port) for port in value.values()):
                raise ContentError(where, f"exposure: {key} is no map of ports", f"{key}: {{redis: 6379}}")

    def tables(self, statement):
        """Sockets, the packet filter, and what the SSH servers are set to."""
        needed = ("listeners", "firewall", "firewall_rules", "sysctl")
        return (*needed, "sshd") if statement.get("sshd") else needed

    def judge(self, statement, snapshot):
        """Return one Verdict. What is open counts although something else could not be read."""
        names = {("tcp", port): name for name, port in statement.get("tcp", {}).items()}
        names.update({("udp", port): name for name, port in statement.get("udp", {}).items()})
        if statement.get("sshd"):
            names.update({("tcp", port): "SSH" for port in ssh_ports(snapshot)})
        shown = ", ".join(f"{name} ({proto} {port})" for (proto, port), name in names.items())
        expected = f"not open to everybody: {shown}"
        bad, limited, gap = [], [], None
        for key, row in sorted(snapshot.rows("listeners").items()):
            name = names.get((cell(row, "proto"), cell(row, "port")))
            if name is None or cell(row, "scope") not in SCOPES:
                continue
            try:
                why = _open(row, snapshot)
            except Gap as found:
                gap = gap or Gap(found.status, f"{key} listens, and {found.why}")
                continue
            where, what = f"listeners: {key}", f"{name}, {_holder(row)}"
            if why:
                bad.append({"where": where, "what": f"{what}: {why}"})
            else:
                limited.append({"where": where, "what": f"{what}: the firewall keeps strangers out"})
        if bad:
            return [Verdict("fail", expected, f"{len(bad)} open to everybody", bad)]
        if gap:
            raise gap
        nothing = {"where": "listeners", "what": "nothing listens there on all or on public addresses"}
        return [Verdict("pass", expected, "none open to everybody", limited or [nothing])]


def _is_port(value):
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536


def ssh_ports(snapshot):
    """Return the sorted ports of the SSH servers that run or start at boot; raise Gap when they cannot be told."""
    found = set()
    for row in in_use(snapshot.rows("sshd")).values():
        ports = (cell(row, "effective") or {}).get("port")
        if ports is None:
            raise Gap("unreadable", f"the ports of the SSH server are not known: {row.get('source_why') or 'not told'}")
        found.update(int(port) for port in (ports if isinstance(ports, list) else [ports]))
    return sorted(found)


def _open(row, snapshot):
    """Return why a socket is open to everybody, None if it is not; raise Gap."""
    if row.get("process") in FORWARDING:
        return "a container's port, published around the firewall's rules for this host"
    filters = packet_filter(snapshot)
    families = ["ip"]
    if cell(row, "family") == "ipv6":
        families = ["ip6", "ip"] if cell(row, "scope") == "any" else ["ip6"]
        if not ipv6(snapshot)[0]:
            families.remove("ip6")
    for family in families:
        why = filters.opens(cell(row, "proto"), cell(row, "port"), family)
        if why:
            return why if family == "ip" or families == ["ip6"] else f"by IPv6: {why}"
    return None


def _holder(row):
    process = row.get("process")
    return process if isinstance(process, str) else "its process is not known"

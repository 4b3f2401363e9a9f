"""The packet filter: ``{kind: firewall, front_end, wanted: {...}, default?: true}``.

Whatever is asked, the rules keep what is reachable today: ports that something listens on, SSH, the controllers'
addresses, answers, loopback, the ICMP that networks need. Where nothing filters, nftables gets a table of ours beside
those of others (or firewalld or ufw is switched on, where that is the choice); ufw and firewalld are set by their own
files. Rules of iptables were written by hand and stay so.
"""

from __future__ import annotations

import re

from ..firewall_facts import controllers, front_ends, served, ssh_ports
from ..nft_ruleset import ruleset
from ..operations import CREATED, change, controls_of, edit, left, operation

KIND = "firewall"
PRIVATE = {"mode": "0600", "owner": "root", "group": "root"}
NFT = {"debian": ("/etc/nftables.conf", "/etc/nftables.d/60-ringwall.nft"),
       "rhel": ("/etc/sysconfig/nftables.conf", "/etc/nftables/60-ringwall.nft")}  # fmt: skip
POLICIES = {"input": "DEFAULT_INPUT_POLICY", "forward": "DEFAULT_FORWARD_POLICY", "output": "DEFAULT_OUTPUT_POLICY"}
ANY = {"": "0.0.0.0/0", "6": "::/0"}
BEFORE = r"^### END RULES ###|^-A ufw6?-user-limit|^COMMIT"
"""Rules stand before the first of these lines; a file that ufw has not yet written itself lacks the first one."""

LOOPBACK = {"": "127.0.0.0/8", "6": "::1"}


def operations(settings, facts):
    """Return the operations of the front end that is in charge, or of the one to be put in charge."""
    controls = controls_of(settings)
    if not settings:
        return []
    active = front_ends(facts)
    if active is None:
        return [left(controls, "which firewall is in charge could not be read: nothing is changed blindly")]
    if not facts.known("listeners"):
        return [left(controls, "who listens could not be read: rules could cut off what is used")]
    chosen = active[0] if active else _choice(settings, facts)
    if len(active) > 1:
        named = ", ".join(active)
        return [left(controls, f"several programs write rules ({named}): decide for one of them first")]
    if chosen not in BUILDERS:
        return [left(controls, f"the rules of {chosen} were written by hand: change them there")]
    return BUILDERS[chosen](settings, controls, facts, bool(active))


def _choice(settings, facts):
    """Who is put in charge: as the controls say, the family's own where they do not."""
    named = [item["setting"].get("front_end") for item in settings if item["setting"].get("default")]
    named += [item["setting"].get("front_end") for item in settings]
    family = "firewalld" if facts.family == "rhel" else "nftables"
    wanted = next((name for name in named if name in BUILDERS), family)
    return family if facts.family == "rhel" and wanted == "nftables" else wanted


def _nftables(settings, controls, facts, active):
    main, own = NFT.get(facts.family, NFT["debian"])
    saved = facts.value("firewall", "nftables", "saved_policies", {})
    files = facts.value("firewall", "nftables", "saved_in", [])
    if not active and own not in files and set(saved.values()) & {"drop", "reject"}:
        return [
            left(controls, f"{', '.join(files)} holds rules that are not loaded: look at them before they come to be")
        ]
    four, six = controllers(facts)
    text = ruleset(served(facts), ssh_ports(facts), four, six)
    found = [] if facts.installed("nftables") else [_package("nftables", controls)]
    follow = ["reload:nftables.service"]
    found.append(
        operation("write", controls, path=own, text=text, validate="nft", guarded=True, follow=follow, **PRIVATE)
    )
    line = change(controls, line=f'include "{own}"', state="present")
    found.append(edit(main, [line], controls, create={**CREATED, "mode": "0755"}, guarded=True, follow=follow))
    found.append(
        operation("unit", controls, name="nftables.service", enabled=True, active=True, masked=False, guarded=True)
    )
    return found


def _ufw(settings, controls, facts, active):
    """Defaults in /etc/default/ufw, rules as ufw itself writes them in user.rules (ufw-framework(8))."""
    wanted = {key for item in settings for key, value in item["setting"]["wanted"].items() if value}
    wanted |= set() if active else {"input"}
    limited = "limited_ports" in wanted
    found = [] if facts.installed("ufw") else [_package("ufw", controls)]
    defaults = [
        change(controls, set=POLICIES[hook], value='"DROP"', separator="=") for hook in POLICIES if hook in wanted
    ]
    follow = ["restart:ufw.service"]
    if defaults:
        found.append(edit("/etc/default/ufw", defaults, controls, guarded=True, follow=follow))
    for suffix in ("", "6"):
        lines = [line for pair in _rules(suffix, wanted, limited, facts) for line in pair]
        changes = [change(controls, line=line, state="present", before=BEFORE) for line in lines]
        if changes:
            found.append(edit(f"/etc/ufw/user{suffix}.rules", changes, controls, guarded=True, follow=follow))
    enabled = change(controls, set="ENABLED", value="yes", separator="=")
    found.append(edit("/etc/ufw/ufw.conf", [enabled], controls, guarded=True, follow=follow))
    found.append(operation("unit", controls, name="ufw.service", enabled=True, active=True, masked=False, guarded=True))
    return found


def _rules(suffix, wanted, limited, facts):
    """Yield ``(tuple comment, rule)`` of user.rules (suffix "") or user6.rules ("6")."""
    chain, everywhere = f"ufw{suffix}-user", ANY[suffix]
    for address in controllers(facts)[1 if suffix else 0]:
        for port in ssh_ports(facts):
            yield (f"### tuple ### allow tcp {port} {everywhere} any {address} in",
                   f"-A {chain}-input -p tcp --dport {port} -s {address} -j ACCEPT")  # fmt: skip
    if "loopback" in wanted:
        yield (f"### tuple ### deny any any {everywhere} any {LOOPBACK[suffix]} in",
               f"-A {chain}-input -s {LOOPBACK[suffix]} -j DROP")  # fmt: skip
    for proto, ports in served(facts).items():
        for port in ports:
            if limited and proto == "tcp" and not suffix:
                match = f"-A {chain}-input -p tcp --dport {port} -m conntrack --ctstate NEW -m recent"
                yield (f"### tuple ### limit tcp {port} {everywhere} any {everywhere} in", f"{match} --set")
                yield (f"{match} --update --seconds 30 --hitcount 6 -j {chain}-limit",
                       f"-A {chain}-input -p tcp --dport {port} -j {chain}-limit-accept")  # fmt: skip
            else:
                yield (f"### tuple ### allow {proto} {port} {everywhere} any {everywhere} in",
                       f"-A {chain}-input -p {proto} --dport {port} -j ACCEPT")  # fmt: skip
    if "output" in wanted:
        for proto in ("tcp", "udp"):
            yield (f"### tuple ### allow {proto} any {everywhere} any {everywhere} out",
                   f"-A {chain}-output -p {proto} -j ACCEPT")  # fmt: skip


TRUSTED = """<?xml version="1.0" encoding="utf-8"?>
<zone target="ACCEPT">
  <short>Trusted</short>
  <description>The loopback interface, and nothing that pretends to be it. Written by Ringwall.</description>
  <interface name="lo"/>
  <rule family="ipv4">
    <source address="127.0.0.1"/>
    <destination address="127.0.0.1" invert="True"/>
    <drop/>
  </rule>
  <rule family="ipv6">
    <source address="::1"/>
    <destination address="::1" invert="True"/>
    <drop/>
  </rule>
</zone>
"""


def _firewalld(settings, controls, facts, active):
    wanted = {key for item in settings for key, value in item["setting"]["wanted"].items() if value}
    found = [] if facts.installed("firewalld") else [_package("firewalld", controls)]
    told = facts.value("firewall", "firewalld", "settings", {})
    saved = facts.value("firewall", "firewalld", "saved_in", [])
    follow = ["reload:firewalld.service"]
    zones = told.get("zones") or {}
    if "loopback" in wanted:
        if any("lo" in zone.get("interfaces", ()) for zone in zones.values()):
            found.append(
                left(controls, "the loopback interface is bound to a zone already: add the rules to that zone")
            )
        else:
            path = "/etc/firewalld/zones/trusted.xml"
            found.append(operation("write", controls, path=path, text=TRUSTED, guarded=True, follow=follow, **PRIVATE))
    if not active:
        zone = str(told.get("default_zone") or "public")
        own = any(str(path).startswith("/etc/firewalld/zones/") for path in saved)
        if own or not re.fullmatch(r"[A-Za-z0-9_-]{1,17}", zone):
            found.append(left(controls, f"look whether the zone {zone} lets in what is used, then start firewalld"))
            return found
        path = f"/etc/firewalld/zones/{zone}.xml"
        text = _zone(zone, facts)
        found.append(operation("write", controls, path=path, text=text, guarded=True, follow=follow, **PRIVATE))
    unit = {"name": "firewalld.service", "enabled": True, "active": True, "masked": False}
    found.append(operation("unit", controls, guarded=True, **unit))
    return found


def _zone(name, facts):
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<zone>", f"  <short>{name.capitalize()}</short>"]
    lines += ["  <description>What listened when Ringwall's hardening wrote this.</description>"]
    lines += ['  <service name="ssh"/>', '  <service name="dhcpv6-client"/>']
    for proto, ports in served(facts).items():
        lines += [f'  <port port="{port}" protocol="{proto}"/>' for port in ports]
    four, six = controllers(facts)
    for family, addresses in (("ipv4", four), ("ipv6", six)):
        for address in addresses:
            for port in ssh_ports(facts):
                lines += [f'  <rule family="{family}">', f'    <source address="{address}"/>']
                lines += [f'    <port port="{port}" protocol="tcp"/>', "    <accept/>", "  </rule>"]
    return "\n".join([*lines, "</zone>"]) + "\n"


def _package(name, controls):
    return {"op": "package", "name": name, "state": "installed", "controls": controls}


BUILDERS = {"nftables": _nftables, "ufw": _ufw, "firewalld": _firewalld}

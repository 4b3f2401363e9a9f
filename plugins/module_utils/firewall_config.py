"""What the files of ufw, firewalld, nftables and iptables-persistent will load at the next boot."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import re

from .assignments import parse_assignments
from .firewall_facts import FAMILIES, STRICT, Facts
from .firewall_iptables import parse_save
from .firewall_nft import blank_rule
from .spec import Absent

NFT_MAIN = ("/etc/nftables.conf", "/etc/sysconfig/nftables.conf", "/etc/nftables.nft")
SAVED = {
    "iptables": ("/etc/iptables/rules.v4", "/etc/sysconfig/iptables", "/etc/iptables/iptables.rules"),
    "ip6tables": ("/etc/iptables/rules.v6", "/etc/sysconfig/ip6tables", "/etc/iptables/ip6tables.rules"),
}
INCLUDE_CAP = 64

_NFT_TOKEN = re.compile(
    r'^[ \t]*include[ \t]+"(?P<include>[^"\n]+)"'
    r"|\btable[ \t]+(?:(?P<family>ip|ip6|inet|arp|bridge|netdev)[ \t]+)?(?P<table>[\w.-]+)\s*\{"
    r"|\btype[ \t]+filter[ \t]+hook[ \t]+(?P<hook>input|forward|output)\b[^;}\n]*;?\s*(?:policy[ \t]+(?P<policy>\w+))?",
    re.MULTILINE,
)
_XML_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_ZONE_TARGET = re.compile(r"<zone\b[^>]*\btarget\s*=\s*[\"']([^\"'<>]{1,40})[\"']")
_ZONE_ITEM = re.compile(r"<(service|port|interface|source|rule)\b([^>]*)>")
_RICH_RULE = re.compile(r"<rule\b.*?</rule>|<rule\b[^>]*/>", re.DOTALL)
_RICH_TAG = re.compile(r"<([a-z-]+)\b([^>]*)>")
_UFW_TUPLE = re.compile(r"### tuple ### (\w+) (\w+) (\S+) (\S+) (\S+) (\S+)(?: \S+ -)? (in|out)")
_ATTRIBUTE = re.compile(r"\b([a-z]+)\s*=\s*[\"']([^\"'<>]{0,200})[\"']")


def parse_nft_script(content):
    """Return (policies, includes) of an nftables script: ``"ip input"`` -> policy, and the include patterns."""
    policies, includes, family = {}, [], "ip"
    lines = [line if not line.lstrip().startswith("#") else "" for line in content.split("\n")]
    for match in _NFT_TOKEN.finditer("\n".join(lines)):
        if match.group("include"):
            includes.append(match.group("include"))
        elif match.group("table"):
            family = match.group("family") or "ip"
        else:
            for single in FAMILIES if family == "inet" else (family,):
                key = "%s %s" % (single, match.group("hook"))
                policy = match.group("policy") or "accept"
                if STRICT.get(policy, 0) >= STRICT.get(policies.get(key), 0):
                    policies[key] = policy
    return policies, includes


def read_nft_scripts(host):
    """Return (policies, paths) of the nftables script that is loaded at boot, with all that it includes."""
    policies, paths = {}, []
    todo = [path for path in NFT_MAIN if host.exists(path)]
    while todo and len(paths) < INCLUDE_CAP:
        path = todo.pop(0)
        if path in paths:
            continue
        try:
            found, includes = parse_nft_script(host.read_text(path))
        except Absent:
            continue
        paths.append(path)
        for key, policy in found.items():
            if STRICT.get(policy, 0) >= STRICT.get(policies.get(key), 0):
                policies[key] = policy
        for pattern in includes:
            # A relative include is looked for in nft's own directory, nft(8).
            pattern = pattern if pattern.startswith("/") else "/etc/" + pattern
            todo += host.glob(pattern)
    return policies, paths


def read_saved(host, name):
    """Return (policies, paths) of the rules that iptables-persistent or the iptables service loads at boot."""
    family = "ip6" if name.startswith("ip6") else "ip"
    for path in SAVED[name]:
        try:
            facts = Facts(*parse_save(host.lines(path), family))
        except Absent:
            continue
        return {key: value for key, value in facts.policies().items() if value and key.startswith(family + " ")}, [path]
    return {}, []


# ufw ------------------------------------------------------------------------------------------------------


def ufw_model(defaults, files):
    """Return Facts of ufw's rules. ``defaults`` are those of /etc/default/ufw, ``files`` (family, lines) pairs.

    ufw-init builds the base chains; here they are made as it makes them: each jumps to before, user and after.
    """
    chains, rules = [], []
    for family, lines in files:
        found = parse_save(lines, family)
        chains += [chain for chain in found[0] if not chain["hook"]]
        rules += found[1]
    for family in FAMILIES if defaults.get("IPV6", "yes").lower() == "yes" else ("ip",):
        prefix = "ufw6" if family == "ip6" else "ufw"
        for hook in ("input", "forward", "output"):
            name = hook.upper()
            policy = defaults.get("DEFAULT_%s_POLICY" % name, "ACCEPT").lower()
            chains.append(
                {
                    "family": family,
                    "table": "filter",
                    "name": name,
                    "type": "filter",
                    "hook": hook,
                    "priority": 0,
                    "policy": policy,
                }
            )
            for part in ("before", "user", "after"):
                rules.append(
                    blank_rule(
                        family=family,
                        table="filter",
                        chain=name,
                        action="jump",
                        target="%s-%s-%s" % (prefix, part, hook),
                    )
                )
    return Facts(chains, rules)


def ufw_enabled(host):
    """True if ufw is switched on; raise Absent when it is not installed, Unreadable."""
    return parse_assignments(host.lines("/etc/ufw/ufw.conf")).get("ENABLED", "no").lower() == "yes"


def read_ufw(host):
    """Return (enabled, settings, paths, Facts) of ufw, None when it is not installed; raise Unreadable."""
    try:
        enabled = parse_assignments(host.lines("/etc/ufw/ufw.conf"))
    except Absent:
        return None
    paths = ["/etc/ufw/ufw.conf"]
    try:
        defaults = parse_assignments(host.lines("/etc/default/ufw"))
        paths.append("/etc/default/ufw")
    except Absent:
        defaults = {}
    files = []
    for family, suffix in (("ip", ""), ("ip6", "6")):
        for part in ("before", "user", "after"):
            path = "/etc/ufw/%s%s.rules" % (part, suffix)
            try:
                files.append((family, host.lines(path)))
                paths.append(path)
            except Absent:
                continue
    settings = {
        name.lower(): value
        for name, value in defaults.items()
        if name == "IPV6" or (name.startswith("DEFAULT_") and name.endswith("_POLICY"))
    }
    settings["loglevel"] = enabled.get("LOGLEVEL", "")
    settings["rules"] = [dict(rule, family=family) for family, lines in files for rule in parse_ufw_tuples(lines)]
    return ufw_enabled(host), settings, paths, ufw_model(defaults, files)


# firewalld ------------------------------------------------------------------------------------------------


def parse_zone(content):
    """Return {target, services, ports, interfaces, sources, rich_rules} of a zone file, firewalld.zone(5)."""
    content = _XML_COMMENT.sub("", content)
    match = _ZONE_TARGET.search(content)
    zone = {
        "target": match.group(1) if match else "default",
        "services": [],
        "ports": [],
        "interfaces": [],
        "sources": [],
        "rich_rules": 0,
    }
    zone["loopback_restricted"] = sorted(family for family in FAMILIES if any(
        restricts_loopback(rule, family) for rule in _RICH_RULE.findall(content)[:200]))  # fmt: skip
    depth = content.split("<rule")[0] if "<rule" in content else content
    for kind, text in _ZONE_ITEM.findall(content):
        attributes = dict(_ATTRIBUTE.findall(text))
        if kind == "rule":
            zone["rich_rules"] += 1
        elif kind == "interface" and attributes.get("name"):
            zone["interfaces"].append(attributes["name"])
    for kind, text in _ZONE_ITEM.findall(depth):
        attributes = dict(_ATTRIBUTE.findall(text))
        if kind == "service" and attributes.get("name"):
            zone["services"].append(attributes["name"])
        elif kind == "port" and attributes.get("port"):
            zone["ports"].append("%s/%s" % (attributes.get("protocol", "tcp"), attributes["port"]))
        elif kind == "source" and attributes.get("address"):
            zone["sources"].append(attributes["address"])
    return {name: sorted(value)[:200] if isinstance(value, list) else value for name, value in zone.items()}


def restricts_loopback(rule, family):
    """True if a rich rule drops what claims a loopback address of the family and is not meant for one."""
    tags = {name: dict(_ATTRIBUTE.findall(attributes)) for name, attributes in _RICH_TAG.findall(rule)}
    source, meant = tags.get("source", {}).get("address", ""), tags.get("destination", {})
    known = ("127.0.0.1", "127.0.0.0/8") if family == "ip" else ("::1", "::1/128")
    elsewhere = not meant or (meant.get("invert", "").lower() in ("true", "yes") and meant.get("address") in known)
    return source in known and elsewhere and ("drop" in tags or "reject" in tags)


def _zones(host, default):
    """Return {zone: what its file says} of the zones that interfaces or sources are bound to, and the default one."""
    found = {}
    for directory in ("/etc/firewalld/zones", "/usr/lib/firewalld/zones"):
        for path in host.glob(directory + "/*.xml")[:100]:
            name = path.rsplit("/", 1)[-1][:-4]
            if name not in found:
                found[name] = parse_zone(host.read_text(path, 1 << 20))
    return {name: zone for name, zone in found.items() if name == default or zone["interfaces"] or zone["sources"]}


def parse_ufw_tuples(lines):
    """Return [{action, proto, port, source, direction}] of the rules that ``ufw`` itself wrote."""
    found = []
    for line in lines:
        match = _UFW_TUPLE.match(line)
        if match:
            action, proto, port, _to, _from_port, source, direction = match.groups()
            found.append({"action": action, "proto": proto, "port": port, "source": source, "direction": direction})
    return found[:200]


def read_firewalld(host):
    """Return (settings, paths) of firewalld's files, None when it is not installed; raise Unreadable."""
    settings, paths = {}, []
    for path in ("/etc/firewalld/firewalld.conf", "/usr/lib/firewalld/firewalld.conf"):
        try:
            found = parse_assignments(host.lines(path))
        except Absent:
            continue
        settings = {
            "default_zone": found.get("DefaultZone", "public"),
            "backend": found.get("FirewallBackend", ""),
            "log_denied": found.get("LogDenied", "off"),
            "lockdown": found.get("Lockdown", "no"),
        }
        paths.append(path)
        break
    if not paths and not host.is_dir("/usr/lib/firewalld/zones"):
        return None
    settings.setdefault("default_zone", "public")
    zone = settings["default_zone"]
    if "/" not in zone and not zone.startswith("."):
        settings["zones"] = _zones(host, zone)
        for directory in ("/etc/firewalld/zones", "/usr/lib/firewalld/zones"):
            path = "%s/%s.xml" % (directory, zone)
            try:
                settings["zone"] = parse_zone(host.read_text(path, 1 << 20))
            except Absent:
                continue
            paths.append(path)
            break
    return settings, paths

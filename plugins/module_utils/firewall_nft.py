"""The nftables ruleset from ``nft -j list ruleset`` as plain chains and rules (libnftables-json(5))."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

VERDICTS = ("accept", "drop", "reject", "return", "jump", "goto", "queue", "continue")
BUILT_IN = ("INPUT", "FORWARD", "OUTPUT", "PREROUTING", "POSTROUTING")
XTABLES = ("filter", "nat", "mangle", "raw", "security")


def blank_rule(**values):
    """A rule without any condition; the shape that all parsers of firewalls share."""
    rule = {
        "family": "",
        "table": "",
        "chain": "",
        "protocol": None,
        "ports": [],
        "sources": [],
        "destinations": [],
        "in": None,
        "out": None,
        "states": [],
        "action": None,
        "target": None,
        "conditions": 0,
        "branches": [],
        "text": "",
    }
    rule.update(values)
    return rule


def show(value):
    """Readable text of one value of an expression, close to what ``nft list`` prints."""
    if isinstance(value, dict) and len(value) == 1:
        ((kind, inner),) = value.items()
        if kind == "prefix" and isinstance(inner, dict):
            return "%s/%s" % (show(inner.get("addr")), inner.get("len"))
        if kind == "range" and isinstance(inner, list) and len(inner) == 2:
            return "%s-%s" % (show(inner[0]), show(inner[1]))
        if kind == "set":
            return "{ %s }" % ", ".join(show(item) for item in (inner if isinstance(inner, list) else [inner]))
        if kind == "payload" and isinstance(inner, dict) and "field" in inner:
            return "%s %s" % (inner.get("protocol"), inner["field"])
        if kind in ("meta", "ct") and isinstance(inner, dict):
            return (
                " ".join(str(inner[name]) for name in ("dir", "key") if inner.get(name))
                if kind == "meta"
                else ("ct " + " ".join(str(inner[name]) for name in ("dir", "key") if inner.get(name)))
            )
        if kind == "elem" and isinstance(inner, dict):
            return show(inner.get("val"))
        if kind == "concat" and isinstance(inner, list):
            return " . ".join(show(item) for item in inner)
        return "%s %s" % (kind, show(inner))
    if isinstance(value, dict):
        return " ".join("%s %s" % (name, show(value[name])) for name in sorted(value))
    if isinstance(value, list):
        return ",".join(show(item) for item in value)
    return "" if value is None else str(value)


def _values(value):
    """The values on the right of a match as a flat list of text."""
    if isinstance(value, dict) and isinstance(value.get("set"), list):
        return [show(item) for item in value["set"]]
    if isinstance(value, list):
        return [show(item) for item in value]
    return [show(value)]


def _match(rule, match):
    """Note what one match says, unless it is negated; return its text."""
    left, right, operator = match.get("left"), match.get("right"), match.get("op", "==")
    name, values = show(left), _values(right)
    rule["conditions"] += 1
    if operator in ("==", "in"):
        if name in ("tcp dport", "udp dport", "th dport", "sctp dport"):
            rule["ports"] += values
            if name[:2] != "th":
                rule["protocol"] = name.split()[0]
        elif name in ("ip saddr", "ip6 saddr"):
            rule["sources"] += values
        elif name in ("ip daddr", "ip6 daddr"):
            rule["destinations"] += values
        elif name in ("iif", "iifname") and len(values) == 1:
            rule["in"] = values[0]
        elif name in ("oif", "oifname") and len(values) == 1:
            rule["out"] = values[0]
        elif name == "ct state":
            rule["states"] += values
        elif name in ("l4proto", "ip protocol", "ip6 nexthdr") and len(values) == 1:
            rule["protocol"] = values[0]
    return "%s %s%s" % (name, "" if operator in ("==", "in") else operator + " ", show(right))


def _branches(rule, vmap):
    """Return one rule a line of a verdict map (``ct state vmap { established : accept, ... }``), and its text."""
    key, data = vmap.get("key"), vmap.get("data")
    lines = data.get("set") if isinstance(data, dict) else None
    found, words = [], []
    for line in lines if isinstance(lines, list) else ():
        if not (isinstance(line, list) and len(line) == 2 and isinstance(line[1], dict) and len(line[1]) == 1):
            continue
        branch = dict(
            rule,
            ports=list(rule["ports"]),
            sources=list(rule["sources"]),
            branches=[],
            destinations=list(rule["destinations"]),
            states=list(rule["states"]),
        )
        _match(branch, {"left": key, "right": line[0]})
        ((branch["action"], inner),) = line[1].items()
        if isinstance(inner, dict) and "target" in inner:
            branch["target"] = str(inner["target"])
        found.append(branch)
        words.append(("%s : %s %s" % (show(line[0]), branch["action"], branch["target"] or "")).strip())
    return found, "%s vmap %s" % (show(key), "{ %s }" % ", ".join(words) if words else show(data))


def _rule(item):
    rule = blank_rule(family=str(item.get("family")), table=str(item.get("table")), chain=str(item.get("chain")))
    words = []
    for part in item.get("expr") or ():
        if not isinstance(part, dict) or len(part) != 1:
            continue
        ((kind, inner),) = part.items()
        if kind == "match" and isinstance(inner, dict):
            words.append(_match(rule, inner))
        elif kind in VERDICTS:
            rule["action"] = kind
            if isinstance(inner, dict) and "target" in inner:
                rule["target"] = str(inner["target"])
            words.append(
                (kind + " " + show(inner)).strip()
                if kind != "jump" and kind != "goto"
                else "%s %s" % (kind, rule["target"])
            )
        elif kind == "counter":
            continue  # its packets and bytes are no part of the rule
        elif kind == "log":
            words.append("log")
        elif kind == "vmap" and isinstance(inner, dict):
            rule["branches"], said = _branches(rule, inner)
            rule["conditions"] += 1
            words.append(said)
        else:
            # A limit, a verdict map, a match of iptables: more conditions than we can name.
            if kind == "xt" and isinstance(inner, dict) and inner.get("type") == "target":
                rule["action"] = {"REJECT": "reject"}.get(inner.get("name"), str(inner.get("name")))
            else:
                rule["conditions"] += 1
            words.append((kind + " " + show(inner)).strip())
    if item.get("comment"):
        words.append('comment "%s"' % item["comment"])
    rule["text"] = " ".join(words)
    return rule


def parse_ruleset(document):
    """Return (chains, rules) of the parsed JSON of ``nft -j list ruleset``.

    A chain is {family, table, name, type, hook, priority, policy}; hook is None for one that is only jumped to.
    Raise ValueError for a document that is none.
    """
    items = document.get("nftables") if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise ValueError("no list named nftables")
    chains, rules = [], []
    for item in items:
        if not isinstance(item, dict):
            continue
        chain, rule = item.get("chain"), item.get("rule")
        if isinstance(chain, dict):
            chains.append(
                {
                    "family": str(chain.get("family")),
                    "table": str(chain.get("table")),
                    "name": str(chain.get("name")),
                    "type": chain.get("type"),
                    "hook": chain.get("hook"),
                    "priority": chain.get("prio"),
                    "policy": chain.get("policy") or ("accept" if chain.get("hook") else None),
                }
            )
        elif isinstance(rule, dict):
            rules.append(_rule(rule))
    return chains, rules


def xtables(chains):
    """The (family, table) pairs that iptables-nft made: its table names, and chains with its built-in names."""
    return {
        (chain["family"], chain["table"])
        for chain in chains
        if chain["family"] in ("ip", "ip6") and chain["table"] in XTABLES and chain["name"] in BUILT_IN
    }

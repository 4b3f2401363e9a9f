"""Rules of the packet filter, one a row, without counters."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import hashlib

from ..firewall_facts import Facts
from ..firewall_state import state
from ..redact import redact
from ..spec import Absent, Column, Result, Table, Unreadable

TABLE = Table(
    name="firewall_rules",
    description="Rules that the running kernel applies to packets, from nftables and from iptables. The order of all "
    "of them is held by `digest` of the table firewall.",
    key="`<family> <table> <chain> <8 hex digits of the rule>`, `#2`, `#3` for further rules alike",
    columns=(
        Column("source", "text", "nftables, iptables, ip6tables, iptables-legacy or ip6tables-legacy"),
        Column("family", "text", "ip, ip6, inet, bridge, arp or netdev"),
        Column("table", "text", "table"),
        Column("chain", "text", "chain"),
        Column("hook", "text", "hook of a base chain (input, forward, output, ...); null for a chain jumped to"),
        Column("position", "int", "place in its chain, from 1", volatile=True),
        Column("rule", "text_sensitive", "the rule in words close to its program's, cut at 500 characters"),
        Column("action", "text", "accept, drop, reject, return, jump, goto, queue, continue; null for none"),
        Column("target", "text", "chain or extension that it jumps to"),
        Column("protocol", "text", "transport protocol that it names"),
        Column("ports", "list", "destination ports as text, ranges as written"),
        Column("sources", "list", "source addresses as written"),
        Column("destinations", "list", "destination addresses as written"),
        Column("in_interface", "text", "incoming interface"),
        Column("out_interface", "text", "outgoing interface"),
        Column("states", "list", "connection states"),
        Column("unconditional", "bool", "it matches every packet that reaches it"),
    ),
    max_rows=5000,
    live_only=True,
)

LIST_CAP = 50


def rows_of(source, facts, rows):
    """Add the rows of one ruleset to ``rows``; stop at the table's limit."""
    hooks = {(chain["family"], chain["table"], chain["name"]): chain["hook"] for chain in facts.chains}
    places = {}
    for rule in facts.rules:
        if len(rows) >= TABLE.max_rows:
            return
        where = (rule["family"], rule["table"], rule["chain"])
        places[where] = places.get(where, 0) + 1
        base = "%s %s" % (" ".join(where), hashlib.sha256(rule["text"].encode("utf-8")).hexdigest()[:8])
        key, number = base, 1
        while key in rows:
            number += 1
            key = "%s#%d" % (base, number)
        rows[key] = {
            "source": source,
            "family": rule["family"],
            "table": rule["table"],
            "chain": rule["chain"],
            "hook": hooks.get(where),
            "position": places[where],
            "rule": redact(rule["text"])[:500],
            "action": rule["action"],
            "target": rule["target"],
            "protocol": rule["protocol"],
            "ports": rule["ports"][:LIST_CAP],
            "sources": rule["sources"][:LIST_CAP],
            "destinations": rule["destinations"][:LIST_CAP],
            "in_interface": rule["in"],
            "out_interface": rule["out"],
            "states": rule["states"][:LIST_CAP],
            "unconditional": rule["conditions"] == 0,
        }


def collect(host, options):
    """Return one row a rule; raise Unreadable for anyone but root."""
    found = state(host)
    gap = found.gap()
    if gap is not None:
        raise gap
    if isinstance(found.nft, Absent) and all(isinstance(item, Absent) for item in found.iptables.values()):
        raise Unreadable("partial", "neither nft nor iptables is there to ask")
    rows = {}
    sources = [("nftables", found.nft_own)] + sorted(found.iptables.items())
    total = 0
    for source, facts in sources:
        if isinstance(facts, Facts):
            total += len(facts.rules)
            rows_of(source, facts, rows)
    if total > len(rows):
        return Result(rows, "partial", "%d of %d rules" % (len(rows), total))
    return rows

"""What a set of chains and rules means: default policies, loopback, established traffic, ports let in.

Pure functions over the shapes of ``firewall_nft.parse_ruleset`` and ``firewall_iptables.parse_save``.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import hashlib

FAMILIES = ("ip", "ip6")
HOOKS = ("input", "forward", "output")
STRICT = {"accept": 0, "reject": 1, "drop": 2}
LOOPBACK = {"ip": ("127.0.0.0/8",), "ip6": ("::1", "::1/128")}
DEPTH = 8
"""Jumps followed; the kernel allows 16, real rulesets use two or three."""


class Facts:
    """One ruleset, indexed. Chains of the family ``inet`` count for both ip and ip6."""

    def __init__(self, chains, rules):
        self.chains = chains
        self.rules = rules
        self._by_chain = {}
        for rule in rules:
            self._by_chain.setdefault((rule["family"], rule["table"], rule["chain"]), []).append(rule)

    def base(self, family, hook):
        """Base chains of type filter of that hook which see this family's packets.

        Tables mangle and raw of iptables are left out: they are of type filter too, and decide nothing.
        """
        return [
            chain
            for chain in self.chains
            if chain["hook"] == hook
            and chain["type"] == "filter"
            and chain["family"] in (family, "inet")
            and chain["table"] not in ("mangle", "raw", "security")
        ]

    def of_chain(self, chain):
        """Rules of a chain in order."""
        return self._by_chain.get((chain["family"], chain["table"], chain["name"]), [])

    def _end(self, key, depth=0):
        """Verdict that every packet meets which no other rule of the chain decided, or None."""
        for rule in self._by_chain.get(key, ()):
            if rule["conditions"]:
                continue
            if rule["action"] in STRICT:
                return rule["action"]
            if rule["action"] == "return":
                return None
            if rule["action"] in ("jump", "goto") and depth < DEPTH:
                verdict = self._end((key[0], key[1], rule["target"]), depth + 1)
                if verdict or rule["action"] == "goto":
                    return verdict
        return None

    def default(self, family, hook):
        """What becomes of a packet that no condition matched: the strictest base chain decides; None without one."""
        found = [
            self._end((chain["family"], chain["table"], chain["name"])) or chain["policy"] or "accept"
            for chain in self.base(family, hook)
        ]
        return max(found, key=lambda verdict: STRICT.get(verdict, 0)) if found else None

    def policies(self):
        """``"ip input"`` -> accept, reject, drop; None when nothing filters there. All six keys."""
        return {"%s %s" % (family, hook): self.default(family, hook) for family in FAMILIES for hook in HOOKS}

    def reached(self, family, hook):
        """Rules that packets of that family and hook pass through: base chains and what they jump to."""
        found, todo, seen = [], [(c["family"], c["table"], c["name"]) for c in self.base(family, hook)], set()
        while todo:
            key = todo.pop()
            if key in seen:
                continue
            seen.add(key)
            for line in self._by_chain.get(key, ()):
                for rule in [line] + line["branches"]:
                    found.append(rule)
                    if rule["action"] in ("jump", "goto") and rule["target"]:
                        todo.append((key[0], key[1], rule["target"]))
        return found

    def loopback(self):
        """Family -> {in, out, spoofed}: loopback let in, let out, its addresses from elsewhere dropped."""
        found = {}
        for family in FAMILIES:
            incoming = self.reached(family, "input")
            found[family] = {
                "in": any(r["in"] == "lo" and r["action"] == "accept" and r["conditions"] == 1 for r in incoming),
                "out": any(
                    r["out"] == "lo" and r["action"] == "accept" and r["conditions"] == 1
                    for r in self.reached(family, "output")
                ),
                "spoofed": any(
                    r["action"] in ("drop", "reject") and set(r["sources"]) & set(LOOPBACK[family]) for r in incoming
                ),
            }
        return found

    def established(self):
        """``"ip input"`` ... for each family and hook that lets established connections through."""
        return [
            "%s %s" % (family, hook)
            for family in FAMILIES
            for hook in HOOKS
            if any("established" in r["states"] and r["action"] == "accept" for r in self.reached(family, hook))
        ]

    def open_ports(self):
        """``tcp/22`` ... named by rules that accept on input, sorted, at most 300."""
        found = set()
        for family in FAMILIES:
            for rule in self.reached(family, "input"):
                if rule["action"] == "accept":
                    found.update("%s/%s" % (rule["protocol"] or "any", port) for port in rule["ports"])
        return sorted(found)[:300]

    def filters_input(self):
        """True if something decides about incoming packets: a rule in an input chain or a strict policy."""
        return any(
            self.of_chain(chain) or chain["policy"] == "drop"
            for family in FAMILIES
            for chain in self.base(family, "input")
        )

    def digest(self):
        """SHA-256 of chains and rules in their order, without counters."""
        content = hashlib.sha256()
        for chain in self.chains:
            content.update(("%(family)s %(table)s %(name)s %(hook)s %(priority)s %(policy)s\n" % chain).encode("utf-8"))
        for rule in self.rules:
            content.update(("%(family)s %(table)s %(chain)s %(text)s\n" % rule).encode("utf-8"))
        return content.hexdigest()

"""Rules of iptables and ip6tables in the format of iptables-save(8), which ufw and iptables-persistent share."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import re

from .firewall_nft import blank_rule

_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
_COUNTER = re.compile(r"^\[\d+:\d+\] ")
ACTIONS = {
    "ACCEPT": "accept",
    "DROP": "drop",
    "REJECT": "reject",
    "RETURN": "return",
    "QUEUE": "queue",
    "NFQUEUE": "queue",
}
CONTINUING = ("LOG", "NFLOG", "MARK", "CONNMARK", "TRACE", "AUDIT", "CT", "TCPMSS", "SET", "NOTRACK", "ULOG")
"""Targets after which the next rule is asked, iptables-extensions(8)."""

HOOKS = {
    "INPUT": "input",
    "FORWARD": "forward",
    "OUTPUT": "output",
    "PREROUTING": "prerouting",
    "POSTROUTING": "postrouting",
}
FIELDS = {
    "-s": "sources",
    "--source": "sources",
    "-d": "destinations",
    "--destination": "destinations",
    "--dport": "ports",
    "--dports": "ports",
    "--ports": "ports",
    "--state": "states",
    "--ctstate": "states",
}


def parse_rule(line, family, table):
    """Return the rule of one ``-A`` line (without counters), or None if it is none."""
    words = [quoted if quoted else bare for quoted, bare in _WORD.findall(line)]
    if len(words) < 2 or words[0] not in ("-A", "--append"):
        return None
    rule = blank_rule(family=family, table=table, chain=words[1], text=line.split(None, 2)[2] if len(words) > 2 else "")
    negated = False
    position = 2
    while position < len(words):
        word = words[position]
        value = words[position + 1] if position + 1 < len(words) else ""
        if word == "!":
            negated = True
            position += 1
            continue
        if word in ("-j", "--jump", "-g", "--goto"):
            rule["target"] = None if value in ACTIONS else value
            rule["action"] = ACTIONS.get(value) or (
                "continue" if value in CONTINUING else "goto" if word in ("-g", "--goto") else "jump"
            )
            return rule  # what follows are options of the target
        if word in ("--comment",) or word in ("-m", "--match"):
            position += 2
            continue
        if word in ("-c", "--set-counters"):
            position += 3
            continue
        if word.startswith("-"):
            rule["conditions"] += 1
            if not negated:
                if word in FIELDS:
                    rule[FIELDS[word]] += [
                        part.lower() if FIELDS[word] == "states" else part for part in value.split(",") if part
                    ]
                elif word in ("-p", "--protocol"):
                    rule["protocol"] = value
                elif word in ("-i", "--in-interface"):
                    rule["in"] = value
                elif word in ("-o", "--out-interface"):
                    rule["out"] = value
            negated = False
        position += 1
    return rule


def parse_save(lines, family):
    """Return (chains, rules) in the shape of ``firewall_nft.parse_ruleset``. ``family`` is ip or ip6.

    Chains of a file without policies (ufw's rule files) have policy None.
    """
    chains, rules = [], []
    table = ""
    for line in lines:
        line = _COUNTER.sub("", line.strip())
        if line.startswith("*"):
            table = line[1:].strip()
        elif line.startswith(":"):
            words = line[1:].split()
            if len(words) < 2:
                continue
            hook = HOOKS.get(words[0])
            chains.append(
                {
                    "family": family,
                    "table": table,
                    "name": words[0],
                    "priority": 0 if hook else None,
                    "hook": hook,
                    "type": ("nat" if table == "nat" else "filter") if hook else None,
                    "policy": words[1].lower() if hook and words[1] != "-" else None,
                }
            )
        elif line.startswith("-"):
            rule = parse_rule(line, family, table)
            if rule:
                rules.append(rule)
    return chains, rules

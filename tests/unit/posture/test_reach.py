"""Whether a stranger gets through real rulesets: iptables-save of ufw, Docker and by hand, nft of firewalld and by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import firewall_iptables, firewall_nft
from ansible_collections.ringwall.servers.plugins.module_utils.firewall_facts import Facts
from ansible_collections.ringwall.servers.plugins.module_utils.tables.firewall import blank, facts_cells
from ansible_collections.ringwall.servers.plugins.module_utils.tables.firewall_rules import rows_of
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.reach import in_ports, packet_filter
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.view import Gap, Snapshot, TableView

FIXTURES = Path(__file__).parents[2] / "fixtures"
UFW = """\
*filter
:INPUT DROP [0:0]
:ufw-before-input - [0:0]
:ufw-user-input - [0:0]
:ufw-user-limit - [0:0]
:ufw-user-limit-accept - [0:0]
:ufw-not-local - [0:0]
:ufw-after-input - [0:0]
:ufw-skip-to-policy-input - [0:0]
-A INPUT -j ufw-before-input
-A INPUT -j ufw-after-input
-A ufw-before-input -i lo -j ACCEPT
-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw-before-input -m conntrack --ctstate INVALID -j DROP
-A ufw-before-input -p icmp -m icmp --icmp-type 8 -j ACCEPT
-A ufw-before-input -p udp -m udp --sport 67 --dport 68 -j ACCEPT
-A ufw-before-input -j ufw-not-local
-A ufw-before-input -d 224.0.0.251/32 -p udp -m udp --dport 5353 -j ACCEPT
-A ufw-before-input -j ufw-user-input
-A ufw-not-local -m addrtype --dst-type LOCAL -j RETURN
-A ufw-not-local -m addrtype --dst-type MULTICAST -j RETURN
-A ufw-not-local -m limit --limit 3/min --limit-burst 10 -j DROP
-A ufw-not-local -j DROP
-A ufw-user-input -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -j ACCEPT
-A ufw-user-input -p tcp -m tcp --dport 443 -j ACCEPT
-A ufw-user-input -p tcp -m tcp --dport 2222 -m conntrack --ctstate NEW -m recent --update --seconds 30 --hitcount 6 -j ufw-user-limit
-A ufw-user-input -p tcp -m tcp --dport 2222 -j ufw-user-limit-accept
-A ufw-user-limit -j REJECT --reject-with icmp-port-unreachable
-A ufw-user-limit-accept -j ACCEPT
-A ufw-after-input -p udp -m udp --dport 137 -j ufw-skip-to-policy-input
-A ufw-skip-to-policy-input -j DROP
COMMIT
"""
DOCKER = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n-A FORWARD -i docker0 -j ACCEPT\nCOMMIT\n*nat\n:INPUT ACCEPT [0:0]\nCOMMIT\n"


def snapshot(*sources):
    """``sources``: (name, Facts). The two tables as the collectors make them."""
    rules, front = {}, {"host": blank(None)}
    for name, facts in sources:
        rows_of(name, facts, rules)
        own = [chain for chain in facts.chains if chain["table"].startswith("firewalld")]
        front["firewalld" if own else name] = {**blank(name), **facts_cells(facts)}
    views = {"firewall": front, "firewall_rules": rules}
    return Snapshot({name: TableView(name, rows=rows) for name, rows in views.items()})


def iptables(text, name="iptables"):
    return (name, Facts(*firewall_iptables.parse_save(text.splitlines(), "ip6" if name[:3] == "ip6" else "ip")))


def nft(*rules, policy="drop"):
    """One inet table with a chain ``input`` that holds the rules, each a list of expressions as ``nft -j`` gives them."""
    chain = {
        "family": "inet",
        "table": "filter",
        "name": "input",
        "type": "filter",
        "hook": "input",
        "prio": 0,
        "policy": policy,
    }
    items = [{"chain": chain}]
    items += [{"rule": {"family": "inet", "table": "filter", "chain": "input", "expr": rule}} for rule in rules]
    return ("nftables", Facts(*firewall_nft.parse_ruleset({"nftables": items})))


def fixture(name):
    path = FIXTURES / "tables" / "firewall" / name
    return ("nftables", Facts(*firewall_nft.parse_ruleset(json.loads(path.read_text()))))


def dport(value):
    return {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": value}}


def saddr(value, operator="=="):
    return {"match": {"op": operator, "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": value}}


def is_open(shot, port, proto="tcp", family="ip"):
    return packet_filter(shot).opens(proto, port, family) is not None


@pytest.mark.parametrize(
    ("port", "proto", "reached"),
    [(22, "tcp", False), (443, "tcp", True), (443, "udp", False), (2222, "tcp", True), (80, "tcp", False), (5353, "udp", True),
     (137, "udp", False)],
)  # fmt: skip
def test_ufw(port, proto, reached):
    assert is_open(snapshot(iptables(UFW)), port, proto) is reached


def test_the_rule_that_opens_is_named():
    assert (
        packet_filter(snapshot(iptables(UFW))).opens("tcp", 443, "ip")
        == "ip filter ufw-user-input: -p tcp -m tcp --dport 443 -j ACCEPT"
    )


def test_ipv4_rules_say_nothing_of_ipv6():
    shot = snapshot(iptables(UFW), iptables("*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n", "ip6tables"))
    assert not is_open(shot, 22)
    assert is_open(shot, 22, family="ip6")


def test_rules_of_docker_protect_nothing_of_the_host():
    assert is_open(snapshot(iptables(DOCKER)), 22)
    assert is_open(snapshot(), 22)


def test_firewalld_lets_in_what_its_zone_lists():
    shot = snapshot(fixture("nft-firewalld.json"))
    assert is_open(shot, 22)
    assert not is_open(shot, 5432)
    assert is_open(shot, 22, family="ip6")


def test_verdict_maps():
    shot = snapshot(fixture("nft-vmap.json"))
    assert is_open(shot, 22)
    assert is_open(shot, 443)
    assert not is_open(shot, 3306)


def test_native_ruleset_by_port_set_and_source():
    shot = snapshot(fixture("nft-mixed.json"))
    assert is_open(shot, 22)
    assert not is_open(shot, 3306)


@pytest.mark.parametrize(
    ("rule", "reached"),
    [
        ("-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT", True),
        ("-A INPUT -p tcp -m tcp --dport 20:25 -j ACCEPT", True),
        ("-A INPUT -p tcp -m multiport --dports 80,22 -j ACCEPT", True),
        ("-A INPUT -p tcp -m tcp --dport 23 -j ACCEPT", False),
        ("-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT", False),
        ("-A INPUT -s 0.0.0.0/0 -p tcp -m tcp --dport 22 -j ACCEPT", True),
        ("-A INPUT ! -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT", True),
        ("-A INPUT -p tcp -m set --match-set admins src -m tcp --dport 22 -j ACCEPT", False),
        ("-A INPUT -p tcp -m tcp --dport 22 -m limit --limit 3/min -j ACCEPT", True),
        ("-A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT", True),
        ("-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT", False),
        ("-A INPUT -i lo -j ACCEPT", False),
        ("-A INPUT -i wg0 -p tcp -m tcp --dport 22 -j ACCEPT", False),
        ("-A INPUT -i eth0 -p tcp -m tcp --dport 22 -j ACCEPT", True),
        ("-A INPUT -p udp -m udp --dport 22 -j ACCEPT", False),
        ("-A INPUT -p icmp -j ACCEPT", False),
        ("-A INPUT -j ACCEPT", True),
        ("-A INPUT -j LOG\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT", True),
        ("-A INPUT -s 192.0.2.7/32 -j DROP\n-A INPUT -p tcp --dport 22 -j ACCEPT", True),
        ("-A INPUT ! -s 192.0.2.0/24 -p tcp --dport 22 -j DROP\n-A INPUT -p tcp --dport 22 -j ACCEPT", False),
        ("-A INPUT -p tcp --dport 22 -j f2b\n-A f2b -s 192.0.2.7/32 -j REJECT\n-A f2b -j RETURN\n-A INPUT -p tcp --dport 22 -j ACCEPT", True),
        ("-A INPUT -g X\n-A INPUT -p tcp --dport 22 -j ACCEPT\n-A X -j RETURN", False),
        ("-A INPUT -s 192.0.2.0/24 -j X\n-A X -p tcp --dport 22 -j ACCEPT", False),
        ("-A INPUT -p tcp --dport 22 -j REJECT --reject-with icmp-port-unreachable\n-A INPUT -j ACCEPT", False),
        ("-A INPUT -p tcp --dport 22 -m limit --limit 9/min -j DROP\n-A INPUT -p tcp --dport 22 -j ACCEPT", True),
        ("-A INPUT -m comment --comment \"no icmp -s here\" -p tcp --dport 22 -j ACCEPT", True),
        ("-A INPUT -j X\n-A X -j X", False),
    ],
)  # fmt: skip
def test_iptables_by_hand(rule, reached):
    text = f"*filter\n:INPUT DROP [0:0]\n:X - [0:0]\n:f2b - [0:0]\n{rule}\nCOMMIT\n"
    if rule.endswith("-A X -j X"):
        with pytest.raises(Gap):
            is_open(snapshot(iptables(text)), 22)
    else:
        assert is_open(snapshot(iptables(text)), 22) is reached


def test_a_strict_filter_beside_one_that_lets_in_decides():
    closed = iptables("*filter\n:INPUT DROP [0:0]\nCOMMIT\n")
    assert is_open(snapshot(nft([dport(22), {"accept": None}])), 22)
    assert not is_open(snapshot(nft([dport(22), {"accept": None}]), closed), 22)


def test_nft_by_hand():
    assert not is_open(
        snapshot(nft([dport(22), saddr({"prefix": {"addr": "10.0.0.0", "len": 8}}), {"accept": None}])), 22
    )
    assert not is_open(snapshot(nft([dport(22), saddr("@admins"), {"accept": None}])), 22)
    assert not is_open(
        snapshot(nft([dport(22), saddr("@admins", "!="), {"drop": None}], [dport(22), {"accept": None}])), 22
    )
    assert is_open(snapshot(nft([dport({"set": [80, {"range": [20, 25]}]}), {"accept": None}])), 22)
    assert is_open(snapshot(nft(policy="accept")), 22)
    assert not is_open(snapshot(nft([dport(22), {"drop": None}], policy="accept")), 22)


def test_a_rule_that_cannot_be_understood_lets_nobody_pass():
    shot = snapshot(nft([dport("@services"), {"accept": None}]))
    with pytest.raises(Gap, match="whom this rule lets in cannot be told"):
        is_open(shot, 22)


@pytest.mark.parametrize("name", ["firewall", "firewall_rules"])
def test_what_could_not_be_read_is_a_gap(name):
    views = dict(snapshot(iptables(UFW)).tables)
    views[name] = TableView(name, state="denied", why="not root")
    with pytest.raises(Gap):
        is_open(Snapshot(views), 22)


def test_ports_as_rules_write_them():
    assert in_ports(22, ["20:25"]) is True
    assert in_ports(22, ["20-25"]) is True
    assert in_ports(22, ["1", "22"]) is True
    assert in_ports(22, ["23", "1000-2000"]) is False
    assert in_ports(22, ["ssh"]) is None

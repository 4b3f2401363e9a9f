"""Rulesets as nft 1.0.6 and iptables 1.8.9 list them, files of ufw, firewalld and nftables; verdicts by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import firewall_config, firewall_iptables, firewall_nft
from ansible_collections.ringwall.servers.plugins.module_utils.firewall_facts import Facts
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from hypothesis import given
from hypothesis import strategies as st

FIXTURES = Path(__file__).parents[2] / "fixtures/tables/firewall"
ROOT = Path(__file__).parents[3]


def nft(name):
    return Facts(*firewall_nft.parse_ruleset(json.loads((FIXTURES / name).read_text())))


def iptables(text, family="ip"):
    return Facts(*firewall_iptables.parse_save(text.splitlines(), family))


def test_native_ruleset():
    facts = nft("nft-mixed.json")
    managed = firewall_nft.xtables(facts.chains)
    assert managed == {("ip", "filter"), ("ip6", "filter")}
    own = Facts([c for c in facts.chains if c["family"] == "inet"], [r for r in facts.rules if r["family"] == "inet"])
    assert own.policies() == {
        "ip input": "drop",
        "ip6 input": "drop",
        "ip forward": None,
        "ip6 forward": None,
        "ip output": "accept",
        "ip6 output": "accept",
    }
    assert own.loopback() == {family: {"in": True, "out": True, "spoofed": True} for family in ("ip", "ip6")}
    assert own.established() == ["ip input", "ip6 input"]
    assert own.open_ports() == ["tcp/22", "tcp/443", "udp/53"]
    by_text = {rule["text"]: rule for rule in own.rules}
    assert by_text['tcp dport { 22, 443 } accept comment "ssh"']["ports"] == ["22", "443"]
    assert by_text["ip saddr 127.0.0.0/8 drop"]["sources"] == ["127.0.0.0/8"]
    assert "tcp dport 1000-2000 ip saddr @bad jump extra" in by_text


def test_firewalld_accepts_by_policy_and_rejects_by_its_last_rule():
    facts = nft("nft-firewalld.json")
    assert facts.policies()["ip input"] == "reject"
    assert facts.policies()["ip6 forward"] == "reject"
    assert facts.policies()["ip output"] == "accept"
    assert facts.loopback()["ip"] == {"in": True, "out": True, "spoofed": False}
    assert facts.open_ports() == ["tcp/22", "udp/546"]


def test_verdict_maps_are_looked_into():
    facts = nft("nft-vmap.json")
    assert facts.loopback()["ip"]["in"] is True
    assert facts.established() == ["ip input", "ip6 input"]
    assert facts.open_ports() == ["tcp/22", "tcp/8000-8100"]


def test_negated_match_opens_and_closes_nothing():
    rule = next(rule for rule in nft("nft-vmap.json").rules if rule["chain"] == "docs")
    assert (rule["sources"], rule["ports"], rule["action"]) == ([], ["9"], "drop")


def test_iptables_save():
    facts = iptables((FIXTURES / "iptables-save.txt").read_text())
    assert facts.policies()["ip input"] == "drop"
    assert facts.policies()["ip6 input"] is None
    assert facts.loopback()["ip"] == {"in": True, "out": True, "spoofed": True}
    assert facts.open_ports() == ["tcp/22"]
    last = facts.rules[3]
    assert (last["action"], last["ports"], last["protocol"]) == ("reject", ["53", "123"], "udp")


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [
        ("-A INPUT -j DROP", "drop"),
        ("-A INPUT -j REJECT --reject-with icmp-host-prohibited", "reject"),
        ("-A INPUT -j LOG\n-A INPUT -j DROP", "drop"),
        ("-A INPUT -s 10.0.0.0/8 -j DROP", "accept"),
        ("-A INPUT -j X\n-A X -j DROP", "drop"),
        ("-A INPUT -i eth0 -j X\n-A X -j DROP", "accept"),
        ("-A INPUT -j X\n-A X -j RETURN\n-A X -j DROP", "accept"),
        ("-A INPUT -j X\n-A X -j X", "accept"),
        ("-A INPUT -j ACCEPT\n-A INPUT -j DROP", "accept"),
        ("[12:34] -A INPUT -m comment --comment x -j DROP", "drop"),
    ],
)
def test_default_is_what_an_undecided_packet_meets(rule, verdict):
    text = f"*filter\n:INPUT ACCEPT [0:0]\n:X - [0:0]\n{rule}\nCOMMIT\n"
    assert iptables(text).policies()["ip input"] == verdict


def test_mangle_and_nat_decide_nothing():
    text = "*mangle\n:INPUT DROP [0:0]\nCOMMIT\n*nat\n:INPUT ACCEPT [0:0]\n-A INPUT -j DROP\nCOMMIT\n"
    assert iptables(text).policies()["ip input"] is None


def test_negated_interface_is_no_loopback_rule():
    text = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT ! -i lo -j ACCEPT\n-A INPUT ! -i lo -s 127.0.0.0/8 -j DROP\nCOMMIT\n"
    assert iptables(text).loopback()["ip"] == {"in": False, "out": False, "spoofed": True}


def test_digest_knows_order_and_ignores_counters():
    one = "*filter\n:INPUT ACCEPT [1:2]\n[1:2] -A INPUT -i lo -j ACCEPT\n[3:4] -A INPUT -j DROP\nCOMMIT\n"
    other = one.replace("[1:2]", "[7:8]").replace("[3:4]", "[9:9]")
    swapped = "*filter\n:INPUT ACCEPT [1:2]\n-A INPUT -j DROP\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n"
    assert iptables(one).digest() == iptables(other).digest() != iptables(swapped).digest()


# Files ----------------------------------------------------------------------------------------------------

UFW = {
    "etc/ufw/ufw.conf": "ENABLED=yes\nLOGLEVEL=low\n",
    "etc/default/ufw": 'IPV6=yes\nDEFAULT_INPUT_POLICY="DROP"\nDEFAULT_OUTPUT_POLICY="ACCEPT"\n'
    'DEFAULT_FORWARD_POLICY="REJECT"\nMANAGE_BUILTINS=no\n',
    "etc/ufw/before.rules": "*filter\n:ufw-before-input - [0:0]\n:ufw-before-output - [0:0]\n"
    "-A ufw-before-input -i lo -j ACCEPT\n-A ufw-before-output -o lo -j ACCEPT\n"
    "-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\nCOMMIT\n",
    "etc/ufw/before6.rules": "*filter\n:ufw6-before-input - [0:0]\n-A ufw6-before-input -i lo -j ACCEPT\nCOMMIT\n",
    "etc/ufw/user.rules": "*filter\n:ufw-user-input - [0:0]\n### RULES ###\n\n### tuple ### allow tcp 22 0.0.0.0/0 any "
    "0.0.0.0/0 in\n-A ufw-user-input -p tcp --dport 22 -j ACCEPT\n-A ufw-user-input -s 127.0.0.0/8 -j DROP\nCOMMIT\n",
}


def plant(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


def test_ufw_files(tmp_path):
    enabled, settings, paths, facts = firewall_config.read_ufw(Host(str(plant(tmp_path, UFW))))
    assert enabled is True
    assert settings == {
        "ipv6": "yes",
        "default_input_policy": "DROP",
        "default_output_policy": "ACCEPT",
        "default_forward_policy": "REJECT",
        "loglevel": "low",
        "rules": [
            {"action": "allow", "proto": "tcp", "port": "22", "source": "0.0.0.0/0", "direction": "in", "family": "ip"}
        ],
    }
    assert "/etc/ufw/user.rules" in paths
    assert facts.policies() == {
        "ip input": "drop",
        "ip6 input": "drop",
        "ip output": "accept",
        "ip6 output": "accept",
        "ip forward": "reject",
        "ip6 forward": "reject",
    }
    assert facts.loopback() == {
        "ip": {"in": True, "out": True, "spoofed": True},
        "ip6": {"in": True, "out": False, "spoofed": False},
    }
    assert facts.open_ports() == ["tcp/22"]
    assert facts.established() == ["ip input"]


def test_nftables_script_with_includes(tmp_path):
    plant(
        tmp_path,
        {
            "etc/nftables.conf": "#!/usr/sbin/nft -f\nflush ruleset\n# type filter hook output priority 0; "
            'policy drop;\ninclude "/etc/nftables.d/*.nft"\ntable inet filter {\n\tchain input {\n\t\t'
            "type filter hook input priority filter\n"
            "\t\tpolicy drop\n\t}\n\tchain forward { type filter hook forward priority 0; }\n}\n",
            "etc/nftables.d/a.nft": "table ip x { chain o { type filter hook output priority 0; policy drop; } }\n",
            "etc/nftables.d/not.conf": "table ip x { chain o { type filter hook forward priority 0; policy drop; } }\n",
        },
    )
    policies, paths = firewall_config.read_nft_scripts(Host(str(tmp_path)))
    assert paths == ["/etc/nftables.conf", "/etc/nftables.d/a.nft"]
    assert policies == {
        "ip input": "drop",
        "ip6 input": "drop",
        "ip forward": "accept",
        "ip6 forward": "accept",
        "ip output": "drop",
    }


def test_script_that_includes_itself_ends(tmp_path):
    plant(tmp_path, {"etc/nftables.conf": 'include "/etc/nftables.conf"\n'})
    assert firewall_config.read_nft_scripts(Host(str(tmp_path))) == ({}, ["/etc/nftables.conf"])


def test_firewalld_zone(tmp_path):
    plant(
        tmp_path,
        {
            "etc/firewalld/firewalld.conf": "# comment\nDefaultZone=dmz\nLogDenied=all\nFirewallBackend=nftables\n",
            "etc/firewalld/zones/dmz.xml": '<?xml version="1.0"?>\n<!-- <service name="ftp"/> -->\n<zone target="DROP">'
            '<service name="ssh"/><port port="8080" protocol="tcp"/><interface name="eth0"/>'
            '<rule family="ipv4"><source address="10.0.0.0/8"/><service name="http"/><accept/></rule></zone>\n',
        },
    )
    settings, paths = firewall_config.read_firewalld(Host(str(tmp_path)))
    assert settings["default_zone"] == "dmz"
    assert settings["zone"] == {
        "target": "DROP",
        "services": ["ssh"],
        "ports": ["tcp/8080"],
        "interfaces": ["eth0"],
        "sources": [],
        "rich_rules": 1,
        "loopback_restricted": [],
    }
    assert paths == ["/etc/firewalld/firewalld.conf", "/etc/firewalld/zones/dmz.xml"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "expr",
                        "match",
                        "left",
                        "right",
                        "op",
                        "set",
                        "prefix",
                        "vmap",
                        "key",
                        "data",
                        "jump",
                        "target",
                        "payload",
                        "field",
                        "meta",
                        "xt",
                        "elem",
                        "val",
                        "range",
                        "concat",
                    ]
                ),
                inner,
                max_size=3,
            )
        ),
        max_leaves=15,
    )
)
def test_any_expression(value):
    document = {
        "nftables": [
            {
                "rule": {
                    "family": "ip",
                    "table": "t",
                    "chain": "c",
                    "expr": [value] if not isinstance(value, list) else value,
                }
            },
            {"chain": value},
            value,
        ]
    }
    chains, rules = firewall_nft.parse_ruleset(document)
    facts = Facts(chains, rules)
    json.dumps([facts.policies(), facts.loopback(), facts.open_ports(), facts.digest(), [r["text"] for r in rules]])


@given(st.lists(st.text(alphabet='-Aj sdpiom!"\\:*[]0123456789INPUTX/,', max_size=40), max_size=10))
def test_any_iptables_lines(lines):
    facts = Facts(*firewall_iptables.parse_save(lines, "ip"))
    json.dumps([facts.policies(), facts.loopback(), facts.established(), facts.digest()])


@given(st.text(max_size=300))
def test_any_script_or_zone(text):
    json.dumps([firewall_config.parse_nft_script(text), firewall_config.parse_zone(text)])

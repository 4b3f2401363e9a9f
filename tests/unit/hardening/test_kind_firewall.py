"""The packet filter: nothing that is reached today is cut off, and the kernel's own filter does what the rules say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.changes import edits, spec
from ansible_collections.ringwall.servers.plugins.module_utils.firewall_config import (
    parse_nft_script,
    parse_zone,
    ufw_model,
)
from ansible_collections.ringwall.servers.plugins.module_utils.firewall_facts import Facts as Rules
from ansible_collections.ringwall.servers.plugins.module_utils.firewall_nft import parse_ruleset
from ansible_collections.ringwall.servers.plugins.plugin_utils.hardening import firewall_facts
from ansible_collections.ringwall.servers.plugins.plugin_utils.hardening.kinds import firewall
from ansible_collections.ringwall.servers.plugins.plugin_utils.hardening.nft_ruleset import ruleset

ALL = ["ip input", "ip forward", "ip output", "ip6 input", "ip6 forward", "ip6 output"]
NOTHING = {"host": {"front_end": None, "others": [], "in_charge": False}}


def socket(proto, port, scope="any", process="x"):
    return {"proto": proto, "port": port, "scope": scope, "family": "ipv4", "process": process}


def host(front_end=None, listeners=(), packages=(), others=(), **rows):
    return {
        "firewall": {"host": {"front_end": front_end, "others": list(others)}, **rows},
        "listeners": {str(number): row for number, row in enumerate(listeners)},
        "packages": {name: {"name": name, "installed": True} for name in packages},
    }


def wanted(front_end=None, default=False, **what):
    return {"kind": "firewall", "front_end": front_end, "wanted": what or {"input": ["drop"]}, "default": default}


def planned(here, items):
    found = firewall.operations(items, here)
    for one in found:
        if one["op"] not in ("left", "package"):
            spec.check_operation(one)
            assert one["guarded"] is True
    return found


def files(found):
    return {one["path"]: one for one in found if "path" in one}


def test_nftables_is_set_up_where_nothing_filters(facts, chosen):
    here = facts(host(listeners=[socket("tcp", 22), socket("tcp", 443), socket("udp", 53), socket("tcp", 25, "loopback")]),
                 controllers=("192.0.2.7", "2001:db8::7", "fe80::1%eth0", "no address"), port=2222)  # fmt: skip
    found = planned(here, chosen(wanted("nftables", default=True)))
    assert found[0] == {"op": "package", "name": "nftables", "state": "installed", "controls": ["linux.test.0"]}
    own, main = files(found)["/etc/nftables.d/60-ringwall.nft"], files(found)["/etc/nftables.conf"]
    assert own["validate"] == "nft"
    assert "tcp dport { 22, 443, 2222 } accept" in own["text"]
    assert "udp dport { 53 } accept" in own["text"]
    assert "25" not in own["text"].split("tcp dport")[-1].split("}")[0].split()
    assert "ip saddr { 192.0.2.7 } tcp dport { 2222 } accept" in own["text"]
    assert "ip6 saddr { 2001:db8::7, fe80::1 } tcp dport { 2222 } accept" in own["text"]
    assert b'include "/etc/nftables.d/60-ringwall.nft"\n' in edits.apply(b"#!/usr/sbin/nft -f\n", main["edits"])
    assert found[-1]["name"] == "nftables.service"
    assert found[-1]["enabled"] is found[-1]["active"] is True
    policies, _includes = parse_nft_script(own["text"])
    assert policies == dict.fromkeys(ALL, "drop")


def test_rules_on_disk_that_nobody_loaded_are_looked_at_first(facts, chosen):
    row = {"saved_policies": {"ip input": "drop"}, "saved_in": ["/etc/nftables.conf"]}
    found = planned(facts(host(nftables=row)), chosen(wanted("nftables")))
    assert [one["op"] for one in found] == ["left"]
    row["saved_in"].append("/etc/nftables.d/60-ringwall.nft")
    assert len(planned(facts(host(nftables=row)), chosen(wanted("nftables")))) == 4


def test_the_red_hat_family_gets_firewalld_with_what_listens(facts, chosen):
    here = facts(host(listeners=[socket("tcp", 8080)]), family="rhel", controllers=("192.0.2.7",))
    found = planned(here, chosen(wanted("nftables", default=True)))
    zone = files(found)["/etc/firewalld/zones/public.xml"]["text"]
    told = parse_zone(zone)
    assert told["services"] == ["dhcpv6-client", "ssh"]
    assert {"tcp/8080", "tcp/22"} <= set(told["ports"])
    assert '<source address="192.0.2.7"/>' in zone
    assert found[-1]["name"] == "firewalld.service"


def test_a_zone_of_the_site_is_not_overwritten(facts, chosen):
    row = {"settings": {"default_zone": "public", "zones": {}}, "saved_in": ["/etc/firewalld/zones/public.xml"]}
    found = planned(facts(host(firewalld=row), family="rhel"), chosen(wanted("firewalld")))
    assert [one["op"] for one in found] == ["package", "left"]


def test_firewalld_trusts_loopback_by_a_zone_of_its_own(facts, chosen):
    row = {"settings": {"default_zone": "public", "zones": {"public": {"interfaces": []}}}, "saved_in": []}
    here = facts(host("firewalld", packages=["firewalld"], firewalld=row), family="rhel")
    found = planned(here, chosen(wanted("firewalld", loopback=["spoofed"])))
    told = parse_zone(files(found)["/etc/firewalld/zones/trusted.xml"]["text"])
    assert (told["target"], told["interfaces"], told["loopback_restricted"]) == ("ACCEPT", ["lo"], ["ip", "ip6"])
    row["settings"]["zones"]["home"] = {"interfaces": ["lo"]}
    found = planned(here, chosen(wanted("firewalld", loopback=["spoofed"])))
    assert "bound to a zone already" in found[0]["reason"]


USER = b"*filter\n:ufw-user-input - [0:0]\n:ufw-user-output - [0:0]\n### RULES ###\n\n### END RULES ###\nCOMMIT\n"


def test_ufw_is_set_by_its_own_files(facts, chosen):
    here = facts(host("ufw", [socket("tcp", 443)], ["ufw"]), controllers=("192.0.2.7", "2001:db8::7"))
    what = {"input": ["drop"], "forward": ["drop"], "output": ["drop"], "loopback": ["spoofed"], "open_ports": True}
    found = files(planned(here, chosen(wanted("ufw", **what))))
    defaults = edits.apply(b'IPV6=yes\nDEFAULT_INPUT_POLICY="ACCEPT"\n', found["/etc/default/ufw"]["edits"]).decode()
    assert "\n".join(defaults.split("\n")[1:4]) == (
        'DEFAULT_INPUT_POLICY="DROP"\nDEFAULT_FORWARD_POLICY="DROP"\nDEFAULT_OUTPUT_POLICY="DROP"'
    )
    rules = edits.apply(USER, found["/etc/ufw/user.rules"]["edits"])
    assert edits.apply(rules, found["/etc/ufw/user.rules"]["edits"]) == rules
    lines = rules.decode().split("\n")
    assert lines.index("-A ufw-user-input -p tcp --dport 443 -j ACCEPT") < lines.index("### END RULES ###")
    assert "-A ufw-user-input -p tcp --dport 22 -s 192.0.2.7 -j ACCEPT" in lines
    six = edits.apply(USER.replace(b"ufw-", b"ufw6-"), found["/etc/ufw/user6.rules"]["edits"]).decode()
    assert "-A ufw6-user-input -p tcp --dport 22 -s 2001:db8::7 -j ACCEPT" in six
    names = dict(line.split("=", 1) for line in defaults.replace('"', "").split("\n") if "=" in line)
    model = ufw_model(names, [("ip", lines), ("ip6", six.split("\n"))])
    assert model.policies() == dict.fromkeys(ALL, "drop")
    assert "tcp/443" in model.open_ports()
    assert model.loopback()["ip"]["spoofed"]
    assert model.loopback()["ip6"]["spoofed"]


PRISTINE = (
    b"*filter\n:ufw-user-input - [0:0]\n### RULES ###\n-A ufw-user-limit -m limit --limit 3/minute -j LOG\nCOMMIT\n"
)


def test_a_file_of_rules_that_ufw_never_wrote_is_still_one_that_is_loaded(facts, chosen):
    here = facts(host("ufw", [socket("tcp", 443)], ["ufw"]))
    found = files(planned(here, chosen(wanted("ufw", open_ports=True))))
    lines = edits.apply(PRISTINE, found["/etc/ufw/user.rules"]["edits"]).decode().split("\n")
    rules = [line for line in lines if line.startswith(("### tuple", "-A ufw-user-input"))]
    assert rules == [
        "### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in",
        "-A ufw-user-input -p tcp --dport 22 -j ACCEPT",
        "### tuple ### allow tcp 443 0.0.0.0/0 any 0.0.0.0/0 in",
        "-A ufw-user-input -p tcp --dport 443 -j ACCEPT",
    ]
    assert lines.index("### RULES ###") < lines.index(rules[0])
    assert lines.index(rules[-1]) < lines.index("COMMIT")


def test_ufw_limits_what_is_to_be_limited(facts, chosen):
    here = facts(host("ufw", [socket("tcp", 22)], ["ufw"]))
    found = files(planned(here, chosen(wanted(None, limited_ports=True))))
    rules = edits.apply(USER, found["/etc/ufw/user.rules"]["edits"]).decode()
    assert "### tuple ### limit tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n" in rules
    assert rules.index("--set") < rules.index("--hitcount 6") < rules.index("ufw-user-limit-accept")


@pytest.mark.parametrize(
    ("tables", "reason"),
    [
        (host("iptables"), "by hand"),
        (host("ufw", others=["nftables"]), "several programs"),
        ({"firewall": {"host": {"front_end": {"!": "denied", "why": "x"}}}, "listeners": {}}, "could not be read"),
        ({"listeners": {}}, "could not be read"),
        ({"firewall": NOTHING}, "who listens"),
    ],
)
def test_nothing_is_changed_blindly(facts, chosen, tables, reason):
    found = planned(facts(tables), chosen(wanted()))
    assert [one["op"] for one in found] == ["left"]
    assert reason in found[0]["reason"]


def test_answers_to_own_questions_are_no_services(facts):
    rows = [socket("udp", 68, process="dhclient"), socket("udp", 40000, process=None), socket("udp", 123)]
    assert firewall_facts.served(facts(host(listeners=rows))) == {
        "tcp": [22],
        "udp": [123, 40000],  # the kernel's own: WireGuard, by which we may come in
    }


def test_controllers_that_lie_in_one_another_are_said_once():
    import types

    connection = types.SimpleNamespace(
        controllers=("10.1.2.3", "10.0.0.0/8", "192.0.2.7", "2001:db8::5", "2001:db8::/32", ":::", "fe80::1%eth0")
    )
    found = firewall_facts.controllers(types.SimpleNamespace(connection=connection))
    assert found == (["10.0.0.0/8", "192.0.2.7"], ["2001:db8::/32", "fe80::1"])


def namespace(*commands):
    """Run shell lines in a network namespace of their own; nothing of this machine changes."""
    script = "set -e\n" + "\n".join(commands)
    return subprocess.run(
        ["unshare", "-n", "sh", "-c", script], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def kernel():
    if os.geteuid() != 0 or not shutil.which("nft") or not shutil.which("unshare"):
        pytest.skip("needs root, nft and unshare")
    if namespace("nft list ruleset").returncode:
        pytest.skip("this kernel lets no namespace have rules")
    return namespace


def test_the_kernel_takes_the_rules_twice_and_leaves_others_alone(kernel, tmp_path):
    path = tmp_path / "ringwall.nft"
    path.write_text(ruleset({"tcp": [22, 443], "udp": [53]}, [22], ["192.0.2.7"], ["2001:db8::7"]))
    done = kernel(
        "nft add table inet others", f"nft -f {path}", f"nft -c -f {path}", f"nft -f {path}", "nft -j list ruleset"
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    told = Rules(*parse_ruleset(document))
    assert told.policies() == dict.fromkeys(ALL, "drop")
    assert {"tcp/22", "tcp/443", "udp/53"} <= set(told.open_ports())
    assert told.loopback()["ip"] == {"in": True, "out": True, "spoofed": True}
    assert told.loopback()["ip6"]["spoofed"]
    assert "ip input" in told.established()
    assert {"ip6 input", "ip input"} <= set(told.established())
    tables = [item["table"]["name"] for item in document["nftables"] if "table" in item]
    assert sorted(tables) == ["others", "ringwall"]


PEER = """
import socket, sys
server = socket.socket(); server.bind(("10.9.9.1", int(sys.argv[1]))); server.listen()
print("ready", flush=True)
server.settimeout(15)
server.accept()
"""


@pytest.mark.parametrize(("port", "reached"), [(443, True), (8081, False)])
def test_a_packet_gets_where_the_rules_say(kernel, tmp_path, port, reached):
    """Two ends of a link: one filters, the other knocks."""
    path, peer = tmp_path / "ringwall.nft", tmp_path / "peer.py"
    path.write_text(ruleset({"tcp": [443], "udp": []}, [22], [], []))
    peer.write_text(PEER)
    knock = f"import socket; socket.create_connection(('10.9.9.1', {port}), 2).close()"
    done = kernel(
        "ip link set lo up",
        "sleep 30 & inner=$!; unshare -n sleep 30 & other=$!; sleep 0.5",
        "ip link add v0 type veth peer name v1",
        "ip link set v1 netns $other",
        "ip addr add 10.9.9.1/24 dev v0; ip link set v0 up",
        "nsenter -t $other -n sh -c 'ip addr add 10.9.9.2/24 dev v1; ip link set v1 up'",
        f"nft -f {path}",
        f"python3 {peer} {port} & server=$!; sleep 0.7",
        f'if nsenter -t $other -n python3 -c "{knock}" 2>/dev/null; then echo reached; else echo refused; fi',
        "kill $inner $other $server 2>/dev/null || true",
    )
    if "reached" not in done.stdout and "refused" not in done.stdout:
        pytest.skip(f"no link between namespaces here: {done.stderr[-200:]}")
    assert ("reached" in done.stdout) is reached, done.stderr

"""The tables firewall and firewall_rules: who is in charge, and what cannot be read."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.collect import collect_table
from ansible_collections.ringwall.servers.plugins.module_utils.host import Completed, Host
from ansible_collections.ringwall.servers.plugins.module_utils.spec import is_unreadable
from ansible_collections.ringwall.servers.plugins.module_utils.tables import firewall, firewall_rules

FIXTURES = Path(__file__).parents[2] / "fixtures/tables/firewall"
ROOT = Path(__file__).parents[3]
UFW = {
    "etc/ufw/ufw.conf": "ENABLED=yes\nLOGLEVEL=low\n",
    "etc/default/ufw": 'IPV6=yes\nDEFAULT_INPUT_POLICY="DROP"\nDEFAULT_OUTPUT_POLICY="ACCEPT"\n',
    "etc/ufw/before.rules": "*filter\n:ufw-before-input - [0:0]\n-A ufw-before-input -i lo -j ACCEPT\nCOMMIT\n",
}


def plant(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


@pytest.fixture
def make(tmp_path):
    """A host whose programs answer with given output: name -> (exit status, stdout, stderr)."""

    def build(programs, files=None, modules="nf_tables 1 0 - Live 0x0\n", pids=("firewalld",)):
        plant(tmp_path, {**(files or {}), "proc/modules": modules, "proc/sys/kernel/osrelease": "6.1.0\n"})
        host = Host(str(tmp_path))
        host.live = True
        host._cache["processes"] = [
            {"name": name, "unit": name + ".service", "container": None, "pid": 5} for name in pids
        ]
        host.which = lambda name: name if name in programs else None
        host.calls = []

        def run(argv, **_options):
            host.calls.append(argv[0])
            code, out, err = programs[argv[0]]
            return Completed(code, out.encode(), err.encode())

        host.run = run
        return host

    return build


EMPTY_NFT = (0, '{"nftables": [{"metainfo": {"json_schema_version": 1}}]}', "")


def rows(host):
    result = collect_table(firewall, host, {})
    assert result["state"] == "ok", result
    for row in result["rows"].values():
        assert set(row) == {column.name for column in firewall.TABLE.columns}
    return result["rows"]


def test_nothing_filters(make):
    found = rows(make({"nft": EMPTY_NFT}, pids=()))
    assert sorted(found) == ["host", "nftables"]
    assert (found["host"]["front_end"], found["host"]["active"], found["host"]["in_charge"]) == (None, False, False)
    assert set(found["host"]["policies"].values()) == {None}


def test_nftables_in_charge(make):
    document = (FIXTURES / "nft-vmap.json").read_text()
    found = rows(make({"nft": (0, document, "")}, pids=()))
    assert found["host"]["front_end"] == "nftables"
    assert found["nftables"]["in_charge"] is True
    assert found["host"]["others"] == []


def test_firewalld_in_charge_is_not_counted_twice(make):
    document = (FIXTURES / "nft-firewalld.json").read_text()
    host = make({"nft": (0, document, "")}, {"etc/firewalld/firewalld.conf": "DefaultZone=public\n"})
    found = rows(host)
    assert (found["host"]["front_end"], found["host"]["others"]) == ("firewalld", [])
    assert (found["nftables"]["active"], found["nftables"]["rules"]) == (False, 0)
    assert found["firewalld"]["policies"]["ip input"] == found["host"]["policies"]["ip input"] == "reject"


def test_ufw_in_charge_over_iptables(make):
    saved = (
        "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n:ufw-before-input - [0:0]\n"
        "-A INPUT -j ufw-before-input\n-A ufw-before-input -i lo -j ACCEPT\nCOMMIT\n"
    )
    chain = {
        "chain": {
            "family": "ip",
            "table": "filter",
            "name": "INPUT",
            "type": "filter",
            "hook": "input",
            "prio": 0,
            "policy": "drop",
        }
    }
    document = json.dumps({"nftables": [chain]})
    host = make(
        {"nft": (0, document, ""), "iptables-save": (0, saved, ""), "ip6tables-save": (0, "", "")}, UFW, pids=()
    )
    found = rows(host)
    assert (found["host"]["front_end"], found["host"]["others"]) == ("ufw", [])
    assert (found["ufw"]["active"], found["ufw"]["enabled"], found["ufw"]["in_charge"]) == (True, True, True)
    assert (found["nftables"]["active"], found["iptables"]["active"]) == (False, True)
    assert host.calls == ["nft", "iptables-save"], "no tables of IPv6: its program is not started"


def test_ufw_switched_on_and_not_loaded(make):
    found = rows(make({"nft": EMPTY_NFT}, UFW, pids=()))
    assert (found["ufw"]["enabled"], found["ufw"]["active"], found["host"]["front_end"]) == (True, False, None)


def test_two_filters_at_once_are_named(make):
    document = (FIXTURES / "nft-mixed.json").read_text()
    saved = (FIXTURES / "iptables-save.txt").read_text()
    host = make({"nft": (0, document, ""), "iptables-save": (0, saved, ""), "ip6tables-save": (0, "", "")}, pids=())
    found = rows(host)
    assert (found["host"]["front_end"], found["host"]["others"]) == ("nftables", ["iptables"])
    assert found["iptables"]["rules"] == 5


def test_old_iptables_tables_are_listed_by_the_old_program(make):
    saved = "*filter\n:INPUT DROP [0:0]\nCOMMIT\n"
    host = make(
        {
            "nft": EMPTY_NFT,
            "iptables-save": (0, "", ""),
            "iptables-nft-save": (0, "", ""),
            "iptables-legacy-save": (0, saved, ""),
            "ip6tables-save": (0, "", ""),
        },
        {"proc/net/ip_tables_names": "filter\n"},
        pids=(),
    )
    found = rows(host)
    assert found["iptables-legacy"]["policies"]["ip input"] == "drop"
    assert found["host"]["front_end"] == "iptables-legacy"


DENIED = (1, "", "Operation not permitted (you must be root)\n")


def test_without_root_nothing_is_said_to_be_absent(make):
    host = make(
        {"nft": DENIED, "iptables-save": (4, "", "iptables-save v1.8.9: Fetch failed: Permission denied\n")}, pids=()
    )
    found = rows(host)
    for key in ("host", "nftables", "iptables"):
        for column in ("active", "policies", "loopback", "rules"):
            assert found[key][column]["!"] == "denied", (key, column)
        assert found[key]["in_charge"]["!"] == "denied"
    assert is_unreadable(found["host"]["front_end"])
    assert collect_table(firewall_rules, host, {})["state"] == "denied"


def test_broken_answer_is_invalid(make):
    host = make({"nft": (0, "{", "")}, pids=())
    assert rows(host)["host"]["policies"]["!"] == "invalid"


def test_no_program_to_ask_is_not_no_firewall(make):
    host = make({}, pids=())
    assert rows(host)["host"]["active"]["!"] == "partial"
    assert collect_table(firewall_rules, host, {})["state"] == "partial"


def test_kernel_without_nf_tables_is_not_made_to_load_it(make):
    host = make(
        {"nft": DENIED},
        {"lib/modules/6.1.0/modules.builtin": "kernel/fs/ext4/ext4.ko\n"},
        modules="ext4 1 0\n",
        pids=(),
    )
    assert rows(host)["nftables"]["rules"] == 0
    assert host.calls == []


def test_old_nft_without_terse(make):
    host = make({"nft": EMPTY_NFT}, pids=())
    real = host.run
    host.run = lambda argv, **options: (
        Completed(1, b"", b"nft: invalid option -- 't'") if "-t" in argv else real(argv, **options)
    )
    assert rows(host)["nftables"]["rules"] == 0


def test_image_cannot_tell(tmp_path):
    plant(
        tmp_path,
        {
            **UFW,
            "usr/sbin/nft": "",
            "etc/firewalld/firewalld.conf": "",
            "etc/nftables.conf": "table inet f { chain i { type filter hook input priority 0; policy drop; } }\n",
        },
    )
    found = rows(Host(str(tmp_path)))
    assert is_unreadable(found["firewalld"]["active"])
    assert found["nftables"]["saved_policies"] == {"ip input": "drop", "ip6 input": "drop"}
    assert is_unreadable(found["nftables"]["policies"])
    assert (found["ufw"]["enabled"], found["ufw"]["saved_policies"]["ip input"]) == (True, "drop")
    assert collect_table(firewall_rules, Host(str(tmp_path)), {})["state"] == "unsupported"


def test_rule_rows(make):
    document = (FIXTURES / "nft-mixed.json").read_text()
    saved = (FIXTURES / "iptables-save.txt").read_text().replace("hello -j world", "token=abc123 hunter")
    saved = saved.replace("-A OUTPUT -o lo -j ACCEPT", "-A OUTPUT -o lo -j ACCEPT\n-A OUTPUT -o lo -j ACCEPT")
    host = make({"nft": (0, document, ""), "iptables-save": (0, saved, ""), "ip6tables-save": (0, "", "")}, pids=())
    result = collect_table(firewall_rules, host, {})
    assert (result["state"], len(result["rows"])) == ("ok", 11 + 6)
    assert "abc123" not in json.dumps(result)
    alike = [key for key in result["rows"] if key.startswith("ip filter OUTPUT")]
    assert sorted(key.partition("#")[2] for key in alike) == ["", "2"]
    row = next(row for row in result["rows"].values() if row["rule"].startswith("iif lo"))
    assert (row["source"], row["hook"], row["action"], row["position"]) == ("nftables", "input", "accept", 2)


def test_too_many_rules_are_partial(make):
    saved = "*filter\n:INPUT ACCEPT [0:0]\n{}COMMIT\n".format(
        "".join(f"-A INPUT -s 10.{n // 250}.{n % 250}.1/32 -j DROP\n" for n in range(6000))
    )
    host = make({"nft": EMPTY_NFT, "iptables-save": (0, saved, "")}, {"proc/net/ip_tables_names": "filter\n"}, pids=())
    result = collect_table(firewall_rules, host, {})
    assert (result["state"], result["why"], len(result["rows"])) == ("partial", "5000 of 6000 rules", 5000)


PROGRAM = """
import json, sys
sys.path[:0] = [%r]
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.tables import firewall
print(json.dumps(firewall.collect(Host(), {})))
"""


@pytest.mark.skipif(
    os.getuid() != 0 or not all(map(shutil.which, ("unshare", "nft", "iptables"))), reason="needs root, nft"
)
def test_rules_of_this_kernel():
    """In a network namespace of its own: what the programs load is what the table says."""
    setup = (
        "nft 'add table inet t; add chain inet t i { type filter hook input priority 0; policy drop; }; "
        "add rule inet t i iif lo accept' && iptables -P FORWARD DROP"
    )
    code = PROGRAM.replace("%r", repr(str(ROOT / "collections")))
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", setup + ' && exec "$0" -c "$1"', sys.executable, code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if "Operation not permitted" in done.stderr or "No such file" in done.stderr:
        pytest.skip(done.stderr.strip()[-200:])
    found = json.loads(done.stdout)
    assert found["nftables"]["policies"]["ip6 input"] == "drop"
    assert found["nftables"]["loopback"]["ip"]["in"] is True
    assert found["host"]["policies"]["ip forward"] == "drop"
    assert found["host"]["front_end"] == "nftables"

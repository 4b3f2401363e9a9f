"""All benchmarks against one snapshot of a busy server: aim 50 ms, bar 150 ms."""

from __future__ import annotations

import time

from ansible_collections.ringwall.servers.plugins.plugin_utils.posture import Posture
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.view import Snapshot, TableView

BAR_S = 0.150


def busy_server():
    """2,000 packages, 500 units, 3,000 kernel parameters, 300 listeners, 600 firewall rules, 800 processes, 300 users."""
    key = {
        "runtime": "1",
        "persisted": "1",
        "persisted_where": "/etc/sysctl.conf:1",
        "host_global": False,
        "glob": False,
    }
    sysctl = {f"kernel.made_up_{number}": dict(key) for number in range(1000)}
    for name in ("all", "default", "lo", *(f"veth{number}" for number in range(100))):
        for leaf in (
            "rp_filter",
            "send_redirects",
            "accept_redirects",
            "log_martians",
            "secure_redirects",
            "forwarding",
        ):
            sysctl[f"net.ipv4.conf.{name}.{leaf}"] = dict(key)
        for leaf in ("accept_ra", "accept_redirects", "accept_source_route", "disable_ipv6"):
            sysctl[f"net.ipv6.conf.{name}.{leaf}"] = dict(key, runtime="0", persisted="0")
    packages = {
        f"made-up-{number}:amd64": {
            "name": f"made-up-{number}",
            "version": "1",
            "state": "installed",
            "installed": True,
        }
        for number in range(2000)
    }
    packages["cron:amd64"] = {"name": "cron", "version": "1", "state": "installed", "installed": True}
    units = {
        f"made-up-{number}.service": {"enabled": "enabled", "active": "active", "aliases": [], "triggered_by": []}
        for number in range(500)
    }
    listeners = {
        f"tcp 0.0.0.0:{number}": {"proto": "tcp", "port": number, "scope": "any", "process": "x", "address": "0.0.0.0"}
        for number in range(300)
    }
    for number in (22, 3306, 5432, 6379, 9200, 27017):
        listeners[f"tcp 0.0.0.0:{number}"] = {**listeners["tcp 0.0.0.0:1"], "port": number, "family": "ipv4"}
    rule = {
        "source": "iptables", "family": "ip", "table": "filter", "chain": "INPUT", "hook": "input", "action": "accept",
        "target": None, "protocol": "tcp", "in_interface": None, "states": [], "unconditional": False,
    }  # fmt: skip
    rules = {
        f"ip filter INPUT {number}": {
            **rule,
            "position": number,
            "rule": f"-s 192.0.2.{number % 250}/32 -p tcp -m tcp --dport {number} -j ACCEPT",
            "sources": [f"192.0.2.{number % 250}/32"],
            "ports": [str(number)],
        }
        for number in range(600)
    }
    processes = {
        f"made-up root {number}": {
            "name": "nginx", "exe": "/usr/sbin/nginx", "exe_deleted": False, "uid": 0, "user": "root", "unit": None,
            "container": None,
        }
        for number in range(800)
    }  # fmt: skip
    names = [f"user{number}" for number in range(300)]
    users = {name: {"name": name, "uid": 1000, "kind": "local", "login_shell": True, "dot_files": []} for name in names}
    ages = {name: {"name": name, "usable": True, "max": 99999, "algorithm": "yescrypt", "where": "x"} for name in names}
    row = {"id": "debian", "family": "debian", "version_id": "12", "container": None, "kernel": "6.1"}
    return {
        "platform": {"host": row}, "sysctl": sysctl, "packages": packages, "units": units, "listeners": listeners,
        "firewall": {"host": {"policies": {"ip input": "drop"}}, "iptables": {"policies": {"ip input": "drop"}}},
        "firewall_rules": rules, "processes": processes, "users": users, "password_ages": ages,
        "logons": {name: {"last_ever": "2025-01-01T00:00:00Z"} for name in names},
    }  # fmt: skip


def test_all_benchmarks_within_the_bar(content):
    needed = Posture().needs(content, {})["tables"]
    rows = {name: {} for name in needed} | busy_server()
    context = {"content": content, "now": "2026-03-01T12:00:00Z", "benchmarks": sorted(content.benchmarks)}
    times = []
    for _ in range(5):
        shot = Snapshot(
            {name: TableView(name, rows=table, observed_at="2026-03-01T12:00:00Z") for name, table in rows.items()},
            host="web1",
        )
        start = time.process_time()
        result = Posture().evaluate(shot, context)
        times.append(time.process_time() - start)
    assert len(result["findings"]) > 400
    print(f"{min(times) * 1000:.1f} ms for {len(result['findings'])} findings")
    assert min(times) < BAR_S

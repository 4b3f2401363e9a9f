"""Health checks: what was newly broken, and what users may ask for."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.hardening import health


def test_a_unit_that_failed_before_is_not_our_doing():
    before = {"a.service": {"active": "failed"}, "b.service": {"active": "active"}}
    after = {"a.service": {"active": "failed"}, "b.service": {"active": "failed"}, "c.mount": {"active": "failed"}}
    assert health.newly_failed(before, after) == ["b.service", "c.mount"]


def test_checks_become_tasks_of_ansibles_own_modules():
    checks = health.read([{"tcp": 443}, {"command": ["true"]}, {"url": "https://localhost/", "status": 204}])
    assert [health.task_of(check) for check in checks] == [
        ("ansible.builtin.wait_for", {"host": "127.0.0.1", "port": 443, "timeout": 10, "sleep": 1}),
        ("ansible.builtin.command", {"argv": ["timeout", "10", "true"]}),
        ("ansible.builtin.uri", {"url": "https://localhost/", "status_code": [204], "timeout": 10}),
    ]
    assert [health.words(check) for check in checks] == [
        "port 443 of 127.0.0.1",
        "true",
        "https://localhost/ gives 204",
    ]


@pytest.mark.parametrize(
    "checks",
    [
        {"tcp": 443},
        [443],
        [{}],
        [{"tcp": 443, "url": "https://x"}],
        [{"tcp": 0}],
        [{"tcp": "ssh"}],
        [{"tcp": 1, "host": "a b"}],
        [{"command": "rm -rf /"}],
        [{"url": "file:///etc/shadow"}],
        [{"tcp": 22, "retries": 3}],
        [{"tcp": 22, "timeout": 0}],
    ],
)
def test_malformed_checks_are_refused(checks):
    with pytest.raises(health.HealthError):
        health.read(checks)

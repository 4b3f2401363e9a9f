"""Each mutation of a real host changes the verdict of exactly its own sections."""

from __future__ import annotations

import pytest

from lab import hosts as lab_hosts
from lab import plays
from lab.mutations import BASES, MACHINE, MUTATIONS, SERVER

FAST = {"ringwall_cadence": "fast"}
ORDER = ("fail", "error", "unreadable", "manual", "pass", "not_applicable")
SHARED = ("--pid=host", "--uts=host", "--ipc=host", "--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN")
"""A host in the first namespaces of its host but for mounts and network is a machine to whoever looks for a container."""


def statuses(host):
    found = {}
    for finding in host["findings"]:
        if finding["benchmark"] == "cis_debian12":
            found.setdefault(finding["section"], set()).add(finding["status"])
    return {section: next(status for status in ORDER if status in present) for section, present in found.items()}


@pytest.fixture(scope="module")
def verdicts(engine, tmp_path_factory):
    """``{host: (before, after)}``: the status of each section before and after all mutations of that host."""
    folder = tmp_path_factory.mktemp("mutations")
    addresses = {SERVER: engine.start(SERVER)}
    engine.docker(
        "run",
        "-d",
        "--name",
        MACHINE,
        *SHARED,
        engine.image(),
        "sh",
        "-c",
        "mkdir -p /run/sshd; exec /usr/sbin/sshd -D",
    )
    addresses[MACHINE] = engine.docker("inspect", "-f", "{{.NetworkSettings.IPAddress}}", MACHINE).strip()
    try:
        for name, address in addresses.items():
            lab_hosts.wait(address)
            engine.shell(name, BASES[name])
            lab_hosts.wait(address)
        inventory = lab_hosts.inventory(
            folder, {name: {"ansible_host": address} for name, address in addresses.items()}
        )
        before = plays.play(folder / "before", inventory, **FAST).hosts()
        for mutation in MUTATIONS:
            engine.shell(mutation.host, mutation.script)
        engine.shell(SERVER, "systemctl daemon-reload; systemctl restart ssh")
        for address in addresses.values():
            lab_hosts.wait(address)
        after = plays.play(folder / "after", inventory, **FAST).hosts()
    finally:
        engine.docker("rm", "-f", "-v", *addresses)
    for host in (*before.values(), *after.values()):
        assert host["state"] == "assessed", host["reason"]
    return {name: (statuses(before[name]), statuses(after[name])) for name in addresses}


def test_the_mutations_are_told_apart():
    """Only mutations with sections of their own can be judged together."""
    sections = [(mutation.host, section) for mutation in MUTATIONS for section in mutation.flips]
    assert len(sections) == len(set(sections))
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS)
    assert sum(bool(mutation.flips) for mutation in MUTATIONS) >= 70


@pytest.mark.parametrize("mutation", [one for one in MUTATIONS if one.flips], ids=lambda one: one.name)
def test_a_mutation_flips_its_sections(verdicts, mutation):
    before, after = verdicts[mutation.host]
    assert {section: before[section] for section in mutation.flips} == dict.fromkeys(mutation.flips, "pass")
    assert {section: after[section] for section in mutation.flips} == mutation.flips


@pytest.mark.parametrize("host", [SERVER, MACHINE])
def test_no_other_section_changes(verdicts, host):
    before, after = verdicts[host]
    changed = {section: (before[section], after[section]) for section in before if before[section] != after[section]}
    expected = {section for mutation in MUTATIONS if mutation.host == host for section in mutation.flips}
    assert {section: change for section, change in changed.items() if section not in expected} == {}
    assert set(before) == set(after)

"""OpenSCAP judges the same machine in three states; where it and we differ, a fixture says why.

Two figures are held for each state: raw, over all sections that the referee decides, and over those on which both answer
the same question. What is set apart from the second are the differences that the fixture names for that very state, and
nothing else: a new one fails, and so does an entry without a difference.
"""

from __future__ import annotations

import json
import os
import pathlib
import re

import pytest
import yaml

from lab import hosts as lab_hosts
from lab import openscap, plays
from lab.image import NotHere

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "referees"
MERGE = (FIXTURES / "merge_drop_ins.sh").read_text()
MUTATIONS = (FIXTURES / "mutations_debian12.sh").read_text()
BROKEN = re.findall(r"\d+(?:\.\d+)+", "\n".join(re.findall(r"^#: ([\d. ]+)", MUTATIONS, re.M)))
SHARED = pathlib.Path(os.environ.get("RINGWALL_SHARED", pathlib.Path(__file__).resolve().parents[3] / "shared"))
ORDER = ("fail", "error", "unreadable", "manual", "pass", "not_applicable")
STATES = ("clean", "hardened", "mutated")
SAME = 0.98
"""Of what the referee fails (passes), the share that we have to fail (pass) too."""
UNDECIDED = 0.03
DATABASE, DATABASE_SECONDS = "/var/lib/aide/aide.db", 1800
"""AIDE's first database is made some minutes after the change: the machine is hardened once it is there."""
L2 = {"ringwall_hardening_level": "l2"}


def explained():
    return yaml.safe_load((FIXTURES / "openscap_cis_debian12.yml").read_text())


def ours(host):
    found = {}
    for finding in host["findings"]:
        if finding["benchmark"] == "cis_debian12":
            found.setdefault(finding["section"], set()).add(finding["status"])
    return {section: next(status for status in ORDER if status in present) for section, present in found.items()}


def apart(agreement, state):
    """The sections on which both answer different questions in that state."""
    return set(agreement.differences) - set(agreement.unexplained(explained()["sections"], state))


def record(found):
    """Write what was found so far into the file that RINGWALL_REFEREE_RECORD names."""
    if os.environ.get("RINGWALL_REFEREE_RECORD"):
        states = {s: {"theirs": a.theirs, "ours": a.ours, "differences": a.differences} for s, a in found.items()}
        pathlib.Path(os.environ["RINGWALL_REFEREE_RECORD"]).write_text(json.dumps(states, indent=1))


@pytest.fixture(scope="module")
def agreements(tmp_path_factory):
    """State -> Agreement of the referee and us on one machine."""
    datastream = openscap.datastream_of(os.environ)
    if datastream is None:
        pytest.skip("the referee is absent: RINGWALL_SSG_DATASTREAM names no data stream")
    data = SHARED / "benchmarks" / "cis_debian12.json"
    if not data.is_file():
        pytest.skip(f"which rules make up a section is not known: {data} is absent")
    controls = json.loads(data.read_text())["controls"]
    from lab.vm import Machine

    folder = tmp_path_factory.mktemp("referee")
    try:
        machine = Machine(folder / "machine")
    except NotHere as reason:
        pytest.skip(f"no virtual machines here: {reason}")
    found = {}
    with machine.running():
        openscap.install(machine)
        inventory = lab_hosts.inventory(folder, {"machine": machine.variables()})

        def compare(state):
            host = plays.play(folder / state, inventory, ringwall_cadence="deep").hosts()["machine"]
            assert host["state"] == "assessed", host["reason"]
            theirs = openscap.by_section(openscap.evaluate(machine, datastream), controls)
            found[state] = openscap.Agreement(theirs, ours(host))
            record(found)

        def harden(name, **more):
            played = plays.play(folder / name, inventory, "playbooks/harden.yml", **L2, **more)
            assert played.code in (0, 2), played.output[-2000:]

        compare("clean")
        harden("harden")
        harden("keep", ringwall_hardening_mode="keep")  # what holds by default alone is written down too
        machine.reboot()  # what the kernel is told at boot is in force from here on
        machine.ssh(MERGE)
        machine.ssh(f"until test -s {DATABASE}; do sleep 5; done", seconds=DATABASE_SECONDS)
        compare("hardened")
        machine.ssh(MUTATIONS)
        compare("mutated")
    return found


@pytest.fixture(scope="module", autouse=True)
def figures(agreements):
    """Print what was measured."""
    for state, agreement in agreements.items():
        out = apart(agreement, state)
        print(
            f"{state}: {len(agreement.theirs)} sections decided by the referee; of its failures we share "
            f"{agreement.share('fail'):.1%}, of its passes {agreement.share('pass'):.1%}, undecided by us "
            f"{agreement.undecided():.1%}; without the {len(out)} on which both answer different questions "
            f"{agreement.share('fail', out):.1%}, {agreement.share('pass', out):.1%}, {agreement.undecided(out):.1%}"
        )


@pytest.mark.parametrize("state", STATES)
def test_every_difference_is_explained(agreements, state):
    assert agreements[state].unexplained(explained()["sections"], state) == {}


@pytest.mark.parametrize("state", STATES)
def test_nothing_is_explained_that_is_not_there(agreements, state):
    assert agreements[state].gone(explained()["sections"], state) == []


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("verdict", ["fail", "pass"])
def test_we_share_what_the_referee_finds(agreements, state, verdict):
    agreement = agreements[state]
    assert agreement.share(verdict, apart(agreement, state)) >= SAME
    assert agreement.share(verdict) >= explained()["raw"][state][verdict]


@pytest.mark.parametrize("state", STATES)
def test_we_decide_what_the_referee_decides(agreements, state):
    agreement = agreements[state]
    assert agreement.undecided(apart(agreement, state)) <= UNDECIDED
    assert agreement.undecided() <= explained()["raw"][state]["undecided"]


def test_both_see_what_was_broken(agreements):
    """A breakage that the referee sees we see, and those that only the referee's pattern misses are explained."""
    before, after = agreements["hardened"], agreements["mutated"]
    assert {section: after.ours.get(section) for section in BROKEN} == dict.fromkeys(BROKEN, "fail")
    flipped = [section for section in BROKEN if before.ours.get(section) == "pass"]
    assert len(flipped) >= explained()["flipped"]["ours"]
    theirs = [s for s in BROKEN if (before.theirs.get(s), after.theirs.get(s)) == ("pass", "fail")]
    assert len(theirs) >= explained()["flipped"]["theirs"]

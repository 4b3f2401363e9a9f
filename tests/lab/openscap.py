"""OpenSCAP as referee: it judges the same host by its own content, and both are compared section by section."""

from __future__ import annotations

import pathlib
import subprocess
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field

from .image import key

PROFILE = "xccdf_org.ssgproject.content_profile_cis_level2_server"
RULE = "xccdf_org.ssgproject.content_rule_"
XCCDF = "{http://checklists.nist.gov/xccdf/1.2}"
HERE, RESULTS = "/var/tmp/referee.xml", "/var/tmp/referee-results.xml"
SECONDS = 2400


def install(machine):
    """Bring the scanner onto the machine."""
    machine.ssh(
        "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "
        "openscap-scanner >/dev/null"
    )


def evaluate(machine, datastream, profile=PROFILE):
    """Return rule -> result (``pass``, ``fail``, ``notapplicable``, ...) of that profile on the running machine."""
    options = ["-i", str(key()), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
    options += ["-o", "LogLevel=ERROR", "-P", str(machine.port)]
    if machine.ssh(f"test -s {HERE}", check=False).returncode:
        subprocess.run(["scp", "-q", *options, str(datastream), f"deploy@{machine.address}:{HERE}"], check=True)
    done = machine.ssh(
        f"rm -f {RESULTS}; oscap xccdf eval --profile {profile} --results {RESULTS} {HERE} >/dev/null 2>&1; "
        f"code=$?; cat {RESULTS}; exit $code",
        check=False,
        seconds=SECONDS,
    )
    if done.returncode not in (0, 2):  # 2: at least one rule failed
        raise RuntimeError(f"oscap ended with {done.returncode}: {done.stderr[-600:]}")
    return results(done.stdout)


def results(text):
    """Return rule -> result from an XCCDF result document; rules that were not selected are left out."""
    found = {}
    for rule in ElementTree.fromstring(text).iter(f"{XCCDF}rule-result"):
        result = rule.findtext(f"{XCCDF}result")
        if result != "notselected":
            found[rule.get("idref").removeprefix(RULE)] = result
    return found


def by_section(ruled, controls):
    """Return section -> ``pass`` or ``fail`` for the sections that the referee decides.

    ``controls``: the benchmark's ``[{id, rules}]``. One failing rule fails a section; a section passes when at least
    one rule passes and none is undecided (error, unknown, not checked).
    """
    decided = {}
    for control in controls:
        found = {ruled[rule] for rule in control.get("rules") or () if rule in ruled}
        if "fail" in found:
            decided[control["id"]] = "fail"
        elif "pass" in found and found <= {"pass", "notapplicable"}:
            decided[control["id"]] = "pass"
    return decided


@dataclass
class Agreement:
    """How far two judges agree on one host. ``differences``: section -> (theirs, ours)."""

    theirs: dict
    ours: dict
    differences: dict = field(default_factory=dict)

    def __post_init__(self):
        for section, verdict in sorted(self.theirs.items()):
            if self.ours.get(section) != verdict:
                self.differences[section] = (verdict, self.ours.get(section, "not listed"))

    def share(self, verdict, apart=()):
        """Of the sections that they give this verdict, the share that we give it too; ``apart`` count neither way."""
        those = [section for section, theirs in self.theirs.items() if theirs == verdict and section not in apart]
        same = [section for section in those if section not in self.differences]
        return len(same) / len(those) if those else 1.0

    def undecided(self, apart=()):
        """The share of the sections decided by them that we leave undecided; ``apart`` count neither way."""
        ours = [self.ours.get(section) for section in self.theirs if section not in apart]
        return sum(status not in ("pass", "fail") for status in ours) / len(ours) if ours else 0.0

    def unexplained(self, explained, state):
        """The differences that no entry of ``explained`` (section -> its entries) names for that state."""
        return {
            section: verdicts
            for section, verdicts in self.differences.items()
            if not any(
                state in one["states"] and (one["theirs"], one["ours"]) == verdicts
                for one in explained.get(section, ())
            )
        }

    def gone(self, explained, state):
        """Sections whose entry for that state names a difference that there is not."""
        named = {section for section, ones in explained.items() for one in ones if state in one["states"]}
        return sorted(named - set(self.differences))


def datastream_of(environment):
    """Return the path that RINGWALL_SSG_DATASTREAM names, None if it names none."""
    named = environment.get("RINGWALL_SSG_DATASTREAM")
    return pathlib.Path(named) if named else None

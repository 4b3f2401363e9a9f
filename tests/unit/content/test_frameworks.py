"""Frameworks: read with their place, refused when they name what there is not, all of ours sound."""

from __future__ import annotations

import re

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.content import ContentError, Root, compile_content, roots
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture import VOCABULARY

CONTROL = """\
- id: linux.site.banner
  title: A banner is shown
  severity: low
  rationale: Because.
  require: {sysctl: {net.ipv4.ip_forward: 0}}
"""
FRAMEWORK = """\
id: house
title: Rules of the house
version: "1"
requirements:
  "A.1": {title: Banners are shown, controls: [linux.site.banner]}
  "A.2": {title: Doors are shut}
  "A.3": {}
"""


@pytest.fixture
def compiled(tmp_path):
    def run(framework, *more):
        directory = tmp_path / "benchmarks"
        (directory / "controls" / "linux").mkdir(parents=True, exist_ok=True)
        (directory / "frameworks").mkdir(exist_ok=True)
        (directory / "controls" / "linux" / "site.yml").write_text(CONTROL)
        (directory / "frameworks" / "house.yml").write_text(framework)
        return compile_content([*more, Root(str(tmp_path))], VOCABULARY)

    return run


def test_requirements_keep_their_order_and_may_lack_controls_and_titles(compiled):
    found = compiled(FRAMEWORK).frameworks["house"]
    assert list(found["requirements"].items()) == [
        ("A.1", {"title": "Banners are shown", "controls": ["linux.site.banner"]}),
        ("A.2", {"title": "Doors are shut", "controls": []}),
        ("A.3", {"title": "", "controls": []}),
    ]


@pytest.mark.parametrize(
    ("right", "wrong", "line", "text"),
    [
        ("[linux.site.banner]", "[linux.site.baner]", 5, "did you mean linux.site.banner?"),
        ("[linux.site.banner]", "linux.site.banner", 5, "controls is not a list"),
        ("[linux.site.banner]", "[linux.site.banner, linux.site.banner]", 5, "names a control twice"),
        ("controls:", "contrls:", 5, "did you mean controls?"),
        ('"A.2"', "2.1", 6, "is read as a number"),
        ("Doors are shut", "[Doors]", 6, "title is not text"),
        ("id: house", "id: House", 1, "malformed id"),
        ('version: "1"', "version: 1", 3, "version is not text"),
        ("requirements:", "requirement:", 4, "did you mean requirements?"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(compiled, right, wrong, line, text):
    assert right in FRAMEWORK
    with pytest.raises(ContentError) as caught:
        compiled(FRAMEWORK.replace(right, wrong, 1))
    assert text in str(caught.value)
    assert (caught.value.where.path.rsplit("/", 1)[1], caught.value.where.line) == ("house.yml", line)


def test_one_of_ours_may_not_be_shadowed(compiled):
    with pytest.raises(ContentError, match="framework id hipaa is one of ours"):
        compiled(FRAMEWORK.replace("id: house", "id: hipaa"), *roots())


@pytest.fixture(scope="module")
def ours():
    return compile_content(roots(), VOCABULARY)


@pytest.mark.parametrize(
    ("name", "least", "checked", "pattern"),
    [
        ("nist_800_53", 300, 50, r"[A-Z]{2}-\d+(\(\d+\))?"),
        ("pci_dss_4", 250, 25, r"A?\d+(\.\d+){2,4}"),
        ("hipaa", 60, 20, r"164\.3\d\d(\([a-zA-Z0-9]+\))+"),
        ("cci", 150, 60, r"CCI-\d{6}"),
        ("srg", 150, 100, r"SRG-OS-\d{6}-GPOS-\d{5}"),
    ],
)
def test_ours_list_what_they_ask_for_also_without_a_check(ours, name, least, checked, pattern):
    requirements = ours.frameworks[name]["requirements"]
    assert len(requirements) >= least
    assert all(re.fullmatch(pattern, one) for one in requirements)
    assert checked <= sum(bool(body["controls"]) for body in requirements.values()) < len(requirements)
    if name not in ("cci", "srg"):
        assert all(body["title"] for body in requirements.values())


def test_ours_know_what_speaks_to_what(ours):
    nist, pci = (ours.frameworks[name]["requirements"] for name in ("nist_800_53", "pci_dss_4"))
    assert "linux.sshd.log_level" not in nist["PE-3"]["controls"]
    assert nist["PE-3"]["controls"] == []
    assert pci["9.2.1"]["controls"] == []
    assert any(name.startswith("linux.time.") for name in pci["10.6.1"]["controls"])
    assert any(name.startswith("linux.audit.") for name in nist["AU-12"]["controls"])

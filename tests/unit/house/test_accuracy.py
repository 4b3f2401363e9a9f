"""docs/accuracy.md says what the referee's fixture says."""

from __future__ import annotations

import pathlib
import re

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
EXPLAINED = yaml.safe_load((ROOT / "tests/fixtures/referees/openscap_cis_debian12.yml").read_text())
TEXT = (ROOT / "docs/accuracy.md").read_text()
STATES = ("clean", "hardened", "mutated")


def section_lists():
    """Reason -> the sections that the document lists under it."""
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([\d., ]+) \|$", TEXT, re.M)
    return {reason: set(re.findall(r"\d+(?:\.\d+)+", sections)) for reason, sections in rows}


def test_the_document_lists_every_difference_by_its_reason_and_no_other():
    expected = {}
    for section, ones in EXPLAINED["sections"].items():
        for one in ones:
            expected.setdefault(one["because"], set()).add(section)
    assert section_lists() == expected


def test_every_section_that_the_document_names_is_explained():
    versions = set(re.findall(r"(?:OpenSCAP|content) ([\d.]+\d)", TEXT))
    named = set(re.findall(r"(?<![\d.])\d+(?:\.\d+){2,}", TEXT)) - versions
    assert named
    assert named <= set(EXPLAINED["sections"])


@pytest.mark.parametrize("state", STATES)
def test_the_document_counts_the_differences_of_each_state(state):
    number = sum(state in one["states"] for ones in EXPLAINED["sections"].values() for one in ones)
    row = next(line for line in TEXT.splitlines() if line.startswith(f"| {state} |"))
    assert row.split("|")[-2].strip() == str(number)


def test_each_explanation_is_whole():
    for section, ones in EXPLAINED["sections"].items():
        named = [state for one in ones for state in one["states"]]
        assert len(named) == len(set(named)), section
        assert set(named) <= set(STATES), section
        for one in ones:
            assert set(one) == {"states", "because", "theirs", "ours", "why"}, section
            assert one["because"] in EXPLAINED["reasons"], section
            assert one["theirs"] != one["ours"], section
            assert one["theirs"] in ("pass", "fail"), section
            assert len(one["why"]) > 30, section
            assert one["why"].endswith("."), section


def test_the_readme_of_the_documents_leads_to_it():
    assert "(accuracy.md)" in (ROOT / "docs/README.md").read_text()

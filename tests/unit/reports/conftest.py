"""Fixtures of the report's tests: the synthetic fleet."""

from __future__ import annotations

import importlib.util
import pathlib
import sys

import pytest

FIXTURES = pathlib.Path(__file__).parents[2] / "fixtures" / "reports"


@pytest.fixture(scope="session")
def make_report():
    """Return tests/fixtures/reports/fleet.py's ``make_report``."""
    sys.path.insert(0, str(FIXTURES))
    try:
        spec = importlib.util.spec_from_file_location("report_fleet", FIXTURES / "fleet.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(FIXTURES))
    return module.make_report


@pytest.fixture(scope="session")
def report(make_report):
    """Return a report of 12 assessed and 3 other hosts; do not change it."""
    return make_report()

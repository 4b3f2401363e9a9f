"""Change windows in their own time zones, over midnight and over the days when clocks are put."""

from __future__ import annotations

import datetime

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.hardening import windows

NIGHT = {"days": ["sat"], "from": "22:00", "to": "04:00", "zone": "Europe/Berlin"}


def at(text):
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("moment", "opened"),
    [
        ("2026-01-10T20:59:59", False),  # Saturday, 21:59:59 in Berlin
        ("2026-01-10T21:00:00", True),
        ("2026-01-11T02:59:59", True),  # Sunday, 03:59:59: the window of Saturday
        ("2026-01-11T03:00:00", False),
        ("2026-01-11T21:30:00", False),
        ("2026-07-11T20:00:00", True),  # summer: 22:00 in Berlin
        ("2026-07-11T19:59:59", False),
        ("2026-03-29T01:59:59", True),  # the night in which an hour is missing: 04:00 is 02:00 UTC
        ("2026-03-29T02:00:00", False),
    ],
)
def test_a_window_over_midnight_in_its_own_zone(moment, opened):
    assert windows.is_open(windows.read([NIGHT]), at(moment)) is opened


def test_without_windows_any_time_is_right():
    assert windows.refusal([], at("2026-01-10T12:00:00")) == ""
    assert windows.refusal(None, at("2026-01-10T12:00:00")) == ""


def test_the_refusal_says_when_the_next_one_opens():
    assert windows.refusal([NIGHT], at("2026-01-12T12:00:00")).endswith("opens 2026-01-17T21:00:00Z")
    both = [NIGHT, {"from": "06:00", "to": "07:00"}]
    assert windows.refusal(both, at("2026-01-12T12:00:00")).endswith("opens 2026-01-13T06:00:00Z")


def test_equal_ends_are_a_whole_day_and_minutes_may_be_a_number():
    assert windows.is_open(windows.read([{"days": "monday", "from": 0, "to": 0}]), at("2026-01-12T23:59:00"))
    assert windows.is_open(windows.read([{"from": 1320, "to": "23:00"}]), at("2026-01-12T22:30:00"))


@pytest.mark.parametrize(
    "window",
    [
        "22:00-04:00",
        [{"from": "22:00"}],
        [{"from": "25:00", "to": "04:00"}],
        [{"from": "22:00", "to": "04:00", "zone": "Mars/Olympus"}],
        [{"from": "22:00", "to": "04:00", "zone": "../../etc/passwd"}],
        [{"from": "22:00", "to": "04:00", "days": ["someday"]}],
        [{"from": "22:00", "to": "04:00", "day": "sat"}],
        [{"from": "22:00", "to": "04:00", "days": 5}],
        [{"from": "22:00", "to": "04:00", "days": None}],
    ],
)
def test_malformed_windows_are_refused(window):
    with pytest.raises(windows.WindowError):
        windows.read(window)

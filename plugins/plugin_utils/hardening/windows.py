"""Change windows: when a host may be changed, in the time zone that its people live in."""

from __future__ import annotations

import datetime
import re
import zoneinfo
from dataclasses import dataclass

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
FORM = "{days: [sat, sun], from: '22:00', to: '04:00', zone: Europe/Berlin}"


class WindowError(ValueError):
    """A window is malformed; the message says what was expected."""


@dataclass(frozen=True)
class Window:
    """``days`` (0 is Monday) on which it opens, ``start`` and ``end`` as minutes of the day, ``zone`` a ZoneInfo.

    A window whose end is not after its start closes on the next day; one of equal ends is open for 24 hours.
    """

    days: tuple
    start: int
    end: int
    zone: zoneinfo.ZoneInfo

    def around(self, moment):
        """Yield ``(opens, closes)`` (aware datetimes) of the window from the day before ``moment`` for nine days.

        Wall clock times: where a day has 23 or 25 hours, the window is shorter or longer as people there see it.
        """
        today = moment.astimezone(self.zone).date()
        for offset in range(-1, 9):
            day = today + datetime.timedelta(days=offset)
            if day.weekday() in self.days:
                last = day + datetime.timedelta(days=1) if self.end <= self.start else day
                yield self._at(day, self.start), self._at(last, self.end)

    def _at(self, day, minutes):
        clock = datetime.time(minutes // 60, minutes % 60)
        return datetime.datetime.combine(day, clock, tzinfo=self.zone).astimezone(datetime.UTC)


def read(windows):
    """Return Windows of plain data: a list of maps like FORM; ``days`` and ``zone`` (UTC) may be left out."""
    if not isinstance(windows, list):
        raise WindowError(f"ringwall_windows is {windows!r}; expected a list: [{FORM}]")
    return [_one(item) for item in windows]


def _one(item):
    if not isinstance(item, dict) or set(item) - {"days", "from", "to", "zone"} or not {"from", "to"} <= set(item):
        raise WindowError(f"a window is {item!r}; expected {FORM}")
    days = item.get("days", DAYS)
    days = [days] if isinstance(days, str) else days
    short = [str(day)[:3].lower() for day in days] if isinstance(days, (list, tuple)) else []
    if not short or any(day not in DAYS for day in short):
        raise WindowError(f"the days of a window are {days!r}; expected some of {', '.join(DAYS)}")
    try:
        zone = zoneinfo.ZoneInfo(str(item.get("zone", "UTC")))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise WindowError(f"there is no time zone {item['zone']!r}; expected a name like Europe/Berlin") from None
    return Window(tuple(DAYS.index(day) for day in short), _minutes(item["from"]), _minutes(item["to"]), zone)


def _minutes(text):
    if isinstance(text, int) and not isinstance(text, bool) and 0 <= text < 24 * 60:
        return text  # YAML reads 22:00 without quotes as 1320, minutes of the day
    found = TIME.fullmatch(str(text))
    if not found:
        raise WindowError(f"the time of a window is {text!r}; expected hours and minutes in quotes, '22:00'")
    return int(found.group(1)) * 60 + int(found.group(2))


def is_open(windows, moment):
    """True if one of them is open at ``moment`` (aware datetime), or there are none."""
    return not windows or any(start <= moment < end for window in windows for start, end in window.around(moment))


def next_opening(windows, moment):
    """When the next one opens, as an aware datetime in UTC, or None."""
    return min((start for window in windows for start, _end in window.around(moment) if start > moment), default=None)


def refusal(windows, moment):
    """Return why a host must not be changed now, or an empty text."""
    known = read(windows or [])
    if is_open(known, moment):
        return ""
    opens = next_opening(known, moment)
    return f"no change window is open; the next one opens {opens:%Y-%m-%dT%H:%M:%SZ}" if opens else "no window is open"

"""The controller's time. Called as ``clock.now()`` everywhere, so that a test can stop it in one place."""

from __future__ import annotations

import datetime


def now():
    """The controller's time as RFC 3339 UTC with seconds."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def age_hours(moment, at):
    """Hours from ``moment`` to ``at``, both RFC 3339."""
    return (datetime.datetime.fromisoformat(at) - datetime.datetime.fromisoformat(moment)).total_seconds() / 3600

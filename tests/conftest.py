"""Settings of all tests."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Time is measured by `make bench`: on a busy machine a deadline would fail a test that found nothing wrong.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", parent=settings.get_profile("default"), max_examples=2000, print_blob=True)
settings.load_profile("soak" if os.environ.get("RINGWALL_SOAK") == "1" else "default")

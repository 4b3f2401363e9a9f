"""Settings of all tests."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

# Time is measured by `make bench`: on a busy machine a deadline would fail a test that found nothing wrong.
settings.register_profile("always", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# The suite tries the same examples every time and does not spend minutes on making a failing one smaller. Looking for
# what nobody thought of is what `make soak` is for.
settings.register_profile(
    "suite", parent=settings.get_profile("always"), derandomize=True,
    phases=(Phase.explicit, Phase.generate),
)  # fmt: skip
settings.register_profile("soak", parent=settings.get_profile("always"), max_examples=2000, print_blob=True)
settings.load_profile("soak" if os.environ.get("RINGWALL_SOAK") == "1" else "suite")

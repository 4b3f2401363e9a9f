"""Geometry of the page's pictures (SVG): plain numbers and path texts, drawn by the template."""

from __future__ import annotations

import math

GAUGE_RADIUS = 84
GAUGE_SWEEP = 240
"""Degrees of the gauge's arc, open at the bottom."""

TREND_WIDTH, TREND_HEIGHT = 360, 120
_LEFT, _RIGHT, _TOP, _BOTTOM = 30, 44, 12, 20


def gauge(percent):
    """Return ``{path, filled, length, tone}``: an arc, how much of its length is filled, and how good that is.

    ``percent`` is 0 to 100 or None (nothing could be scored). Tones at 40 and 70 are ours: they only colour.
    """
    half = math.radians(GAUGE_SWEEP / 2)
    x, y = GAUGE_RADIUS * math.sin(half), -GAUGE_RADIUS * math.cos(half)
    # From the lower left clockwise over the top to the lower right: the long way round (SVG's y points down).
    path = f"M {-x:.2f} {y:.2f} A {GAUGE_RADIUS} {GAUGE_RADIUS} 0 1 1 {x:.2f} {y:.2f}"
    length = math.radians(GAUGE_SWEEP) * GAUGE_RADIUS
    share = min(max(percent or 0, 0), 100) / 100
    return {"path": path, "filled": round(length * share, 2), "length": round(length, 2), "tone": tone(percent)}


def tone(percent):
    """Return ``good``, ``fair``, ``poor`` or ``none`` for a score in percent."""
    if percent is None:
        return "none"
    return "good" if percent >= 70 else "fair" if percent >= 40 else "poor"


def trend(points):
    """Return the picture of a trend, oldest point first, or None when fewer than two points have a score.

    ``points`` are dicts with ``taken`` and ``percent`` (0 to 100 or None). Returns ``{line, area, dots, grid,
    first, last, change}``; a dot is ``{x, y, point}``, a grid line ``{y, value}``, ``change`` is in percent points
    against the run before.
    """
    points = [point for point in points if point["percent"] is not None]
    if len(points) < 2:
        return None
    values = [point["percent"] for point in points]
    low, high = _range(min(values), max(values))
    width, height = TREND_WIDTH - _LEFT - _RIGHT, TREND_HEIGHT - _TOP - _BOTTOM
    dots = [
        {
            "x": round(_LEFT + width * index / (len(points) - 1), 1),
            "y": round(_TOP + height * (high - point["percent"]) / (high - low), 1),
            "point": point,
        }
        for index, point in enumerate(points)
    ]
    line = " L ".join(f"{dot['x']} {dot['y']}" for dot in dots)
    floor = TREND_HEIGHT - _BOTTOM
    grid = [{"y": round(_TOP + height * (high - value) / (high - low), 1), "value": round(value)}
            for value in (low, (low + high) / 2, high)]  # fmt: skip
    return {
        "line": f"M {line}",
        "area": f"M {dots[0]['x']} {floor} L {line} L {dots[-1]['x']} {floor} Z",
        "dots": dots,
        "grid": grid,
        "first": dots[0],
        "last": dots[-1],
        "change": round(values[-1] - values[-2], 1),
    }


def _range(low, high):
    """Round a range outwards to tens, at least 20 wide and inside 0 to 100: small wobbles stay small."""
    low, high = math.floor(low / 10) * 10, math.ceil(high / 10) * 10
    while high - low < 20:
        low, high = max(0, low - 10), min(100, high + 10)
    return low, high

"""Posture: which benchmarks a host is judged by, and the verdicts."""

from __future__ import annotations

from .capability import Posture
from .vocabulary import VOCABULARY

__all__ = ["VOCABULARY", "Posture"]

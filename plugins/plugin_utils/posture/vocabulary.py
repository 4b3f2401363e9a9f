"""The words of content that posture understands, for the compiler of content."""

from __future__ import annotations

from pathlib import Path

from ..content.vocabulary import Vocabulary
from .applicability import CONDITIONS
from .resources import RESOURCES

_HERE = Path(__file__).parent

VOCABULARY = Vocabulary(
    resources=RESOURCES,
    conditions=CONDITIONS,
    sources=tuple(sorted([*_HERE.glob("*.py"), *_HERE.glob("resources/*.py")])),
)
"""Handed to ``content.compile_content``: content lies below posture and must not import it."""

"""Errors of content: they name the file and line at fault, what was expected and what to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Where:
    """A place in a content file; ``line`` counts from 1, 0 is unknown."""

    path: str
    line: int = 0

    def __str__(self):
        return f"{self.path}:{self.line}" if self.line else self.path


class ContentError(Exception):
    """Content that must not be used. ``where`` is a Where; ``expected`` says what would have been right."""

    def __init__(self, where, problem, expected=""):
        self.where = where
        self.problem = problem
        self.expected = expected
        super().__init__(f"{where}: {problem}" + (f"; expected {expected}" if expected else ""))

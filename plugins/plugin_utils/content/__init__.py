"""Content: where controls and benchmarks lie, how they are read, checked and compiled to plain data."""

from __future__ import annotations

from .compiler import Content, compile_content, keep_newest
from .errors import ContentError, Where
from .roots import Root, roots

__all__ = ["Content", "ContentError", "Root", "Where", "compile_content", "keep_newest", "roots"]

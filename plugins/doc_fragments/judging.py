"""Shared documentation of what decides how hosts are read and judged."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of the actions that open a run and assess a host."""

    DOCUMENTATION = r"""
options:
  cadence:
    description:
      - V(auto) reads deep tables (walks of file systems) when their last complete reading grows old, V(fast) never,
        V(deep) always.
    type: str
    choices: [auto, fast, deep]
    default: auto
  benchmarks:
    description:
      - Benchmarks to judge by, in place of those that fit the platform.
    type: list
    elements: str
"""

"""Shared documentation of what only reads."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes of modules and actions that change nothing on a host."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    support: full
    description: Reads in full and changes nothing on the host, with or without check mode.
  diff_mode:
    support: none
    description: There is nothing to show a difference of.
  idempotent:
    support: full
    description: It can be run again at any time.
options: {}
"""

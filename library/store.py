#!/usr/bin/python
# Copyright: the Ringwall developers
# Apache License 2.0 (see LICENSE) or, at your option, GNU General Public License v3.0 or later
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
"""Documentation of the action of this name; the work is done on the controller."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
---
module: store
short_description: Keep the store of runs
version_added: 0.1.0
description:
  - Prunes old runs, builds the store anew from the evidence, verifies the evidence, holds a run against pruning or
    retires a host.
  - It works on the controller. Where state and store lie comes from the play, extra variables or the environment.
author:
  - The Ringwall developers (@ringwall)
options:
  verb:
    description:
      - What to do.
    type: str
    required: true
    choices: [prune, rebuild, verify, hold, release, retire]
  keep_runs:
    description:
      - The newest runs of a scope that V(prune) keeps, however old.
    type: int
    default: 50
  keep_days:
    description:
      - Days for which V(prune) keeps every run.
    type: int
    default: 90
  subject:
    description:
      - The run to hold or release, or the host to retire.
    type: str
  reason:
    description:
      - Why a run is held or released, or a host retired; kept in the ledger.
    type: str
attributes:
  check_mode:
    support: partial
    description: V(verify) works as always, the other verbs change nothing.
  diff_mode:
    support: none
    description: There is nothing to show a difference of.
  idempotent:
    support: full
    description: Doing it again changes nothing more.
"""

EXAMPLES = r"""
- name: Verify that the evidence is what it was
  ringwall.servers.store:
    verb: verify
"""

RETURN = r"""
result:
  description: What the verb did, by kind.
  returned: success
  type: dict
problems:
  description: What does not verify, as where and problem.
  returned: when O(verb=verify)
  type: list
  elements: dict
"""

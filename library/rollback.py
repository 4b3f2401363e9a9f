#!/usr/bin/python
# Copyright: the Ringwall developers
# Apache License 2.0 (see LICENSE) or, at your option, GNU General Public License v3.0 or later
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
"""Documentation of the action of this name; the work is done on the controller."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
---
module: rollback
short_description: Undo what a run changed on one host
version_added: 0.2.0
description:
  - Restores what the host had before, from what it kept in C(/var/lib/ringwall), wherever what is there is what the run
    wrote. What others changed since is left as it is and reported.
  - Says which packages came and went by the run, for the tasks that bring them back.
author:
  - The Ringwall developers (@ringwall)
options:
  target:
    description:
      - Id of the run to undo.
    type: str
    required: true
  controls:
    description:
      - Ids of controls, to undo what these alone wanted.
    type: list
    elements: str
attributes:
  check_mode:
    support: full
    description: Says whether the host can still undo the run, and changes nothing.
  diff_mode:
    support: none
    description: The reports of the runs show the difference.
  idempotent:
    support: full
    description: What is undone already stays so.
"""

EXAMPLES = r"""
- name: Undo
  ringwall.servers.rollback:
    target: 20260131T120000Z-1a2b3c
  become: true
"""

RETURN = r"""
text:
  description: One line for people, what stays different in it.
  returned: always
  type: str
state:
  description: V(rolled_back), V(possible) (in check mode), V(nothing) or V(failed).
  returned: always
  type: str
  sample: rolled_back
reason:
  description: Why there was nothing to undo.
  returned: always
  type: str
remove:
  description: Packages that came by the run.
  returned: always
  type: list
  elements: str
install:
  description: Packages that went by the run.
  returned: always
  type: list
  elements: str
accounts:
  description: System accounts that came with the packages.
  returned: always
  type: list
  elements: str
groups:
  description: Groups that came with the packages.
  returned: always
  type: list
  elements: str
family:
  description: Family of the host's system.
  returned: when the run changed packages
  type: str
conflicts:
  description: What others changed since.
  returned: when undone
  type: list
  elements: str
"""

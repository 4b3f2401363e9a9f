#!/usr/bin/python
# Copyright: the Ringwall developers
# Apache License 2.0 (see LICENSE) or, at your option, GNU General Public License v3.0 or later
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
"""Documentation of the action of this name; the work is done on the controller."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
---
module: plan
short_description: Plan the hardening of one host
version_added: 0.2.0
description:
  - Makes a plan of what failed in the run that was begun - operations, packages, what is held back and why, what is
    left to people.
  - The engine on the host says of each operation what it would change; those that change nothing are dropped.
  - The plan is saved with the run, as C(plans/<host>.json) below the run's directory, with a digest.
  - Nothing is changed on the host.
author:
  - The Ringwall developers (@ringwall)
options:
  run:
    description:
      - What M(ringwall.servers.begin) returned.
    type: dict
    required: true
  again:
    description:
      - Look again at what the saved plan meets, after packages came or went. Returns the path of the plan to carry out.
    type: bool
    default: false
  benchmarks:
    description:
      - Benchmarks to harden by; the first of the host's own when left out.
    type: list
    elements: str
  judged_by:
    description:
      - Benchmarks that the host was assessed by, when they were named.
    type: list
    elements: str
  level:
    description:
      - V(l1), V(l2), a category of a STIG (V(high), V(medium), V(low)) or V(all).
    type: str
  profile:
    description:
      - Whose levels of a CIS benchmark count.
    type: str
    choices: [server, workstation]
    default: server
  controls:
    description:
      - Controls, as ids or patterns.
    type: list
    elements: str
  sections:
    description:
      - Sections, as numbers or patterns; V(5.1) holds V(5.1.3).
    type: list
    elements: str
  attack:
    description:
      - Techniques of MITRE ATT&CK that controls are to hinder.
    type: list
    elements: str
  severity:
    description:
      - The least severity.
    type: str
    choices: [critical, high, medium, low]
  release:
    description:
      - Ids of controls, or names of holds, that are not to be held back.
    type: list
    elements: str
  mode:
    description:
      - V(harden) sets what fails, V(keep) writes down what passes.
    type: str
    choices: [harden, keep]
    default: harden
  plan:
    description:
      - Digests of plans that were reviewed. A host whose plan is another one is refused.
    type: list
    elements: str
  windows:
    description:
      - Change windows. Outside of them a host is refused; check mode is always open.
    type: list
    elements: dict
  health:
    description:
      - Checks that M(ringwall.servers.outcome) will carry out; they are only read here, so that a slip shows early.
    type: list
    elements: dict
  controllers:
    description:
      - Addresses and networks that must stay able to connect. The one that the host sees is added.
    type: list
    elements: str
  parameters:
    description:
      - Values of the parameters of controls for this host.
    type: dict
  roles:
    description:
      - What the host is for.
    type: list
    elements: str
attributes:
  check_mode:
    support: full
    description: The plan is made and saved in both modes; nothing is written to a ledger in check mode.
  diff_mode:
    support: full
    description: Shows the plan for people.
  idempotent:
    support: full
    description: The same host in the same state gives the same plan.
"""

EXAMPLES = r"""
- name: Plan
  ringwall.servers.plan:
    run: "{{ begun }}"
    level: l1
  become: true
  register: plan
"""

RETURN = r"""
state:
  description: V(planned), V(refused) or V(not_assessed).
  returned: always
  type: str
  sample: planned
reason:
  description: Why it was refused.
  returned: when it was
  type: str
digest:
  description: What the plan is known by.
  returned: when planned
  type: str
path:
  description: Where it lies on the controller.
  returned: when planned
  type: str
changes:
  description: Whether there is anything to do.
  returned: always
  type: bool
operations:
  description: Number of operations.
  returned: when planned
  type: int
install:
  description: Packages to install.
  returned: when planned
  type: list
  elements: str
remove:
  description: Packages to remove.
  returned: when planned
  type: list
  elements: str
family:
  description: Family of the host's system.
  returned: when planned
  type: str
held:
  description: Number of controls that are held back.
  returned: when planned
  type: int
left:
  description: Number of entries that are left to people.
  returned: when planned
  type: int
"""

#!/usr/bin/python
# Copyright: the Ringwall developers
# Apache License 2.0 (see LICENSE) or, at your option, GNU General Public License v3.0 or later
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
"""Documentation of the action of this name; the work is done on the controller."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
---
module: outcome
short_description: Say what came of hardening one host
version_added: 0.2.0
description:
  - Compares the assessments before and after, carries out the user's health checks from the host, looks for units that
    failed since, and writes what was done to the ledger.
  - It never fails a host; M(ringwall.servers.verdict) does.
author:
  - The Ringwall developers (@ringwall)
options:
  run:
    description:
      - What M(ringwall.servers.begin) returned for the first assessment.
    type: dict
    required: true
  verified:
    description:
      - What M(ringwall.servers.begin) returned for the second one.
    type: dict
    required: true
  plan:
    description:
      - What M(ringwall.servers.plan) returned.
    type: dict
    required: true
  applied:
    description:
      - What M(ringwall.servers.guarded_change) returned.
    type: dict
  installed:
    description:
      - Results of the tasks that installed packages.
    type: list
    elements: dict
  removed:
    description:
      - Results of the tasks that removed packages.
    type: list
    elements: dict
  health:
    description:
      - "Checks from the host, each one of C({tcp: port, host}), C({command: [program, argument]}), C({url, status})."
    type: list
    elements: dict
attributes:
  check_mode:
    support: none
    description: There is nothing to say of a change that was not made.
  diff_mode:
    support: none
    description: The reports of the two runs show the difference.
  idempotent:
    support: partial
    description: Each time, a line is added to the ledger.
"""

EXAMPLES = r"""
- name: Say what came of it
  ringwall.servers.outcome:
    run: "{{ begun }}"
    verified: "{{ begun_again }}"
    plan: "{{ plan }}"
    applied: "{{ applied }}"
"""

RETURN = r"""
state:
  description: V(changed), V(unchanged), V(partly), V(rolled_back), V(failed), V(unwell), V(refused) or V(not_assessed).
  returned: always
  type: str
  sample: changed
unwell:
  description: Whether no further host is to be changed.
  returned: always
  type: bool
text:
  description: All of it in few lines.
  returned: always
  type: str
failed_controls:
  description: Controls that could not be set, with the reason.
  returned: when the host was changed
  type: dict
fixed:
  description: Sections that fail no more.
  returned: when the host was changed
  type: list
  elements: str
broken:
  description: Sections that fail now and did not.
  returned: when the host was changed
  type: list
  elements: str
reboot:
  description: Why a reboot is needed.
  returned: when the host was changed
  type: list
  elements: str
"""

#!/usr/bin/python
# Copyright: the Ringwall developers
# Apache License 2.0 (see LICENSE) or, at your option, GNU General Public License v3.0 or later
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
"""Documentation of the action of this name; the work is done on the controller."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
---
module: verdict
short_description: Give each host the result that its assessment deserves
version_added: 0.1.0
description:
  - Returns unreachable or failed for hosts that were, and for hosts that O(fail_on) refuses.
author:
  - The Ringwall developers (@ringwall)
options:
  assessment:
    description:
      - What M(ringwall.servers.assess) returned for this host.
    type: dict
    required: true
  outcome:
    description:
      - What M(ringwall.servers.outcome) returned, of a verb that changes hosts.
    type: dict
  fail_on:
    description:
      - Keys V(severity) (a failed finding of at least that severity refuses the host) and V(score) (a secure score
        below it does).
    type: dict
    default: {}
extends_documentation_fragment:
  - ringwall.servers.reading
"""

EXAMPLES = r"""
- name: Give the verdict
  ringwall.servers.verdict:
    assessment: "{{ assessment }}"
    fail_on:
      severity: high
"""

RETURN = r"""
msg:
  description: Why the host is refused.
  returned: always
  type: str
"""

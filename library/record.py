#!/usr/bin/python
# Copyright: the Ringwall developers
# Apache License 2.0 (see LICENSE) or, at your option, GNU General Public License v3.0 or later
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
"""Documentation of the action of this name; the work is done on the controller."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
---
module: record
short_description: Bring a run into the store
version_added: 0.1.0
description:
  - Seals the run when no other batch of the play is to come, and records it, after runs that were interrupted.
  - It can be run again without doubling anything.
author:
  - The Ringwall developers (@ringwall)
options:
  run:
    description:
      - What M(ringwall.servers.begin) returned.
    type: dict
    required: true
  ending:
    description:
      - No host that is still waiting will come; they are written down as not assessed.
    type: bool
    default: false
extends_documentation_fragment:
  - ringwall.servers.reading
"""

EXAMPLES = r"""
- name: Record
  ringwall.servers.record:
    run: "{{ begun }}"
"""

RETURN = r"""
recorded:
  description: Number of hosts recorded.
  returned: success
  type: int
"""

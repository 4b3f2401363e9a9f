#!/usr/bin/python
# Copyright: the Ringwall developers
# Apache License 2.0 (see LICENSE) or, at your option, GNU General Public License v3.0 or later
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
"""Documentation of the action of this name; the work is done on the controller."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
---
module: guarded_change
short_description: Change a host so that it undoes the change itself unless somebody can still log in
version_added: 0.2.0
description:
  - Operations are looked at again, staged and validated on the host. Then the host is told to undo them after a time,
    they are carried out, the connection is dropped, and only a new log-in that becomes root and runs a module confirms
    them.
  - What the host had before is kept there for 30 days, in C(/var/lib/ringwall), to roll back.
  - An operation that fails is taken back together with its controls; the others stay.
  - In check mode it says what would change, and changes nothing.
author:
  - The Ringwall developers (@ringwall)
options:
  run:
    description:
      - Id of the run. A host takes each id once.
    type: str
    required: true
  plan:
    description:
      - Path of the host's saved plan on the controller.
    type: path
  digest:
    description:
      - Digest of the plan that was approved. Another plan is refused.
    type: str
  operations:
    description:
      - The operations themselves, in place of O(plan). C(plugins/module_utils/changes/spec.py) describes them.
    type: list
    elements: dict
  before:
    description:
      - Digests of what O(operations) go by, one each, as check mode returned them. What is another by now is refused.
    type: list
    elements: str
  rollback_after:
    description:
      - Seconds after which the host undoes the change unless it was confirmed.
    type: float
    default: 120
attributes:
  check_mode:
    support: full
    description: Says what would change and changes nothing on the host.
  diff_mode:
    support: full
    description: Shows the lines that change, with secrets replaced.
  idempotent:
    support: full
    description: What is so already is left as it is.
"""

EXAMPLES = r"""
- name: No log-in as root
  ringwall.servers.guarded_change:
    run: 20260101T120000Z-0a1b2c
    operations:
      - op: edit
        path: /etc/ssh/sshd_config
        edits:
          - set: PermitRootLogin
            value: "no"
            separator: " "
            ignore_case: true
            until: (?i)^\s*match\s
        validate: sshd
        follow: ["reload:ssh"]
  become: true
"""

RETURN = r"""
state:
  description: C(unchanged), C(confirmed), C(rolled_back); C(planned) in check mode.
  returned: always
  type: str
results:
  description: Number, status (changed, unchanged, failed, conflict, undone) and reason of each operation.
  returned: when it was carried out
  type: list
  elements: dict
failed_controls:
  description: Controls of which an operation failed, with the reason.
  returned: when it was carried out
  type: dict
healed:
  description: Whether the host was seen to have undone the change.
  returned: when it was undone
  type: bool
operations:
  description: What each operation would change.
  returned: in check mode
  type: list
  elements: dict
"""

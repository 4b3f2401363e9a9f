#!/usr/bin/python
# Copyright: the Ringwall developers
# Apache License 2.0 (see LICENSE) or, at your option, GNU General Public License v3.0 or later
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
"""Documentation of the action of this name; the work is done on the controller."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
---
module: rejudge
short_description: Judge a run again by the content of today
version_added: 0.2.0
description:
  - Judges what an earlier run read by the controls and benchmarks of today, without visiting a host, and records the
    result as a run of its own that names the run behind it.
  - What was not read then is C(unreadable). A finding that ends by it is closed by C(content), never as C(fixed).
  - Where a host was visited again since, its history stays as it is; the report of this run shows what was judged.
author:
  - The Ringwall developers (@ringwall)
options:
  run:
    description:
      - Id of the run; the newest one of the scope when left out.
    type: str
  benchmarks:
    description:
      - Ids of benchmarks to judge by, in place of those that the hosts' variables or systems chose.
    type: list
    elements: str
extends_documentation_fragment:
  - ringwall.servers.reading
"""

EXAMPLES = r"""
- name: Judge the newest run by the STIG
  ringwall.servers.rejudge:
    benchmarks: [stig_rhel9]
"""

RETURN = r"""
run:
  description: Id of the new run.
  returned: success
  type: str
rejudged_from:
  description: Id of the run that visited the hosts.
  returned: success
  type: str
hosts:
  description: Number of hosts in it.
  returned: success
  type: int
judged:
  description: Number of hosts that were judged; the others had not been assessed.
  returned: success
  type: int
late:
  description: Number of hosts that were visited again since, of which the history does not change.
  returned: success
  type: int
opened:
  description: Number of findings that began or changed.
  returned: success
  type: int
closed:
  description: Number of findings that ended or changed.
  returned: success
  type: int
"""

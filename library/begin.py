#!/usr/bin/python
# Copyright: the Ringwall developers
# Apache License 2.0 (see LICENSE) or, at your option, GNU General Public License v3.0 or later
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
"""Documentation of the action of this name; the work is done on the controller."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
---
module: begin
short_description: Open a run of assessments
version_added: 0.1.0
description:
  - Compiles the content, opens the run in the state directory and lays ready what judging needs from the past.
  - It runs once a batch and touches no host. Where state and store lie comes from the play, extra variables or the
    environment, never from a host's or a group's variables.
author:
  - The Ringwall developers (@ringwall)
options:
  verifies:
    description:
      - Id of a run that this one verifies; it bears that id with an ending.
    type: str
  max_hosts:
    description:
      - For verbs that change hosts - more hosts than this are refused, except in check mode.
    type: int
extends_documentation_fragment:
  - ringwall.servers.reading
  - ringwall.servers.judging
"""

EXAMPLES = r"""
- name: Open the run
  ringwall.servers.begin:
  register: begun
"""

RETURN = r"""
run:
  description: Id of the run.
  returned: success
  type: str
state:
  description: Path of the state directory.
  returned: success
  type: str
content:
  description: Digest of the compiled content.
  returned: success
  type: str
collectors:
  description: Paths of the packed collector (source and bytecode), and the magic number that the bytecode is for.
  returned: success
  type: dict
tables:
  description: Names of the tables that are needed.
  returned: success
  type: list
  elements: str
paths:
  description: Paths of which the attributes are needed.
  returned: success
  type: list
  elements: str
"""

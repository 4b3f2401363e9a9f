#!/usr/bin/python
# Copyright: the Ringwall developers
# Apache License 2.0 (see LICENSE) or, at your option, GNU General Public License v3.0 or later
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
"""Documentation of the action of this name; the work is done on the controller."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
---
module: report
short_description: Write the reports of a run
version_added: 0.1.0
description:
  - Reads the store alone and writes into C(reports/<run>) of the state directory; C(reports/latest) names the newest.
author:
  - The Ringwall developers (@ringwall)
options:
  run:
    description:
      - What M(ringwall.servers.begin) returned.
    type: dict
    required: true
  formats:
    description:
      - What to write.
    type: list
    elements: str
    choices: [json, html, csv, frameworks, junit, markdown]
    default: [json, html, csv, frameworks, junit, markdown]
extends_documentation_fragment:
  - ringwall.servers.reading
"""

EXAMPLES = r"""
- name: Report
  ringwall.servers.report:
    run: "{{ begun }}"
    formats: [html]
"""

RETURN = r"""
text:
  description: The summary for a terminal.
  returned: success
  type: str
files:
  description: Paths by format.
  returned: success
  type: dict
"""

#!/usr/bin/python
# Copyright: the Ringwall developers
# Apache License 2.0 (see LICENSE) or, at your option, GNU General Public License v3.0 or later
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
"""Documentation of the action of this name; the work is done on the controller."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
---
module: assess
short_description: Assess one host in one round trip
version_added: 0.1.0
description:
  - Reads all tables of the host at once, judges them on the controller and writes the host's file of the run.
  - It never fails a host, so that nothing of a run is lost; M(ringwall.servers.verdict) gives each host its result.
author:
  - The Ringwall developers (@ringwall)
options:
  run:
    description:
      - What M(ringwall.servers.begin) returned.
    type: dict
    required: true
  timeout:
    description:
      - Seconds for the whole of this host.
    type: float
    default: 300
  transport:
    description:
      - V(pipe) sends the collector to the standard input of the remote Python, V(module) uses
        M(ringwall.servers.snapshot).
    type: str
    choices: [pipe, module]
    default: pipe
  root:
    description:
      - A directory on the host that holds another root file system, for example a mounted disk image.
    type: path
    default: /
  parameters:
    description:
      - Values of the parameters of controls for this host.
    type: dict
  roles:
    description:
      - What the host is for (router, mail_server and so on); controls look at it.
    type: list
    elements: str
  owner:
    description:
      - Who answers for the host.
    type: str
  team:
    description:
      - The team of the owner.
    type: str
  environment:
    description:
      - For example production.
    type: str
  criticality:
    description:
      - For example high.
    type: str
  tags:
    description:
      - Labels that are kept with the run.
    type: dict
    default: {}
extends_documentation_fragment:
  - ringwall.servers.reading
  - ringwall.servers.judging
"""

EXAMPLES = r"""
- name: Assess
  ringwall.servers.assess:
    run: "{{ begun }}"
  become: true
  register: assessment
"""

RETURN = r"""
state:
  description: Whether the host was assessed.
  returned: always
  type: str
  sample: assessed
reason:
  description: Why it was not, as code, text and fix.
  returned: always
  type: dict
counts:
  description: Number of findings by status.
  returned: always
  type: dict
failed_by_severity:
  description: Number of failed findings without a disposition, by severity.
  returned: always
  type: dict
score:
  description: Secure score of this host in percent.
  returned: always
  type: float
unreadable_tables:
  description: Tables that could not be read completely.
  returned: always
  type: list
  elements: str
"""

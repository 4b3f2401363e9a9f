#!/usr/bin/python
# Copyright: the Ringwall developers
# Apache License 2.0 (see LICENSE) or, at your option, GNU General Public License v3.0 or later
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
"""The module face of the collector."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
---
module: snapshot
short_description: Read the security-relevant state of a Linux host into named tables
version_added: 0.1.0
description:
  - Reads raw facts (packages, units, kernel settings, accounts, listeners and more) in one go and judges nothing.
  - It changes nothing on the host. The tables and their columns are listed in C(docs/tables.md).
  - To assess hosts, use the playbook M(ringwall.servers.assess), which does not need this module.
author:
  - The Ringwall developers (@ringwall)
options:
  settings:
    description:
      - What to read. Keys are C(tables) (names; the fast ones when left out), C(options) (a map of tables to their
        options), C(root) (a directory that holds another root file system), C(timeout) and C(table_timeout) (seconds)
        and C(memory) (MiB).
    type: dict
    default: {}
  payload:
    description:
      - V(plain) returns the tables as data, for filters and other tasks.
      - V(packed) returns one opaque text, which costs the controller far less.
    type: str
    choices: [plain, packed]
    default: plain
extends_documentation_fragment:
  - ringwall.servers.reading
"""

EXAMPLES = r"""
- name: Read two tables
  ringwall.servers.snapshot:
    settings:
      tables: [identity, packages]
  register: result

- name: Read a mounted disk image
  ringwall.servers.snapshot:
    settings:
      root: /mnt/image
"""

RETURN = r"""
snapshot:
  description: The snapshot, as data or as packed text.
  returned: always
  type: raw
"""

import json

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.ringwall.servers.plugins.module_utils.collect import DEFAULTS, collect
from ansible_collections.ringwall.servers.plugins.module_utils.frame import pack


def main():
    """Read and answer."""
    module = AnsibleModule(
        argument_spec={
            "settings": {"type": "dict", "default": {}},
            "payload": {"type": "str", "default": "plain", "choices": ["plain", "packed"]},
        },
        supports_check_mode=True,
    )
    settings = module.params["settings"]
    unknown = sorted(set(settings) - set(DEFAULTS))
    if unknown:
        module.fail_json(
            msg="settings: unknown %s; expected some of %s" % (", ".join(unknown), ", ".join(sorted(DEFAULTS)))
        )
    data = collect(settings)
    packed = module.params["payload"] == "packed"
    module.exit_json(changed=False, snapshot=pack(data).decode("ascii") if packed else json.loads(data))


if __name__ == "__main__":
    main()

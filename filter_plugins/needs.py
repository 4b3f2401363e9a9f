# Copyright: the Ringwall developers
# Apache License 2.0 (see LICENSE)
"""Filter ``needs``: what a snapshot must hold to be judged by benchmarks."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError
from ansible_collections.ringwall.servers.plugins.plugin_utils import assessment
from ansible_collections.ringwall.servers.plugins.plugin_utils.content import compile_content, roots
from ansible_collections.ringwall.servers.plugins.plugin_utils.content.errors import ContentError
from ansible_collections.ringwall.servers.plugins.plugin_utils.plain import plain
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.vocabulary import VOCABULARY

DOCUMENTATION = r"""
name: needs
short_description: Say what a snapshot must hold to be judged by benchmarks
version_added: 0.1.0
author: The Ringwall developers (@ringwall)
description:
  - Takes ids of benchmarks and returns the O(ringwall.servers.snapshot#module:settings) with which
    M(ringwall.servers.snapshot) reads what an assessment by them reads - the tables, and the files that controls name.
  - Without it the snapshot holds no attributes of files, and controls that ask for them come out as C(unreadable).
options:
  _input:
    description: Ids of benchmarks; an empty list stands for all of them.
    type: list
    elements: str
    required: true
  cadence:
    description:
      - V(fast) leaves out the tables that walk file systems. V(auto) and V(deep) hold them, for a filter knows of no
        earlier reading.
    type: str
    choices: [auto, fast, deep]
    default: auto
  content:
    description: Directories with content of your own.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Read the host
  ringwall.servers.snapshot:
    settings: "{{ ['cis_debian12'] | ringwall.servers.needs(cadence='fast') }}"
  become: true
  register: result
"""

RETURN = r"""
_value:
  description: A map with C(tables) and C(options), as the module takes it.
  type: dict
"""


def needs(benchmarks, cadence="auto", content=None):
    """Return ``{tables, options}`` for the module; raise AnsibleFilterError for an unknown benchmark or cadence."""
    asked = plain(benchmarks)
    if not isinstance(asked, list) or not all(isinstance(item, str) for item in asked):
        raise AnsibleFilterError("needs: expected a list of ids of benchmarks")
    if cadence not in ("auto", "fast", "deep"):
        raise AnsibleFilterError(f"needs: cadence is {cadence!r}; expected auto, fast or deep")
    try:
        compiled = compile_content(roots(extra=plain(content) or ()), VOCABULARY)
    except ContentError as error:
        raise AnsibleFilterError(f"needs: {error}") from error
    unknown = sorted(set(asked) - set(compiled.benchmarks))
    if unknown:
        known = ", ".join(sorted(compiled.benchmarks))
        raise AnsibleFilterError(f"needs: no benchmark {', '.join(unknown)}; expected some of {known}")
    tables, paths, configs = assessment.needs(compiled, {"benchmarks": asked or None})
    reading = assessment.tables_to_read(tables, {}, str(cadence), assessment.clock.now())
    return {"tables": sorted(reading), "options": assessment.table_options(paths, configs)}


class FilterModule:
    """The filter's face."""

    def filters(self):
        """Return the filter by its name."""
        return {"needs": needs}

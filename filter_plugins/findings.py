# Copyright: the Ringwall developers
# Apache License 2.0 (see LICENSE)
"""Filter ``findings``: judge a snapshot."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError
from ansible_collections.ringwall.servers.plugins.plugin_utils.content.errors import ContentError
from ansible_collections.ringwall.servers.plugins.plugin_utils.plain import plain
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.plain_snapshot import evaluate
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.limits import HostFailure

DOCUMENTATION = r"""
name: findings
short_description: Judge a snapshot by benchmarks
version_added: 0.1.0
author: The Ringwall developers (@ringwall)
description:
  - Takes what M(ringwall.servers.snapshot) returned with O(ringwall.servers.snapshot#module:payload=plain) and returns
    the findings that an assessment of the same snapshot gives, one for each control of each section.
  - Nothing is read from the host and nothing is recorded.
options:
  _input:
    description: The snapshot, as data.
    type: dict
    required: true
  benchmarks:
    description: Ids of benchmarks. Those of the host's own system when left out, else our own.
    type: list
    elements: str
  parameters:
    description: Tailored values of parameters, as O(parameters) of an assessment.
    type: dict
  roles:
    description: Roles of the host, which make controls not applicable.
    type: list
    elements: str
  content:
    description: Directories with content of your own.
    type: list
    elements: str
  owner:
    description: Who owns the host; it stands in each finding.
    type: str
"""

EXAMPLES = r"""
- name: Read the host
  ringwall.servers.snapshot:
    payload: plain
  register: result

- name: Show what fails
  ansible.builtin.debug:
    msg: "{{ result.snapshot | ringwall.servers.findings(benchmarks=['cis_debian12']) | ringwall.servers.failed }}"
"""

RETURN = r"""
_value:
  description: Findings. Each has C(control), C(benchmark), C(section), C(level), C(status), C(severity), C(expected),
    C(actual), C(evidence), C(reason), C(observed_at), C(disposition), C(owner) and C(due).
  type: list
  elements: dict
"""


def findings(snapshot, benchmarks=None, parameters=None, roles=None, content=None, owner=None):
    """Return the findings of a plain snapshot; raise AnsibleFilterError when it or the content is malformed."""
    if not isinstance(snapshot, dict):
        raise AnsibleFilterError("findings: expected a snapshot as data (payload: plain)")
    options = {"benchmarks": benchmarks, "parameters": parameters, "roles": roles, "content": content}
    options["inventory"] = {"owner": owner}
    try:
        return evaluate(plain(snapshot), plain(options))["findings"]
    except (ContentError, HostFailure) as error:
        raise AnsibleFilterError(f"findings: {error}") from error


class FilterModule:
    """The filter's face."""

    def filters(self):
        """Return the filter by its name."""
        return {"findings": findings}

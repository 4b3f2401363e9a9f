# Copyright: the Ringwall developers
# Apache License 2.0 (see LICENSE)
"""Filter ``score``: the secure score and the weighted pass rate."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError
from ansible_collections.ringwall.servers.plugins.plugin_utils.content import compile_content, roots
from ansible_collections.ringwall.servers.plugins.plugin_utils.content.errors import ContentError
from ansible_collections.ringwall.servers.plugins.plugin_utils.findings.score import score as compute
from ansible_collections.ringwall.servers.plugins.plugin_utils.plain import plain
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.vocabulary import VOCABULARY

DOCUMENTATION = r"""
name: score
short_description: Compute the score of findings
version_added: 0.1.0
author: The Ringwall developers (@ringwall)
description:
  - Takes the findings of one host, or a list of hosts with their findings, and returns the score that an assessment
    reports.
  - The secure score gives a host the share of a score control only if everything of that control passes; what could
    not be read counts as unhealthy. The weighted pass rate leaves it out and counts it beside.
options:
  _input:
    description: Findings of one host, or a list of maps with C(name), C(groups), C(state) and C(findings).
    type: list
    elements: dict
    required: true
  weights:
    description: Values that replace ours; C(points) by score control and C(severities) by severity.
    type: dict
  content:
    description: Directories with content of your own.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Show the score of one host
  ansible.builtin.debug:
    msg: "{{ (result.snapshot | ringwall.servers.findings | ringwall.servers.score).sentence }}"
"""

RETURN = r"""
_value:
  description: A map with C(secure), C(weighted), C(readable_percent), C(hosts_unseen), C(groups), C(hosts) and
    C(sentence).
  type: dict
"""


def score(hosts, weights=None, content=None):
    """Return the score; raise AnsibleFilterError when the input is malformed."""
    hosts = plain(hosts)
    if not isinstance(hosts, list) or not all(isinstance(item, dict) for item in hosts):
        raise AnsibleFilterError("score: expected a list of findings, or of hosts with their findings")
    if not hosts or "findings" not in hosts[0]:
        hosts = [{"name": "host", "groups": [], "state": "assessed", "findings": hosts}]
    try:
        compiled = compile_content(roots(extra=plain(content) or ()), VOCABULARY)
        return compute(hosts, compiled.controls, plain(weights))
    except (ContentError, KeyError, TypeError) as error:
        raise AnsibleFilterError(f"score: {error}") from error


class FilterModule:
    """The filter's face."""

    def filters(self):
        """Return the filter by its name."""
        return {"score": score}

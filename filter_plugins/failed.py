# Copyright: the Ringwall developers
# Apache License 2.0 (see LICENSE)
"""Filter ``failed``: the findings that need work, worst first."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError
from ansible_collections.ringwall.servers.plugins.plugin_utils.findings.selection import failed_findings
from ansible_collections.ringwall.servers.plugins.plugin_utils.plain import plain

DOCUMENTATION = r"""
name: failed
short_description: Keep the findings that need work, worst first
version_added: 0.1.0
author: The Ringwall developers (@ringwall)
description:
  - Takes findings and returns those that failed and that no disposition covers, sorted by severity, benchmark and
    section.
options:
  _input:
    description: Findings, as the filter P(ringwall.servers.findings#filter) returns them.
    type: list
    elements: dict
    required: true
  severity:
    description: The mildest severity that counts.
    type: str
    choices: [critical, high, medium, low]
    default: low
  statuses:
    description: Statuses that count. Add V(unreadable) and V(error) to see also what could not be told.
    type: list
    elements: str
    default: [fail]
  disposed:
    description: Whether findings with a disposition count too.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Stop when something serious fails
  ansible.builtin.assert:
    that: result.snapshot | ringwall.servers.findings | ringwall.servers.failed(severity='high') | length == 0
"""

RETURN = r"""
_value:
  description: The findings that are left, in the same form.
  type: list
  elements: dict
"""


def failed(findings, severity="low", statuses=("fail",), disposed=False):
    """Return the findings that need work; raise AnsibleFilterError for an unknown severity or status."""
    try:
        return failed_findings(plain(findings), str(severity), [str(item) for item in statuses], bool(disposed))
    except (ValueError, KeyError, TypeError) as error:
        raise AnsibleFilterError(f"failed: {error}") from error


class FilterModule:
    """The filter's face."""

    def filters(self):
        """Return the filter by its name."""
        return {"failed": failed}

# Copyright: the Ringwall developers
# Apache License 2.0 (see LICENSE)
"""Filter ``harden_plan``: what a hardening would do to the host of a snapshot."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError
from ansible_collections.ringwall.servers.plugins.plugin_utils.assessment import planning
from ansible_collections.ringwall.servers.plugins.plugin_utils.content import compile_content, roots
from ansible_collections.ringwall.servers.plugins.plugin_utils.content.errors import ContentError
from ansible_collections.ringwall.servers.plugins.plugin_utils.plain import plain
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.plain_snapshot import now, view
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.vocabulary import VOCABULARY
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.limits import HostFailure

DOCUMENTATION = r"""
name: harden_plan
short_description: Plan the hardening of the host of a snapshot
version_added: 0.1.0
author: The Ringwall developers (@ringwall)
description:
  - Takes what M(ringwall.servers.snapshot) returned with O(ringwall.servers.snapshot#module:payload=plain) and returns
    the plan that a hardening starts from - operations, packages, held controls with their reasons, what is left to
    people - with a digest and as text.
  - It is a pure function. Nothing is read from the host and nothing is changed; what is so already is only known to
    C(playbooks/harden.yml --check), which asks the host for each operation and drops those that change nothing.
options:
  _input:
    description: The snapshot, as data.
    type: dict
    required: true
  options:
    description:
      - What to harden, as the role C(hardening) takes it - C(benchmarks), C(level), C(profile), C(controls),
        C(sections), C(attack), C(severity), C(release), C(mode).
    type: dict
  connection:
    description:
      - How the host is reached, which decides what is held - C(user), C(become), C(become_method), C(become_password),
        C(become_login), C(password), C(remote_tmp), C(port), C(transfer), C(pipelining), C(local), C(controllers).
    type: dict
  benchmarks:
    description: Ids of benchmarks to judge by. Those of the host's own system when left out, else our own.
    type: list
    elements: str
  parameters:
    description: Tailored values of parameters.
    type: dict
  roles:
    description: Roles of the host.
    type: list
    elements: str
  content:
    description: Directories with content of your own.
    type: list
    elements: str
  host:
    description: Name of the host, for the plan.
    type: str
"""

EXAMPLES = r"""
- name: Read the host
  ringwall.servers.snapshot:
    settings: "{{ [] | ringwall.servers.needs(cadence='fast') }}"
    payload: plain
  become: true
  register: result

- name: Show the plan
  ansible.builtin.debug:
    msg: "{{ (result.snapshot | ringwall.servers.harden_plan(options={'level': 'l1'})).text }}"
"""

RETURN = r"""
_value:
  description: The plan. C(digest) names it, C(text) is for people, C(operations) are what the engine on the host takes.
  type: dict
"""


def harden_plan(
    snapshot, options=None, connection=None, benchmarks=None, parameters=None, roles=None, content=None, host=""
):
    """Return the plan of a plain snapshot; raise AnsibleFilterError when it, the content or an option is malformed."""
    if not isinstance(snapshot, dict):
        raise AnsibleFilterError("harden_plan: expected a snapshot as data (payload: plain)")
    try:
        compiled = compile_content(roots(extra=plain(content) or ()), VOCABULARY)
        context = {
            "content": compiled,
            "parameters": plain(parameters) or {},
            "roles": plain(roles) or [],
            "benchmarks": plain(benchmarks),
            "host": {},
            "dispositions": [],
            "now": now(),
        }
        seen = view(plain(snapshot), str(host), context["now"])
        plan = planning.plan_of(seen, context, plain(options) or {}, plain(connection) or {})
    except (ContentError, HostFailure, planning.SelectionError) as error:
        raise AnsibleFilterError(f"harden_plan: {error}") from error
    return {**plan, "text": planning.render(plan)}


class FilterModule:
    """The filter's face."""

    def filters(self):
        """Return the filter by its name."""
        return {"harden_plan": harden_plan}

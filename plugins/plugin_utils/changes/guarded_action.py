"""What the action ``guarded_change`` does, between Ansible's objects and plain data."""

from __future__ import annotations

import hashlib
import json
import pathlib

from ansible.errors import AnsibleActionFail

from ...module_utils.changes import spec
from ..plain import plain
from ..snapshots.limits import HostFailure, harmless
from . import guarded
from .transport import Host


def run(action, task_vars):
    """Plan in check mode, else change; a host that refuses or that was not confirmed is a failed task."""
    arguments = plain(action._task.args)
    operations, before = _operations(arguments)
    name = arguments.get("run")
    if not isinstance(name, str) or not spec.RUN.fullmatch(name):
        raise AnsibleActionFail(f"run is {name!r}; expected the id of a run")
    host = Host(action, task_vars)
    try:
        if task_vars.get("ansible_check_mode"):
            return _planned(guarded.plan(host, operations))
        told = guarded.change(host, name, operations, before, float(arguments.get("rollback_after") or 120))
    except spec.SpecError as error:
        raise AnsibleActionFail(str(error)) from None
    except HostFailure as failure:
        return {"failed": True, "unreachable": failure.state == "unreachable", "changed": False,
                "reason": failure.reason(), "msg": f"{failure.text}. {failure.fix}".strip()}  # fmt: skip
    return _told(told)


def _planned(rows):
    lines = [harmless(line) for row in rows["operations"] for line in row["diff"]]
    return {
        "changed": any(row["changes"] for row in rows["operations"]),
        "state": "planned",
        "operations": rows["operations"],
        "diff": [{"prepared": "\n".join(lines) + "\n"}] if lines else [],
    }


def _told(told):
    told["failed_controls"] = told.pop("failed")
    if told["state"] != "rolled_back":
        return told
    healed = {True: "the host has undone it", None: "nobody could see whether the host has undone it"}[told["healed"]]
    text = f"{told['why'] or 'every operation failed'}; {healed}"
    if told["conflicts"]:
        text += f", but for what others changed: {'; '.join(told['conflicts'][:5])}"
    return {**told, "failed": True, "msg": harmless(text)}


def _operations(arguments):
    """Return (operations, digests before or None) of the arguments: a saved plan, or operations themselves."""
    if arguments.get("plan"):
        path = pathlib.Path(arguments["plan"])
        try:
            plan = json.loads(path.read_bytes())
            body = {name: value for name, value in plan.items() if name != "digest"}
            digest = hashlib.sha256(spec.canonical(body)).hexdigest()
            operations, before = plan["operations"], [item["digest_before"] for item in plan["changes"]]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise AnsibleActionFail(f"{path} is no plan of a host: {error}") from None
        if digest != plan.get("digest") or arguments.get("digest") not in (None, digest):
            raise AnsibleActionFail(f"{path} is not the plan that was approved: its digest is {digest}")
        return operations, before
    if not isinstance(arguments.get("operations"), list):
        raise AnsibleActionFail("guarded_change takes either plan (a path) or operations (a list)")
    return arguments["operations"], arguments.get("before")

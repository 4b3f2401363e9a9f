"""The users' variables: checked once a play against the roles' argument specs; misspelt names get the near one."""

from __future__ import annotations

import difflib
import functools
import pathlib

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .plain import plain

ROLES = pathlib.Path(__file__).resolve().parents[2] / "roles"
OUTSIDE_ROLES = ("ringwall_hosts",)
"""Variables that playbooks read before any role does."""


@functools.lru_cache(maxsize=1)
def specs():
    """Return role name -> the ``options`` of its entry point ``main``."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found = {}
    for path in sorted(ROLES.glob("*/meta/argument_specs.yml")):
        tree = yaml.load(path.read_text(encoding="utf-8"), loader)
        found[path.parent.parent.name] = tree["argument_specs"]["main"].get("options") or {}
    return found


def check(role, task_vars, templar):
    """Return a warning for each ``ringwall_*`` variable that nothing reads; raise AnsibleActionFail for wrong ones."""
    options = specs()[role]
    known = set(OUTSIDE_ROLES).union(*specs().values())
    mine = {name: task_vars[name] for name in task_vars if name.startswith("ringwall_")}
    warnings = []
    for name in sorted(set(mine) - known):
        near = difflib.get_close_matches(name, known, 1)
        warnings.append(f"{name} is no variable of Ringwall" + (f"; did you mean {near[0]}?" if near else ""))
    values = {name: plain(templar.template(mine[name])) for name in options if name in mine}
    values = {name: value for name, value in values.items() if value is not None}
    spec = {name: _spec(option) for name, option in options.items()}
    result = ArgumentSpecValidator(spec).validate(values)
    if result.error_messages:
        raise AnsibleActionFail("; ".join(result.error_messages))
    return warnings


def _spec(option):
    """An option of a role's spec as the validator takes it: without texts and defaults (the role's own apply)."""
    kept = {key: value for key, value in option.items() if key not in ("description", "default", "version_added")}
    if "options" in kept:
        kept["options"] = {name: _spec(inner) for name, inner in kept["options"].items()}
    return kept


def origins(values):
    """Return key -> ``file:line`` of where the inventory sets it; empty where Ansible (before 2.19) cannot tell."""
    try:
        from ansible._internal._datatag._tags import Origin
    except ImportError:
        return {}
    found = {}
    for name, value in values.items() if isinstance(values, dict) else ():
        origin = Origin.get_tag(value) or Origin.get_tag(name)
        if origin and (origin.path or origin.description):
            place = str(origin.path or origin.description)
            found[str(name)] = f"{place}:{origin.line_num}" if origin.line_num else place
    return found

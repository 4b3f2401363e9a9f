"""Settings of the audit daemon: ``{kind: auditd, name, value}``, edited in its one file (it reads no drop-ins)."""

from __future__ import annotations

import re

from ..operations import change, controls_of, edit, left, merged

KIND = "auditd"
PATH = "/etc/audit/auditd.conf"
NAME = re.compile(r"[a-z][a-z0-9_]{1,63}")
VALUE = re.compile(r"[A-Za-z0-9_./%@:-]{1,200}")


def operations(settings, facts):
    """Return one ``edit`` of auditd.conf; two values for one setting are left to people."""
    wanted, found = {}, []
    for item in settings:
        wanted.setdefault(item["setting"]["name"], []).append(item)
    changes = []
    for name, items in sorted(wanted.items()):
        controls = controls_of(items)
        values = sorted({str(item["setting"]["value"]) for item in items})
        if len({value.lower() for value in values}) > 1:
            found.append(left(controls, f"controls want different values of {name}: {', '.join(values)}"))
        elif not NAME.fullmatch(name) or not VALUE.fullmatch(values[0]):
            found.append(left(controls, f"{name} = {values[0]} cannot be written to {PATH}"))
        else:
            changes.append(change(controls, set=name, value=values[0], separator=" = "))
    if not changes:
        return found
    controls = controls_of(settings)
    return [edit(PATH, merged(changes), controls, validate="auditd", follow=["auditd-restart"]), *found]

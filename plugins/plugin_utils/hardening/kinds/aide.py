"""Lines of AIDE's configuration: ``{kind: aide, program: <path>, attributes: p+i+...}``."""

from __future__ import annotations

import re

from ..operations import change, controls_of, edit, left, merged

KIND = "aide"
FILES = {"debian": "/etc/aide/aide.conf", "rhel": "/etc/aide.conf"}
PROGRAM = re.compile(r"/[A-Za-z0-9_./-]+")
ATTRIBUTES = re.compile(r"[A-Za-z0-9+]+")


def operations(settings, facts):
    """Return one ``edit`` of AIDE's configuration. Its database has to be made anew by people afterwards."""
    if not settings:
        return []
    controls = controls_of(settings)
    path = FILES.get(facts.family)
    if path is None:
        return [left(controls, "where AIDE keeps its configuration on this system is not known")]
    changes = []
    for item in settings:
        program, attributes = item["setting"]["program"], item["setting"]["attributes"]
        if PROGRAM.fullmatch(program) and ATTRIBUTES.fullmatch(attributes):
            bare = re.escape(program[4:] if program.startswith("/usr/") else program)
            fields = {"line": f"{program} {attributes}", "state": "present", "replaces": rf"^(/usr)?{bare}\s"}
            changes.append(change(item["controls"], **fields))
    if not changes:
        return [left(controls, "nothing to record is named")]
    return [edit(path, merged(changes), controls)]

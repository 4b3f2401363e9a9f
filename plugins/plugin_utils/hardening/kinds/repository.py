"""Repositories of dnf: ``{kind: repository, gpgcheck: true}``, ``{..., disable: <first letters of ids>}``."""

from __future__ import annotations

import re

from ..operations import change, edit, left, merged

KIND = "repository"
PATH = re.compile(r"/etc/(yum\.repos\.d|yum/repos\.d|distro\.repos\.d)/[A-Za-z0-9][A-Za-z0-9_.-]*\.repo")
SECTION = re.compile(r"[A-Za-z0-9_.:-]{1,200}")


def operations(settings, facts):
    """Return one edit a file: repositories that are not checked are, those that must not be in use are off."""
    files, found = {}, []
    for item in settings:
        setting = item["setting"]
        for row in facts.rows("package_sources").values():
            name, path = str(row.get("name")), str(row.get("where")).rsplit(":", 1)[0]
            if row.get("manager") != "dnf" or row.get("kind") != "repository":
                continue
            fields = {}
            if setting.get("gpgcheck") and row.get("checked") is False:
                fields = {"set": "gpgcheck", "value": "1"}
            elif setting.get("disable") and row.get("enabled") and name.startswith(setting["disable"]):
                fields = {"set": "enabled", "value": "0"}
            if not fields:
                continue
            if not PATH.fullmatch(path) or not SECTION.fullmatch(name):
                found.append(left(item["controls"], f"repository {name} stands in {path}, which is not edited here"))
                continue
            changes, controls = files.setdefault(path, ([], []))
            changes.append(change(item["controls"], section=name, separator="=", **fields))
            controls += item["controls"]
    for path, (changes, controls) in sorted(files.items()):
        found.append(edit(path, merged(changes), controls))
    return found

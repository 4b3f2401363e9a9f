"""Single lines of files: ``{kind: line, path, regexp, line, state}`` (and ``create``, ``follow``, ``validate``)."""

from __future__ import annotations

from ..operations import change, controls_of, edit, merged

KIND = "line"


def operations(settings, facts):
    """Return one ``edit`` a file with all its lines, in the order of the controls."""
    files = {}
    for item in settings:
        files.setdefault(item["setting"]["path"], []).append(item)
    found = []
    for path, items in sorted(files.items()):
        changes, follow = [], []
        for item in items:
            setting = item["setting"]
            fields = {"line": setting.get("line", ""), "state": setting.get("state", "present")}
            if setting.get("regexp"):
                fields["replaces"] = setting["regexp"]
            changes.append(change(item["controls"], **fields))
            if setting.get("follow") and setting["follow"] not in follow:
                follow.append(setting["follow"])
        first = items[0]["setting"]
        guarded = any(item["setting"].get("guarded") for item in items)
        found.append(
            edit(
                path,
                merged(changes),
                controls_of(items),
                create=first.get("create"),
                validate=first.get("validate"),
                guarded=guarded,
                follow=follow,
            )
        )
    return found

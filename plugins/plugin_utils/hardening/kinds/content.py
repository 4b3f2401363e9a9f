"""Whole files of ours: ``{kind: content, path, text, mode, owner, group, follow}``."""

from __future__ import annotations

from ..operations import left, operation

KIND = "content"


def operations(settings, facts):
    """Return one ``write`` a path; two texts for one path are left to people."""
    files, found = {}, []
    for item in settings:
        files.setdefault(item["setting"]["path"], []).append(item)
    for path, items in sorted(files.items()):
        controls = sorted({control for item in items for control in item["controls"]})
        first = items[0]["setting"]
        if any(item["setting"]["text"] != first["text"] for item in items):
            found.append(left(controls, f"controls want different texts in {path}"))
        elif not path.startswith("/") or ".." in path.split("/"):
            found.append(left(controls, f"{path} is no absolute path"))
        else:
            follow = first.get("follow") or []
            found.append(
                operation(
                    "write",
                    controls,
                    path=path,
                    text=first["text"],
                    mode=str(first.get("mode", "0644")),
                    owner=first.get("owner", "root"),
                    group=first.get("group", "root"),
                    validate=first.get("validate"),
                    guarded=bool(first.get("guarded")),
                    follow=[follow] if isinstance(follow, str) else follow,
                )
            )
    return found

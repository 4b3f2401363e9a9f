"""Files that everybody may write: ``{kind: file_walk, none: [marks], except: [patterns]}``; those that the walk found.

Only marks that can be taken away without knowing what a file is for: others lose the right to write to a file, and a
directory for everybody gets its sticky bit.
"""

from __future__ import annotations

import re

from ...snapshots.walk_marks import MARKS, SETTABLE, offenders
from ..operations import left, operation

KIND = "file_walk"
PATH = re.compile(r"(/[A-Za-z0-9][A-Za-z0-9._@+-]*)+")
"""The path comes from the host: nothing that a pattern or a parent directory could be read into."""
MOST = 200
"""Files of one host that a plan changes; more of them are a matter for people."""


def operations(settings, facts):
    """Return one ``attributes`` operation a file; the engine opens it without following links."""
    rows = facts.rows("file_walk")
    wanted, found, odd = {}, [], []
    for item in settings:
        marks = {name: MARKS[name] for name in item["setting"]["none"] if name in SETTABLE}
        for path in offenders(rows, marks, item["setting"].get("except") or [])[0]:
            wanted.setdefault(path, set()).update(item["controls"])
    controls = sorted({name for names in wanted.values() for name in names})
    if len(wanted) > MOST:
        return [left(controls, f"{len(wanted)} files and directories can be written by everybody: look at them first")]
    for path, names in sorted(wanted.items()):
        if not PATH.fullmatch(path):
            odd.append(path)
        elif rows[path].get("type") == "directory":
            mode = f"{int(rows[path]['mode']) | 0o1000:04o}"
            found.append(operation("attributes", names, path=path, mode=mode))
        else:
            found.append(operation("attributes", names, path=path, clear_mode="0002"))
    if odd:
        found.append(
            left(controls, f"{len(odd)} paths, the first {odd[0][:80]!r}, are not such as we write into a plan")
        )
    return found

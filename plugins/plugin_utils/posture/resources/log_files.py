"""``log_files``: who may read and change what lies below /var/log."""

from __future__ import annotations

import fnmatch
import re

from ...content.errors import ContentError
from ...content.lines import near
from ...snapshots.view import cell
from .base import Resource, Verdict

TABLE = "log_files"
KEYS = ("names", "mode", "owner", "group")
SHOWN = 50
"""Files that the evidence names; the number of all stands in the actual value."""
_MODE = re.compile(r"0?[0-7]{3,4}")


class LogFiles(Resource):
    """See ``summary``."""

    name = "log_files"
    summary = (
        '`log_files: [{names: [<pattern>], mode: "0640", owner: [root], group: [root, adm]}, ...]`: for every '
        "file below /var/log the first entry holds whose pattern fits its name (or its path, for a pattern that "
        "begins with `/`; `*` crosses directories there); an entry without `names` is for all others. `mode` "
        "holds the bits that may be set. Directories and links do not count."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        if not isinstance(statement, list) or not statement:
            raise ContentError(where, "log_files takes a list of maps", 'log_files: [{mode: "0640", owner: [root]}]')
        for item in statement:
            self.expect_map(item, where)
            for key, value in item.items():
                if key not in KEYS:
                    known = ", ".join(KEYS)
                    raise ContentError(where, f"log_files: unknown key {key}{near(key, KEYS)}", f"one of {known}")
                if key == "mode" and not (isinstance(value, str) and _MODE.fullmatch(value)):
                    raise ContentError(where, f"log_files: mode {value!r}", 'octal digits in quotes: mode: "0640"')
                if key != "mode" and (not isinstance(value, list) or not value):
                    raise ContentError(where, f"log_files: {key} {value!r}", f"{key}: [<name>]")

    def tables(self, statement):
        """The one table it reads."""
        return (TABLE,)

    def judge(self, statement, snapshot):
        """Return one Verdict on all files. What is wrong counts although not all could be read."""
        expected = [_words(item) for item in statement]
        view = snapshot.table(TABLE)
        gap = view.gap()
        if view.stale:
            raise gap
        wrong, count = [], 0
        for path, row in sorted(view.rows.items()):
            if cell(row, "type") != "file":
                continue
            count += 1
            item = entry_for(path, statement)
            if item is not None and offends(row, item):
                owner, group = row.get("owner") or row["uid"], row.get("group") or row["gid"]
                wrong.append({"where": path, "what": f"{row['mode_text']} {owner}:{group}, not {_words(item)}"})
        if wrong:
            return [Verdict("fail", expected, {"files": count, "wrong": len(wrong)}, wrong[:SHOWN])]
        if gap:
            raise gap
        evidence = [{"where": "/var/log", "what": f"{count} files, all as expected"}]
        return [Verdict("pass", expected, {"files": count, "wrong": 0}, evidence)]

    def settings(self, statement):
        """One ``log_files`` setting: which files it is about, the host's own list tells."""
        return [{"kind": "log_files", "entries": statement}]


def entry_for(path, entries):
    """Return the first entry that is for this path, or None."""
    name = path.rpartition("/")[2]
    for item in entries:
        patterns = item.get("names")
        if patterns is None or any(fnmatch.fnmatchcase(path if one[0] == "/" else name, one) for one in patterns):
            return item
    return None


def offends(row, item):
    """True if mode, owner or group of a row is not what the entry allows; raise Gap for a cell that was not read."""
    if "mode" in item and cell(row, "mode") & ~int(item["mode"], 8):
        return True
    for key, number in (("owner", "uid"), ("group", "gid")):
        if key not in item:
            continue
        names = ["root" if cell(row, number) == 0 else cell(row, key)]
        if not any(name in item[key] for name in names):
            return True
    return False


def _words(item):
    parts = [f"mode {item['mode']} or stricter"] if "mode" in item else []
    parts += [f"{key} {' or '.join(item[key])}" for key in ("owner", "group") if key in item]
    names = f" ({', '.join(item['names'])})" if "names" in item else ""
    return ", ".join(parts) + names

"""Directives of configuration files: ``{kind: config, path, drop_in, format, section, name, value, follow}``.

What a program reads in drop-ins goes into one of ours; everything else is edited in its own file. Where a file that is
read later says otherwise, that one is edited as well.
"""

from __future__ import annotations

import re

from ..operations import CREATED, change, edit, left, merged

KIND = "config"
SEPARATOR = {"ini": "=", "systemd": "=", "shell": "=", "aide": "=", "keyvalue": " = ", "postfix": " = ", "words": " "}
PATH = re.compile(r"/etc/[A-Za-z0-9_.@/-]+")
ONE_LINE = re.compile(r"[^\n\r\0]*")


def operations(settings, facts):
    """Return one ``edit`` a file, with all directives that go there and the follow-ups that make them count."""
    files, found = {}, []
    for item in settings:
        setting = item["setting"]
        path = setting.get("drop_in") or setting["path"]
        name, value = str(setting["name"]), _text("" if setting["value"] is None else setting["value"])
        odd = not ONE_LINE.fullmatch(name + value) or ".." in path.split("/")
        if odd or not PATH.fullmatch(path) or setting.get("format", "ini") not in SEPARATOR:
            found.append(left(item["controls"], f"{path}: {name} cannot be written there"))
            continue
        fields = {"set": name, "value": value, "separator": SEPARATOR[setting.get("format", "ini")]}
        if setting["value"] is None:  # no such directive: taken out wherever it stands in /etc
            fields, path = {"unset": name}, setting["path"]
        if setting.get("section"):
            fields["section"] = setting["section"]
        for one in dict.fromkeys([path, *_later(setting, path, value, facts)]):
            entry = files.setdefault(one, {"edits": [], "controls": [], "follow": [], "create": None})
            entry["edits"].append(change(item["controls"], **fields))
            entry["controls"] += item["controls"]
            if setting.get("follow") and setting["follow"] not in entry["follow"]:
                entry["follow"].append(setting["follow"])
            if one == setting.get("drop_in"):
                entry["create"] = CREATED
            elif setting.get("create"):
                entry["create"] = setting["create"]
    for path, entry in sorted(files.items()):
        edits = sorted(merged(entry["edits"]), key=lambda one: (one.get("section", ""), one.get("set") or one["unset"]))
        found.append(edit(path, edits, entry["controls"], create=entry["create"], follow=entry["follow"]))
    return found


def _text(value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ",".join(str(one) for one in value) if isinstance(value, list) else str(value)


def _later(setting, path, value, facts):
    """Other files of /etc that decide the directive and say otherwise: they are read after ours."""
    found, gone = [], setting["value"] is None
    for line in facts.value("config", setting["path"], "directives", []):
        if line.get("name") != setting["name"] or (setting.get("section") or "") != (line.get("section") or ""):
            continue
        other = str(line.get("where", "")).rsplit(":", 1)[0]
        own = other == setting["path"]
        later = setting.get("read") == "before" if own else other.rsplit("/", 1)[-1] > path.rsplit("/", 1)[-1]
        if other != path and (later or gone) and PATH.fullmatch(other) and line.get("value") != value:
            found.append(other)
    return list(dict.fromkeys(found))

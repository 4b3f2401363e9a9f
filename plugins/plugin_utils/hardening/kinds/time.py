"""The clock's daemons: ``{kind: time, maxpoll}``, ``{..., chrony: {<directive>: <value>}}``. Servers are kept."""

from __future__ import annotations

import re

from ..operations import change, edit, left

KIND = "time"
PATH = re.compile(
    r"/etc/(chrony/)?(chrony\.conf|(conf|sources)\.d/[A-Za-z0-9_.-]+\.(conf|sources))|/etc/ntp(sec/ntp)?\.conf"
)
SOURCES = ("server", "pool", "peer")
DIRECTIVES = ("makestep", "port", "cmdport")
UNITS = {"chrony": ("chrony.service", "chronyd.service"), "ntp": ("ntp.service", "ntpd.service"),
         "ntpsec": ("ntpsec.service",)}  # fmt: skip


def operations(settings, facts):
    """Return edits of the files in which sources and directives stand."""
    files, found = {}, []
    for item in settings:
        setting = item["setting"]
        for name, value in sorted((setting.get("chrony") or {}).items()):
            path = _main(facts)
            if name not in DIRECTIVES or path is None:
                found.append(left(item["controls"], f"chrony's {name} cannot be set: its configuration was not found"))
                continue
            fields = {"set": name, "value": str(value), "separator": " "}
            _note(files, path, change(item["controls"], **fields))
        if setting.get("maxpoll") is not None:
            _maxpoll(item, int(setting["maxpoll"]), facts, files)
    for path, (changes, controls) in sorted(files.items()):
        found.append(edit(path, changes, controls, follow=_follow(facts)))
    return found


def _note(files, path, one):
    changes, controls = files.setdefault(path, ([], []))
    changes.append(one)
    controls += one["controls"]


def _main(facts):
    for path in facts.value("time", "chrony:daemon", "files", []):
        if path in ("/etc/chrony/chrony.conf", "/etc/chrony.conf"):
            return path
    return None


def _maxpoll(item, most, facts, files):
    """A source without maxpoll gets it, a larger one becomes it; what else its line says stays."""
    for row in facts.rows("time").values():
        path = str(row.get("where") or "").rsplit(":", 1)[0]
        given = row.get("maxpoll")
        if row.get("kind") not in SOURCES or not PATH.fullmatch(path) or (given is not None and given <= most):
            continue
        words = rf"(\s*(?:{'|'.join(SOURCES)})\s)"
        bigger = rf"^{words}(.*\s)maxpoll\s+{given}(?!\d)(.*)$"
        without = rf"^{words}((?:(?!\smaxpoll\s)[^#])*[^#\s])(\s*(?:#.*)?)$"
        new = rf"\g<1>\g<2> maxpoll {most}\g<3>" if given is None else rf"\g<1>\g<2>maxpoll {most}\g<3>"
        one = change(item["controls"], sub=without if given is None else bigger, **{"with": new})
        if path not in files or one not in files[path][0]:
            _note(files, path, one)


def _follow(facts):
    for daemon, units in UNITS.items():
        if facts.value("time", f"{daemon}:daemon", "running"):
            return [f"restart:{name}" for name in units if facts.row("units", name) is not None][:1]
    return []

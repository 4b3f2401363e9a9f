"""``config``: directives of configuration files, as the program that reads them puts them together."""

from __future__ import annotations

import re

from ....module_utils.config_files import FORMATS, KNOWN, profile
from ...content.errors import ContentError
from ...content.lines import near
from ...snapshots.view import Gap, cell
from .. import comparison
from ..settable import value_for
from .base import Resource, Verdict

TABLE = "config"
KEYS = ("file", "section", "settings", "format", "drop_ins", "default", "any_line", "no_line", "write", "if_present")
TRUE, FALSE = ("yes", "true", "on", "1", "y", "t"), ("no", "false", "off", "0", "n", "f")
"""Words for a switch, as systemd, dnf and sssd take them, in small letters."""
OWN = "60-ringwall.conf"


def _items(statement):
    return statement if isinstance(statement, list) else [statement]


def spec_of(item):
    """Return ``{file, format, drop_ins}``: what the table ``config`` is asked for."""
    return {"file": item["file"], "format": item.get("format"), "drop_ins": item.get("drop_ins")}


class Config(Resource):
    """See ``summary``."""

    name = "config"
    summary = (
        "`config: {file: /etc/systemd/journald.conf, section: Journal, settings: {<name>: <value or comparators>}}`, "
        "or a list of such maps: the value in force after the file, its drop-ins and what they include were read in "
        "the program's own order. true and false mean any word for them. `default: {<name>: <value>}` is what the "
        "program does without the directive. `any_line: <regex>`: some directive, written as `name value`, is like "
        "that; `no_line` the reverse; `write` is the line that hardening adds. `if_present: true`: a file that is not "
        "there does not apply. Files that the program is not known for need `format` ("
        + ", ".join(FORMATS)
        + ") and may have `drop_ins` (true: `<file>.d/*.conf`, or a pattern). Known: "
        + ", ".join(f"`{path}`" for path in sorted(KNOWN))
        + "."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        if not isinstance(statement, (dict, list)) or not statement:
            raise ContentError(where, "config takes a map or a list of maps", "config: {file: ..., settings: {...}}")
        for item in _items(statement):
            self._check_item(item, where)

    def _check_item(self, item, where):
        self.expect_map(item, where)
        for key in item:
            if key not in KEYS:
                raise ContentError(where, f"config: unknown key {key}{near(key, KEYS)}", "one of " + ", ".join(KEYS))
        path = item.get("file")
        if not isinstance(path, str) or not path.startswith("/"):
            raise ContentError(where, f"config: file {path!r} is not absolute", "file: /etc/systemd/journald.conf")
        if item.get("format", "ini") not in FORMATS:
            raise ContentError(where, f"config: unknown format {item['format']}", "one of " + ", ".join(FORMATS))
        if path not in KNOWN and "format" not in item:
            raise ContentError(where, f"config: how is {path} read?", "format: one of " + ", ".join(FORMATS))
        if not any(key in item for key in ("settings", "any_line", "no_line")):
            raise ContentError(where, f"config {path} expects nothing", "settings, any_line or no_line")
        for key in ("settings", "default"):
            if key in item and (not isinstance(item[key], dict) or not item[key]):
                raise ContentError(where, f"config: {key} takes a map", f"{key}: {{<name>: <value>}}")
        for expected in item.get("settings", {}).values():
            comparison.check(expected, where)
        for key in ("any_line", "no_line"):
            if key in item:
                comparison.check({"matches": item[key]}, where)

    def tables(self, statement):
        """The one table it reads."""
        return (TABLE,)

    def configs(self, statement):
        """The files that the table must contain."""
        return tuple(spec_of(item) for item in _items(statement))

    def judge(self, statement, snapshot):
        """Return a Verdict a setting and one a pattern of lines."""
        return [verdict for item in _items(statement) for verdict in _judge(item, snapshot)]

    def settings(self, statement):
        """One ``config`` setting a name, and a ``line`` for a pattern that says what to write."""
        found = []
        for item in _items(statement):
            how = profile(spec_of(item))
            common = {
                "kind": "config",
                "path": item["file"],
                "drop_in": drop_in(item["file"], how),
                "read": how["read"],
                "format": how["format"],
                "section": item.get("section") or how["section"],
                "follow": how.get("follow"),
            }
            for name, expected in item.get("settings", {}).items():
                known, value = value_for(expected)
                if known:
                    value = {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
                    found.append(dict(common, name=name, value=None if value is None else str(value)))
            if item.get("write"):
                line = {"kind": "line", "path": item["file"], "regexp": item.get("any_line"), "line": item["write"]}
                found.append(dict(line, state="present", follow=how.get("follow")))
        return found


def drop_in(path, how):
    """Return the path of the drop-in of ours beside a file, or None when the program reads none."""
    if how["format"] == "systemd":
        return f"{path}.d/{OWN}"
    pattern = how["drop_ins"]
    return pattern.rpartition("/")[0] + "/" + OWN if pattern and pattern.endswith("/*.conf") else None


def _judge(item, snapshot):
    path = item["file"]
    expected = {name: comparison.words(value) for name, value in item.get("settings", {}).items()}
    try:
        row = snapshot.row(TABLE, path)
        if row is None:
            raise Gap("unreadable", f"{path} was not asked for")
        there, directives = cell(row, "exists"), cell(row, "directives") or []
    except Gap as gap:
        return [Verdict(gap.status, expected or {path: _line_words(item)}, reason=gap.why)]
    if not there and item.get("if_present"):
        return [Verdict("not_applicable", expected or None, reason=f"{path} does not exist")]
    how = profile(spec_of(item))
    verdicts = [
        _setting(item, how, name, wanted, directives, there) for name, wanted in item.get("settings", {}).items()
    ]
    return verdicts + _lines(item, directives, there)


def _setting(item, how, name, wanted, directives, there):
    path, section = item["file"], item.get("section") or how["section"]
    found = [
        line for line in directives if line["name"] == name and (section is None or line["section"] in (section, ""))
    ]
    if section is not None:
        found = [line for line in found if line["section"] == section]
    default = item.get("default", {}).get(name)
    value = found[-1]["value"] if found else None
    if value == "" and how["format"] == "systemd":
        value = None  # an empty assignment takes back what stood before it
    shown = f"[{section}] {name}" if section else name
    if value is None:
        value = default
        told = f"{shown} is not set" if there else f"{path} does not exist"
        evidence = [{"where": path, "what": told + (f": the default is {default}" if default is not None else "")}]
    else:
        evidence = [{"where": found[-1]["where"], "what": f"{shown} = {value}" if value else shown}]
        evidence += [
            {"where": line["where"], "what": f"{shown} = {line['value']}, set again later"} for line in found[-4:-1]
        ]
    good = holds(wanted, value)
    return Verdict("pass" if good else "fail", {name: comparison.words(wanted)}, {name: value}, evidence)


def holds(wanted, value):
    """As comparison.holds, but true and false stand for every word that means them."""
    if isinstance(wanted, bool):
        return value is wanted or str(value).lower() in (TRUE if wanted else FALSE)
    return comparison.holds(wanted, value)


def _text(line):
    return f"{line['name']} {line['value']}".strip()


def _line_words(item):
    if "any_line" in item:
        return f"a line like {item['any_line']}"
    return f"no line like {item.get('no_line')}"


def _lines(item, directives, there):
    """Verdicts of ``any_line`` and ``no_line``."""
    verdicts, path = [], item["file"]
    section = item.get("section")
    lines = [line for line in directives if section is None or line["section"] == section]
    for key, good in (("any_line", True), ("no_line", False)):
        if key not in item:
            continue
        found = [line for line in lines if re.search(item[key], _text(line))]
        wanted = {path: ("a line like " if good else "no line like ") + item[key]}
        nothing = f"no line like {item[key]}" if there else f"{path} does not exist"
        evidence = [{"where": line["where"], "what": _text(line)} for line in found[:20]]
        verdicts.append(
            Verdict(
                "pass" if bool(found) is good else "fail",
                wanted,
                {path: [_text(line) for line in found[:20]] or "no such line"},
                evidence or [{"where": path, "what": nothing}],
            )
        )
    return verdicts

"""``banner``: texts shown at log-in."""

from __future__ import annotations

from ...content.errors import ContentError
from ...content.lines import near
from ...snapshots.view import Gap, cell
from .. import comparison
from .base import Resource, Verdict

TABLE = "banners"
KEYS = ("reveals", "set", "text", "holds", "write")
REVEALING = ("m", "r", "s", "v")
"""Escapes of agetty(8) that stand for machine, release, system and version."""


class Banner(Resource):
    """See ``summary``."""

    name = "banner"
    entries = True
    summary = (
        "`banner: {/etc/issue: {reveals: false, set: true, write: <text>}}`: the text is there (`set`) and names "
        "neither the system nor its release (`reveals: false`: no escapes like \\r, no name of os-release); `write` is "
        "what hardening puts there. `text: <text>`: it is this text, runs of white space apart; `holds`: it is part "
        "of it. What is not there reveals nothing."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        self.expect_map(statement, where)
        for path, wanted in statement.items():
            if not isinstance(path, str) or not path.startswith("/"):
                raise ContentError(where, f"banner: {path} is not absolute", "banner: {/etc/issue: {reveals: false}}")
            if not isinstance(wanted, dict) or not {"reveals", "set", "text", "holds"} & set(wanted):
                raise ContentError(where, f"banner {path} expects nothing", "reveals: false, set: true or text: ...")
            for key in wanted:
                if key not in KEYS:
                    raise ContentError(
                        where, f"banner: unknown key {key}{near(key, KEYS)}", "one of " + ", ".join(KEYS)
                    )
            if wanted.get("reveals", False) is not False or not isinstance(wanted.get("set", True), bool):
                raise ContentError(where, f"banner {path}: reveals is false, set is true or false", "reveals: false")
            for key in ("text", "holds", "write"):
                if key in wanted and not (isinstance(wanted[key], str) and wanted[key].strip()):
                    raise ContentError(where, f"banner {path}: {key} is no text", f"{key}: Authorized use only.")

    def tables(self, statement):
        """The one table it reads."""
        return (TABLE,)

    def judge(self, statement, snapshot):
        """Return a Verdict a path."""
        return [_judge(path, wanted, snapshot) for path, wanted in statement.items()]

    def settings(self, statement):
        """One ``content`` setting a path that has a text to be written."""
        found = []
        for path, wanted in statement.items():
            text = wanted.get("text") or wanted.get("write")
            if text:
                common = {"kind": "content", "path": path, "text": text.rstrip("\n") + "\n", "mode": "0644"}
                found.append(dict(common, owner="root", group="root", follow=None))
        return found


def _words(wanted):
    parts = ["is this text: " + wanted["text"][:120]] if "text" in wanted else []
    parts += ["holds this text: " + wanted["holds"][:120]] if "holds" in wanted else []
    parts += ["names neither system nor release"] if "reveals" in wanted else []
    parts += ["is not empty"] if wanted.get("set") else []
    return ", ".join(parts)


def _judge(path, wanted, snapshot):
    expected = {path: _words(wanted)}
    try:
        row = snapshot.row(TABLE, path)
        if row is None:
            raise Gap("unreadable", f"{path} is none of the texts that were read")
        there = cell(row, "exists") and not cell(row, "blank")
        problems = _problems(row, wanted, there)
    except Gap as gap:
        return Verdict(gap.status, expected, reason=gap.why)
    state = "is not there" if not row["exists"] else "is empty" if not there else f"{row['size']} bytes"
    evidence = [{"where": path, "what": problem} for problem in problems] or [{"where": path, "what": state}]
    return Verdict("fail" if problems else "pass", expected, {path: problems or state}, evidence)


def _problems(row, wanted, there):
    if not there:
        needed = wanted.get("set") or "text" in wanted or "holds" in wanted
        return ["is empty or not there"] if needed else []
    found = []
    if "text" in wanted:
        text = cell(row, "text")
        if text is None:
            found.append("is longer than the text that is expected")
        elif not comparison.same(text, wanted["text"]):
            found.append("is another text")
    if "holds" in wanted:
        text = cell(row, "text")
        if text is None or " ".join(wanted["holds"].split()) not in " ".join(text.split()):
            found.append("does not hold the text")
    if "reveals" in wanted:
        found += [f"holds \\{letter}" for letter in cell(row, "escapes") or [] if letter in REVEALING]
        found += [f"names {name}" for name in cell(row, "names") or []]
    return found

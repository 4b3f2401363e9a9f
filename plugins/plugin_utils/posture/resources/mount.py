"""``mount``: file systems of their own and mount options, now and at the next boot."""

from __future__ import annotations

from ...content.errors import ContentError
from ...content.lines import near
from ...snapshots.mount_classes import CLASSES, members
from ...snapshots.view import cell
from .base import Resource, Verdict

API_OPTIONS = {"/dev/shm": ("nosuid", "nodev")}
"""Mounted by the init system itself without any fstab line, with these options (systemd src/shared/mount-setup.c)."""

KEYS = ("separate", "options")

UNKNOWN_NOW = "what is mounted is known on a running system only"


class Mount(Resource):
    """See ``summary``."""

    name = "mount"
    entries = True
    summary = (
        "`mount: {<path>: {separate: true}}`: the path is a file system of its own, mounted now and at boot. "
        "`mount: {<path>: {options: [nodev, nosuid]}}`: the options hold now and are set for the next boot; where the "
        "path is no file system of its own this does not apply. In the place of a path one of the words "
        + ", ".join(f"`{name}` (every {text})" for name, text in CLASSES.items())
        + ". An option may be `{one_of: [...]}`."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        self.expect_map(statement, where)
        for path, body in statement.items():
            if not isinstance(path, str) or not (path.startswith("/") or path in CLASSES):
                raise ContentError(where, f"{path} is not an absolute path{near(str(path), CLASSES)}", "/tmp")
            if not isinstance(body, dict) or not body or set(body) - set(KEYS):
                raise ContentError(where, f"mount of {path}: {body!r}", "{separate: true} or {options: [nodev]}")
            options = body.get("options", ["x"])
            if body.get("separate", True) is not True or not isinstance(options, list) or not options:
                raise ContentError(where, f"mount of {path}: {body!r}", "separate: true, options: a list of options")
            if path in CLASSES and "separate" in body:
                raise ContentError(where, f"mount of {path}: {body!r}", "options: a list of options")
            for option in options:
                if not isinstance(option, str) and not (
                    isinstance(option, dict) and set(option) == {"one_of"} and isinstance(option["one_of"], list)
                ):
                    raise ContentError(where, f"mount of {path}: option {option!r}", "nodev, or {one_of: [...]}")

    def tables(self, statement):
        """The one table it reads."""
        return ("mounts",)

    def judge(self, statement, snapshot):
        """Return a Verdict for each path and each thing asked of it."""
        verdicts = []
        for path, body in statement.items():
            if path in CLASSES:
                verdicts += _class(path, body["options"], snapshot)
                continue
            row = snapshot.row("mounts", path)
            if body.get("separate"):
                verdicts.append(_separate(path, row))
            if "options" in body:
                verdicts.append(_options(path, row, body["options"]))
        return verdicts

    def settings(self, statement):
        """One ``mount`` setting a path that needs options; partitions cannot be made.

        ``path`` may be one of CLASSES, which stands for all that ``members`` finds on the host.
        """
        found = [(path, body["options"]) for path, body in statement.items() if "options" in body]
        return [
            {"kind": "mount", "path": path, "options": [_plain(option) for option in options]}
            for path, options in found
        ]


def _plain(option):
    return option["one_of"][0] if isinstance(option, dict) else option


def _class(kind, options, snapshot):
    """Return a Verdict for each mount point of the kind, or one that there is none."""
    rows = snapshot.rows("mounts")
    found = members(kind, rows)
    if not found:
        return [Verdict("not_applicable", {kind: _words(options)}, reason=f"does not apply: no {CLASSES[kind]}")]
    return [_options(path, rows[path], options, True) for path in found]


def _words(options):
    return [" or ".join(option["one_of"]) if isinstance(option, dict) else option for option in options]


def _lacking(options, present):
    """The options (in words) that ``present`` does not hold."""
    return [
        word
        for option, word in zip(options, _words(options), strict=True)
        if not any(one in present for one in (option["one_of"] if isinstance(option, dict) else [option]))
    ]


def _state(path, row):
    """Return (live, persisted, persisted options, evidence). ``live`` is None when nothing runs there."""
    if row is None:
        return False, False, [], [{"where": "/proc/self/mountinfo", "what": f"nothing is mounted at {path}"}]
    live, persisted = cell(row, "live"), bool(cell(row, "persisted"))
    planned = cell(row, "persisted_options")
    evidence = []
    if live:
        options = ",".join(cell(row, "options") or [])
        evidence.append({"where": "/proc/self/mountinfo", "what": f"{path} {row.get('type')} {options}"})
    if cell(row, "persisted_by"):
        evidence.append({"where": row.get("persisted_where") or "", "what": f"{path} {','.join(planned or [])}"})
    elif path in API_OPTIONS and live:
        persisted, planned = True, list(API_OPTIONS[path])
        evidence.append({"where": "init system", "what": f"mounts {path} {','.join(planned)} by itself"})
    elif live:
        evidence.append({"where": "/etc/fstab", "what": f"nothing mounts {path} at boot"})
    return live, persisted, planned or [], evidence


def _separate(path, row):
    live, persisted, _options, evidence = _state(path, row)
    wanted = {path: "a file system of its own, now and at boot"}
    actual = {path: {"mounted": live, "at boot": persisted}}
    if live is None and persisted:
        return Verdict("unreadable", wanted, actual, evidence, UNKNOWN_NOW)
    return Verdict("pass" if live and persisted else "fail", wanted, actual, evidence)


def _options(path, row, options, member=False):
    """A ``member`` of a class counts also when a file names it that nothing mounts, or when it was mounted by hand."""
    live, persisted, planned, evidence = _state(path, row)
    wanted = {path: _words(options)}
    named = row is not None and bool(cell(row, "persisted_by"))
    if not live and not persisted and not (member and named):
        return Verdict("not_applicable", wanted, reason=f"does not apply: {path} is no file system of its own")
    missing = {}
    if named or not member:
        missing["at boot"] = _lacking(options, planned)
    if live:
        missing["now"] = _lacking(options, cell(row, "options") or [])
    missing = {when: items for when, items in missing.items() if items}
    actual = {path: {f"missing {when}": items for when, items in missing.items()} or {"options": _words(options)}}
    if missing:
        return Verdict("fail", wanted, actual, evidence)
    if live is None:
        return Verdict("unreadable", wanted, actual, evidence, UNKNOWN_NOW)
    return Verdict("pass", wanted, actual, evidence)

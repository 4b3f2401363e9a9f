"""From an operation to its changes: which resources would become what. Pure reading."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os

from ..spec import Absent, Unreadable
from . import units
from .edits import apply as apply_edits
from .edits.lines import EditError
from .kinds import FLAGS
from .target import Problem
from .view import owner_numbers

SYSTEM_GROUPS = (999, 99, -1)
"""Numbers of groups made here, from the highest: as groupadd --system takes them (SYS_GID_MAX of login.defs(5))."""
AGES = {"last_change": 2, "min_days": 3, "max_days": 4, "warn_days": 5, "inactive": 6, "expire": 7}
"""Fields of /etc/shadow, counted from 0 (shadow(5))."""


def changes_of(operation, view):
    """Return the changes that the operation means now; raise Problem when it cannot be carried out."""
    try:
        return OPERATIONS[operation["op"]](operation, view)
    except Absent as error:
        raise Problem("%s is not there" % error) from None
    except Unreadable as error:
        raise Problem(error.why) from None
    except EditError as error:
        problem = Problem("%s: %s" % (operation["path"], error))
        problem.edit = error.edit
        raise problem from None
    except OSError as error:
        raise Problem("%s: %s" % (operation.get("path") or operation.get("name"), error.strerror)) from None


def narrowed(operation, view):
    """Return (changes, left): an edit that cannot be made is left out, with all edits that only its controls want.

    ``left`` is a list of ``{controls, problem}``. Raise Problem when that leaves nothing.
    """
    left = []
    while True:
        try:
            return changes_of(operation, view), left
        except Problem as problem:
            number = getattr(problem, "edit", None)
            controls = operation["edits"][number].get("controls") if number is not None else None
            if not controls:
                raise
            own = operation.get("controls") or []
            rest = [edit for edit in operation["edits"] if not set(edit.get("controls") or own) <= set(controls)]
            if not rest:
                raise
            left.append({"controls": list(controls), "problem": str(problem)})
            operation = dict(operation, edits=rest)


def _parents(path, view):
    """Changes that make the directories on the way, from the top."""
    found = []
    folder = os.path.dirname(path)
    while folder not in ("/", "") and view.type(folder) == "absent":
        after = {"type": "dir", "mode": 0o755, "uid": 0, "gid": 0}
        found.insert(0, {"kind": "content", "key": folder, "before": {"type": "absent"}, "after": after})
        folder = os.path.dirname(folder)
    if folder not in ("/", ""):
        info = view.target.lstat(view.target.resolve(folder)) if ("content", folder) not in view.states else None
        if info is not None:
            if info.st_mode & 0o170000 != 0o040000:
                raise Problem("%s is no directory" % folder)
            if info.st_uid not in (0, os.geteuid()) or (info.st_mode & 0o002 and not info.st_mode & 0o1000):
                raise Problem("%s can be written by others than root" % folder)
    return found


def _real(path, view):
    """The path with the links of its directories followed, so that one file has one name."""
    folder, name = os.path.split(path)
    known = folder
    while known not in ("/", "") and view.target.lstat(known) is None:
        known = os.path.dirname(known)
    real = view.target.resolve(known) if known not in ("", "/") else ""
    rest = folder[len(known) :] if known not in ("", "/") else folder
    return (real.rstrip("/") + rest).rstrip("/") + "/" + name


def _put_file(path, data, wanted, view, made):
    """Changes so that a regular file with that content (and those attributes) lies at the path."""
    target = view.target
    uid, gid = owner_numbers(target, wanted.get("owner"), wanted.get("group"))
    mode = int(wanted["mode"], 8) if wanted.get("mode") is not None else None
    kind = view.type(path)
    if kind in ("dir", "other"):
        raise Problem("%s is no regular file" % path)
    obstacle = None if ("content", path) in view.states else target.obstacle(path)
    if kind != "file":
        after = view.file(data, mode=made if mode is None else mode, uid=uid or 0, gid=gid or 0)
        return _parents(path, view) + view.change("content", path, after)
    found = view.change("content", path, view.file(data))
    if found:
        _parents(path, view)
    found += _attributes(path, view, mode, uid, gid)
    if found and obstacle:
        raise Problem(obstacle)
    return found


def _attributes(path, view, mode, uid, gid, clear=None):
    now = view.read("attributes", path)
    after = dict(now)
    if clear is not None:
        after["mode"] = now["mode"] & ~clear
    if mode is not None:
        after["mode"] = mode
    if uid is not None:
        after["uid"] = uid
    if gid is not None:
        after["gid"] = gid
    return view.change("attributes", path, after)


def _write(operation, view):
    path = _real(operation["path"], view)
    found = _put_file(path, operation["text"].encode("utf-8"), operation, view, 0o644)
    for one in operation.get("makes") or () if found else ():
        if view.read("made", one).get("absent"):
            found += view.change("made", one, {"later": True})
    return found


def _edit(operation, view):
    path = _real(operation["path"], view)
    if view.type(path) == "link":
        path = view.target.resolve(path)
    kind = view.type(path)
    if kind == "absent":
        if operation.get("create") is None:
            raise Problem("%s is not there" % path)
        data = apply_edits(b"", operation["edits"])
        if not data:
            return []
        return _put_file(path, data, operation["create"], view, 0o644)
    if kind != "file":
        raise Problem("%s is no regular file" % path)
    data = view.data(view.read("content", path))
    new = apply_edits(data, operation["edits"])
    return [] if new == data else _put_file(path, new, {}, view, 0o644)


def _set_attributes(operation, view):
    target = view.target
    paths = target.host.glob(operation["path"])
    if not paths and view.type(operation["path"]) != "absent":
        paths = [operation["path"]]
    if not paths:
        if operation.get("missing_ok") or any(char in operation["path"] for char in "*?["):
            return []
        raise Problem("%s is not there" % operation["path"])
    uid, gid = owner_numbers(target, operation.get("owner"), operation.get("group"))
    mode = int(operation["mode"], 8) if operation.get("mode") is not None else None
    clear = int(operation["clear_mode"], 8) if operation.get("clear_mode") is not None else None
    found = []
    for path in paths:
        path = _real(path, view)
        if view.type(path) == "link":
            if any(char in operation["path"] for char in "*?["):
                continue
            path = target.resolve(path)
        if view.type(path) not in ("file", "dir"):
            continue
        changed = _attributes(path, view, mode, uid, gid, clear)
        obstacle = target.obstacle(path, content=False) if changed and ("content", path) not in view.states else None
        if obstacle:
            raise Problem(obstacle)
        found += changed
    return found


def _remove(operation, view):
    path = _real(operation["path"], view)
    kind = view.type(path)
    if kind in ("dir", "other"):
        raise Problem("%s is no file" % path)
    found = view.change("content", path, {"type": "absent"})
    obstacle = view.target.obstacle(path) if found and kind == "file" else None
    if obstacle and "hard links" not in obstacle:
        raise Problem(obstacle)
    return found


def _unit(operation, view):
    name, found = operation["name"], []
    staged = view.staged_lines(units.SYSTEM + "/" + name)
    wanted, there = units.wanted_links(view.target, name, operation.get("enabled"), operation.get("masked"), staged)
    if not there and (operation.get("enabled") or operation.get("active")):
        raise Problem("%s is not there" % name)
    for path, link in sorted(wanted.items()):
        if link is None:
            found += view.change("content", path, {"type": "absent"})
        else:
            folders = [one for one in _parents(path, view) if one["key"] not in {change["key"] for change in found}]
            changed = view.change("content", path, {"type": "link", "target": link, "uid": 0, "gid": 0})
            found += folders + changed if changed else []
    if operation.get("active") is not None and there and view.target.live:
        found += view.change("active", name, {"active": operation["active"]})
    return found


def _sysctl(operation, view):
    if view.read("sysctl", operation["key"]).get("absent"):
        raise Problem("this kernel has no %s" % operation["key"])
    return view.change("sysctl", operation["key"], {"value": " ".join(operation["value"].split())})


def _unload(operation, view):
    return view.change("module", operation["module"], {"loaded": False})


def _remount(operation, view):
    now = view.read("mount", operation["path"])
    if now.get("absent"):
        raise Problem("nothing is mounted at %s" % operation["path"])
    flags = set(now["flags"])
    opposite = {word: flag for flag, word in FLAGS.items() if word}
    for option in operation["options"]:
        if option in FLAGS:
            flags.add(option)
        elif option in opposite:
            flags.discard(opposite[option])
        else:
            raise Problem("%s is no option of one mount point; known: %s" % (option, ", ".join(sorted(FLAGS))))
    return view.change("mount", operation["path"], {"flags": sorted(flags)})


def _account(operation, view):
    name, found = operation["name"], []
    shell = "/etc/passwd:%s:6" % name
    if view.read("field", shell).get("absent"):
        raise Problem("/etc/passwd has no %s" % name)
    wanted = [
        ("/etc/shadow:%s:%d" % (name, number), {"value": "" if operation[field] < 0 else str(operation[field])})
        for field, number in AGES.items()
        if operation.get(field) is not None
    ]
    if operation.get("lock") is not None:
        wanted.append(("/etc/shadow:%s:1" % name, {"locked": operation["lock"]}))
    if operation.get("shell") is not None:
        wanted.append((shell, {"value": operation["shell"]}))
    for key, after in wanted:
        if view.read("field", key).get("absent"):
            raise Problem("%s has no field for it" % key)
        found += view.change("field", key, after)
    if operation.get("home_mode_clear") is not None:
        home = view.read("field", "/etc/passwd:%s:5" % name)["value"]
        if view.type(home) == "dir" and home not in ("/", "/usr", "/var", "/etc", "/bin", "/sbin", "/dev", "/run"):
            found += _attributes(home, view, None, None, None, int(operation["home_mode_clear"], 8))
    return found


def _made_group(name, view):
    """Changes that make a group of the system's, empty and without a password; none if there is one."""
    if not view.read("entry", "/etc/group:" + name).get("absent"):
        return []
    lines = view.target.host.lines("/etc/group", 64 << 20)
    made = [state["line"] for (kind, key), state in view.states.items()
            if kind == "entry" and key.startswith("/etc/group:") and "line" in state]  # fmt: skip
    taken = {words[2] for words in (line.split(":") for line in [*lines, *made]) if len(words) > 2}
    number = next((number for number in range(*SYSTEM_GROUPS) if str(number) not in taken), None)
    if number is None:
        raise Problem("/etc/group has no free number for a group of the system's")
    found = view.change("entry", "/etc/group:" + name, {"line": "%s:x:%d:" % (name, number)})
    if view.type("/etc/gshadow") == "file":
        found += view.change("entry", "/etc/gshadow:" + name, {"line": "%s:!::" % name})
    return found


def _group(operation, view):
    if operation.get("present"):
        return _made_group(operation["name"], view)
    found, gone = [], set(operation["members_remove"])
    for key in ("/etc/group:%s:3" % operation["name"], "/etc/gshadow:%s:3" % operation["name"]):
        now = view.read("field", key)
        if now.get("absent"):
            if key.startswith("/etc/group:"):
                raise Problem("/etc/group has no %s" % operation["name"])
            continue
        members = [one for one in now["value"].split(",") if one and one not in gone]
        if len(members) != len([one for one in now["value"].split(",") if one]):
            found += view.change("field", key, {"value": ",".join(members)})
    return found


OPERATIONS = {
    "write": _write, "edit": _edit, "attributes": _set_attributes, "remove": _remove, "unit": _unit,
    "sysctl": _sysctl, "unload": _unload, "remount": _remount, "account": _account, "group": _group,
}  # fmt: skip
"""Operation -> function(operation, View) -> changes."""

"""PAM configuration: lines, controls, and the flat stack of a service after include and substack.

Sources: pam.conf(5); libpam/pam_handlers.c (@include, include, substack) and pam_dispatch.c (jumps).
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from .redact import redact_words
from .spec import Absent, Unreadable

TYPES = ("auth", "account", "password", "session")
DIRECTORIES = ("/etc/pam.d", "/usr/lib/pam.d", "/usr/etc/pam.d", "/lib/pam.d")
"""Where a service's file is looked for, strongest first (vendors' directories are Linux-PAM's since 1.4)."""

KEYWORDS = {
    "required": {"success": "ok", "new_authtok_reqd": "ok", "ignore": "ignore", "default": "bad"},
    "requisite": {"success": "ok", "new_authtok_reqd": "ok", "ignore": "ignore", "default": "die"},
    "sufficient": {"success": "done", "new_authtok_reqd": "done", "default": "ignore"},
    "optional": {"success": "ok", "new_authtok_reqd": "ok", "default": "ignore"},
}
"""What the four keywords stand for (pam.conf(5))."""

MAX_DEPTH = 16  # PAM_SUBSTACK_MAX_LEVEL of libpam
MAX_ENTRIES = 200  # of one stack: real ones have fewer than 40
MAX_ARGUMENTS = 40


class Line:
    """One line of a PAM file. ``kind`` is a type of TYPES, or ``@include`` (then ``module`` is the file's name)."""

    __slots__ = ("arguments", "control", "kind", "module", "quiet", "service", "where")

    def __init__(self, kind, quiet, control, module, arguments, where, service=""):
        self.kind = kind
        self.quiet = quiet  # leading "-": a missing module is no error
        self.control = control
        self.module = module
        self.arguments = arguments
        self.where = where
        self.service = service  # of /etc/pam.conf


def _words(text):
    r"""Split at blanks; ``[...]`` is one word, in which ``\]`` stands for a bracket."""
    words, index = [], 0
    while index < len(text):
        if text[index] in " \t":
            index += 1
            continue
        if text[index] == "[":
            end = index + 1
            while end < len(text) and not (text[end] == "]" and text[end - 4 : end] != "\\x5c"):
                end += 1
            words.append(text[index : end + 1])
            index = end + 1
            continue
        end = index
        while end < len(text) and text[end] not in " \t":
            end += 1
        words.append(text[index:end])
        index = end
    return words


def parse(lines, path, with_service=False):
    """Return ``(list of Line, problems)``; ``problems`` are places of lines that libpam would refuse.

    ``with_service``: the form of /etc/pam.conf, whose first word is the service.
    """
    found, problems = [], []
    pending, start = "", 0
    for number, line in enumerate(lines, 1):
        line = line.split("#", 1)[0].rstrip()
        start = start if pending else number
        if line.endswith("\\x5c"):
            pending += line[:-4] + " "
            continue
        line, pending = (pending + line).strip(), ""
        if not line:
            continue
        where = "%s:%d" % (path, start)
        words = _words(line)
        service = words.pop(0).lower() if with_service and words else ""
        if words[:1] == ["@include"]:
            if len(words) > 1:
                found.append(Line("@include", False, "", words[1], [], where, service))
            continue
        if len(words) < 3:
            problems.append(where)
            continue
        kind = words[0].lower()
        quiet = kind.startswith("-")
        kind = kind.lstrip("-")
        if kind not in TYPES:
            problems.append(where)
            continue
        control = " ".join(words[1].split()) if words[1].startswith("[") else words[1].lower()
        found.append(Line(kind, quiet, control, words[2], words[3:], where, service))
    return found, problems


def actions_of(control):
    """Return {return value: action} of a control in either form, None when it is neither.

    Actions are ignore, bad, die, ok, done, reset, or a number of modules to skip (int).
    """
    if control in KEYWORDS:
        return dict(KEYWORDS[control])
    if not (control.startswith("[") and control.endswith("]")):
        return None
    actions = {}
    for word in control[1:-1].replace("=", " = ").replace(" =  ", " = ").split():
        if word == "=":
            continue
        if "_pending" in actions:
            name = actions.pop("_pending")
            actions[name] = int(word) if word.isdigit() and len(word) < 6 else word.lower()
        else:
            actions["_pending"] = word.lower()
    actions.pop("_pending", None)
    return actions


class Reader:
    """Files of PAM, each read once. ``problems`` and ``gaps`` are kept by file."""

    def __init__(self, host):
        self.host = host
        self._files = {}

    def file(self, name):
        """Return ``(lines, problems)`` of a service's file; raise Absent, Unreadable."""
        if name not in self._files:
            self._files[name] = self._read(name)
        result = self._files[name]
        if isinstance(result, Exception):
            raise result
        return result

    def _read(self, name):
        paths = [name] if name.startswith("/") else ["%s/%s" % (directory, name) for directory in DIRECTORIES]
        for path in paths:
            try:
                return parse(self.host.lines(path, 1 << 20), path)
            except Absent:
                continue
            except Unreadable as error:
                return error
        return Absent(name)

    def stack(self, name, kind):
        """Return ``(entries, problems, files)`` of one type of a service; raise Absent, Unreadable for its own file.

        Entries are ``{control, actions, module, args, where, level, quiet, jumps}`` in order; ``level`` counts
        substacks; a substack has an entry of its own (control ``substack``); ``jumps`` maps a return value
        to the index of the entry that follows its jump.
        """
        lines, problems = self.file(name)
        entries, found, files = [], list(problems), [name]
        self._expand(lines, kind, 0, 0, entries, found, files)
        _resolve_jumps(entries)
        return entries, found[:40], files

    def _expand(self, lines, kind, level, depth, entries, problems, files):
        for line in lines:
            if len(entries) >= MAX_ENTRIES:
                problems.append("%s: more than %d modules" % (line.where, MAX_ENTRIES))
                return
            if line.kind == "@include":
                self._include(line, kind, level, depth, entries, problems, files)
            elif line.kind != kind:
                continue
            elif line.control == "include":
                self._include(line, kind, level, depth, entries, problems, files)
            elif line.control == "substack":
                entries.append(_entry(line, level))
                self._include(line, kind, level + 1, depth, entries, problems, files)
            else:
                entry = _entry(line, level)
                if entry["actions"] is None:
                    problems.append("%s: unknown control" % line.where)
                entries.append(entry)

    def _include(self, line, kind, level, depth, entries, problems, files):
        if depth >= MAX_DEPTH:
            problems.append("%s: includes are nested too deep" % line.where)
            return
        try:
            lines, found = self.file(line.module)
        except Absent:
            problems.append("%s: %s is not there" % (line.where, line.module))
            return
        if line.module not in files:
            files.append(line.module)
            problems.extend(found)
        self._expand(lines, kind, level, depth + 1, entries, problems, files)


def _entry(line, level):
    return {
        "control": line.control[:256],
        "actions": None if line.control == "substack" else actions_of(line.control),
        "module": line.module[:256],
        "args": [word[:256] for word in redact_words(line.arguments[:MAX_ARGUMENTS])],
        "where": line.where,
        "level": level,
        "quiet": line.quiet,
        "jumps": {},
    }


def _resolve_jumps(entries):
    """Fill ``jumps``: a number skips that many modules of the same level, a substack counting as one."""
    for index, entry in enumerate(entries):
        for value, action in (entry["actions"] or {}).items():
            if not isinstance(action, int):
                continue
            target, level, left = index + 1, entry["level"], action
            while left > 0 and target < len(entries) and entries[target]["level"] >= level:
                target += 1
                while target < len(entries) and entries[target]["level"] > level:
                    target += 1
                left -= 1
            entry["jumps"][value] = target


MODULE_DIRECTORIES = (
    "/usr/lib/*-linux-gnu*/security", "/lib/*-linux-gnu*/security", "/usr/lib64/security", "/lib64/security",
    "/usr/lib/security", "/lib/security", "/usr/local/lib/security",
)  # fmt: skip


def module_names(host):
    """Names of the installed modules; None when no directory of them was found or could be read."""
    names, seen = set(), set()
    for pattern in MODULE_DIRECTORIES:
        try:
            for directory in host.glob(pattern) if "*" in pattern else [pattern]:
                info = host.stat(directory)
                if (info.st_dev, info.st_ino) in seen:
                    continue
                seen.add((info.st_dev, info.st_ino))
                names.update(name for name in host.listdir(directory) if name.endswith(".so"))
        except Absent:
            continue
        except Unreadable:
            return None
    return names or None

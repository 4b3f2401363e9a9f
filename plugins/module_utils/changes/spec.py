r"""The closed vocabulary of what may be done to a host: operations, edits, follow-ups, and their checks.

An operation is a JSON object. All of them take ``controls`` (ids for whose sake it is; an operation is undone with a
control only when every control that wants it is undone), ``guarded`` (it could cut us off) and ``follow`` (follow-ups).

========== =====================================================================================================
op         fields (``?`` may be left out)
========== =====================================================================================================
write      path, text, mode?, owner?, group?, validate?, makes?: a whole file of ours; parents are made, root's, 0755.
           What was there, also a link, is replaced. Without mode and owner an existing file keeps its own (else 0644
           root). ``makes``: paths that come into being later because of it; they go with it, if they were not there
edit       path, edits, create?: {mode?, owner?, group?}, validate?: edits in order. Links of root are followed. Without
           ``create`` a file that is not there is a problem; with it, it is made (0644 root unless said)
attributes path, clear_mode? | mode?, owner?, group?, missing_ok?: ``clear_mode`` are the bits to take away; ``path``
           may hold ``*``, ``?``, ``[...]`` (each match) and may be a directory. Links are never followed
remove     path: a file or link; nothing when it is not there
unit       name, enabled?, masked?, active?, action?: restart|reload. A unit that is not there: only masked or false
sysctl     key, value: in force now (write a file too, to make it last)
unload     module: taken out of the kernel now; in use = problem
remount    path, options: per-mount flags such as nodev set on what is mounted there now
account    name, min_days?, max_days?, warn_days?, inactive?, expire?, last_change? (days; -1 empties the field),
           lock?, shell?, home_mode_clear?
group      name, present | members_remove: made if there is none (of the system's, empty), or members are taken out
========== =====================================================================================================

Modes are octal texts (``"0640"``), owners and groups names or numbers as text. ``validate``: one of VALIDATORS.

Edits of ``edit`` (each may bear ``controls`` of its own, which else are those of the operation):

- ``{set, value, separator?, section?, comment?, first_only?, ignore_case?, until?}``: ``set`` is the key. Each active
  line with that key is looked at: the first gets the value (and stays as it is if it says so already), others are
  removed. Absent: appended at the end (of the section, which is made; before ``until``). ``separator``: ``"="``,
  ``" "`` or ``" = "`` is what is written; any of blanks, ``=`` and ``:`` is understood where it fits. ``comment``:
  characters that begin comments (``"#"``; may be ``"#;"``). ``first_only``: later ones are left alone. ``until``: a
  regular expression; lines from the first match on are not looked at (``(?i)^\s*match\s`` in sshd_config).
- ``{unset, separator?, section?, comment?, ignore_case?, until?}``: each active line with that key is removed.
- ``{line, state?: present|absent, replaces?, after?, before?}``: a whole line. Present: if no line equals it, the first
  that matches the regular expression ``replaces`` becomes it (other matches are removed), else it is put after the last
  match of ``after`` or before the first of ``before``, else at the end. With the line there, other lines that match
  ``replaces`` are removed. Absent: equal lines, and those matching ``replaces``, are removed.
- ``{sub, with, missing_ok?}``: re.sub in each line (line ends out of reach); no match is fine.
- ``{fstab: mount point, options_add?, options_remove?, missing_ok?}``
- ``{kernel_arguments: {name: value|true|null}, variable?}``: in GRUB's quoted variable; null takes it away.
- ``{pam: {type, module, control?, add?: {argument: value|null}, remove?: [argument], state?, position?}}``: see
  edits/pam.py.

Follow-ups run after the change, each once, in the order of FOLLOW_UPS, units last.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import hashlib
import json
import re

SCHEMA = "ringwall.plan/1"

VALIDATORS = ("sshd", "visudo", "nft", "fstab", "pam", "auditd", "none")
"""What a staged file may be checked with before it takes effect."""

FOLLOW_UPS = (
    "daemon-reload", "tmpfiles", "sysctl", "augenrules", "auditd-restart", "update-grub", "update-initramfs",
    "dconf-update", "authselect", "update-crypto-policies", "newaliases",
)  # fmt: skip
"""In the order in which they run; then ``restart:<unit>``, then ``reload:<unit>``."""

UNIT = re.compile(r"[A-Za-z0-9_:.@\\-]{1,200}\.(service|socket|timer|target|mount|path|automount|slice|swap)")
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}\$?")
CONTROL = re.compile(r"[a-z0-9_][a-z0-9_.-]{0,199}")
RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
SYSCTL = re.compile(r"[a-z0-9_]+([./][A-Za-z0-9_./:@-]+)+")
MODE = re.compile(r"[0-7]{3,5}")
OPTION = re.compile(r"[A-Za-z0-9_.:=/+@%-]{1,200}")
GLOB = re.compile(r"[*?[]")
ACCOUNT_FILES = ("/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow")
MAX_OPERATIONS = 5000
MAX_TEXT = 1 << 20
MAX_LINE = 16384


class SpecError(ValueError):
    """An operation is not of the vocabulary; the message names the place (``operations[3].edits[0].set: ...``)."""


def _fail(where, problem):
    raise SpecError("%s: %s" % (where, problem))


def _text(limit=4096, lines=False, empty=True, pattern=None, what="text"):
    def check(where, value):
        if not isinstance(value, str):
            _fail(where, "%r is not text" % (value,))
        if len(value) > limit:
            _fail(where, "longer than %d characters" % limit)
        if "\0" in value or (not lines and ("\n" in value or "\r" in value)):
            _fail(where, "holds NUL" if "\0" in value else "holds a line break")
        if any("\ud800" <= char <= "\udfff" for char in value):
            _fail(where, "holds half of a surrogate pair")
        if not value and not empty:
            _fail(where, "is empty")
        if pattern is not None and not pattern.fullmatch(value):
            _fail(where, "%r is not %s" % (value[:100], what))

    return check


def _path(glob=False):
    plain = _text(4096, empty=False)

    def check(where, value):
        plain(where, value)
        parts = value.split("/")
        if not value.startswith("/") or value == "/" or ".." in parts or "." in parts or "" in parts[1:]:
            _fail(where, "%r is not a plain absolute path" % value[:200])
        if not glob and GLOB.search(value):
            _fail(where, "%r holds a pattern; only attributes takes patterns" % value[:200])
        if value in ACCOUNT_FILES and not glob:
            _fail(where, "%s is changed by account and group alone" % value)
        if value == "/var/lib/ringwall" or value.startswith(("/var/lib/ringwall/", "/proc/", "/sys/")):
            _fail(where, "%r is not for operations" % value[:200])

    return check


def _regex(where, value):
    _text(MAX_LINE, empty=False)(where, value)
    try:
        re.compile(value)
    except re.error as error:
        _fail(where, "%r is no regular expression: %s" % (value[:200], error))


def _choice(*choices):
    def check(where, value):
        if not isinstance(value, str) or value not in choices:
            _fail(where, "%r is none of %s" % (value, ", ".join(repr(choice) for choice in choices)))

    return check


def _bool(where, value):
    if not isinstance(value, bool):
        _fail(where, "%r is neither true nor false" % (value,))


def _choice_true(where, value):
    if value is not True:
        _fail(where, "%r is not true" % (value,))


def _days(where, value):
    if isinstance(value, bool) or not isinstance(value, int) or not -1 <= value <= 999999:
        _fail(where, "%r is no number of days (-1 empties the field)" % (value,))


def _list(of, least=0):
    def check(where, value):
        if not isinstance(value, list):
            _fail(where, "%r is not a list" % (value,))
        if len(value) < least:
            _fail(where, "is empty")
        for index, item in enumerate(value):
            of("%s[%d]" % (where, index), item)

    return check


def fields(where, value, required, optional):
    """Check an object's fields: each known one by its function; raise SpecError naming an unknown or missing one."""
    if not isinstance(value, dict):
        _fail(where, "%r is not an object" % (value,))
    for name in required:
        if name not in value:
            _fail(where, "lacks %r" % name)
    known = dict(required, **optional)
    for name, item in value.items():
        if name not in known:
            _fail(where, "unknown field %r; known: %s" % (name, ", ".join(sorted(known))))
        if item is not None or name in required:
            known[name]("%s.%s" % (where, name), item)


LINE = _text(MAX_LINE)
WORD = _text(1024, empty=False, pattern=re.compile(r"\S+"), what="one word")
MODE_TEXT = _text(5, pattern=MODE, what="an octal mode such as 0640")
OWNER = _text(64, empty=False, pattern=re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\$?"), what="a name or number")
CONTROLS = _list(_text(200, pattern=CONTROL, what="an id of a control"))
KEY = _text(1024, empty=False)


def _arguments(where, value):
    if not isinstance(value, dict) or not value:
        _fail(where, "%r is not an object of arguments" % (value,))
    for name, item in value.items():
        WORD("%s (a name)" % where, name)
        if not (item is None or item is True):
            _text(1024, pattern=re.compile(r"[^\s\"'`$\\]*"), what="a plain value")("%s.%s" % (where, name), item)


def _pam(where, value):
    from .edits import pam

    pam.check(where, value)


_IN_SECTION = {"separator": _choice("=", " ", " = ", ":", ": ", "\t"), "section": LINE, "ignore_case": _bool,
               "comment": _text(4, empty=False), "until": _regex}  # fmt: skip
EDITS = {
    "set": ({"set": KEY, "value": LINE}, dict(_IN_SECTION, first_only=_bool)),
    "unset": ({"unset": KEY}, _IN_SECTION),
    "line": ({"line": LINE}, {"state": _choice("present", "absent"), "replaces": _regex, "after": _regex,
                              "before": _regex}),
    "sub": ({"sub": _regex, "with": LINE}, {"missing_ok": _bool}),
    "fstab": ({"fstab": _path()}, {"options_add": _list(_text(200, pattern=OPTION, what="a mount option")),
                                   "options_remove": _list(_text(200, pattern=OPTION, what="a mount option")),
                                   "missing_ok": _bool}),
    "kernel_arguments": ({"kernel_arguments": _arguments},
                         {"variable": _text(64, pattern=re.compile(r"[A-Za-z_]\w*"), what="a variable")}),
    "pam": ({"pam": _pam}, {}),
}  # fmt: skip
"""Kind of an edit (the field that it must have) -> (required, optional fields)."""


def _edit(where, value):
    if not isinstance(value, dict):
        _fail(where, "%r is not an object" % (value,))
    kinds = [name for name in EDITS if name in value]
    if len(kinds) != 1:
        _fail(where, "must have exactly one of %s" % ", ".join(EDITS))
    required, optional = EDITS[kinds[0]]
    fields(where, value, required, dict(optional, controls=CONTROLS))


def _created(where, value):
    fields(where, value, {}, {"mode": MODE_TEXT, "owner": OWNER, "group": OWNER})


_FILE = {"mode": MODE_TEXT, "owner": OWNER, "group": OWNER, "validate": _choice(*VALIDATORS)}
_UNIT_NAME = _text(240, pattern=UNIT, what="the full name of a unit (with .service and so on)")
OPERATIONS = {
    "write": ({"path": _path(), "text": _text(MAX_TEXT, lines=True)}, dict(_FILE, makes=_list(_path()))),
    "edit": ({"path": _path(), "edits": _list(_edit, 1)}, {"create": _created, "validate": _FILE["validate"]}),
    "attributes": ({"path": _path(glob=True)}, {"clear_mode": MODE_TEXT, "mode": MODE_TEXT, "owner": OWNER,
                                                "group": OWNER, "missing_ok": _bool}),
    "remove": ({"path": _path()}, {}),
    "unit": ({"name": _UNIT_NAME}, {"enabled": _bool, "masked": _bool, "active": _bool,
                                    "action": _choice("restart", "reload")}),
    "sysctl": ({"key": _text(200, pattern=SYSCTL, what="a kernel parameter"), "value": LINE}, {}),
    "unload": ({"module": _text(64, pattern=re.compile(r"[A-Za-z0-9_-]+"), what="a kernel module")}, {}),
    "remount": ({"path": _path(), "options": _list(_text(200, pattern=OPTION, what="a mount option"), 1)}, {}),
    "account": ({"name": _text(64, pattern=NAME, what="an account")},
                {"min_days": _days, "max_days": _days, "warn_days": _days, "inactive": _days, "expire": _days,
                 "last_change": _days, "lock": _bool, "shell": _path(), "home_mode_clear": MODE_TEXT}),
    "group": ({"name": _text(64, pattern=NAME, what="a group")},
              {"present": _choice_true, "members_remove": _list(_text(64, pattern=NAME, what="an account"), 1)}),
}  # fmt: skip
"""Operation -> (required, optional fields); ``op``, ``controls``, ``guarded`` and ``follow`` come to each."""


def check_follow_up(where, value):
    """Raise SpecError unless ``value`` is a follow-up."""
    if isinstance(value, str):
        if value in FOLLOW_UPS:
            return
        verb, _colon, name = value.partition(":")
        if verb in ("restart", "reload") and UNIT.fullmatch(name if "." in name else name + ".service"):
            return
    _fail(where, "%r is no follow-up; known: %s, restart:<unit>, reload:<unit>" % (value, ", ".join(FOLLOW_UPS)))


_COMMON = {"controls": CONTROLS, "guarded": _bool, "follow": _list(check_follow_up)}


def check_operation(operation, where="operation"):
    """Raise SpecError unless ``operation`` is of the vocabulary."""
    if not isinstance(operation, dict) or operation.get("op") not in OPERATIONS:
        name = operation.get("op") if isinstance(operation, dict) else operation
        _fail(where, "%r is no operation; known: %s" % (name, ", ".join(OPERATIONS)))
    required, optional = OPERATIONS[operation["op"]]
    fields(where, operation, dict(required, op=_choice(*OPERATIONS)), dict(optional, **_COMMON))
    if operation["op"] == "attributes":
        if operation.get("mode") is not None and operation.get("clear_mode") is not None:
            _fail(where, "has both mode and clear_mode")
        if GLOB.search(operation["path"].split("/")[1]):
            _fail(where, "a pattern must not stand for a top directory")
    if operation["op"] == "group" and bool(operation.get("present")) == bool(operation.get("members_remove")):
        _fail(where, "must have either present or members_remove")


def check_operations(operations):
    """Raise SpecError, naming the place, unless ``operations`` is a list of operations."""
    if not isinstance(operations, list):
        _fail("operations", "is not a list")
    if len(operations) > MAX_OPERATIONS:
        _fail("operations", "more than %d" % MAX_OPERATIONS)
    for index, operation in enumerate(operations):
        check_operation(operation, "operations[%d]" % index)


def canonical(value):
    """JSON bytes of plain data, the same for the same data."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode("ascii")


def digest(operations):
    """SHA-256 (hexadecimal) of operations: what an approved plan is known by."""
    return hashlib.sha256(canonical(operations)).hexdigest()


def ordered(follow_ups):
    """Return follow-ups without doubles in the order in which they run; units bear their suffix."""
    units = {"restart": [], "reload": []}
    plain = set()
    for item in follow_ups:
        verb, colon, name = item.partition(":")
        if colon:
            units[verb].append(name if "." in name else name + ".service")
        else:
            plain.add(item)
    restarted = sorted(set(units["restart"]))
    return (
        [name for name in FOLLOW_UPS if name in plain]
        + ["restart:" + name for name in restarted]
        + ["reload:" + name for name in sorted(set(units["reload"]) - set(restarted))]
    )

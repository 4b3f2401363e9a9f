"""What start-up files of shells set: umask, TMOUT, PATH. Read as text, never run.

Sources: bash(1) INVOCATION, csh(1), tcsh(1), POSIX 2.9 and 2.14 (umask, readonly, export).
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import re

MAX_LINES = 5000
MAX_FOUND = 200

_OPEN = ("if", "for", "while", "until", "case", "select", "foreach", "switch")
_CLOSE = ("fi", "done", "esac", "endif", "end", "endsw")
_SKIP = ("then", "do", "else", "elif", "{", "}", "!", "time", "builtin", "command")
_DECLARE = ("export", "readonly", "declare", "typeset", "local")
_ASSIGNMENT = re.compile(r"(TMOUT|PATH|UMASK)(\+?)=(.*)", re.S)
_OCTAL = re.compile(r"[0-7]{1,4}")
_SYMBOLIC = re.compile(r"[ugoa]*[=+-][rwx]*")
_CARRIED = re.compile(r"\$PATH\b|\$\{PATH\}|\$\{PATH[:+-][^}]*\}")
_VARIABLES = ("TMOUT", "PATH")
_BITS = {"r": 4, "w": 2, "x": 1}


def statements(line):
    """Return the simple commands of one line as ``(text, joined)``: ``joined`` is true behind ``&&`` or ``||``.

    Quotes are kept, a comment is cut off. What lies in brackets or back quotes stays part of its word.
    """
    found, current, quote, depth, joined = [], [], "", 0, False
    position = 0
    while position < len(line):
        char = line[position]
        if quote:
            current.append(char)
            if char == quote:
                quote = ""
        elif char in "'\"`":
            quote = char
            current.append(char)
        elif char == "\\":
            current.append(line[position : position + 2])
            position += 1
        elif char == "(":
            depth += 1
            current.append(char)
        elif char == ")":
            depth = max(0, depth - 1)
            current.append(char)
        elif char == "#" and (not current or current[-1][-1:].isspace()):
            break
        elif not depth and (char == ";" or line[position : position + 2] in ("&&", "||")):
            found.append(("".join(current).strip(), joined))
            joined = char != ";"
            current = []
            position += 0 if char == ";" else 1
        else:
            current.append(char)
        position += 1
    found.append(("".join(current).strip(), joined))
    return [(text, behind) for text, behind in found if text]


def unquoted(value):
    """Return a word without its quotes."""
    return value.replace('"', "").replace("'", "").strip()


def mask_of(words):
    """Return the mask that ``umask <words>`` sets as four octal digits, None where it sets none that is plain."""
    words = [unquoted(word) for word in words if not word.startswith("-")]
    if len(words) != 1:
        return None
    if _OCTAL.fullmatch(words[0]):
        return "%04o" % int(words[0], 8)
    parts = words[0].split(",")
    if not all(_SYMBOLIC.fullmatch(part) and "=" in part for part in parts):
        return None
    granted = {}
    for part in parts:
        who, rights = part.split("=", 1)
        bits = sum({_BITS[right] for right in rights})
        for one in "ugo" if not who or "a" in who else who:
            granted[one] = bits
    if len(granted) != 3:  # the others stay as they were: not known here
        return None
    return "%04o" % (0o777 & ~(granted["u"] << 6 | granted["g"] << 3 | granted["o"]))


class _File:
    """One start-up file as it is gone through."""

    def __init__(self, csh):
        self.csh = csh
        self.depth = 0
        self.found = []
        self.readonly = {}
        self.exported = {}

    def line(self, number, line):
        for text, joined in statements(line):
            self._statement(number, text, joined)

    def _statement(self, number, text, joined):
        words = text.split()
        while words and (words[0] in _SKIP or words[0].endswith(")")):
            words.pop(0)
        if not words:
            return
        head = words[0]
        if head in _CLOSE:
            self.depth = max(0, self.depth - 1)
            return
        if head in _OPEN or head.startswith("if("):
            if not self.csh or head not in ("if",) or words[-1] == "then":
                self.depth += 1
                if head != "case":
                    return
                words = text.partition(" in ")[2].rpartition(")")[2].split() or [""]
                head = words[0]
            else:  # csh: if (condition) command
                words, joined = text.rpartition(")")[2].split(), True
                head = words[0] if words else ""
        conditional = joined or self.depth > 0
        if head == "umask":
            value = mask_of(words[1:])
            if value is not None or any(not word.startswith("-") for word in words[1:]):
                self._add("umask", value, " ".join(words[1:]), number, conditional)
        elif self.csh:
            self._csh(words, text, number, conditional)
        else:
            self._assign(head, words, text, number, conditional)

    def _csh(self, words, text, number, conditional):
        body = text.partition(words[0])[2].strip() if words else ""
        match = re.match(r"(?:-r\s+)?autologout\s*=\s*\(?\s*(\S+)", body)
        if words and words[0] == "set" and match:
            self._add("autologout", unquoted(match.group(1)), body, number, conditional)

    def _assign(self, head, words, text, number, conditional):
        flags, rest = "", words
        if head in _DECLARE:
            flags = "".join(word for word in words[1:] if word.startswith("-"))
            rest = [word for word in words[1:] if not word.startswith("-")]
        marks = {"readonly": head == "readonly" or "r" in flags, "exported": head == "export" or "x" in flags}
        marks = marks if head in _DECLARE else {"readonly": False, "exported": False}
        for word in rest:
            match = _ASSIGNMENT.fullmatch(word)
            name = match.group(1) if match else word
            if name not in _VARIABLES:
                if head in _DECLARE:
                    continue
                break
            for mark, given in marks.items():
                if given and not conditional:
                    getattr(self, mark)[name] = True
            if match:
                value = unquoted(match.group(3))
                self._add(name, value, value, number, conditional)

    def _add(self, name, value, written, number, conditional):
        if len(self.found) < MAX_FOUND:
            self.found.append(
                {"setting": name, "value": value, "written": written[:512], "line": number, "conditional": conditional}
            )


def parse(lines, csh=False):
    """Return what a start-up file sets: a list of ``{setting, value, written, line, conditional, readonly, exported}``.

    ``setting``: umask, TMOUT, PATH; of csh umask and autologout (minutes). ``value``: a mask as four octal digits (None
    for one that cannot be told from the text), else the text without quotes. ``conditional``: inside if, for, case or
    behind ``&&``. ``readonly`` and ``exported``: the variable is marked so, without a condition, somewhere in the file.
    """
    state, pending, start = _File(csh), "", 0
    for number, line in enumerate(lines[:MAX_LINES], 1):
        start = start or number
        line = pending + line
        if line.endswith("\\x5c"):  # a backslash as host.text() writes it
            pending = line[:-4] + " "
            continue
        pending = ""
        state.line(start, line.strip())
        start = 0
    for entry in state.found:
        name = entry["setting"]
        marked = name in _VARIABLES
        entry["readonly"] = state.readonly.get(name, False) if marked else None
        entry["exported"] = state.exported.get(name, False) if marked else None
    return state.found


def path_parts(value):
    """Return the parts that a PATH value adds; what was in PATH before is left out.

    An empty part, also at an end, stands for the directory one is in (POSIX 8.3).
    """
    parts = [part.strip() for part in _CARRIED.sub("\0", value).split(":")]
    return [part.replace("\0", "$PATH") for part in parts if part != "\0"]

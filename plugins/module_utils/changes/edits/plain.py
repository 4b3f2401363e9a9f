"""Edits of files that say one thing a line: keys with values (in sections or not), whole lines, substitutions."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import re

_SECTION = re.compile(r"\s*\[([^\]]*)\]\s*$")


def _pattern(key, edit):
    """The regular expression of an active line with that key; the value is its last group."""
    between = r"\s*[=:]\s*" if edit.get("separator", "=").strip() else r"(?:\s*=\s*|\s+)"
    tail = r"(?:%s(.*?))?\s*$" % between if not edit.get("separator", "=").strip() else r"%s(.*?)\s*$" % between
    return re.compile(r"\s*" + re.escape(key) + tail, re.IGNORECASE if edit.get("ignore_case") else 0)


def _reach(lines, edit):
    """Return (first, behind the last) line that the edit may look at; None for a section that is not there."""
    first, last = 0, len(lines)
    if edit.get("until"):
        until = re.compile(edit["until"])
        last = next((index for index, line in enumerate(lines) if until.search(line)), last)
    if edit.get("section") is None:
        return first, last
    begin = None
    for index in range(last):
        found = _SECTION.match(lines[index])
        if found is None:
            continue
        if begin is not None:
            return begin, index
        if found.group(1).strip() == edit["section"]:
            begin = index + 1
    return (begin, last) if begin is not None else None


def _spans(lines, edit):
    """All stretches of lines of the section (it may be written twice), or the one stretch of a file without."""
    reach = _reach(lines, edit)
    if reach is None or edit.get("section") is None:
        return [reach] if reach else []
    end = _reach(lines, {"until": edit.get("until")})[1]
    spans, inside = [], False
    for index in range(end):
        found = _SECTION.match(lines[index])
        if found is None:
            continue
        if inside:
            spans[-1] = (spans[-1][0], index)
        inside = found.group(1).strip() == edit["section"]
        if inside:
            spans.append((index + 1, end))
    return spans


def _active(lines, edit, key):
    """Return [(line number, match)] of the active lines with the key."""
    pattern, comments = _pattern(key, edit), tuple(edit.get("comment", "#"))
    return [
        (index, found)
        for first, last in _spans(lines, edit)
        for index, line in enumerate(lines)
        if first <= index < last and not line.lstrip().startswith(comments)
        for found in [pattern.match(line)]
        if found
    ]


def set_value(lines, edit):
    """The key has the value, once."""
    key, value, separator = edit["set"], edit["value"], edit.get("separator", "=")
    found = _active(lines, edit, key)
    if found:
        index, match = found[0]
        if (match.group(1) or "") != value.strip():
            blanks = lines[index][: len(lines[index]) - len(lines[index].lstrip())]
            lines.replace(index, blanks + _written(key, separator, value))
        if not edit.get("first_only"):
            lines.remove(index for index, _match in found[1:])
        return
    place = _reach(lines, edit)
    if place is None:
        end = _reach(lines, {"until": edit.get("until")})[1]
        if end and lines[end - 1].strip():
            lines.insert(end, "")
            end += 1
        lines.insert(end, "[%s]" % edit["section"])
        lines.insert(end + 1, _written(key, separator, value))
        return
    first, last = place
    if edit.get("section") is not None or last < len(lines):
        # Behind the last line that says something: blank lines before the next part stay where they are.
        while last > first and not lines[last - 1].strip():
            last -= 1
    lines.insert(last, _written(key, separator, value))


def _written(key, separator, value):
    return (key + separator + value).rstrip() if not separator.strip() else key + separator + value


def unset(lines, edit):
    """No active line has the key."""
    lines.remove([index for index, _match in _active(lines, edit, edit["unset"])])


def line(lines, edit):
    """The line is there once, or not at all."""
    wanted = edit["line"]
    replaces = re.compile(edit["replaces"]) if edit.get("replaces") else None
    equal = [index for index, one in enumerate(lines) if one.rstrip() == wanted.rstrip()]
    others = [index for index, one in enumerate(lines) if replaces and replaces.search(one) and index not in equal]
    if edit.get("state", "present") == "absent":
        lines.remove(equal + others)
    elif equal:
        lines.remove(others)
    elif others:
        lines.replace(others[0], wanted)
        lines.remove(others[1:])
    else:
        lines.insert(_place(lines, edit), wanted)


def _place(lines, edit):
    for name, step in (("after", 1), ("before", 0)):
        if edit.get(name):
            matches = [index for index, one in enumerate(lines) if re.search(edit[name], one)]
            if matches:
                return matches[-1] + 1 if step else matches[0]
    return len(lines)


def substitute(lines, edit):
    """Replace in each line; a replacement that would match again is made once."""
    pattern = re.compile(edit["sub"])
    for index, one in enumerate(lines):
        new = pattern.sub(edit["with"], one)
        if new != one:
            lines.replace(index, new.replace("\n", "").replace("\r", ""))

r"""Lines of PAM service files. Source: pam.conf(5).

``{type, module, control?, add?, remove?, state?, position?, arguments_match?}``:

- ``type`` (auth, account, password, session) and ``module`` (``pam_unix.so``; compared without directory) find the
  line. ``arguments_match``: a regular expression that its arguments must match as well (two lines of pam_faillock).
- ``control``: the line gets this control (``required``, ``[success=1 default=ignore]``), and a new line has it.
- ``add``: {argument: value or null}: ``remember: "24"`` becomes ``remember=24``, null a word of its own.
- ``remove``: names of arguments, with or without value.
- ``state``: present (default) or absent. Present and no such line: made at ``position``, if that is given; else a
  problem.
- ``position``: ``first``, ``last`` (of that type), ``{"before": module}`` or ``{"after": module}`` (of that type; no
  such module: last). Where a line is made or removed, ``[success=N]`` jumps of the same type over that place are
  counted anew; a jump that leads to the place of a new line lands on it.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import re

from .lines import EditError

TYPES = ("auth", "account", "password", "session")
_LINE = re.compile(r"(\s*)(-?)(\w+)(\s+)(\[[^\]]*\]|\S+)(\s+)(\S+)(.*?)(\s*(?:#.*)?)$")
_JUMP = re.compile(r"(\w+\s*=\s*)(\d+)")
_FALLBACK = re.compile(r"#\s*here's the fallback if no module succeeds")
_INCLUDES = ("include", "substack")


def check(where, value):
    """Raise SpecError unless ``value`` is the object described above."""
    from .. import spec

    word = spec.WORD

    def arguments(place, found):
        if not isinstance(found, dict):
            spec._fail(place, "%r is not an object of arguments" % (found,))
        for name, item in found.items():
            word(place + " (a name)", name)
            if item is not None:
                spec.LINE("%s.%s" % (place, name), item)

    def position(place, found):
        if isinstance(found, dict):
            if len(found) != 1:
                spec._fail(place, "must have before or after")
            spec.fields(place, found, {}, {"before": word, "after": word})
        else:
            spec._choice("first", "last")(place, found)

    control = spec._text(500, pattern=re.compile(r"\w+|\[[^\]]+\]"), what="a control of PAM")
    spec.fields(
        where, value, {"type": spec._choice(*TYPES), "module": word},
        {"control": control, "add": arguments, "remove": spec._list(word), "position": position,
         "state": spec._choice("present", "absent"), "arguments_match": spec._regex},
    )  # fmt: skip


def _module(path):
    return path.rsplit("/", 1)[-1]


def _of_type(lines, kind):
    """Return [(line number, match)] of the active lines of that type, also includes and substacks."""
    found = []
    for index, line in enumerate(lines):
        match = None if line.lstrip().startswith(("#", "@")) else _LINE.match(line)
        if match and match.group(3).lower() == kind:
            found.append((index, match))
    return found


def apply(lines, edit):
    """Find the lines, change them, or make or remove them."""
    wanted = edit["pam"]
    kind, module = wanted["type"], _module(wanted["module"])
    fits = re.compile(wanted.get("arguments_match") or "")
    stack = _of_type(lines, kind)
    found = [
        (index, match)
        for index, match in stack
        if _module(match.group(7)) == module and fits.search(" ".join(_words(match.group(8))))
    ]
    if wanted.get("state", "present") == "absent":
        for index, _match in reversed(found):
            _recount(lines, kind, index, -1)
            lines.remove([index])
        return
    if not found:
        if wanted.get("position") is None:
            raise EditError("no %s line of %s, and no position for a new one" % (kind, module))
        _make(lines, wanted, stack)
        return
    for index, match in found:
        arguments = _arguments(_words(match.group(8)), wanted)
        control = wanted.get("control") or match.group(5)
        if arguments == _words(match.group(8)) and _squeezed(control) == _squeezed(match.group(5)):
            continue
        head = match.group(1) + match.group(2) + match.group(3) + match.group(4)
        control = match.group(5) if _squeezed(control) == _squeezed(match.group(5)) else control
        text = head + control + match.group(6) + match.group(7)
        lines.replace(index, text + "".join(" " + word for word in arguments) + match.group(9))


def _squeezed(control):
    return " ".join(control.lower().split())


def _words(text):
    return re.findall(r"\[(?:\\.|[^\]\\])*\]|\S+", text)


def _name(word):
    return word.lstrip("[").partition("=")[0].rstrip("]")


def _arguments(words, wanted):
    add, remove = wanted.get("add") or {}, {_name(name) for name in wanted.get("remove") or ()}
    kept, done = [], set()
    for word in words:
        name = _name(word)
        if name in add:
            if name not in done:
                kept.append(_argument(name, add[name]))
                done.add(name)
        elif name not in remove:
            kept.append(word)
    return kept + [_argument(name, value) for name, value in add.items() if name not in done]


def _argument(name, value):
    if value is None:
        return name
    text = "%s=%s" % (name, value)
    return "[%s]" % text.replace("]", "\\]") if re.search(r"\s", text) else text


def _make(lines, wanted, stack):
    arguments = _arguments([], wanted)
    text = "\t".join((wanted["type"], wanted.get("control") or "required", wanted["module"]))
    text += "".join(" " + word for word in arguments)
    place = _position(lines, wanted["position"], stack)
    lines.insert(place, text)
    _recount(lines, wanted["type"], place, 1)


def _position(lines, position, stack):
    if position == "first":
        return stack[0][0] if stack else len(lines)
    if isinstance(position, dict):
        ((side, name),) = position.items()
        places = [index for index, match in stack if _module(match.group(7)) == _module(name)]
        if places and side == "before":
            return places[0] - 1 if places[0] and _FALLBACK.match(lines[places[0] - 1]) else places[0]
        if places:
            return places[-1] + 1
    return stack[-1][0] + 1 if stack else len(lines)


def _recount(lines, kind, place, step):
    """Jumps of lines before ``place`` that lead over it reach one line further (or less far)."""
    stack = _of_type(lines, kind)
    numbers = [index for index, _match in stack]
    at = numbers.index(place)
    opaque = [number for number, (_index, match) in enumerate(stack) if match.group(5).lower() in _INCLUDES]
    for position, (index, match) in enumerate(stack[:at]):
        control = match.group(5)
        if not control.startswith("["):
            continue

        def moved(jump, position=position):
            count = int(jump.group(2))
            if not count or position + count < at:
                return jump.group(0)
            if any(position < number < at for number in opaque):
                raise EditError("a jump leads over an included file: how far is not known here")
            return jump.group(1) + (str(count + step) if count + step else "ignore")

        new = _JUMP.sub(moved, control)
        if new != control:
            line = lines[index]
            lines.replace(index, line[: match.start(5)] + new + line[match.end(5) :])

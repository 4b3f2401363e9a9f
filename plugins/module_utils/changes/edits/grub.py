"""Kernel arguments in a quoted shell variable of /etc/default/grub (or kernel/cmdline style files)."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import re

from .lines import EditError

DEFAULT_VARIABLE = "GRUB_CMDLINE_LINUX"


def _split(value):
    return value.split()


def kernel_arguments(lines, edit):
    """Each argument stands in the variable once with its value, or not at all (null)."""
    variable = edit.get("variable") or DEFAULT_VARIABLE
    pattern = re.compile(r"(\s*(?:export\s+)?%s=)(\"[^\"]*\"|'[^']*'|[^\s\"'#]*)(\s*(?:#.*)?)$" % re.escape(variable))
    found = None
    for index, line in enumerate(lines):
        match = pattern.match(line)
        if match:
            found = index, match
        elif re.match(r"\s*(?:export\s+)?%s\+?=" % re.escape(variable), line):
            raise EditError("line %d: the value of %s is not plain text in quotes" % (index + 1, variable))
    words, quote = [], '"'
    if found:
        value = found[1].group(2)
        if value[:1] in ("'", '"'):
            quote, value = value[0], value[1:-1]
        words = _split(value)
    before = list(words)
    for name, value in edit["kernel_arguments"].items():
        wanted = None if value is None else name if value is True or value == "" else "%s=%s" % (name, value)
        places = [index for index, word in enumerate(words) if word.partition("=")[0] == name]
        if wanted is None:
            words = [word for index, word in enumerate(words) if index not in places]
        elif places:
            words[places[0]] = wanted
            words = [word for index, word in enumerate(words) if index not in places[1:]]
        else:
            words.append(wanted)
    if words == before:
        return
    text = quote + " ".join(words) + quote
    if found:
        lines.replace(found[0], found[1].group(1) + text + found[1].group(3))
    else:
        lines.insert(len(lines), variable + "=" + text)

"""Where packages come from: apt's sources.list(5) in both forms, and repositories of dnf and yum (dnf.conf(5)).

Also settings of apt.conf(5). Nothing is run: the files are read as the programs read them.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import re

TRUE = ("yes", "true", "1", "on", "enabled")
FALSE = ("no", "false", "0", "off", "disabled")
OPTIONS = {
    "trusted": "trusted",
    "signed-by": "signed_by",
    "allow-insecure": "allow_insecure",
    "allow-weak": "allow_weak",
    "allow-downgrade-to-insecure": "allow_downgrade",
    "check-valid-until": "check_valid_until",
}
"""Options of a source that bear on whether what comes from it is checked."""

_ONE_LINE = re.compile(r"\s*(deb(?:-src)?)\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s*(.*)")
_APT_TOKEN = re.compile(
    r"//[^\n]*|/\*.*?\*/|\#(?!clear|include)[^\n]*|(?P<word>[A-Za-z0-9_.:/+*-]+)|\"(?P<value>[^\"\n]*)\"|(?P<sign>[{};])"
    r"|(?P<directive>\#(?:clear|include))",
    re.DOTALL,
)


def truth(value, otherwise=None):
    """Return True or False for a word that says so, ``otherwise`` for any other."""
    low = str(value).strip().lower()
    return True if low in TRUE else False if low in FALSE else otherwise


def source(types, address, suites, components, options, where, enabled=True):
    """One source as a map; ``options`` by the names of OPTIONS, booleans as such."""
    found = dict.fromkeys(OPTIONS.values())
    for name, value in options.items():
        column = OPTIONS.get(name.lower())
        if column == "signed_by":
            found[column] = "in the file" if "BEGIN PGP" in value else value.strip()[:300]
        elif column:
            found[column] = truth(value, True)
    found.update(types=types, address=address, suites=suites, components=components, where=where, enabled=enabled)
    return found


def parse_list(lines, path):
    """Return the sources of a file of one-line sources."""
    found = []
    for number, line in enumerate(lines, 1):
        match = _ONE_LINE.match(line.split("#", 1)[0])
        if match:
            kind, options, address, suite, components = match.groups()
            pairs = dict(part.split("=", 1) for part in (options or "").split() if "=" in part)
            where = "%s:%d" % (path, number)
            found.append(source([kind], address, [suite], components.split()[:20], pairs, where))
    return found


def parse_deb822(lines, path):
    """Return the sources of a file of stanzas (deb822), one for each address."""
    found, fields, start, name = [], {}, 0, ""
    for number, line in enumerate(list(lines) + [""], 1):
        if line.startswith("#"):
            continue
        if not line.strip():
            found += _stanza(fields, "%s:%d" % (path, start))
            fields, name = {}, ""
        elif line[0] in " \t" and name:
            fields[name] += "\n" + line.strip()
        elif ":" in line:
            if not fields:
                start = number
            name, _colon, value = line.partition(":")
            name = name.strip().lower()
            fields[name] = value.strip()
    return found


def _stanza(fields, where):
    if "types" not in fields or "uris" not in fields:
        return []
    enabled = truth(fields.get("enabled", "yes"), True)
    return [
        source(fields["types"].split()[:2], address, fields.get("suites", "").split()[:20],
               fields.get("components", "").split()[:20], fields, where, enabled)
        for address in fields["uris"].split()[:20]
    ]  # fmt: skip


def parse_ini(lines, path):
    """Return ``[(section, {name: value}, where)]`` of a file of dnf or yum; values go on in indented lines."""
    found, name = [], ""
    for number, line in enumerate(lines, 1):
        bare = line.strip()
        if not bare or bare[0] in "#;":
            continue
        if bare.startswith("[") and "]" in bare:
            found.append((bare[1 : bare.index("]")], {}, "%s:%d" % (path, number)))
            name = ""
        elif line[0] in " \t" and name and found:
            found[-1][1][name] += " " + bare
        elif "=" in bare and found:
            name, _equals, value = bare.partition("=")
            name = name.strip().lower()
            found[-1][1][name] = value.strip()
    return found


def parse_apt(content, path, settings):
    """Add the scalars of one file of apt.conf(5) to ``settings``: name in small letters -> (name, value, path:line).

    ``APT { Get { AllowUnauthenticated "true"; } }`` and ``APT::Get::AllowUnauthenticated "true";`` are the same; the
    last one read counts. ``#clear`` removes a name and all below it. Lists are left out.
    """
    stack, words, clearing = [], [], False
    for match in _APT_TOKEN.finditer(content):
        word, value, sign, directive = match.group("word", "value", "sign", "directive")
        if directive:
            clearing, words = directive == "#clear", []
        elif word is not None:
            words.append(word)
        elif value is not None:
            words.append('"' + value)
        elif sign == "{":
            stack.append([part for item in words for part in item.lstrip('"').split("::")])
            words = []
        elif sign == "}":
            if stack:
                stack.pop()
            words = []
        elif sign == ";":
            _apply(settings, stack, words, clearing, "%s:%d" % (path, content.count("\n", 0, match.start()) + 1))
            words, clearing = [], False


def _apply(settings, stack, words, clearing, where):
    prefix = [part for level in stack for part in level]
    if clearing:
        for word in words:
            low = "::".join(prefix + [word.rstrip(":")]).lower()
            for name in [name for name in settings if name == low or name.startswith(low + "::")]:
                del settings[name]
        return
    if len(words) == 2 and not words[0].startswith('"') and not words[0].endswith("::"):
        name = "::".join(prefix + [words[0]])
        settings[name.lower()] = (name, words[1].lstrip('"')[:300], where)

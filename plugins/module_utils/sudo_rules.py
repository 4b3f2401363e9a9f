"""The language of sudoers(5): files and their includes, aliases, Defaults, and who may run what as whom."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import re

ALIASES = {
    "User_Alias": "user",
    "Runas_Alias": "runas",
    "Host_Alias": "host",
    "Cmnd_Alias": "command",
    "Cmd_Alias": "command",
}
TAGS = (
    "NOPASSWD",
    "PASSWD",
    "NOEXEC",
    "EXEC",
    "SETENV",
    "NOSETENV",
    "LOG_INPUT",
    "NOLOG_INPUT",
    "LOG_OUTPUT",
    "NOLOG_OUTPUT",
    "MAIL",
    "NOMAIL",
    "FOLLOW",
    "NOFOLLOW",
    "INTERCEPT",
    "NOINTERCEPT",
)
OPPOSITE = {tag: tag[2:] if tag.startswith("NO") else "NO" + tag for tag in TAGS}
ALIAS_DEPTH = 16

_TAG = re.compile(r"\s*(%s)\s*:" % "|".join(TAGS))
_OPTION = re.compile(
    r"\s*(?:ROLE|TYPE|APPARMOR_PROFILE|PRIVS|LIMITPRIVS|NOTBEFORE|NOTAFTER|TIMEOUT|CWD|CHROOT)\s*=\s*"
    r"(?:\"[^\"]*\"|[^\s,]+)"
)
_DEFAULTS = re.compile(r"Defaults(?:([@:>!])\s*(.*?))?(?:\s+|$)(.*)$")
_SETTING = re.compile(r"(!*)\s*([A-Za-z_]\w*)\s*(?:(\+=|-=|=)\s*(.*))?$", re.DOTALL)
_SCOPES = {"@": "host", ":": "user", ">": "runas", "!": "command"}
_INCLUDE = re.compile(r"(?:@|#)(include|includedir)\s+(.+)$")


def logical_lines(lines):
    """Return (number of the first line, text) of each statement: continuations joined, comments taken off.

    A ``#`` begins a comment unless it stands for a uid (``#0``), is quoted or escaped, or begins ``#include``.
    """
    found = []
    pending, start = "", 0
    for number, line in enumerate(lines, 1):
        if not pending:
            start = number
        # host.text() writes the backslash as \x5c, so that it is one here too.
        line = line.replace("\\x5c", "\\").rstrip("\r")
        if not (not pending and _INCLUDE.match(line.strip())):
            line, commented = _strip_comment(line)
        else:
            commented = False
        if line.endswith("\\") and not commented:
            pending += line[:-1] + " "
            continue
        text = (pending + line).strip()
        pending = ""
        if text:
            found.append((start, text))
    if pending.strip():
        found.append((start, pending.strip()))
    return found


def _strip_comment(line):
    quoted = False
    position = 0
    while position < len(line):
        char = line[position]
        if char == "\\":
            position += 2
            continue
        if char == '"':
            quoted = not quoted
        elif char == "#" and not quoted:
            following = line[position + 1 : position + 2]
            before = line[:position].rstrip()[-1:]
            # A uid is a "#" before digits where a list may stand: not at the start of a line of words.
            if not (
                following.isdigit() and (not before or before in ",=(!:%>" or line[:position].endswith((" ", "\t")))
            ):
                return line[:position].rstrip(), True
        position += 1
    return line.rstrip(), False


def split_outside(text, separator):
    """Split at ``separator`` where it is neither quoted, escaped nor in brackets."""
    parts, current, quoted, depth = [], [], False, 0
    position = 0
    while position < len(text):
        char = text[position]
        if char == "\\" and position + 1 < len(text):
            current.append(text[position : position + 2])
            position += 2
            continue
        if char == '"':
            quoted = not quoted
        elif char == "(" and not quoted:
            depth += 1
        elif char == ")" and not quoted:
            depth = max(0, depth - 1)
        if char == separator and not quoted and not depth:
            parts.append("".join(current).strip())
            current = []
        else:
            current.append(char)
        position += 1
    parts.append("".join(current).strip())
    return parts


def _items(text):
    return [item for item in split_outside(text, ",") if item]


def parse_setting(text):
    """Return (name, operator, value) of one Defaults setting; a flag's value is True or False, a count's an int."""
    match = _SETTING.match(text.strip())
    if not match:
        return None
    negated, name, operator, value = match.groups()
    if operator is None:
        return name, "=", len(negated) % 2 == 0
    value = value.strip()
    if len(value) > 1 and value[0] == '"' and value[-1] == '"':
        value = value[1:-1]
    if operator == "=" and re.match(r"-?\d{1,9}$", value):
        return name, operator, int(value)
    if operator == "=" and re.match(r"-?\d{1,9}\.\d+$", value):
        return name, operator, float(value)
    return name, operator, value


def parse_defaults(text):
    """Return a list of {scope, scope_of, setting, operator, value} of a Defaults line, or None if it is none."""
    match = _DEFAULTS.match(text)
    if not match:
        return None
    mark, subject, rest = match.groups()
    if mark and subject is not None:
        # The subject is a list: blanks after its commas belong to it.
        while subject.endswith(",") and rest:
            more, _blank, rest = rest.partition(" ")
            subject += more
    found = []
    for item in _items(rest):
        setting = parse_setting(item)
        if setting is None:
            return None
        found.append(
            {
                "scope": _SCOPES.get(mark, "global"),
                "scope_of": _items(subject or ""),
                "setting": setting[0],
                "operator": setting[1],
                "value": setting[2],
            }
        )
    return found or None


def parse_alias(text):
    """Return a list of {type, name, members} of an alias line, or None if it is none."""
    word, _blank, rest = text.partition(" ")
    word, tab, more = word.partition("\t")
    if word not in ALIASES:
        return None
    found = []
    for part in split_outside((more + " " + rest) if tab else rest, ":"):
        name, equals, members = part.partition("=")
        if not equals or not re.match(r"[A-Z][A-Z0-9_]*$", name.strip()):
            return None
        found.append({"type": ALIASES[word], "name": name.strip(), "members": _items(members)})
    return found or None


def _command(text, state):
    """Take runas, options and tags off one command; ``state`` (runas, tags) is what it inherits and passes on."""
    text = text.strip()
    if text.startswith("("):
        end = text.find(")")
        if end < 0:
            return None
        users, colon, groups = text[1:end].partition(":")
        state["runas_users"] = _items(users)
        state["runas_groups"] = _items(groups) if colon else []
        # Only "(:group)" and "()" name no user: the invoking user's own rights.
        state["runas_given"] = True
        text = text[end + 1 :].strip()
    while True:
        match = _OPTION.match(text)
        if match:
            text = text[match.end() :].strip()
            continue
        match = _TAG.match(text)
        if not match:
            break
        state["tags"].discard(OPPOSITE[match.group(1)])
        state["tags"].add(match.group(1))
        text = text[match.end() :].strip()
    return text or None


def parse_rule(text):
    """Return the grants of a user specification, or None if the line is none.

    One grant is {users, hosts, runas_users, runas_groups, tags, commands}: neighbouring commands with the same
    runas and tags. Without a runas list commands run as root, and runas_users is ``["root"]``.
    """
    grants = []
    parts = split_outside(text, "=")
    if len(parts) < 2:
        return None
    head = parts[0]
    # Users and hosts are two lists with blanks between; a comma, or "!" before, keeps a list together.
    words = re.findall(r'(?:"[^"]*"|\\.|[^\s,])+|,', re.sub(r"!\s+", "!", head))
    users, hosts, expect = [], [], True
    target = users
    for word in words:
        if word == ",":
            expect = True
            continue
        if not expect:
            if target is hosts:
                return None
            target = hosts
        target.append(word)
        expect = False
    if not users or not hosts:
        return None
    rest = text[text.index("=", len(head) if text.startswith(head) else 0) + 1 :]
    sections = _sections(rest)
    for number, section in enumerate(sections):
        if number:
            name, equals, section = section.partition("=")
            if not equals:
                return None
            hosts = _items(name)
        state = {"runas_users": [], "runas_groups": [], "runas_given": False, "tags": set()}
        for item in split_outside(section, ","):
            command = _command(item, state)
            if command is None:
                return None
            grant = {
                "users": users,
                "hosts": hosts,
                "tags": sorted(state["tags"]),
                "runas_users": list(state["runas_users"]) if state["runas_given"] else ["root"],
                "runas_groups": list(state["runas_groups"]),
                "commands": [],
            }
            if not grants or any(grants[-1][name] != grant[name] for name in grant if name != "commands"):
                grants.append(grant)
            grants[-1]["commands"].append(command)
    return grants or None


def _sections(text):
    """Split ``cmds : hosts = cmds`` at the colons between specifications, not at those of tags or in commands."""
    parts = split_outside(text, ":")
    joined = [parts[0]]
    for part in parts[1:]:
        last = re.split(r"[\s,)]", joined[-1])[-1]
        if last in TAGS or last.startswith("sha") or "=" not in part or not re.match(r"[^\s/][^/=]*=", part):
            joined[-1] += ":" + part
        else:
            joined.append(part)
    return joined


def parse_include(text):
    """Return (``include`` or ``includedir``, path as written) or None."""
    match = _INCLUDE.match(text)
    if not match:
        return None
    path = match.group(2).strip()
    if len(path) > 1 and path[0] == '"' and path[-1] == '"':
        path = path[1:-1]
    return match.group(1), path.replace("\\ ", " ")


def included_names(names):
    """Names of a directory that includedir reads: sorted, none that end in ``~`` or hold a dot, sudoers(5)."""
    return sorted(name for name in names if not name.endswith("~") and "." not in name)


def expand(names, aliases, depth=0):
    """Replace alias names by their members, ``!`` kept: [name]. ``aliases`` maps name -> members of one type."""
    found = []
    for name in names:
        bare = name.lstrip("!").strip()
        negated = (len(name) - len(name.lstrip("!"))) % 2
        if bare in aliases and depth < ALIAS_DEPTH:
            for member in expand(aliases[bare], aliases, depth + 1):
                if negated:
                    member = member[1:] if member.startswith("!") else "!" + member
                found.append(member)
        else:
            found.append(name)
        if len(found) > 1000:
            break
    return found

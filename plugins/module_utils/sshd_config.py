"""Parser of OpenSSH server configuration: Include, Match, first value wins, and where each value stands.

Source: sshd_config(5) and servconf.c of OpenSSH 9 (argv_split, process_server_config_line_depth).
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from .spec import Absent, Unreadable
from .sshd_keywords import ALIASES, KEYWORDS, LISTS, canonical_value

MAX_DEPTH = 16
"""sshd's own limit on nested Include (SERVCONF_MAX_DEPTH)."""

MAX_FILES = 500


def split_line(line):
    """Return ``(keyword in lower case, [arguments])`` of a line, None for blanks and comments.

    One ``=`` may stand between keyword and value; quotes group; ``#`` before an argument ends the line.
    """
    line = line.strip(" \t\r\n\f")
    if not line or line[0] == "#":
        return None
    index = 0
    if line[0] == '"':
        end = line.find('"', 1)
        keyword, index = (line[1:end], end + 1) if end > 0 else (line[1:], len(line))
    else:
        while index < len(line) and line[index] not in " \t\r\f=":
            index += 1
        keyword = line[:index]
    while index < len(line) and line[index] in " \t\r\f":
        index += 1
    if index < len(line) and line[index] == "=":
        index += 1
    return keyword.lower(), _arguments(line[index:])


def _arguments(rest):
    r"""Split arguments as misc.c argv_split does; ``\x5c`` is how a backslash reads after ``host.text``."""
    found, current, quote, begun = [], [], "", False
    index = 0
    while index < len(rest):
        character = rest[index]
        if rest.startswith("\\x5c", index) and rest[index + 4 : index + 5] in (
            "'",
            '"',
            "\\",
            " " if not quote else "'",
        ):
            escaped = rest[index + 4]
            current.append("\\x5c" if escaped == "\\" else escaped)
            index += 8 if escaped == "\\" else 5
            begun = True
            continue
        if quote:
            if character == quote:
                quote = ""
            else:
                current.append(character)
        elif character in "'\"":
            quote, begun = character, True
        elif character in " \t\r\f":
            if begun:
                found.append("".join(current))
            current, begun = [], False
        elif character == "#" and not begun:
            return found
        else:
            current.append(character)
            begun = True
        index += 1
    if begun:
        found.append("".join(current))
    return found


class Block:
    """Settings under one Match line (``criteria`` text and ``where``) or of the whole file (``criteria`` "").

    ``settings`` maps keyword -> ``(value, where)``; the values of LISTS keywords are lists.
    """

    def __init__(self, criteria="", where=""):
        self.criteria = criteria
        self.where = where
        self.settings = {}

    def add(self, keyword, arguments, where):
        """Take a setting: the first one counts, except that lists grow."""
        if keyword in LISTS:
            items = (
                arguments
                if keyword in ("allowusers", "denyusers", "allowgroups", "denygroups", "acceptenv")
                else [" ".join(arguments)]
            )
            if keyword in self.settings:
                self.settings[keyword][0].extend(items)
            else:
                self.settings[keyword] = (list(items), where)
        elif keyword not in self.settings:
            self.settings[keyword] = (canonical_value(keyword, " ".join(arguments)), where)

    def always(self):
        """True if the block applies to every connection."""
        return self.criteria.lower() in ("", "all")


class Config:
    """What one sshd reads: ``top`` (Block), ``matches`` (Blocks in order), ``files`` in order of reading.

    ``gaps`` names files that could not be read, ``unknown`` the places of keywords that this parser does
    not know (their text is not kept: a file may be no configuration at all).
    """

    def __init__(self):
        self.top = Block()
        self.matches = []
        self.files = []
        self.includes = []  # {pattern, where, first}; first: nothing is set before it, so that what it brings wins
        self.gaps = []
        self.unknown = []

    def effective(self):
        """Return {keyword: (value, where)} for a connection that meets no Match line other than ``all``.

        Match blocks override the rest, the first of them first (servconf.c, parse_server_match_config).
        """
        result = dict(self.top.settings)
        over = {}
        for block in self.matches:
            if block.always():
                for keyword, pair in block.settings.items():
                    over.setdefault(keyword, pair)
        result.update(over)
        return result


def parse(read, expand, path, overrides=()):
    """Return the Config of the file ``path``.

    ``read(path)`` gives lines, ``expand(pattern)`` sorted paths; both may raise Absent and Unreadable.
    ``overrides`` are the ``-o`` settings of the command line (``keyword=value``), which come first.
    """
    config = Config()
    for text in overrides:
        parsed = split_line(text)
        if parsed and ALIASES.get(parsed[0], parsed[0]) in KEYWORDS:
            config.top.add(ALIASES.get(parsed[0], parsed[0]), parsed[1], "command line")
    _file(config, read, expand, path, config.top, 0)
    return config


def _file(config, read, expand, path, block, depth):
    """Read one file. A Match line holds to the end of the file it stands in."""
    if depth > MAX_DEPTH or len(config.files) >= MAX_FILES:
        config.gaps.append("%s: too many nested or included files" % path)
        return
    try:
        lines = read(path)
    except Absent:
        if depth == 0:
            config.gaps.append("%s: is not there" % path)
        return
    except Unreadable as error:
        config.gaps.append(error.why)
        return
    config.files.append(path)
    outer = block
    for number, line in enumerate(lines, 1):
        parsed = split_line(line)
        if parsed is None:
            continue
        keyword, arguments = ALIASES.get(parsed[0], parsed[0]), parsed[1]
        where = "%s:%d" % (path, number)
        if keyword == "include":
            first = depth == 0 and not block.criteria and not _says(config, path)
            config.includes += [{"pattern": one, "where": where, "first": first} for one in arguments[:20]]
            _include(config, read, expand, arguments, block, depth)
        elif keyword == "match":
            criteria = " ".join(arguments)[:512]
            if outer.criteria:
                criteria = "%s and %s" % (outer.criteria, criteria)
            block = Block(criteria, where)
            config.matches.append(block)
        elif keyword in KEYWORDS:
            block.add(keyword, arguments, where)
        else:
            config.unknown.append(where)


def _says(config, path):
    """True if the file has set something already, or begun a Match block."""
    blocks = [config.top] + config.matches
    return bool(config.matches) or any(
        pair[1].rsplit(":", 1)[0] == path for block in blocks for pair in block.settings.values()
    )


def _include(config, read, expand, patterns, block, depth):
    for pattern in patterns:
        # sshd takes relative names below /etc/ssh, also for a file that lies elsewhere.
        pattern = pattern if pattern.startswith("/") else "/etc/ssh/" + pattern
        try:
            paths = expand(pattern)
        except Unreadable as error:
            config.gaps.append(error.why)
            continue
        for path in paths:
            _file(config, read, expand, path, block, depth + 1)


def parse_effective(lines):
    """Return {keyword: value} of the output of ``sshd -T`` or ``-G``; LISTS keywords give lists."""
    result = {}
    for line in lines:
        keyword, _separator, value = line.strip().partition(" ")
        keyword = ALIASES.get(keyword.lower(), keyword.lower())
        if keyword not in KEYWORDS:
            continue
        if keyword in LISTS:
            result.setdefault(keyword, []).append(value)
        elif keyword not in result:
            result[keyword] = canonical_value(keyword, value)
    return result

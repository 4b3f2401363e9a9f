"""What people read before and after they log in: /etc/issue, issue.net, motd, the banner of sshd."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import hashlib
import re
import stat

from ..reading import names_in
from ..redact import redact
from ..spec import Absent, Column, Table, Unreadable, unreadable
from ..text import text

TABLE = Table(
    name="banners",
    description="Texts shown at log-in, and what they tell of the system.",
    key="the path; /etc/issue, /etc/issue.net, /etc/motd and profile.d/ssh_confirm.sh always have a row",
    columns=(
        Column(
            "kind",
            "text",
            "issue (consoles), issue.net (telnet, often sshd), motd, ssh (Banner), confirm or script",
        ),
        Column("exists", "bool", "the file is there"),
        Column("size", "int", "bytes"),
        Column("blank", "bool", "it holds nothing but white space"),
        Column("escapes", "list", "letters behind a backslash that agetty or others expand: m machine, r release, ..."),
        Column("names", "list", "names of this system in the text, small letters: ID and NAME of os-release"),
        Column("digest", "text", "SHA-256 of the text with runs of white space as one blank; null when not there"),
        Column("text", "text_sensitive", "the text when it is no longer than 4,000 characters; never of a script"),
    ),
    max_rows=300,
)

FIXED = (("/etc/issue", "issue"), ("/etc/issue.net", "issue.net"), ("/etc/motd", "motd"))
DIRECTORIES = (
    ("/etc/issue.d", "issue"), ("/etc/motd.d", "motd"), ("/run/motd.d", "motd"), ("/usr/lib/motd.d", "motd"),
    ("/etc/update-motd.d", "script"),
)  # fmt: skip
DYNAMIC = (("/run/motd.dynamic", "motd"), ("/usr/lib/motd", "motd"))
CONFIRM = "/etc/profile.d/ssh_confirm.sh"
"""Where the STIG of Ubuntu wants a question that each SSH session has to answer."""
LIMIT = 64 * 1024
MAX_TEXT = 4000
MAX_FILES = 50
_ESCAPE = re.compile(rb"\\([A-Za-z0-9])")
_BANNER = re.compile(r"\s*Banner[\s=]+\"?([^\s\"]+)", re.I)


def system_names(lines):
    """Return the words by which os-release names the system, small letters: ID and the first part of NAME."""
    found = set()
    for line in lines:
        key, _equals, value = line.partition("=")
        value = value.strip().strip("\"'").lower()
        if key in ("ID", "NAME") and len(value) > 1:
            found.add(value)
            if key == "NAME":
                found.add(value.split(" gnu/linux")[0].split(" linux")[0])
    return sorted(name for name in found if len(name) > 1 and name not in ("linux", "gnu/linux"))


def facts(data, names, script=False):
    """Return the cells of a text (bytes). ``names``: see ``system_names``, None when not known."""
    shown = text(data)
    words = " ".join(shown.split())
    low = shown.lower()
    return {
        "size": len(data),
        "blank": not words,
        "escapes": [] if script else sorted({match.decode("ascii") for match in _ESCAPE.findall(data)})[:20],
        "names": _named(names, low, script),
        "digest": hashlib.sha256(words.encode("utf-8")).hexdigest(),
        "text": None if script or len(shown) > MAX_TEXT else redact(shown),
    }


def _named(names, low, script):
    if names is None and not script:
        return unreadable("partial", "there is no os-release: the names of this system are not known")
    return [] if script else [name for name in names if name in low]


def _row(host, path, kind, names):
    row = {column.name: None for column in TABLE.columns}
    row.update(kind=kind, exists=True)
    try:
        data = host.read(path, LIMIT)
    except Absent:
        row["exists"] = False
        return row
    except Unreadable as error:
        for column in ("size", "blank", "escapes", "names", "digest", "text"):
            row[column] = error.cell()
        return row
    row.update(facts(data, names, kind == "script"))
    return row


def _ssh_banners(host):
    """Paths that the Banner lines of sshd_config and its drop-ins name."""
    found = []
    for pattern in ("/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/*.conf"):
        try:
            paths = host.glob(pattern) if "*" in pattern else [pattern]
        except Unreadable:
            continue
        for path in paths[:MAX_FILES]:
            try:
                lines = host.lines(path, LIMIT)
            except (Absent, Unreadable):
                continue
            found += [match.group(1) for match in map(_BANNER.match, lines) if match]
    return [path for path in dict.fromkeys(found) if path.startswith("/")][:10]


def collect(host, options):
    """Return one row a text."""
    names = None
    for path in ("/etc/os-release", "/usr/lib/os-release"):
        try:
            names = system_names(host.lines(path, LIMIT))
            break
        except Absent:
            continue
    wanted = dict(FIXED)
    wanted[CONFIRM] = "confirm"
    for directory, kind in DIRECTORIES:
        for name in names_in(host, directory)[:MAX_FILES]:
            path = directory + "/" + name
            try:
                if stat.S_ISREG(host.stat(path).st_mode):
                    wanted.setdefault(path, kind)
            except (Absent, Unreadable):
                wanted.setdefault(path, kind)
    for path, kind in DYNAMIC:
        if host.exists(path):
            wanted.setdefault(path, kind)
    for path in _ssh_banners(host):
        wanted.setdefault(path, "ssh")
    return {path: _row(host, path, kind, names) for path, kind in wanted.items()}

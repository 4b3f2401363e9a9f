"""Settings of rsyslog that bear on security, in its old ($Directive), sysklogd and RainerScript forms.

Source: rsyslog's documentation of rsyslog.conf, omfile, omfwd, imudp/imtcp/imrelp. No full parser: expressions and
templates are skipped, objects (``action(...)``, ``module(...)``, ``input(...)``, ``global(...)``, ``include(...)``)
and directives are read with their line.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import re

from .redact import redact
from .spec import Absent, Unreadable

DIRECTIVES = {
    "filecreatemode": "FileCreateMode", "dircreatemode": "DirCreateMode", "umask": "Umask",
    "fileowner": "FileOwner", "filegroup": "FileGroup", "dirowner": "DirOwner", "dirgroup": "DirGroup",
    "privdroptouser": "PrivDropToUser", "privdroptogroup": "PrivDropToGroup",
    "defaultnetstreamdriver": "DefaultNetstreamDriver",
    "defaultnetstreamdrivercafile": "DefaultNetstreamDriverCAFile",
    "actionsendstreamdrivermode": "ActionSendStreamDriverMode",
    "actionsendstreamdriverauthmode": "ActionSendStreamDriverAuthMode", "workdirectory": "WorkDirectory",
    "udpserverrun": "UDPServerRun", "inputtcpserverrun": "InputTCPServerRun",
    "inputrelpserverrun": "InputRELPServerRun", "modload": "ModLoad", "allowedsender": "AllowedSender",
}  # fmt: skip
"""Old directives that are kept, by lower-case name."""

_OBJECT = re.compile(r"\b(action|module|input|global|include)\s*\(", re.IGNORECASE)
_PARAMETER = re.compile(r"""([A-Za-z][A-Za-z0-9_.]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s"'()]+))""")
_COMMENT = re.compile(r"(?:^|\s)/\*")  # not the one in /etc/rsyslog.d/*.conf
_DIRECTIVE = re.compile(r"^\$([A-Za-z0-9]+)\s+(.*)$")
_LEGACY = re.compile(
    r"^([^\s\"'{}()#$&:][^\s]*|:[^\s]+\s*,[^,]*,.*?|&)\s+(@@?|-?/|:omusrmsg:|:omfwd:|~|stop\b|\||:omrelp:)(.*)$"
)
_KEPT = {
    "target", "port", "protocol", "type", "file", "filecreatemode", "dircreatemode", "fileowner", "filegroup",
    "load", "mode", "address", "streamdriver", "streamdrivermode", "streamdriverauthmode", "streamdriver.name",
    "streamdriver.mode", "streamdriver.authmode", "streamdriver.permittedpeers", "defaultnetstreamdriver",
    "defaultnetstreamdrivercafile", "tls", "tls.authmode", "umask", "workdirectory", "queue.type", "queue.filename",
    "action.resumeretrycount", "dynafile",
}  # fmt: skip
"""Parameters of objects that leave the target; keys and passwords are not among them."""

MAX_FILES = 200
MAX_ENTRIES = 1500


def _strip_comment(line):
    """Cut a ``#`` comment that is not inside quotes."""
    quote = ""
    for index, character in enumerate(line):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == "#":
            return line[:index]
    return line


def parse(lines, path):
    """Return the entries of one file in order: ``{kind, name, parameters, where}``.

    ``kind`` is directive (parameters ``{value}``), an object's name, include (``{file}``) or legacy (an
    action of a selector line: ``{selector, action, target}``).
    """
    entries, number = [], 0
    in_comment = False
    while number < len(lines) and len(entries) < MAX_ENTRIES:
        line = lines[number]
        number += 1
        where = "%s:%d" % (path, number)
        opened = None if in_comment else _COMMENT.search(line)
        if in_comment or opened:
            before, after = ("", line) if in_comment else (line[: opened.start()], line[opened.end() :])
            in_comment = "*/" not in after
            line = before + ("" if in_comment else after.partition("*/")[2])
        line = _strip_comment(line).strip()
        if not line:
            continue
        if line[0] == "$":
            found = _DIRECTIVE.match(line)
            if found:
                _directive(entries, found.group(1).lower(), found.group(2).strip(), where)
            continue
        match = _OBJECT.search(line)
        if match:
            # An object ends at its bracket, lines later perhaps.
            limit = number + 60
            while line.count("(") > line.count(")") and number < len(lines) and number < limit:
                line += " " + _strip_comment(lines[number]).strip()
                number += 1
            _objects(entries, line, where)
            continue
        found = _LEGACY.match(line)
        if found:
            entries.append(_legacy(found, where))
    return entries


def _directive(entries, name, value, where):
    if name == "includeconfig":
        entries.append({"kind": "include", "name": "include", "parameters": {"file": value}, "where": where})
    elif name in DIRECTIVES:
        entries.append(
            {
                "kind": "directive",
                "name": DIRECTIVES[name],
                "parameters": {"value": redact(value)[:256]},
                "where": where,
            }
        )


def _objects(entries, line, where):
    matches = list(_OBJECT.finditer(line))
    for index, match in enumerate(matches):
        end = matches[index + 1].start() if index + 1 < len(matches) else len(line)
        parameters = {}
        for name, double, single, bare in _PARAMETER.findall(line[match.end() : end]):
            if name.lower() in _KEPT:
                parameters[name.lower()] = redact(double or single or bare)[:256]
        entries.append(
            {"kind": match.group(1).lower(), "name": match.group(1).lower(), "parameters": parameters, "where": where}
        )


def _legacy(found, where):
    selector, sign, rest = found.group(1), found.group(2), found.group(3)
    target = rest.split(";")[0].strip()
    if sign in ("@", "@@", ":omfwd:", ":omrelp:"):
        # The target may carry options in brackets: @@(o)host:514
        action = "forward tcp" if sign == "@@" else "forward relp" if sign == ":omrelp:" else "forward udp"
        target = re.sub(r"^\([^)]*\)", "", target)
    elif sign.endswith("/"):
        action, target = "file", "/" + target
    else:
        action = "pipe" if sign == "|" else "discard" if sign in ("~", "stop") else "users"
    return {
        "kind": "legacy",
        "name": action,
        "where": where,
        "parameters": {"selector": selector[:256], "target": redact(target)[:256]},
    }


def read(host, path="/etc/rsyslog.conf"):
    """Return ``(entries, files, gaps)`` of a configuration with its includes, in the order of reading.

    Raise Absent when the main file is not there.
    """
    entries, files, gaps = [], [], []
    _read(host, path, entries, files, gaps, 0)
    return entries, files, gaps


def _read(host, path, entries, files, gaps, depth):
    if depth > 8 or len(files) >= MAX_FILES:
        gaps.append("%s: too many includes" % path)
        return
    try:
        lines = host.lines(path, 1 << 20)
    except Unreadable as error:
        gaps.append(error.why)
        return
    except Absent:
        if depth == 0:
            raise
        return
    files.append(path)
    for entry in parse(lines, path):
        if entry["kind"] != "include":
            entries.append(entry)
            continue
        pattern = entry["parameters"].get("file", "")
        if not pattern.startswith("/"):
            continue
        try:
            # A directory stands for all its files (rsconf1_includeconfig).
            paths = host.glob(pattern.rstrip("/") + "/*" if host.is_dir(pattern) else pattern)
        except Unreadable as error:
            gaps.append(error.why)
            continue
        for found in paths:
            _read(host, found, entries, files, gaps, depth + 1)

"""GRUB's configuration: defaults as shell fragments, generated menus, boot loader entries. No password leaves."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os
import re

from .reading import logical_lines, names_in
from .redact import redact
from .spec import Absent, Unreadable
from .text import text

DEFAULTS = "/etc/default/grub"
DEFAULTS_D = "/etc/default/grub.d"
MENUS = ("/boot/grub/grub.cfg", "/boot/grub2/grub.cfg")
MENU_GLOBS = ("/boot/efi/EFI/*/grub.cfg",)
USER_FILES = ("/boot/grub2/user.cfg", "/boot/grub/user.cfg")
USER_GLOBS = ("/boot/efi/EFI/*/user.cfg",)
ENTRIES = "/boot/loader/entries"
ENVIRONMENTS = ("/boot/grub2/grubenv", "/boot/grub/grubenv")
LIMIT = 4 << 20
LINES = 16
LENGTH = 1000

_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?(GRUB_[A-Z0-9_]+)(\+?)=(.*)")
_LINUX = re.compile(r"\s*linux(?:16|efi)?\s+(\S+)\s*(.*)")
_SUPERUSERS = re.compile(r"\s*set\s+superusers\s*=\s*[\"']?([^\"'\n]*)")
_PASSWORD = re.compile(r"\s*password(?:_pbkdf2)?\s+(\S+)\s+(\S+)")
_USER_PASSWORD = re.compile(r"\s*GRUB2_PASSWORD\s*=\s*[\"']?(grub\.pbkdf2\.\S+)")
_WORD = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|((?:[^\s"'#;\\]|\\.)+))""")


def shell_value(value, known):
    """Return the value of a shell assignment as far as it can be told without running it: quotes, escapes, and
    ``$NAME`` of names already assigned. Command substitutions stay as they are written.
    """
    result = []
    position = 0
    while position < len(value):
        match = _WORD.match(value, position)
        if not match or (result and value[position].isspace()):
            break
        double, single, bare = match.groups()
        if single is not None:
            result.append(single)
        else:
            part = re.sub(r"\\(.)", r"\1", double if double is not None else bare)
            result.append(re.sub(r"\$\{?(\w+)\}?", lambda found: known.get(found.group(1), found.group(0)), part))
        position = match.end()
    return "".join(result)


def parse_defaults(data, path, values):
    """Add the GRUB_ assignments of one file (bytes) to ``values``: {name: (value, path:line)}."""
    for number, line in logical_lines(data):
        # The files are shell: backslashes are undone here and not kept in their escaped form.
        match = _ASSIGNMENT.match(line.decode("utf-8", "replace").replace("\0", ""))
        if match:
            name, append, value = match.groups()
            known = {key: entry[0] for key, entry in values.items()}
            new = shell_value(value, known)
            if append:
                new = known.get(name, "") + new
            values[name] = (text(new[:LENGTH].encode("utf-8", "replace")), "%s:%d" % (path, number))


def read_defaults(host):
    """Return {name: (value, path:line)} of /etc/default/grub and grub.d/*.cfg, which GRUB's scripts read after it."""
    values = {}
    paths = [DEFAULTS]
    paths += ["%s/%s" % (DEFAULTS_D, name) for name in names_in(host, DEFAULTS_D) if name.endswith(".cfg")]
    for path in paths:
        try:
            parse_defaults(host.read(path, 1 << 20), text(os.fsencode(path)), values)
        except Absent:
            continue
    return values


def parse_menu(lines, path):
    """Return what a grub.cfg says: ``{"kernels": [{"where", "arguments"}], "superusers": [name], "password": bool}``.

    A password counts only if it stands there itself: distributions ship menus that take it from a variable.
    """
    kernels, superusers, users = [], [], set()
    for number, line in enumerate(lines, 1):
        match = _LINUX.match(line)
        if match and len(kernels) < LINES:
            kernels.append({"where": "%s:%d" % (path, number), "arguments": redact(match.group(2))[:LENGTH]})
            continue
        match = _SUPERUSERS.match(line)
        if match:
            superusers = [name for name in re.split(r"[ ,;|&]+", match.group(1)) if name][:16]
            continue
        match = _PASSWORD.match(line)
        if match and "$" not in match.group(2):
            users.add(match.group(1).strip("\"'"))
    return {"kernels": kernels, "superusers": superusers, "password": any(name in users for name in superusers)}


def user_password_set(lines):
    """True if a user.cfg (grub2-setpassword) holds a password hash."""
    return any(_USER_PASSWORD.match(line) for line in lines)


def parse_entry(lines):
    """Return the ``options`` of a boot loader entry (Boot Loader Specification, type 1) as one text."""
    return " ".join(line.split(None, 1)[1].strip() for line in lines if line.startswith(("options ", "options\t")))


def parse_environment(lines):
    """Return {name: value} of a grubenv file, without its comment and padding."""
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def read_entries(host, gaps):
    """Return [{"where", "arguments"}] of the boot loader entries, ``$kernelopts`` replaced from grubenv."""
    known = {}
    for path in ENVIRONMENTS:
        try:
            known.update(parse_environment(host.lines(path, 65536)))
        except Absent:
            continue
        except Unreadable as error:
            gaps.append(error.why)
    found = []
    for name in names_in(host, ENTRIES):
        if not name.endswith(".conf") or len(found) >= LINES:
            continue
        path = "%s/%s" % (ENTRIES, name)
        try:
            options = parse_entry(host.lines(path, 65536))
        except Absent:
            continue
        except Unreadable as error:
            gaps.append(error.why)
            continue
        options = re.sub(r"\$(\w+)", lambda match: known.get(match.group(1), match.group(0)), options)
        found.append({"where": text(os.fsencode(path)), "arguments": redact(options)[:LENGTH]})
    return found

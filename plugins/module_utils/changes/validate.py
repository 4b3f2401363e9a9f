"""Checks of staged files before they take effect: by the programs that will read them, where there is one."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import fnmatch
import os
import re
import shutil

from ..pam_stacks import Reader, module_names, parse
from ..spec import Absent, Unreadable
from . import pam_paths
from .target import Problem
from .view import Overlaid

SERVICES = ("sshd", "login", "sudo", "su", "common-auth", "system-auth", "password-auth")
"""PAM services whose way in must stay open."""

_INCLUDE = re.compile(r"(?i)^(\s*include[ \t=]+)(.+)$")
_SSH = "/etc/ssh"


def check(name, paths, view, journal):
    """Raise Problem when the staged files (paths, with their content in the view) do not pass."""
    staged = {}
    for path in paths:
        state = view.read("content", path)
        staged[path] = view.data(state) if state["type"] == "file" else None
    CHECKS[name](staged, view.target, journal)


def _stage(journal, name, data):
    journal_stage = os.path.join(journal.path, "stage")
    os.makedirs(journal_stage, 0o700, exist_ok=True)
    path = os.path.join(journal_stage, name)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    return path


def clean(journal):
    """Remove what was staged."""
    shutil.rmtree(os.path.join(journal.path, "stage"), ignore_errors=True)


def _fails(target, argv):
    """What the program says against it, or None. Programs that are not there have nothing to say."""
    try:
        done = target.host.run(argv, timeout=60)
    except Absent:
        return None
    except Unreadable as error:
        raise Problem(error.why) from None
    if done.code == 0:
        return None
    said = b" ".join((done.err or done.out).split()).decode("utf-8", "replace")
    return said[-400:] or "%s ended with %d" % (argv[0], done.code)


def _ssh_tree(target, journal, staged, folder):
    """Write a copy of the SSH server's configuration with the staged files; return the path of its main file.

    The Include lines of the copy lead to the copy.
    """
    here = os.path.join(journal.path, "stage", folder)
    shutil.rmtree(here, ignore_errors=True)
    pending, seen = [_SSH + "/sshd_config"], set()
    paths = set(staged)
    for name in _below(target, _SSH):
        paths.add(name)
    while pending:
        path = pending.pop()
        if path in seen:
            continue
        seen.add(path)
        data = staged.get(path) if path in staged else target.host.read(path)
        if data is None:
            continue
        lines = []
        for line in data.decode("utf-8", "surrogateescape").split("\n"):
            found = _INCLUDE.match(line)
            if found:
                words = []
                for word in found.group(2).strip().split():
                    pattern = word.strip('"')
                    pattern = pattern if pattern.startswith("/") else _SSH + "/" + pattern
                    matching = paths | set(target.host.glob(pattern))
                    pending += [one for one in matching if fnmatch.fnmatchcase(one, pattern)]
                    words.append(here + pattern)
                line = found.group(1) + " ".join(words)
            lines.append(line)
        copy = here + path
        os.makedirs(os.path.dirname(copy), 0o700, exist_ok=True)
        with open(copy, "wb") as file:
            file.write("\n".join(lines).encode("utf-8", "surrogateescape"))
    return here + _SSH + "/sshd_config"


def _below(target, folder):
    found = []
    for pattern in (folder + "/*", folder + "/*/*"):
        for path in target.host.glob(pattern):
            info = target.lstat(path)
            if info is not None and info.st_mode & 0o170000 == 0o100000:
                found.append(path)
    return found


def _sshd(staged, target, journal):
    if target.lstat(_SSH + "/sshd_config") is None and _SSH + "/sshd_config" not in staged:
        return
    separation = "/run/sshd"  # made when the server starts; with socket activation it may not be there yet
    made = target.live and target.host.which("sshd") and not os.path.isdir(separation)
    if made:
        os.mkdir(separation, 0o755)
    try:
        said = _fails(target, ["sshd", "-t", "-f", _ssh_tree(target, journal, staged, "tree-after")])
        if said and said != _fails(target, ["sshd", "-t", "-f", _ssh_tree(target, journal, {}, "tree-before")]):
            raise Problem("sshd -t: %s" % said.replace(os.path.join(journal.path, "stage", "tree-after"), ""))
    finally:
        if made:
            os.rmdir(separation)


def _visudo(staged, target, journal):
    for path, data in sorted(staged.items()):
        if data is not None:
            said = _fails(target, ["visudo", "-c", "-q", "-f", _stage(journal, "sudoers", data)])
            if said:
                raise Problem("visudo -c: %s: %s" % (path, said.replace(os.path.join(journal.path, "stage"), "")))


def _nft(staged, target, journal):
    for path, data in sorted(staged.items()):
        if data is not None:
            said = _fails(target, ["nft", "-c", "-f", _stage(journal, "nftables.conf", data)])
            if said:
                raise Problem("nft -c: %s: %s" % (path, said))


def _fstab(staged, target, journal):
    for path, data in sorted(staged.items()):
        if data is None:
            raise Problem("%s would be gone" % path)
        said = _fails(target, ["findmnt", "--verify", "--tab-file", _stage(journal, "fstab", data)])
        if said is None:
            continue
        try:
            before = _stage(journal, "before", target.host.read(path))
        except Absent:
            before = None
        # What it complained of before is not for us to repair.
        if before is None or _fails(target, ["findmnt", "--verify", "--tab-file", before]) is None:
            raise Problem("findmnt --verify: %s: %s" % (path, said))


def _auditd(staged, _target, _journal):
    for path, data in sorted(staged.items()):
        if data is None or not path.endswith("auditd.conf"):
            continue
        for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
            line = line.strip()
            if line and not line.startswith("#") and not re.match(r"\w+\s*=\s*\S", line):
                raise Problem("%s:%d: not of the form name = value" % (path, number))


def _pam(staged, target, _journal):
    after, before = Reader(Overlaid(target.host, staged)), Reader(target.host)
    modules = module_names(target.host)
    for path, data in sorted(staged.items()):
        if data is None:
            continue
        lines, problems = parse(Overlaid(target.host, staged).lines(path), path)
        known = set(parse(target.host.lines(path), path)[1]) if target.lstat(path) is not None else set()
        if set(problems) - known:
            raise Problem("PAM would refuse %s" % ", ".join(sorted(set(problems) - known)))
        _modules_exist(lines, modules, target)
    for service in SERVICES:
        for kind in ("auth", "account"):
            try:
                then, now = after.stack(service, kind), before.stack(service, kind)
            except (Absent, Unreadable):
                continue
            _same_people(service, kind, then[0], now[0])


def _modules_exist(lines, modules, target):
    for line in lines:
        if line.kind == "@include" or line.control in ("include", "substack") or line.quiet or modules is None:
            continue
        there = target.lstat(line.module) is not None if line.module.startswith("/") else line.module in modules
        if not there:
            raise Problem("%s: there is no module %s" % (line.where, line.module))


def _same_people(service, kind, then, now):
    """Who gets in now must get in then; who does not (with a wrong password) must not."""
    if pam_paths.outcome(now, True) and not pam_paths.outcome(then, True):
        raise Problem("the %s stack of %s would refuse the right password" % (kind, service))
    if kind == "auth" and not pam_paths.outcome(now, False) and pam_paths.outcome(then, False):
        raise Problem("the %s stack of %s would accept a wrong password" % (kind, service))


CHECKS = {
    "sshd": _sshd, "visudo": _visudo, "nft": _nft, "fstab": _fstab, "pam": _pam, "auditd": _auditd,
    "none": lambda staged, target, journal: None,
}  # fmt: skip
"""Validator -> function({path: bytes or None}, Target, Journal), which raises Problem."""


def after_switch(operations, target):
    """Look at what is in force now; return problems. The last look before we are on our own."""
    if not target.live:
        return []
    wanted = {operation.get("validate") for operation in operations}
    found = []
    if "visudo" in wanted:
        said = _fails(target, ["visudo", "-c", "-q"])
        if said:
            found.append("visudo -c: " + said)
    if "sshd" in wanted and target.host.which("sshd") and os.path.isdir("/run/sshd"):
        said = _fails(target, ["sshd", "-t"])
        if said:
            found.append("sshd -t: " + said)
    return found

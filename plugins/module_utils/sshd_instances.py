"""Which SSH servers there are: running ones from /proc, and those that units start or would start."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os
import re

from .drop_ins import UNIT_DIRS, load_unit, values, wanted_by
from .procfs import boot_time, processes
from .spec import Absent, Unreadable

DEFAULT_CONFIG = "/etc/ssh/sshd_config"
_WITH_VALUE = "bCcEfghkopu"
"""Options of sshd(8) that take a value (older ones included)."""

_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")


class Instance:
    """One way of running sshd: configuration file and what the command line adds to it."""

    def __init__(self, program, config, overrides):
        self.program = program
        self.config = config
        self.overrides = overrides  # ["Port=2222", ...] of -o and -p
        self.pids = []
        self.started = None  # Unix seconds of the oldest master process
        self.uid = None  # of the process; None when none runs
        self.units = []
        self.enabled = None
        self.listen = []

    def key(self):
        """The row key: configuration file, then the overrides."""
        return " ".join([self.config] + ["-o " + item for item in self.overrides])


def parse_arguments(words):
    """Return ``(config, overrides, test)`` of the arguments after the program name.

    ``test`` is true for -t, -T, -G and -V, which serve nobody.
    """
    config, overrides, test = DEFAULT_CONFIG, [], False
    index = 0
    while index < len(words):
        word = words[index]
        index += 1
        if not word.startswith("-") or word == "-":
            continue
        position = 1
        while position < len(word):
            letter = word[position]
            position += 1
            if letter in "tTGV":
                test = True
            if letter not in _WITH_VALUE:
                continue
            value = word[position:]
            if not value and index < len(words):
                value = words[index]
                index += 1
            if letter == "o" and "=" not in value:
                # Process titles and unit lines lose the bounds of `-o "Keyword first second"`.
                while index < len(words) and not words[index].startswith("-"):
                    value += " " + words[index]
                    index += 1
            value = value.strip("\"'")
            if letter == "f":
                config = value
            elif letter == "p":
                overrides.append("Port=" + value)
            elif letter == "o":
                overrides.append(value)
            break
    return config, overrides, test


def master_words(command):
    """Return the words of a listening sshd's command line, None for a session's process.

    Since 8.2 a master renames itself ``sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups``.
    """
    if command.startswith("sshd: "):
        if " [listener]" not in command:
            return None
        command = command[6:].split(" [listener]")[0]
    words = command.split()
    if not words or words[0].rsplit("/", 1)[-1] != "sshd":
        return None
    return words


def _same_root(pid):
    """False for a process that lives in another root (a container, a chroot): its files are not ours."""
    try:
        other, ours = os.stat("/proc/%d/root/." % pid), os.stat("/")
    except OSError:
        return True
    return (other.st_dev, other.st_ino) == (ours.st_dev, ours.st_ino)


def running(host):
    """Return Instances of the running listeners. Raise Unsupported, Unreadable."""
    found = {}
    ticks = os.sysconf("SC_CLK_TCK")
    booted = boot_time(host) or 0
    for process in processes(host):
        if process["name"] != "sshd" or not process["command"]:
            continue
        words = master_words(process["command"])
        if words is None or not _same_root(process["pid"]):
            continue
        config, overrides, test = parse_arguments(words[1:])
        if test or "-i" in words[1:]:
            continue
        exe = process["exe"] if isinstance(process["exe"], str) else words[0]
        instance = Instance(exe, config, overrides)
        instance = found.setdefault((instance.key(), process["uid"]), instance)
        instance.pids.append(process["pid"])
        started = booted + process["ticks"] / ticks
        instance.started = started if instance.started is None else min(started, instance.started)
        instance.uid = process["uid"]
        if process["unit"] and process["unit"] not in instance.units:
            instance.units.append(process["unit"])
    return list(found.values())


def _environment(host, entries):
    """Variables of Environment= and EnvironmentFile= that an ExecStart may use."""
    known = {}
    for value, _where in values(entries, "Service", "Environment"):
        for item in re.findall(r'"([^"]*)"|\'([^\']*)\'|(\S+)', value):
            name, separator, rest = "".join(item).partition("=")
            if separator:
                known[name] = rest
    for value, _where in values(entries, "Service", "EnvironmentFile"):
        try:
            lines = host.lines(value.lstrip("-"), 65536)
        except Absent:
            continue
        for line in lines:
            name, separator, rest = line.strip().partition("=")
            if separator and not name.startswith(("#", ";")):
                known[name.strip()] = rest.strip().strip("\"'")
    return known


def unit_names(host):
    """Units that may run sshd: those named after ssh, and every service file that the administrator wrote."""
    names = set()
    for directory in UNIT_DIRS:
        try:
            found = host.listdir(directory)
        except Absent:
            continue
        for name in found:
            if not name.endswith((".service", ".socket")):
                continue
            own = directory == "/etc/systemd/system" and host.readlink("%s/%s" % (directory, name)) is None
            if own or name.startswith(("ssh", "openssh")):
                names.add(name)
    return sorted(names)[:500]


def configured(host):
    """Return Instances that units describe (``pids`` empty), with listening addresses of their sockets."""
    found, sockets = {}, {}
    for name in unit_names(host):
        unit = load_unit(host, name)
        if unit is None or not unit[0]:
            continue
        entries = unit[1]
        if name.endswith(".socket"):
            sockets[name[:-7]] = (
                [value for value, _where in values(entries, "Socket", "ListenStream")],
                bool(wanted_by(host, name)),
                name,
            )
            continue
        commands = values(entries, "Service", "ExecStart")
        if not commands:
            continue
        words = commands[-1][0].lstrip("-@:+!").split()
        if not words or words[0].rsplit("/", 1)[-1] != "sshd":
            continue
        known = _environment(host, entries)
        line = _VARIABLE.sub(lambda match, known=known: known.get(match.group(1), ""), " ".join(words[1:]))
        config, overrides, _test = parse_arguments(line.replace("%%", "%").split())
        instance = Instance(words[0], config, overrides)
        instance = found.setdefault(instance.key(), instance)
        instance.units.append(name)
        instance.enabled = bool(instance.enabled) or bool(wanted_by(host, name))
    for stem, (addresses, enabled, name) in sockets.items():
        for instance in found.values():
            if stem + ".service" in instance.units or stem + "@.service" in instance.units:
                instance.units.append(name)
                instance.enabled = instance.enabled or enabled
                # An address counts only while the socket is what starts the server.
                instance.listen += addresses if enabled else []
    return list(found.values())


def instances(host):
    """Return ``(list of Instance, gap)``: running ones joined with units; ``gap`` is why /proc could not be read."""
    found = {(item.key(), None): item for item in configured(host)}
    gap = ""
    if host.live:
        try:
            live = running(host)
        except Unreadable as error:
            live, gap = [], error.why
        for item in live:
            same = found.pop((item.key(), None), None) if item.uid == 0 else None
            if same:
                item.units = same.units + [unit for unit in item.units if unit not in same.units]
                item.enabled, item.listen = same.enabled, same.listen
            found[(item.key(), item.uid)] = item
    return list(found.values()), gap

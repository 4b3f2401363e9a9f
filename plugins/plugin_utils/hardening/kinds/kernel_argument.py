"""Arguments of the kernel: ``{kind: kernel_argument, name, value}``; they count from the next boot on.

They stand in GRUB_CMDLINE_LINUX: the last assignment of it decides (files of /etc/default/grub.d are read after the
main one), so that is where they are edited.
"""

from __future__ import annotations

import re

from ..operations import change, controls_of, edit, left, reboot

KIND = "kernel_argument"
VARIABLE = "GRUB_CMDLINE_LINUX"
MAIN = "/etc/default/grub"
PATH = re.compile(r"/etc/default/grub(\.d/[A-Za-z0-9][A-Za-z0-9_.-]*\.cfg)?")
NAME = re.compile(r"[a-z][A-Za-z0-9_.]{0,63}")
VALUE = re.compile(r"[A-Za-z0-9_.,:/-]{0,200}")


def operations(settings, facts):
    """Return one edit of the file that decides, and the reboot that it waits for."""
    found, chosen = [], []
    for item in settings:
        name, value = str(item["setting"]["name"]), item["setting"].get("value")
        if not NAME.fullmatch(name) or not (value is None or VALUE.fullmatch(str(value))):
            found.append(left(item["controls"], f"{name} is no argument of a kernel"))
        elif facts.value("boot", "host", "grub") is not True:
            found.append(
                left(item["controls"], "GRUB does not boot this machine: name the argument where its kernel is started")
            )
        else:
            chosen.append(item)
    if not chosen:
        return found
    where = str(facts.value("boot", "host", "grub_cmdline_linux_where", f"{MAIN}:0")).rsplit(":", 1)[0]
    path = where if PATH.fullmatch(where) else MAIN
    edits = []
    for item in sorted(chosen, key=lambda one: one["setting"]["name"]):
        value = item["setting"].get("value")
        arguments = {item["setting"]["name"]: None if value is None else str(value)}
        edits.append(change(item["controls"], kernel_arguments=arguments, variable=VARIABLE))
    controls = controls_of(chosen)
    found.append(edit(path, edits, controls, follow=["update-grub"]))
    found.append(reboot(controls, "the kernel takes its arguments when it starts"))
    return found

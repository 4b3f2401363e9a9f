"""Which audit rules a set of rules covers: a wider rule stands for a narrower one.

Rules are rows of the tables ``audit_rules`` and ``audit_rules_loaded`` (``list, action, arch, syscalls, fields``), in
the order in which the kernel tries them: the first that matches decides (audit.rules(7)).
"""

from __future__ import annotations

SMALL = ("i386", "i486", "i586", "i686", "armv6l", "armv7l", "armhf", "armel", "mips", "ppc", "s390", "riscv32")
"""Machines without 64-bit system calls."""

WITHOUT_LEGACY = ("aarch64", "arm64", "riscv64", "loongarch64")
"""Machines whose 64-bit kernel never had the calls of LEGACY (asm-generic/unistd.h)."""

LEGACY = frozenset(
    (
        "chmod", "chown", "creat", "create_module", "lchown", "link", "mkdir", "mknod", "open", "query_module",
        "rename", "rmdir", "stime", "symlink", "unlink",
    )
)  # fmt: skip


def on_this_machine(rule, architecture):
    """Return the rule as this machine can have it, in a list: empty when it has none of its system calls.

    ``architecture`` as uname gives it; "" is taken for a 64-bit machine with every call.
    """
    if rule["arch"] == "b64" and architecture in SMALL:
        return []
    if architecture in WITHOUT_LEGACY and rule["arch"] != "b32" and rule["syscalls"] != ["all"]:
        left = [name for name in rule["syscalls"] if name not in LEGACY]
        return [dict(rule, syscalls=left)] if left else []
    return [rule]


def uncovered(wanted, rules):
    """Return ``(why, row)``: ``(False, a rule that covers it)``, or ``(True or a reason, None)`` when nothing does."""
    for row in rules:
        if (
            row.get("kind") == "rule"
            and row.get("list") == "task"
            and row.get("action") == "never"
            and not row["fields"]
        ):
            return "never,task switches auditing of processes off", None
    used, missing = None, []
    calls = wanted["syscalls"] or ["all"]
    for call in calls:
        row = _first(wanted, call, wanted["arch"], rules)
        if row is None and wanted["arch"] is None:
            both = [_first(wanted, call, one, rules) for one in ("b64", "b32")]
            row = both[0] if all(both) else None
        if row is None:
            missing.append(call)
        elif row["action"] == "never":
            return f"an earlier rule excludes it: {row.get('text', '')}", None
        used = used or row
    if not missing:
        return False, used
    return (True if missing == calls else f"{', '.join(missing)} not covered"), None


def _first(wanted, call, arch, rules):
    """The first rule that decides about all events of the wanted one for this call and machine, or None."""
    for row in rules:
        if row.get("kind") != "rule" or row.get("list") != wanted["list"]:
            continue
        if row["action"] not in ("always", "never"):
            continue
        if not _arch_fits(row, arch) or not (row["syscalls"] == ["all"] or call in row["syscalls"]):
            continue
        if all(_implied(field, wanted["fields"]) for field in row["fields"]):
            return row
    return None


def _arch_fits(row, arch):
    if row.get("arch") == arch:
        return True
    # A rule without arch is for every machine if it names no call; named calls are those of the kernel's own machine.
    return row.get("arch") is None and arch is not None and (row["syscalls"] == ["all"] or arch == "b64")


def _implied(field, wanted):
    """True if every event that the wanted rule is about meets this field of another rule."""
    name, op, value = field["field"], field["op"], field["value"]
    for other in wanted:
        theirs, how, what = other["field"], other["op"], other["value"]
        if (name, op, _place(name, value)) == (theirs, how, _place(theirs, what)):
            return True
        if name == "perm" and theirs == "perm" and set(what) <= set(value):
            return True
        if (
            name in ("path", "dir")
            and theirs in ("path", "dir")
            and _within(_place(theirs, what), name, _place(name, value))
        ):
            return True
        if name == theirs and op == how == ">=" and value.isdigit() and what.isdigit() and int(value) <= int(what):
            return True
    return False


def _place(name, value):
    """``/var/run`` and ``/run`` are one place on every system with the link, which the kernel follows at load."""
    if name in ("path", "dir") and (value == "/var/run" or value.startswith("/var/run/")):
        return value[4:]
    return value


def _within(place, name, other):
    if place == other:
        return True
    return name == "dir" and place.startswith(other.rstrip("/") + "/")

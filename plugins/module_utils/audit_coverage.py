"""Which audit rules a set of rules covers: a wider rule stands for a narrower one.

Rules are rows of the tables ``audit_rules`` and ``audit_rules_loaded`` (``list, action, arch, syscalls, fields``), in
the order in which the kernel tries them: the first that matches decides (audit.rules(7)).
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

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

PLACES = ("path", "dir")
MERGED = ("/bin/", "/sbin/", "/lib/", "/lib64/")
"""Directories that are links into /usr on every release that the benchmarks are about."""


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


class Rules:
    """The rules of one half (disk or kernel), found by system call: a host may have hundreds."""

    def __init__(self, rows):
        self.rows = rows
        self.off = False
        self._calls = {}
        for position, row in enumerate(rows):
            if row.get("kind") != "rule" or row.get("action") not in ("always", "never"):
                continue
            if row["list"] == "task" and row["action"] == "never" and not row["fields"]:
                self.off = True
            entry = (position, row, [_field(field) for field in row["fields"]])
            for call in row["syscalls"] or ["all"]:
                self._calls.setdefault((row["list"], call), []).append(entry)

    def about(self, name, call):
        """Return (position, row, fields) of the rules of a filter list that are about a call, in their order."""
        key = (name, call, "with all")
        if key not in self._calls:
            known = self._calls.get((name, call), [])
            known = known if call == "all" else known + self._calls.get((name, "all"), [])
            self._calls[key] = sorted(known, key=lambda entry: entry[0])
        return self._calls[key]


def uncovered(wanted, rules):
    """Return ``(why, row)``: ``(False, a rule that covers it)``, or ``(True or a reason, None)`` when nothing does.

    ``rules``: Rules.
    """
    if rules.off:
        return "never,task switches auditing of processes off", None
    told = {}
    for field in wanted["fields"]:
        name, op, value = _field(field)
        told.setdefault(name, []).append((op, value))
    used, missing = None, []
    calls = wanted["syscalls"] or ["all"]
    for call in calls:
        known = rules.about(wanted["list"], call)
        row = _first(known, wanted["arch"], told)
        if row is None and wanted["arch"] is None:
            both = [_first(known, arch, told) for arch in ("b64", "b32")]
            row = both[0] if all(both) else None
        if row is None:
            missing.append(call)
        elif row["action"] == "never":
            return f"an earlier rule excludes it: {row.get('text', '')}", None
        used = used or row
    if not missing:
        return False, used
    return (True if missing == calls else f"{', '.join(missing)} not covered"), None


def _first(known, arch, told):
    """The first rule that decides about all events of the wanted one on this machine, or None."""
    for _position, row, fields in known:
        if _arch_fits(row, arch) and all(_implied(field, told) for field in fields):
            return row
    return None


def _arch_fits(row, arch):
    if row.get("arch") == arch:
        return True
    # A rule without arch is for every machine if it names no call; named calls are those of the kernel's own machine.
    return row.get("arch") is None and arch is not None and (row["syscalls"] == ["all"] or arch == "b64")


def _field(field):
    """Return (name, operator, value); path and dir are one name, their value (kind, place).

    ``/var/run`` and ``/run`` are one place on every system with the link, which the kernel follows at load; so are
    ``/bin`` and ``/usr/bin`` and their like on the merged systems that this is for.
    """
    name, op, value = field["field"], field["op"], field["value"]
    if name not in PLACES:
        return name, op, value
    if value == "/var/run" or value.startswith("/var/run/"):
        value = value[4:]
    elif value.startswith(MERGED):
        value = "/usr" + value
    return "place", op, (name, value)


def _implied(field, told):
    """True if every event that the wanted rule is about meets this field of another rule."""
    name, op, value = field
    for how, what in told.get(name, ()):
        if op == how and value == what:
            return True
        if name == "place" and _within(what[1], *value):
            return True
        if name == "perm" and set(what) <= set(value):
            return True
        if op == how == ">=" and value.isdigit() and what.isdigit() and int(value) <= int(what):
            return True
    return False


def _within(place, kind, other):
    return place == other or (kind == "dir" and place.startswith(other.rstrip("/") + "/"))

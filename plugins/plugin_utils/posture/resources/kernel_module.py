"""``kernel_module``: modules that must not be loadable."""

from __future__ import annotations

from ...content.errors import ContentError
from ...snapshots.view import cell
from .base import Resource, Verdict

BLOCKERS = ("/bin/true", "/bin/false", "/usr/bin/true", "/usr/bin/false")
"""Commands of an ``install`` rule that load nothing."""


def module_key(name):
    """Return the kernel's own spelling: ``-`` and ``_`` are the same in module names."""
    return name.replace("-", "_")


class KernelModule(Resource):
    """See ``summary``."""

    name = "kernel_module"
    entries = True
    summary = (
        "`kernel_module: {<name>: disabled}`: not loaded, an `install` rule runs true or false in its place, and it is "
        "blacklisted. A module that no installed kernel has passes; one that is built into the kernel fails. "
        "`-` and `_` are the same."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        self.expect_map(statement, where)
        for name, state in statement.items():
            if state != "disabled":
                raise ContentError(where, f"kernel_module {name}: {state!r}", "disabled")

    def tables(self, statement):
        """The one table it reads."""
        return ("kernel_modules",)

    def judge(self, statement, snapshot):
        """Return a Verdict a module."""
        return [self._one(name, snapshot) for name in statement]

    def settings(self, statement):
        """One ``kernel_module`` setting a name."""
        return [{"kind": "kernel_module", "name": name} for name in statement]

    def _one(self, name, snapshot):
        wanted = {name: "not loaded, not loadable"}
        row = snapshot.row("kernel_modules", module_key(name))
        if row is None:
            return Verdict("unreadable", wanted, reason=f"whether a kernel here has {name} was not asked")
        faults, unknown, evidence = [], [], []
        for place, what, good in _facts(row):
            evidence.append({"where": place, "what": f"{name}: {what}"})
            if good is False:
                faults.append(what)
            elif good is None:
                unknown.append(what)
        if faults:
            return Verdict("fail", wanted, {name: ", ".join(faults)}, evidence)
        if unknown:
            return Verdict("unreadable", wanted, {name: ", ".join(unknown)}, evidence, f"{name}: {', '.join(unknown)}")
        return Verdict("pass", wanted, {name: evidence[-1]["what"].split(": ", 1)[1]}, evidence)


def _facts(row):
    """Yield ``(where, what, good)`` for each fact that counts; ``good`` is None for what is not known."""
    builtin, loaded, available = (cell(row, name) for name in ("builtin", "loaded", "available"))
    kernel = "/lib/modules"
    if builtin:
        yield kernel, "built into the kernel", False
        return
    if builtin is None:
        yield kernel, "whether it is built into the kernel is not known", None
    if loaded:
        yield "/proc/modules", "loaded", False
    elif loaded is None and available is False and not cell(row, "kernels"):
        pass  # an image without a kernel that has it: nothing could have loaded it
    elif loaded is None:
        yield "/proc/modules", "whether it is loaded is known on a running system only", None
    else:
        yield "/proc/modules", "not loaded", True
    if available is False and not cell(row, "kernels") and not loaded:
        yield kernel, "no kernel here has it", True
        return
    command, lists = cell(row, "install"), [place for place in cell(row, "blacklist") or [] if _stays(place)]
    blocked = isinstance(command, str) and " ".join(command.split()) in BLOCKERS
    rule = f"install rule {command}" if command else "no install rule"
    if command and not blocked:
        rule += ", which blocks nothing"
    elif command and not _stays(row.get("install_where") or ""):
        rule, blocked = rule + ", gone before the next boot", False
    yield cell(row, "install_where") or "/etc/modprobe.d", rule, blocked
    yield lists[0] if lists else "/etc/modprobe.d", "blacklisted" if lists else "not blacklisted", bool(lists)


def _stays(place):
    """False for what lies below /run, which is empty when the system boots."""
    return not place.startswith("/run/")

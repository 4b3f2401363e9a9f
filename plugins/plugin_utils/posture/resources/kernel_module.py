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
            evidence = [{"where": "/lib/modules", "what": f"no kernel here has {name}"}]
            return Verdict("pass", wanted, {name: "not available"}, evidence)
        state = {column: cell(row, column) for column in ("loaded", "builtin", "available", "blacklisted", "install")}
        faults, evidence = [], []
        for column, fault, what in _facts(state):
            place = row.get(f"{column}_where") or {"loaded": "/proc/modules"}.get(column, "modprobe.d")
            evidence.append({"where": place, "what": f"{name}: {what}"})
            if fault:
                faults.append(fault)
        return Verdict("fail" if faults else "pass", wanted, {name: ", ".join(faults) or "disabled"}, evidence)


def _facts(state):
    """Yield (column, fault or None, what was found)."""
    if state["builtin"]:
        yield "builtin", "built into the kernel", "built into the kernel"
        return
    yield "loaded", "loaded" if state["loaded"] else None, "loaded" if state["loaded"] else "not loaded"
    if state["available"] is False and not state["loaded"]:
        yield "available", None, "no kernel here has it"
        return
    blocked = state["install"] in BLOCKERS
    yield (
        "install",
        None if blocked else "no install rule that blocks it",
        f"install rule: {state['install'] or 'none'}",
    )
    listed = bool(state["blacklisted"])
    yield "blacklisted", None if listed else "not blacklisted", "blacklisted" if listed else "not blacklisted"

"""``package``: software that must be there, or must not."""

from __future__ import annotations

from ...content.errors import ContentError
from ..lookups import installed, packages, present
from .base import Resource, Verdict

STATES = ("installed", "absent")
ANY = "any"


class Package(Resource):
    """See ``summary``."""

    name = "package"
    summary = (
        "`package: {<name or pattern>: installed|absent}`. A pattern that must be `absent` means every match, one that "
        "must be `installed` at least one. `package: {any: [a, b]}`: at least one of them is installed. A package that "
        "was removed and left its configuration is absent."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        self.expect_map(statement, where)
        for name, state in statement.items():
            if name == ANY:
                if not isinstance(state, list) or not state or not all(isinstance(item, str) for item in state):
                    raise ContentError(where, f"any takes a list of packages, found {state!r}", "any: [cron, cronie]")
            elif state not in STATES:
                raise ContentError(where, f"package {name}: {state!r}", "installed or absent")

    def tables(self, statement):
        """The one table it reads."""
        return ("packages",)

    def judge(self, statement, snapshot):
        """Return a Verdict a package."""
        return [self._one(name, state, snapshot) for name, state in statement.items()]

    def settings(self, statement):
        """One ``package`` setting a name; patterns and alternatives are left to people."""
        plain = [(name, state) for name, state in statement.items() if name != ANY and not set(name) & set("*?[")]
        return [{"kind": "package", "name": name, "state": state} for name, state in plain]

    def _one(self, name, state, snapshot):
        names = state if name == ANY else [name]
        look = present if state == "absent" else installed
        found = [item for one in names for item in look(snapshot, one)]
        known = packages(snapshot) if found else {}
        evidence = [
            {
                "where": "packages",
                "what": f"{item} {known[item][0].get('version') or ''} is installed".replace("  ", " "),
            }
            for item in found
        ]
        wanted = f"installed: {' or '.join(names)}" if name == ANY or state == "installed" else {name: "absent"}
        if not found:
            evidence = [{"where": "packages", "what": f"{' or '.join(names)}: not installed"}]
        good = bool(found) if state != "absent" else not found
        actual = {item: f"installed {known[item][0].get('version') or ''}".strip() for item in found} or dict.fromkeys(
            names, "absent"
        )
        return Verdict("pass" if good else "fail", wanted, actual, evidence)

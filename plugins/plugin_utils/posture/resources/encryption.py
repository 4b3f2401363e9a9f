"""``encryption``: what is written to disks can be read by nobody who takes the disk."""

from __future__ import annotations

import fnmatch

from ...content.errors import ContentError
from ...content.lines import near
from ...snapshots.view import cell
from ..applicability import platform
from .base import Resource, Verdict

TABLE = "encryption"
KINDS = ("mount", "swap")
KEYS = ("of", "except", "except_types")
GOOD = {"mount": ("yes",), "swap": ("yes", "memory")}


class Encryption(Resource):
    """See ``summary``."""

    name = "encryption"
    summary = (
        "`encryption: {of: mount|swap, except: [<pattern>], except_types: [<file system>]}`: each file system, or all "
        "swap, lies on devices that this system encrypts. A virtual or rented disk that it does not encrypt is "
        "`manual`: the hypervisor or the cloud may encrypt below, and that cannot be seen from within. What lies on "
        "another machine is that machine's affair and is only named."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        self.expect_map(statement, where)
        for key in statement:
            if key not in KEYS:
                raise ContentError(where, f"encryption: unknown key {key}{near(key, KEYS)}", ", ".join(KEYS))
        if statement.get("of") not in KINDS:
            raise ContentError(where, f"encryption: of is {statement.get('of')!r}", "of: mount or of: swap")
        for key in KEYS[1:]:
            if not isinstance(statement.get(key, []), list):
                raise ContentError(where, f"encryption: {key} is not a list", f"{key}: [...]")

    def tables(self, statement):
        """Encryption, and the platform for what may encrypt below."""
        return (TABLE, "platform")

    def judge(self, statement, snapshot):
        """Return one Verdict."""
        kind = statement["of"]
        expected = f"every {kind if kind == 'swap' else 'file system'} is encrypted"
        good, bad, unknown = [], [], []
        for key, row in sorted(snapshot.rows(TABLE).items()):
            if cell(row, "kind") != kind or _left_out(key, row, statement):
                continue
            state = cell(row, "encrypted")
            how = ", ".join(row.get("methods") or ()) or state
            item = {"where": key, "what": how if state in GOOD[kind] else row.get("why") or str(state)}
            (good if state in GOOD[kind] else bad if state == "no" else unknown).append(item)
        if bad:
            below = _below(platform(snapshot))
            actual = f"{len(bad)} not encrypted by this system"
            if below:
                reason = f"{below}: whether its storage is encrypted cannot be seen from within, ask whoever runs it"
                return [Verdict("manual", expected, actual, bad, reason)]
            return [Verdict("fail", expected, actual, bad)]
        if good:
            return [Verdict("pass", expected, f"{len(good)} encrypted", good + unknown)]
        if unknown:
            why = "; ".join(dict.fromkeys(f"{item['where']}: {item['what']}" for item in unknown[:5]))
            return [Verdict("not_applicable", expected, reason=f"nothing is on disks that can be seen here ({why})")]
        return [Verdict("not_applicable", expected, reason="there is no " + ("swap" if kind == "swap" else "disk"))]


def _left_out(key, row, statement):
    if row.get("type") in statement.get("except_types", ()):
        return True
    return any(fnmatch.fnmatchcase(key, pattern) for pattern in statement.get("except", ()))


def _below(row):
    """Return what may encrypt below this system as words, "" for a machine of its own."""
    cloud, machine = cell(row, "cloud"), cell(row, "virtualization")
    if cloud:
        return f"a machine of the cloud {cloud}"
    if machine not in (None, "none"):
        return f"a virtual machine ({machine})"
    return ""

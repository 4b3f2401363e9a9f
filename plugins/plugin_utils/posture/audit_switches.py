"""Lines of audit rules that set the kernel or the loading of the rules: on disk, and in force."""

from __future__ import annotations

from dataclasses import dataclass

from ..snapshots.view import Gap, cell
from .resources.base import Verdict

DISK, STATUS = "audit_rules", "audit_status"
DISK_PLACE, LIVE_PLACE = "/etc/audit/rules.d", "kernel"


@dataclass(frozen=True)
class Switch:
    """One such line.

    ``option`` as on disk, ``meaning`` for people; ``live``: (column of audit_status, what it is called) or None when
    the kernel does not keep it. ``value``: what must stand behind the option (None: nothing; "" the wanted number).
    """

    option: str
    meaning: str
    live: tuple | None = None
    value: str | None = None

    def line(self, wanted):
        """The line as it stands on disk."""
        value = str(wanted) if self.value == "" else self.value
        return self.option if value is None else f"{self.option} {value}"


SWITCHES = {
    "immutable": Switch("-e", "locked until the next boot", ("enabled", "audit enabled"), "2"),
    "failure_mode": Switch("-f", "what happens when nothing can be recorded", ("failure", "audit failure"), ""),
    "continue_loading": Switch("-c", "rules behind a bad one are loaded"),
    "login_ids_immutable": Switch(
        "--loginuid-immutable", "log-in ids cannot be changed", ("login_ids_immutable", "log-in ids are immutable")
    ),
}
"""Key of the statement -> Switch."""


def judge_switch(key, wanted, snapshot, existing):
    """Return the Verdicts of one switch; ``existing(snapshot, table)`` returns the Rules of a table."""
    switch = SWITCHES[key]
    expected = f"{switch.line(wanted)}: {switch.meaning}"
    verdicts = [_disk(switch, wanted, expected, snapshot, existing)]
    if switch.live:
        verdicts.append(_live(switch, wanted, expected, snapshot))
    return verdicts


def _good(switch, wanted, value):
    """True if the value (text of the line, number or truth of the kernel) is what is wanted."""
    if switch.value == "":
        return str(value).isdigit() and int(value) >= wanted
    return str(value) == switch.value if switch.value else value in (True, "")


def _disk(switch, wanted, expected, snapshot, existing):
    try:
        lines = [
            row
            for row in existing(snapshot, DISK).rows
            if row.get("kind") == "control" and row.get("option") == switch.option
        ]
    except Gap as gap:
        return Verdict(gap.status, expected, reason=f"rules on disk: {gap.why}")
    if not lines:
        return Verdict("fail", expected, {"on disk": None}, [_evidence(DISK_PLACE, "not on disk", switch, wanted)])
    last = lines[-1]
    value = last.get("value") or ""
    evidence = [{"where": (last.get("where") or [DISK_PLACE])[-1], "what": f"{switch.option} {value}".strip()}]
    return Verdict("pass" if _good(switch, wanted, value) else "fail", expected, {"on disk": value or True}, evidence)


def _evidence(where, lacking, switch, wanted):
    return {"where": where, "what": f"{lacking}: {switch.line(wanted)}"}


def _live(switch, wanted, expected, snapshot):
    column, name = switch.live
    try:
        value = cell(snapshot.row(STATUS, "host") or {}, column)
    except Gap as gap:
        return Verdict(gap.status, expected, reason=f"state of the kernel: {gap.why}")
    if value is None and column == "login_ids_immutable":
        return Verdict("unreadable", expected, reason="this kernel does not tell whether log-in ids are immutable")
    evidence = [{"where": LIVE_PLACE, "what": f"{name} = {value}"}]
    return Verdict("pass" if _good(switch, wanted, value) else "fail", expected, {"loaded": value}, evidence)

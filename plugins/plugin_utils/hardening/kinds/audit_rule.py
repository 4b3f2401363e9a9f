"""Rules of the kernel's audit: ``{kind: audit_rule, rule: <line>}`` or ``{..., privileged_commands: {min_uid}}``.

Rules of ours stand in files of ours beside those of others, in the order of augenrules (``ls -v``): what other files
already record is not doubled, and nothing of theirs is touched. Whoever wants any rule gets those that threat detection
reads as well (data/detection.rules). Of ``-b``, ``-f`` and ``-e`` augenrules takes the last, so that these stand in a
file that sorts behind ``audit.rules``.
"""

from __future__ import annotations

import re
from pathlib import Path

from ....module_utils.audit_coverage import Rules, on_this_machine, uncovered
from ....module_utils.audit_rules import BadRule, parse_rule
from ..operations import change, controls_of, edit, left, merged, operation, reboot

KIND = "audit_rule"
DIRECTORY = "/etc/audit/rules.d"
FIRST = f"{DIRECTORY}/10-ringwall.rules"
RULES = f"{DIRECTORY}/60-ringwall.rules"
DETECTION = f"{DIRECTORY}/69-ringwall-detection.rules"
LAST = f"{DIRECTORY}/zz-ringwall.rules"
OURS = (FIRST, RULES, DETECTION, LAST)
CREATED = {"mode": "0600", "owner": "root", "group": "root"}
BACKLOG = 8192
"""Records that may wait at least: with fewer a busy host loses some (``lost`` of auditctl -s)."""
PROGRAM = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9_.@+-]+){1,16}")
"""A path out of a snapshot that may stand in a rule."""
NEW_CALLS = {"fchmodat2": 4}
"""System call -> first release of the audit programs that knows its name; others refuse the whole file."""
_FILE = Path(__file__).parent.parent / "data" / "detection.rules"


def operations(settings, facts):
    """Return edits of the files of ours and the text of the rules for detection."""
    if not settings:
        return []
    controls = controls_of(settings)
    if not facts.own_kernel:
        return [left(controls, "the kernel's audit belongs to the host of this container")]
    known = _Known(facts)
    rules, switches, found = [], [], []
    for item in settings:
        for line in _lines(item["setting"], facts):
            try:
                parsed = parse_rule(line)
            except BadRule as error:
                found.append(left(item["controls"], f"no audit rule: {error}"))
                continue
            if parsed["kind"] == "control":
                switches.append((line, item["controls"]))
            else:
                found += _rule(line, parsed, item["controls"], known, rules)
    changes = merged([change(names, line=line, state="present") for line, names in rules])
    follow = [] if known.locked else ["augenrules"]
    found += _files(changes, switches, controls, known, follow)
    if known.locked:
        found.append(
            reboot(controls, "the loaded audit rules are locked: what stands on disk counts from the next boot")
        )
    for where in known.switched_off:
        found.append(left(controls, f"{where}: never,task switches auditing off, and that file is not ours"))
    if known.complete and not changes and not switches:
        text = "the rules are on disk and not loaded, or something else was loaded by hand: augenrules --load"
        found.append(left(controls, text))
    return found


def _lines(setting, facts):
    """The lines that one setting asks for."""
    commands = setting.get("privileged_commands")
    if commands is None:
        return [str(setting.get("rule", ""))]
    tail = f"-F perm=x -F auid>={int(commands['min_uid'])} -F auid!=unset"
    return [f"-a always,exit -F path={path} {tail}" for path in privileged_programs(facts)]


def privileged_programs(facts):
    """Sorted paths of the host's setuid and setgid programs on file systems that honour those bits."""
    rows = facts.rows("file_walk")
    idle = {
        path.split(":", 1)[1]
        for path, row in rows.items()
        if row.get("kind") == "filesystem" and {"nosuid", "noexec"} & set(row.get("options") or ())
    }
    return sorted(
        path
        for path, row in rows.items()
        if row.get("kind") == "found" and row.get("type") == "file" and row.get("filesystem") not in idle
        and (row.get("setuid") is True or row.get("setgid") is True) and PROGRAM.fullmatch(path)
    )  # fmt: skip


def _rule(line, parsed, controls, known, rules):
    """Add a rule as this host can have it to ``rules``; return what has to be left."""
    missing = known.missing(parsed)
    if missing:
        return [left(controls, f"{missing} does not exist: the kernel refuses to watch it")]
    unknown = known.unknown_calls(parsed)
    if unknown:
        return [left(controls, f"the audit programs of this host do not know the call {unknown}")]
    for fitting in on_this_machine(parsed, known.architecture):
        text = line if fitting == parsed else rule_line(fitting)
        if uncovered(fitting, known.others)[0]:
            rules.append((f"{text} -k rw_{controls[0].rpartition('.')[2]}"[:900], controls))
    return []


def rule_line(rule):
    """Return a parsed rule as a line of audit.rules(7), without its keys."""
    parts = [f"-a {rule['action']},{rule['list']}"]
    if rule["arch"]:
        parts.append(f"-F arch={rule['arch']}")
    if rule["syscalls"] and rule["syscalls"] != ["all"]:
        parts.append("-S " + ",".join(rule["syscalls"]))
    for field in rule["fields"]:
        name, op, value = field["field"], field["op"], field["value"]
        compared = name.startswith("compare:")
        parts.append(f"-C {name[8:]}{op}{value}" if compared else f"-F {name}{op}{value}")
    return " ".join(parts)


def _files(changes, switches, controls, known, follow):
    """The operations on the files of ours."""
    first, last = [change(controls, line="-D", state="present")], []
    for line, names in switches:
        option = line.split()[0]
        target = first if option == "-c" else last
        replaces = rf"^{re.escape(option)}\s" if " " in line else None
        target.append(change(names, line=line, state="present", **({"replaces": replaces} if replaces else {})))
    backlog = known.backlog()
    if backlog:
        last.append(change(controls, line=f"-b {backlog}", state="present", replaces=r"^-b\s"))
    found = [edit(FIRST, merged(first), controls, create=CREATED, follow=follow)]
    if changes:
        found.append(edit(RULES, changes, controls, create=CREATED, follow=follow))
    text = detection(known, [item["line"] for item in changes])
    found.append(operation("write", controls, path=DETECTION, text=text, follow=follow, **CREATED))
    if last:
        found.append(edit(LAST, merged(last), controls, create=CREATED, follow=follow))
    return found


def detection(known, lines):
    """The text of the rules for detection: those that nothing else records and that this host can have."""
    before = Rules([*known.other_rows, *known.own_rows, *(dict(parse_rule(line), text=line) for line in lines)])
    kept = []
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("-"):
            kept.append(line)
            continue
        parsed = parse_rule(line)
        key = line.partition(" -k ")[2]
        if known.missing(parsed):
            continue
        kept += [
            line if fitting == parsed else f"{rule_line(fitting)} -k {key}"
            for fitting in on_this_machine(parsed, known.architecture)
            if uncovered(fitting, before)[0]
        ]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).rstrip() + "\n"


class _Known:
    """What the host's files say, those of others apart from ours."""

    def __init__(self, facts):
        self.facts = facts
        self.architecture = facts.platform.get("architecture") or ""
        self.locked = facts.value("audit_status", "host", "enabled") == 2
        rows = [dict(row, text=key) for key, row in facts.rows("audit_rules").items()]
        rows = sorted((row for row in rows if row.get("rules_d")), key=lambda row: row.get("order") or 0)
        self.other_rows = [row for row in rows if self._places(row, ours=False)]
        self.own_rows = [row for row in rows if any(self._in(place, (RULES,)) for place in row.get("where") or ())]
        self.others = Rules(self.other_rows)
        self.complete = any(self._places(row, ours=True) for row in rows)
        off = [row for row in self.other_rows if row.get("action") == "never" and row.get("list") == "task"]
        self.switched_off = [self._places(row, ours=False)[0] for row in off if not row.get("fields")]

    @staticmethod
    def _in(place, files):
        return str(place).rpartition(":")[0] in files

    def _places(self, row, ours):
        """Lines of rules.d in which a row stands, in files of ours or of others."""
        found = [place for place in row.get("where") or () if str(place).startswith(DIRECTORY + "/")]
        return [place for place in found if self._in(place, OURS) is ours]

    def missing(self, parsed):
        """What a rule needs and the host certainly lacks, or None: a watched tree, and the directory of any place."""
        for field in parsed["fields"]:
            if field["field"] not in ("path", "dir"):
                continue
            place = field["value"]
            needed = [place.rpartition("/")[0] or "/"] + ([place] if field["field"] == "dir" else [])
            for one in needed:
                if self.facts.value("file_attributes", one, "exists") is False:
                    return one
        return None

    def unknown_calls(self, parsed):
        """The first system call that the host's auditctl does not know by name, or None."""
        for row in self.facts.rows("packages").values():
            major = str(row.get("version") or "").rsplit(":", maxsplit=1)[-1].split(".", maxsplit=1)[0]
            if row.get("name") in ("auditd", "audit") and major.isdigit():
                return next((name for name in parsed["syscalls"] if NEW_CALLS.get(name, 0) > int(major)), None)
        return None

    def backlog(self):
        """The number for ``-b``, or None when what others say is enough."""
        lines = [row for row in self.other_rows if row.get("kind") == "control" and row.get("option") == "-b"]
        last = str(lines[-1].get("value") or "") if lines else ""
        wanted = BACKLOG * 2 if self.facts.value("audit_status", "host", "lost", 0) else BACKLOG
        return None if last.isdigit() and int(last) >= wanted else wanted


__all__ = ["KIND", "detection", "operations", "privileged_programs", "rule_line"]

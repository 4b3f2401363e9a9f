"""``audit_rule``: what the kernel must record, now and after the next boot."""

from __future__ import annotations

from ....module_utils.audit_coverage import Rules, on_this_machine, uncovered
from ....module_utils.audit_rules import BadRule, parse_rule
from ...content.errors import ContentError
from ...content.lines import near
from ...snapshots.view import Gap, cell
from ..audit_switches import SWITCHES, judge_switch
from ..audit_words import FIELDS, SYSTEM_CALLS
from ..memo import memo
from .base import Resource, Verdict

DISK, LOADED, STATUS, WALK, PLATFORM = "audit_rules", "audit_rules_loaded", "audit_status", "file_walk", "platform"
DISK_PLACE, LOADED_PLACE = "/etc/audit/rules.d", "kernel"
KEYS = ("rules", "privileged_commands", "consistent", *SWITCHES)
WATCH_KEYS = ("watch", "perm")


def parse_wanted(item):
    """Return the parsed rule of one entry: a line of audit.rules(7), or ``{watch: path, perm: wa}``."""
    if isinstance(item, dict):
        item = f"-w {item['watch']} -p {item.get('perm', 'wa')}"
    return item, parse_rule(item)


class AuditRule(Resource):
    """See ``summary``."""

    name = "audit_rule"
    summary = (
        "`audit_rule: {rules: [<line of audit.rules(7)>, {watch: <path>, perm: wa}]}`: each rule is covered by "
        "rules that are loaded and by rules on disk; keys (-k) do not count, a wider rule covers a narrower one. "
        "`{privileged_commands: {min_uid: 1000}}`: the same for every setuid and setgid program of the host. "
        "`{immutable: true}`: rules are locked until the next boot. `{failure_mode: 1}`: what the kernel does "
        "when it cannot record (0 nothing, 1 a message, 2 it stops), this or more. `{continue_loading: true}`: "
        "rules behind a bad one are loaded. `{login_ids_immutable: true}`: who logged in cannot be changed "
        "afterwards. `{consistent: true}`: what is loaded is what is on disk. A rule `never,task` undoes them "
        "all."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        self.expect_map(statement, where)
        for key in statement:
            if key not in KEYS:
                raise ContentError(
                    where, f"audit_rule: unknown key {key}{near(key, KEYS)}", "one of " + ", ".join(KEYS)
                )
        for key in ("consistent", *SWITCHES):
            if key == "failure_mode" and statement.get(key, 1) not in (0, 1, 2):
                raise ContentError(where, f"{key} takes 0, 1 or 2", f"{key}: 2")
            if key != "failure_mode" and statement.get(key, True) is not True:
                raise ContentError(where, f"{key} takes true", f"{key}: true")
        rules = statement.get("rules", [])
        if not isinstance(rules, list) or ("rules" in statement and not rules):
            raise ContentError(where, "rules is not a list", 'rules: ["-w /etc/passwd -p wa"]')
        for item in rules:
            _check_rule(item, where)
        commands = statement.get("privileged_commands")
        if commands is not None and (not isinstance(commands, dict) or not isinstance(commands.get("min_uid"), int)):
            raise ContentError(where, "privileged_commands names no min_uid", "privileged_commands: {min_uid: 1000}")

    def tables(self, statement):
        """The tables it reads."""
        names = [DISK, LOADED, PLATFORM]
        if any(SWITCHES[key].live for key in statement if key in SWITCHES):
            names.append(STATUS)
        if "privileged_commands" in statement:
            names.append(WALK)
        return tuple(names)

    def paths(self, statement):
        """The places that are watched and the directories they lie in: the kernel refuses to watch in none."""
        places = {item["watch"].rstrip("/") for item in statement.get("rules", []) if isinstance(item, dict)}
        return tuple(sorted(places | {place.rpartition("/")[0] or "/" for place in places}))

    def judge(self, statement, snapshot):
        """Return a Verdict each for what is on disk and what is loaded."""
        verdicts = []
        if "rules" in statement:
            wanted = [parse_wanted(item) for item in statement["rules"]]
            verdicts += self._rules(wanted, snapshot)
        if "privileged_commands" in statement:
            verdicts += self._privileged(statement["privileged_commands"]["min_uid"], snapshot)
        for key in statement:
            if key in SWITCHES:
                verdicts += judge_switch(key, statement[key], snapshot, _existing)
        if "consistent" in statement:
            verdicts += _consistent(snapshot)
        return verdicts

    def settings(self, statement):
        """One ``audit_rule`` setting a line; programs are named by the host's own walk."""
        lines = [{"kind": "audit_rule", "rule": parse_wanted(item)[0]} for item in statement.get("rules", [])]
        if "privileged_commands" in statement:
            lines.append({"kind": "audit_rule", "privileged_commands": statement["privileged_commands"]})
        switches = [SWITCHES[key].line(wanted) for key, wanted in statement.items() if key in SWITCHES]
        return lines + [{"kind": "audit_rule", "rule": line} for line in switches]

    def _rules(self, wanted, snapshot):
        architecture = _architecture(snapshot)
        wanted = [(line, rule) for line, parsed in wanted for rule in on_this_machine(parsed, architecture)]
        return [
            _half(wanted, snapshot, DISK, DISK_PLACE, "not on disk"),
            _half(wanted, snapshot, LOADED, LOADED_PLACE, "not loaded"),
        ]

    def _privileged(self, min_uid, snapshot):
        programs, gap = privileged_programs(snapshot)
        verdicts = []
        if programs:
            lines = [f"-a always,exit -F path={path} -F perm=x -F auid>={min_uid} -F auid!=unset" for path in programs]
            verdicts = self._rules(
                [(line, _program_rule(path, min_uid)) for line, path in zip(lines, programs, strict=True)], snapshot
            )
        if gap:
            verdicts.append(Verdict(gap.status, reason=gap.why))
        return verdicts or [Verdict("not_applicable", reason="there is no setuid or setgid program")]


def _check_rule(item, where):
    if isinstance(item, dict):
        for key in item:
            if key not in WATCH_KEYS:
                raise ContentError(where, f"audit_rule: unknown key {key}{near(key, WATCH_KEYS)}", "watch, perm")
        if not isinstance(item.get("watch"), str) or not item["watch"].startswith("/"):
            raise ContentError(where, f"watch {item.get('watch')!r}", "watch: /absolute/path")
    elif not isinstance(item, str):
        raise ContentError(where, f"rule {item!r}", "a line of audit.rules(7) or {watch: ..., perm: ...}")
    try:
        _line, rule = parse_wanted(item)
    except BadRule as error:
        raise ContentError(where, f"no audit rule: {error}", "a line as auditctl takes it") from None
    if rule["kind"] != "rule":
        raise ContentError(where, f"{item!r} is no rule", "-a, -w; for -e 2 say immutable: true")
    for name in rule["syscalls"]:
        if name not in SYSTEM_CALLS and name != "all" and not name.isdigit():
            raise ContentError(where, f"unknown system call {name}{near(name, SYSTEM_CALLS)}", "a call by its name")
    for item in rule["fields"]:
        pair = [item["field"]]
        if pair[0].startswith("compare:"):
            pair = [pair[0].partition(":")[2], item["value"]]
        for name in pair:
            if name not in FIELDS:
                raise ContentError(where, f"unknown field {name}{near(name, FIELDS)}", "a field of auditctl(8)")


def _program_rule(path, min_uid):
    # Built, not parsed: the path is the host's own and may hold anything.
    fields = [("path", "=", path), ("perm", "=", "x"), ("auid", ">=", str(min_uid)), ("auid", "!=", "unset")]
    found = [{"field": name, "op": op, "value": value} for name, op, value in fields]
    return {"kind": "rule", "list": "exit", "action": "always", "arch": None, "syscalls": ["all"], "fields": found}


def _architecture(snapshot):
    try:
        row = snapshot.row(PLATFORM, "host")
        return (cell(row, "architecture") if row else None) or ""
    except Gap:
        return ""


def _existing(snapshot, table):
    """Return the Rules in their order; on disk those of rules.d, or those of audit.rules when nothing else is there."""

    def build():
        rows = [dict(row, text=key) for key, row in snapshot.rows(table).items()]
        if table == DISK:
            rows = [row for row in rows if row.get("rules_d")] or rows
            rows.sort(key=lambda row: row.get("order") or 0)
        return Rules(rows)

    return memo(snapshot, f"audit rules {table}", build)


def _half(wanted, snapshot, table, place, lacking):
    """Judge one half: what is on disk, or what is loaded."""
    expected = [line for line, _rule in wanted]
    expected = list(dict.fromkeys(expected))
    try:
        rules = _existing(snapshot, table)
    except Gap as gap:
        return Verdict(
            gap.status, expected, reason=f"{'loaded rules' if table == LOADED else 'rules on disk'}: {gap.why}"
        )
    evidence, missing = [], []
    for line, rule in wanted:
        why, used = uncovered(rule, rules)
        if why:
            missing.append(line)
            evidence.append({"where": place, "what": f"{lacking}: {line}" + (f" ({why})" if why is not True else "")})
        elif used:
            evidence.append({"where": (used.get("where") or [place])[0], "what": used["text"]})
    missing = list(dict.fromkeys(missing))
    evidence.sort(key=lambda item: not item["what"].startswith(lacking))
    if missing:
        return Verdict("fail", expected, {lacking: missing}, evidence, f"{len(missing)} of {len(expected)} {lacking}")
    return Verdict("pass", expected, "on disk" if table == DISK else "loaded", evidence)


def privileged_programs(snapshot):
    """Return ``(paths, gap)``: setuid and setgid programs on file systems that honour those bits.

    ``gap`` is a Gap when there may be more of them, else None.
    """
    view = snapshot.table(WALK)
    if view.stale:
        return [], view.gap()
    idle = {
        path.split(":", 1)[1]
        for path, row in view.rows.items()
        if row.get("kind") == "filesystem" and {"nosuid", "noexec"} & set(row.get("options") or ())
    }
    paths = [
        path
        for path, row in view.rows.items()
        if row.get("kind") == "found" and row.get("filesystem") not in idle and (row.get("setuid") or row.get("setgid"))
        and row.get("type") == "file"
    ]  # fmt: skip
    return sorted(paths), view.gap()


def _consistent(snapshot):
    expected = "the loaded rules are those on disk"
    disk = {row["text"]: row for row in _existing(snapshot, DISK).rows if row.get("kind") == "rule"}
    loaded = {row["text"]: row for row in _existing(snapshot, LOADED).rows if row.get("kind") == "rule"}
    if not disk and not loaded:
        return [Verdict("not_applicable", expected, reason="no rule is loaded and none is on disk")]
    evidence = [
        {"where": (disk[key].get("where") or [DISK_PLACE])[0], "what": f"not loaded: {key}"}
        for key in disk
        if key not in loaded
    ]
    evidence += [{"where": LOADED_PLACE, "what": f"not on disk: {key}"} for key in loaded if key not in disk]
    actual = {"on disk": len(disk), "loaded": len(loaded), "different": len(evidence)}
    status = "fail" if evidence else "pass"
    evidence = evidence or [
        {"where": LOADED_PLACE, "what": f"all {len(loaded)} loaded rules are on disk, and no others"}
    ]
    return [Verdict(status, expected, actual, evidence)]

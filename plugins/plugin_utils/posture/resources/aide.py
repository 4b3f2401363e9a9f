"""``aide``: what AIDE records of files, from its configuration."""

from __future__ import annotations

from ...content.errors import ContentError
from ...content.lines import near
from ...snapshots.view import Gap, cell
from ..aide_rules import WEAK, Rules
from .base import Resource, Verdict

TABLE = "config"
FILES = ("/etc/aide/aide.conf", "/etc/aide.conf")
KEYS = ("programs", "attributes", "every", "strong_digests")


class Aide(Resource):
    """See ``summary``."""

    name = "aide"
    summary = (
        "`aide: {programs: [/sbin/auditctl], attributes: [p, i, sha512]}`: a selection of AIDE's configuration "
        "names each of these paths and records these attributes of it. `{every: [acl, xattrs]}`: every selection "
        "records these. `{strong_digests: true}`: every selection has sha512 and no digest that FIPS 140 does "
        "not know. Definitions are unfolded; files that are included count."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        self.expect_map(statement, where)
        for key, value in statement.items():
            if key not in KEYS:
                raise ContentError(where, f"aide: unknown key {key}{near(key, KEYS)}", "one of " + ", ".join(KEYS))
            if key == "strong_digests" and value is not True:
                raise ContentError(where, "aide: strong_digests takes true", "strong_digests: true")
            if key != "strong_digests" and (not isinstance(value, list) or not value):
                raise ContentError(where, f"aide: {key} takes a list", f"{key}: [...]")
        if ("programs" in statement) != ("attributes" in statement):
            raise ContentError(
                where, "aide: programs and attributes stand together", "programs: [...], attributes: [...]"
            )

    def tables(self, statement):
        """The one table it reads."""
        return (TABLE,)

    def configs(self, statement):
        """AIDE's configuration, wherever the system keeps it."""
        return tuple({"file": path, "format": None, "drop_ins": None} for path in FILES)

    def judge(self, statement, snapshot):
        """Return a Verdict a key."""
        directives, path = _directives(snapshot)
        if directives is None:
            evidence = [{"where": FILES[0], "what": "AIDE has no configuration"}]
            return [Verdict("fail", {key: value}, {key: None}, evidence) for key, value in statement.items()]
        rules = Rules(directives)
        verdicts = []
        if "programs" in statement:
            verdicts.append(_programs(statement["programs"], statement["attributes"], rules, path))
        if "every" in statement:
            verdicts.append(_every(statement["every"], rules, path))
        if "strong_digests" in statement:
            verdicts.append(_digests(rules, path))
        return verdicts

    def settings(self, statement):
        """Lines for the programs; what every selection holds is the site's own list."""
        text = "+".join(statement.get("attributes", ()))
        return [
            {"kind": "aide", "program": program, "attributes": text} for program in statement.get("programs", ())
        ]  # fmt: skip


def _directives(snapshot):
    """Return ``(directives, path)`` of the configuration that is there, (None, None) without one; raise Gap."""
    for path in FILES:
        row = snapshot.row(TABLE, path)
        if row is None:
            raise Gap("unreadable", f"{path} was not asked for")
        if cell(row, "exists"):
            return cell(row, "directives") or [], path
    return None, None


def _programs(programs, attributes, rules, path):
    evidence, wrong = [], []
    for program in programs:
        found, where = rules.of(program)
        missing = [name for name in attributes if name not in (found or ())]
        if missing:
            wrong.append(program)
            told = f"{program}: {'+'.join(missing)} not recorded" if found is not None else f"{program} is not named"
            evidence.insert(0, {"where": where or path, "what": told})
        else:
            evidence.append({"where": where, "what": f"{program} is recorded"})
    expected = {program: "+".join(attributes) for program in programs}
    return Verdict("fail" if wrong else "pass", expected, {"not recorded": wrong}, evidence)


def _every(attributes, rules, path):
    wrong, count = [], 0
    for pattern, found, where in rules.attributes():
        count += 1
        missing = [name for name in attributes if name not in found]
        if missing:
            wrong.append({"where": where, "what": f"{pattern}: {'+'.join(missing)} not recorded"})
    return _selections({"every selection": "+".join(attributes)}, wrong, count, path)


def _digests(rules, path):
    wrong, count = [], 0
    for pattern, found, where in rules.attributes():
        count += 1
        weak = sorted(found.intersection(WEAK))
        if weak or "sha512" not in found:
            wrong.append({"where": where, "what": f"{pattern}: {', '.join(weak) or 'no sha512'}"})
    return _selections({"every selection": "sha512, no weaker digest"}, wrong, count, path)


def _selections(expected, wrong, count, path):
    if not count:
        wrong = [{"where": path, "what": "nothing is selected"}]
    actual = {"selections": count, "wrong": len(wrong)}
    good = [{"where": path, "what": f"{count} selections, all as expected"}]
    return Verdict("fail" if wrong else "pass", expected, actual, wrong[:50] or good)

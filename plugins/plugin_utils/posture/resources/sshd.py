"""``sshd``: effective settings of every SSH server, inside and outside of Match blocks."""

from __future__ import annotations

from ....module_utils.sshd_keywords import ALGORITHMS, ALIASES, KEYWORDS, LISTS, canonical_value
from ...content.errors import ContentError
from ...content.lines import near
from ...snapshots.view import Gap, cell
from .. import comparison
from .base import Resource, Verdict

TABLE = "sshd"
ALTERNATIVE = "|"
MAX_MATCHES = 60
"""Match blocks of one server that the table holds at most."""

NOT_BUILT = {"gssapiauthentication": "no", "kerberosauthentication": "no"}
"""What a server does that was built without a feature and so does not print its keyword."""


def startups(value):
    """Return MaxStartups as (start, rate, full), None if it is malformed; ``10`` means ``10:100:10``."""
    parts = str(value).split(":")
    if not all(part.isdigit() for part in parts) or len(parts) not in (1, 3):
        return None
    numbers = [int(part) for part in parts]
    return tuple(numbers) if len(numbers) == 3 else (numbers[0], 100, numbers[0])


def startups_within(value, limit):
    """True if MaxStartups admits no more than ``limit``; the rate says nothing when start and full are the same."""
    given, most = startups(value), startups(limit)
    if given is None:
        return False
    return given[0] <= most[0] and given[2] <= most[2] and (given[1] <= most[1] or given[0] >= given[2])


class Sshd(Resource):
    """See ``summary``."""

    name = "sshd"
    entries = True
    summary = (
        "`sshd: {<Keyword>: <value or comparators>}`: the effective value of every SSH server that runs or starts at "
        "boot, and the value in each of its Match blocks. Times count in seconds; algorithms, users and the like as "
        'lists; `MaxStartups: {max: "10:30:60"}` (in quotes) bounds each of the three numbers. '
        "`AllowUsers|AllowGroups: {empty: false}` looks at the keywords together. Without an SSH server it does not "
        "apply."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        self.expect_map(statement, where)
        for keyword, expected in statement.items():
            for name in str(keyword).lower().split(ALTERNATIVE):
                if name not in KEYWORDS:
                    raise ContentError(
                        where, f"sshd: unknown keyword {name}{near(name, KEYWORDS)}", "one of sshd_config(5)"
                    )
            if isinstance(expected, dict) and str(keyword).lower() == "maxstartups" and "max" in expected:
                # Without quotes YAML reads a number of base 60.
                if not isinstance(expected["max"], str) or startups(expected["max"]) is None:
                    raise ContentError(where, f"MaxStartups: {expected['max']!r}", 'max: "10:30:60"')
                continue
            comparison.check(expected, where)

    def tables(self, statement):
        """The one table it reads."""
        return (TABLE,)

    def judge(self, statement, snapshot):
        """Return a Verdict for each keyword and server."""
        view = snapshot.table(TABLE)
        if view.stale:
            raise view.gap()
        servers = in_use(view.rows)
        gap = view.gap()
        if not servers:
            if gap:
                raise gap
            words = {keyword: comparison.words(expected) for keyword, expected in statement.items()}
            return [Verdict("not_applicable", words, reason="no SSH server is installed")]
        verdicts = [
            _judge(keyword, expected, name, row)
            for keyword, expected in statement.items()
            for name, row in sorted(servers.items())
        ]
        if gap:  # there may be servers that were not found
            verdicts.append(Verdict(gap.status, reason=gap.why))
        return verdicts

    def settings(self, statement):
        """One ``sshd`` setting a keyword that expects a value: ``{name, value, rule}``.

        ``rule`` is the comparator that the value comes from; of ``none_of`` the value is the list that must go.
        """
        found = []
        for keyword, expected in statement.items():
            if ALTERNATIVE in keyword:
                continue
            if not isinstance(expected, dict):
                found.append({"kind": "sshd", "name": keyword, "value": _words(keyword, expected), "rule": "equals"})
                continue
            for rule in ("equals", "max", "subset_of", "none_of", "one_of"):
                if rule in expected:
                    value = expected[rule][0] if rule == "one_of" else expected[rule]
                    found.append({"kind": "sshd", "name": keyword, "value": value, "rule": rule})
                    break
        return found


def in_use(rows):
    """The servers that run or start at boot, or may; all there are when none does."""
    used = {name: row for name, row in rows.items() if row.get("running") is not False or row.get("enabled")}
    return used or rows


def _judge(keyword, expected, server, row):
    wanted = {keyword: _words(keyword, expected)}
    names = [ALIASES.get(name, name) for name in keyword.lower().split(ALTERNATIVE)]
    try:
        effective, places = cell(row, "effective"), cell(row, "where")
        matches = cell(row, "matches") or []
        root = _for_root(row, matches)
        value = _effective(names, effective, row)
    except Gap as gap:
        return Verdict(gap.status, wanted, reason=f"{server}: {gap.why}")
    evidence = [{"where": f"{server}: {_place(names, places)}", "what": f"{keyword} {_shown(value)}"}]
    actual = {keyword: value}
    good = _holds(names[0], expected, value)
    if len(names) == 1:
        inside = [
            (_criteria(block), block["settings"][names[0]], block) for block in matches if names[0] in block["settings"]
        ]
        for criteria, raw, block in inside:
            other = _value(names[0], raw)
            if not _holds(names[0], expected, other):
                good = False
                actual[f"Match {criteria}"] = other
                place = block.get("lines", {}).get(names[0], block.get("where", ""))
                evidence.append({"where": place, "what": f"Match {criteria}: {keyword} {_shown(other)}"})
        if names[0] in root and not _holds(names[0], expected, _value(names[0], root[names[0]])):
            good = False
            actual["for root"] = _value(names[0], root[names[0]])
            evidence.append({"where": server, "what": f"for root: {keyword} {_shown(actual['for root'])}"})
    reason = ""
    if row.get("outdated") is True:
        reason = "the running server is older than its files: what they say is in force after a restart"
        evidence.append({"where": server, "what": f"started {row.get('started')}, its files changed later"})
    return Verdict("pass" if good else "fail", wanted, actual, evidence, reason)


def _for_root(row, matches):
    """What root gets by Match blocks. Each block is judged anyway: only when they are too many does it decide."""
    try:
        return cell(row, "effective_root") or {}
    except Gap:
        if len(matches) >= MAX_MATCHES:
            raise
        return {}


def _effective(names, effective, row):
    """Return the effective value, of several keywords their lists joined; raise Gap when it is not known."""
    if len(names) > 1:
        return [item for name in names for item in _items(effective.get(name))]
    name = names[0]
    if name in effective and effective[name] is not None:
        return _value(name, effective[name])
    if name in effective or (row.get("source") == "files" and name not in LISTS):
        why = row.get("source_why") or "its files alone do not tell"
        raise Gap("unreadable", f"what {name} comes to is not known: {why}")
    return NOT_BUILT.get(name)


def _items(value):
    return [] if value is None else value if isinstance(value, list) else [value]


def _value(name, raw):
    if isinstance(raw, list):
        return raw
    if name in ALGORITHMS:
        return [item for item in str(raw).split(",") if item]
    return canonical_value(name, raw) if isinstance(raw, str) else raw


def _holds(name, expected, value):
    if name == "maxstartups" and isinstance(expected, dict) and "max" in expected:
        return startups_within(value, expected["max"])
    if isinstance(value, list) and value and str(value[0])[:1] in ("+", "-", "^") and name in ALGORITHMS:
        return False
    if isinstance(expected, bool):  # YAML reads yes and no as true and false
        expected = "yes" if expected else "no"
    return comparison.holds(expected, value)


def _words(keyword, expected):
    if isinstance(expected, bool):
        return "yes" if expected else "no"
    return comparison.words(expected)


def _criteria(block):
    criteria = block.get("criteria")
    return " ".join(criteria) if isinstance(criteria, list) else str(criteria)


def _place(names, places):
    return next((str(places[name]) for name in names if places.get(name)), "not set")


def _shown(value):
    return ",".join(str(item) for item in value) if isinstance(value, list) else str(value)

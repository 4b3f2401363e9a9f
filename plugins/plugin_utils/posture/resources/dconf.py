"""``dconf``: settings and locks of GNOME that the administrator makes for everybody."""

from __future__ import annotations

from ...content.errors import ContentError
from ...content.lines import near
from ...snapshots.view import Gap, cell
from .. import comparison
from ..settable import value_for
from .base import Resource, Verdict

TABLE = "dconf"
KEYS = ("profile", "settings", "locked", "up_to_date")
PROFILES = ("user", "gdm")


class Dconf(Resource):
    """See ``summary``."""

    name = "dconf"
    summary = (
        "`dconf: {profile: user, settings: {/org/gnome/desktop/session/idle-delay: {min: 1, max: 900}}, locked: "
        "[/org/gnome/desktop/session/idle-delay]}`: in a database that the profile (`user`: sessions, `gdm`: log-in "
        "screen) names, the setting has this value, and users cannot change what is in `locked`. `up_to_date: true`: "
        "each database is made of the files beside it as they are now."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        self.expect_map(statement, where)
        for key in statement:
            if key not in KEYS:
                raise ContentError(where, f"dconf: unknown key {key}{near(key, KEYS)}", "one of " + ", ".join(KEYS))
        settings, locked = statement.get("settings", {}), statement.get("locked", [])
        if statement.get("up_to_date", True) is not True or not (settings or locked or "up_to_date" in statement):
            raise ContentError(where, "dconf expects nothing", "settings, locked or up_to_date: true")
        if (settings or locked) and statement.get("profile") not in PROFILES:
            raise ContentError(where, "dconf: no profile", "profile: one of " + ", ".join(PROFILES))
        if not isinstance(settings, dict) or not isinstance(locked, list):
            raise ContentError(where, "dconf: settings is a map, locked a list", "settings: {/org/...: true}")
        for path in [*settings, *locked]:
            if not isinstance(path, str) or not path.startswith("/"):
                raise ContentError(where, f"dconf: {path} is no path", "/org/gnome/desktop/session/idle-delay")
        for expected in settings.values():
            comparison.check(expected, where)

    def tables(self, statement):
        """The one table it reads."""
        return (TABLE,)

    def judge(self, statement, snapshot):
        """Return a Verdict a setting, one a lock and one a database."""
        rows = list(snapshot.rows(TABLE).values())
        profile, verdicts = statement.get("profile"), []
        named = [row for row in rows if row["kind"] == "setting" and profile in (row["profiles"] or [])]
        others = [row for row in rows if row["kind"] == "setting" and row not in named]
        wanted = statement.get("settings", {})
        verdicts += [_setting(path, expected, profile, named, others) for path, expected in wanted.items()]
        verdicts += [_lock(path, profile, named, others) for path in statement.get("locked", [])]
        if "up_to_date" in statement:
            verdicts += _databases([row for row in rows if row["kind"] == "database"])
        return verdicts

    def settings(self, statement):
        """One ``dconf`` setting a path, with its lock; one for what is only locked."""
        found, locked = [], statement.get("locked", [])
        for path, expected in statement.get("settings", {}).items():
            known, value = value_for(expected)
            if known:
                found.append({"path": path, "value": value, "lock": path in locked})
        found += [
            {"path": path, "value": None, "lock": True} for path in locked if path not in statement.get("settings", {})
        ]
        if "up_to_date" in statement:
            found.append({"path": None, "value": None, "lock": False})
        return [{"kind": "dconf", "profile": statement.get("profile"), **one} for one in found]


def _plain(expected):
    return "true" if expected is True else "false" if expected is False else expected


def _elsewhere(path, profile, others):
    for row in others:
        if row["path"] == path:
            place = row["where"] or row["lock_where"]
            return f"{place} is in the database {row['database']}, which the profile {profile} does not name"
    return f"{path} is not set for {profile}"


def _setting(path, expected, profile, named, others):
    expected = _plain(expected)
    wanted = {path: comparison.words(expected)}
    try:
        found = [row for row in named if row["path"] == path and cell(row, "value") is not None]
    except Gap as gap:
        return Verdict(gap.status, wanted, reason=gap.why)
    if not found:
        evidence = [{"where": f"dconf profile {profile}", "what": _elsewhere(path, profile, others)}]
        good = comparison.holds(expected, None)
        return Verdict("pass" if good else "fail", wanted, {path: None}, evidence)
    wrong = [row for row in found if not comparison.holds(expected, row["value"])]
    shown = wrong or found
    evidence = [{"where": row["where"], "what": f"{path} = {row['value']}"} for row in shown]
    return Verdict("fail" if wrong else "pass", wanted, {path: shown[0]["value"]}, evidence)


def _lock(path, profile, named, others):
    wanted = {path: "locked"}
    # A lock on a directory holds all that lies below it.
    found = [
        row for row in named if row["locked"] and (row["path"] == path or path.startswith(_directory(row["path"])))
    ]
    if found:
        return Verdict(
            "pass", wanted, {path: "locked"}, [{"where": found[0]["lock_where"], "what": f"{path} is locked"}]
        )
    lost = [row for row in others if row["locked"]]
    what = _elsewhere(path, profile, lost) if any(row["path"] == path for row in lost) else f"{path} is not locked"
    return Verdict("fail", wanted, {path: "not locked"}, [{"where": f"dconf profile {profile}", "what": what}])


def _directory(path):
    return path if path.endswith("/") else path + "\0"


def _databases(rows):
    if not rows:
        return [Verdict("not_applicable", reason="dconf has no databases of the administrator")]
    wrong = [row["database"] for row in rows if not row["up_to_date"]]
    what = {True: "made of the files as they are", False: "the files changed since it was made"}
    evidence = [
        {"where": f"/etc/dconf/db/{row['database']}", "what": what[bool(row["up_to_date"])]}
        for row in rows
        if not wrong or not row["up_to_date"]
    ]
    return [Verdict("fail" if wrong else "pass", "databases up to date", {"out of date": wrong}, evidence)]

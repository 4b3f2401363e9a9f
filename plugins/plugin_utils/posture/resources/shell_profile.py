"""``shell_profile``: umask and TMOUT in the start-up files of shells."""

from __future__ import annotations

from ...content.errors import ContentError
from ...content.lines import near
from ...snapshots.view import Gap, cell
from .. import comparison
from ..settable import value_for
from .base import Resource, Verdict

TABLE = "shell_profiles"
SETTINGS = ("umask", "TMOUT", "autologout")
SCOPES = ("login", "bash", "zsh", "csh", "root")
KEYS = ("scopes", "required", "readonly", "exported", *SETTINGS)


class ShellProfile(Resource):
    """See ``summary``."""

    name = "shell_profile"
    summary = (
        '`shell_profile: {umask: {mask: "027"}, scopes: [login, bash]}`: no start-up file of these scopes (login: '
        "/etc/profile and profile.d; bash: /etc/bash.bashrc or /etc/bashrc; zsh; csh; root: root's own) sets another "
        "value, also under no condition, and in each scope one sets it always. `TMOUT` the same; with `readonly: true` "
        "and `exported: true` it also has to be marked so. `required: false`: that none sets it is fine. A scope of "
        "which no file is there does not apply."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        self.expect_map(statement, where)
        for key in statement:
            if key not in KEYS:
                raise ContentError(where, f"shell_profile: unknown key {key}{near(key, KEYS)}", "one of " + str(KEYS))
        if len([key for key in statement if key in SETTINGS]) != 1:
            raise ContentError(where, "shell_profile takes one setting", "one of " + ", ".join(SETTINGS))
        scopes = statement.get("scopes")
        if not isinstance(scopes, list) or not scopes or not set(scopes) <= set(SCOPES):
            raise ContentError(where, f"shell_profile: scopes {scopes!r}", "a list of " + ", ".join(SCOPES))
        for key in ("required", "readonly", "exported"):
            if not isinstance(statement.get(key, True), bool):
                raise ContentError(where, f"shell_profile: {key} {statement[key]!r}", "true or false")
        comparison.check(statement[_setting(statement)], where)

    def tables(self, statement):
        """The one table it reads."""
        return (TABLE,)

    def judge(self, statement, snapshot):
        """Return a Verdict a scope."""
        rows = list(snapshot.rows(TABLE).values())
        return [
            _scope(statement, scope, [row for row in rows if row["scope"] == scope]) for scope in statement["scopes"]
        ]

    def settings(self, statement):
        """One ``shell_profile`` setting a scope."""
        name = _setting(statement)
        known, value = value_for(statement[name])
        if not known:
            return []
        common = {
            "kind": "shell_profile",
            "name": name,
            "value": str(value),
            "required": statement.get("required", True),
            "readonly": statement.get("readonly", False),
        }
        return [dict(common, scope=scope) for scope in statement["scopes"]]


def _setting(statement):
    return next(key for key in statement if key in SETTINGS)


def _scope(statement, scope, rows):
    name = _setting(statement)
    wanted = {name: comparison.words(statement[name]), "in": scope}
    if not rows:
        return Verdict("not_applicable", wanted, reason=f"no start-up file of {scope} is there")
    found = [row for row in rows if row["setting"] == name]
    unknown = [row for row in found if row["value"] is None]
    wrong = [row for row in found if row not in unknown and not comparison.holds(statement[name], row["value"])]
    right = [row for row in found if row not in unknown and row not in wrong]
    if wrong:
        return Verdict("fail", wanted, {scope: sorted({_told(row) for row in wrong})}, _evidence(wrong))
    try:
        for row in rows:
            cell(row, "value")
    except Gap as gap:
        return Verdict(gap.status, wanted, reason=gap.why)
    if unknown:
        why = f"{unknown[0]['where']}: which {name} it sets is not told by its text"
        return Verdict("manual", wanted, {scope: [_told(row) for row in unknown]}, _evidence(unknown), why)
    if not found and not statement.get("required", True):
        return Verdict("pass", wanted, {scope: f"{name} is not set"}, [{"where": scope, "what": f"{name} is not set"}])
    lasting = [row for row in right if not row["conditional"]]
    missing = _missing(statement, name, right, lasting)
    shown = _evidence(right) or [{"where": rows[0]["path"], "what": f"{name} is not set"}]
    return Verdict("fail" if missing else "pass", wanted, {scope: missing or _told(right[0])}, shown, missing)


def _missing(statement, name, right, lasting):
    """What is wanting although no value is wrong, an empty text if nothing."""
    if not statement.get("required", True):
        return ""
    if not right:
        return f"{name} is not set"
    if not lasting:
        return f"{name} is set under conditions only"
    for mark in ("readonly", "exported"):
        if statement.get(mark) and not any(row[mark] for row in lasting):
            return f"{name} is not marked {mark}"
    return ""


def _told(row):
    return f"{row['setting']} {row['value'] or row['written']}"


def _evidence(rows):
    return [{"where": row["where"], "what": _told(row)} for row in rows[:20]]

"""Ages of passwords that accounts have: ``{kind: password_age, name: max|min|warn|inactive, value: days}``.

Only accounts with a password that is not locked get them. One that a limit would close at once keeps its own: a person
has to see to its password first.
"""

from __future__ import annotations

import datetime

from ..operations import left, operation, safe_name

KIND = "password_age"
FIELDS = {"max": "max_days", "min": "min_days", "warn": "warn_days", "inactive": "inactive"}
MISSES = {
    "max": lambda has, limit: has is None or has > limit or has < 1,
    "min": lambda has, limit: (has or 0) < limit,
    "warn": lambda has, limit: (has or 0) < limit,
    "inactive": lambda has, limit: has is None or has > limit or has < 0,
}


def operations(settings, facts):
    """Return one ``account`` operation for each account that misses a limit, and what is left to people."""
    changes, found = {}, []
    view = facts.snapshot.table("password_ages")
    for item in settings:
        name, limit = item["setting"]["name"], int(item["setting"]["value"])
        if not facts.known("password_ages"):
            found.append(left(item["controls"], "the ages of passwords could not be read here"))
            continue
        for key, row in sorted(facts.rows("password_ages").items()):
            if row.get("usable") is not True or not MISSES[name](row.get(name), limit):
                continue
            account = row.get("name")
            if not safe_name(account) or key != account:
                found.append(left(item["controls"], "an account has a name or lines that are not plain"))
                continue
            changes.setdefault(account, []).append((FIELDS[name], limit, item["controls"]))
    for account, items in sorted(changes.items()):
        fields = {field: limit for field, limit, _controls in items}
        controls = [one for _field, _limit, some in items for one in some]
        reason = closed(facts.row("password_ages", account), fields, view.observed_at)
        if reason:
            found.append(left(controls, f"{account}: {reason}"))
        else:
            found.append(operation("account", controls, name=account, guarded=True, **fields))
    return found


def closed(row, fields, now):
    """Say why these limits would close the account at once, or "" if they do not. ``now``: RFC 3339."""
    limit = fields.get("max_days", row.get("max"))
    if limit is None or limit >= 99999:
        return ""
    if not row.get("changed"):
        return "it must choose a new password at the next log-in as it is"
    if not now:
        return ""
    changed, moment = (datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) for text in (row["changed"], now))
    age = (moment - changed).days
    return f"its password is {age} days old: change it first" if age >= limit else ""

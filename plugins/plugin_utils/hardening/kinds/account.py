"""Accounts and their homes: ``{kind: account, do: <what>}``; which accounts are concerned is told by the host's tables.

``system_shells``: services get nologin and lose their password. ``lock_shellless``, ``lock_system``, ``lock_root``:
passwords are locked. ``home`` (with ``who``, ``owner``, ``group``, ``mode``, ``dot_owner``, ``dot_group``,
``dot_mode``, ``dot_names``): homes and dot files. ``root_path``: directories in root's PATH. ``empty_group``
(with ``group``): a group without members is made. ``root_group`` is left to people.

The account that connects is never locked and keeps its shell.
"""

from __future__ import annotations

import re

from ..operations import left, operation
from .account_homes import home

KIND = "account"
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}\$?")
KEPT = ("root", "sync", "shutdown", "halt", "nfsnobody")
NOLOGIN = {"debian": "/usr/sbin/nologin", "rhel": "/usr/sbin/nologin", "suse": "/usr/sbin/nologin"}
DIRECTORY = re.compile(r"/(usr|opt|bin|sbin|root|var/lib|snap)(/[A-Za-z0-9_.+-]+){0,6}")


def operations(settings, facts):
    """Return ``account`` and ``attributes`` operations for what is not as it should be."""
    found = []
    for item in settings:
        found += WORK[item["setting"]["do"]](item, facts) if item["setting"].get("do") in WORK else _unknown(item)
    return found


def _unknown(item):
    return [left(item["controls"], f"nobody here knows how to do {item['setting'].get('do')}")]


def _each(item, facts, table, wrong, reason, **fields):
    """An ``account`` operation for each local account whose row is ``wrong``; absence needs the whole table."""
    found = []
    for key, row in sorted(facts.rows(table).items()):
        name = row.get("name")
        if name != key or not isinstance(name, str) or not wrong(name, row):
            continue
        if not NAME.fullmatch(name):
            found.append(left(item["controls"], f"the name of an account in {row.get('where')} is not a plain one"))
        elif name == facts.connection.user:
            found.append(left(item["controls"], f"{name} is the account that connects: {reason}"))
        else:
            found.append(operation("account", item["controls"], name=name, guarded=True, **fields))
    return found


def _system_shells(item, facts):
    shell = NOLOGIN.get(facts.family, "/sbin/nologin")
    found = _each(item, facts, "users", _with_shell, "it keeps its shell", shell=shell)
    for one in found:
        # Without a shell its password is of no use to it any more, but to others.
        if one["op"] == "account" and facts.value("password_ages", one["name"], "locked") is False:
            one["lock"] = True
    return found


def _with_shell(name, row):
    wrong = row.get("login_shell") is True and row.get("regular") is False
    return wrong and row.get("kind") == "local" and name not in KEPT


def _lock(which):
    def work(item, facts):
        users = facts.rows("users")
        return _each(
            item,
            facts,
            "password_ages",
            lambda name, row: row.get("locked") is False and which(name, users.get(name) or {}),
            "its password is not locked",
            lock=True,
        )

    return work


def _shellless(name, user):
    return user.get("kind") == "local" and user.get("login_shell") is False and name != "root"


def _system(name, user):
    return user.get("kind") == "local" and user.get("regular") is False and user.get("uid") != 0


def _root(name, user):
    return name == "root"


def _root_path(item, facts):
    found = []
    for key, row in sorted(facts.rows("root_path").items()):
        path = row.get("path")
        if row.get("form") in ("empty", "relative"):
            found.append(
                left(item["controls"], f"{', '.join(row.get('where') or [])} names no whole path: {key[:100]}")
            )
        elif row.get("exists") is False and row.get("optional") is False:
            found.append(left(item["controls"], f"{', '.join(row.get('where') or [])} names {key[:100]}: not there"))
        elif row.get("exists") is True and row.get("type") == "directory" and isinstance(path, str):
            if row.get("uid") not in (0, None):
                found.append(left(item["controls"], f"{path[:200]} belongs to another account, which may need it"))
            elif row.get("writable") is True and DIRECTORY.fullmatch(path) and "/.." not in path:
                found.append(operation("attributes", item["controls"], path=path.rstrip("/"), clear_mode="0022"))
    return found


def _empty_group(item, facts):
    """Make the group; who is in one that is there already, or has it as the primary one, is for people to say."""
    name = str(item["setting"].get("group") or "")
    if not NAME.fullmatch(name) or len(name) > 32:
        return [left(item["controls"], "nobody names the group: set su_group in ringwall_parameters")]
    if any(row.get("name") == name for row in facts.rows("groups").values()):
        return [left(item["controls"], f"the group {name} has members: whether they may use su is for people to say")]
    return [operation("group", item["controls"], name=name, present=True)]


def _people(reason):
    return lambda item, facts: [left(item["controls"], reason)]


WORK = {
    "system_shells": _system_shells,
    "lock_shellless": _lock(_shellless),
    "lock_system": _lock(_system),
    "lock_root": _lock(_root),
    "home": home,
    "root_path": _root_path,
    "root_group": _people("another primary group changes who may open what: choose it with usermod -g"),
    "empty_group": _empty_group,
}
"""``do`` -> function(item, facts) -> operations."""

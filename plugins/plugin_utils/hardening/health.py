"""Whether a host is well after it was changed: what was newly broken, and the user's own checks."""

from __future__ import annotations

import re

KINDS = ("tcp", "command", "url")
HOST = re.compile(r"[A-Za-z0-9_.:-]{1,253}")


class HealthError(ValueError):
    """``ringwall_health`` is malformed; the message says what was expected."""


def read(checks):
    """Return the user's checks as ``[{kind, ...}]``.

    ``{tcp: 443}`` (or ``{tcp: 443, host: db1}``): a connection from the host succeeds, by default to itself.
    ``{command: [systemctl, is-active, nginx]}``: it ends with 0 on the host. ``{url: https://x, status: 200}``: it
    gets that answer. All take ``timeout`` (seconds, 10). Raise HealthError.
    """
    if not isinstance(checks, list):
        raise HealthError(f"ringwall_health is {checks!r}; expected a list of checks: [{{tcp: 443}}]")
    return [_one(item) for item in checks]


def _one(item):
    kinds = [kind for kind in KINDS if isinstance(item, dict) and kind in item]
    if len(kinds) != 1:
        raise HealthError(f"a check of ringwall_health is {item!r}; expected one of {', '.join(KINDS)} in each")
    kind = kinds[0]
    allowed = {"tcp": {"host"}, "command": set(), "url": {"status"}}[kind] | {kind, "timeout"}
    if set(item) - allowed:
        raise HealthError(f"a {kind} check of ringwall_health has {', '.join(sorted(set(item) - allowed))}")
    found = {"kind": kind, "timeout": _number(item.get("timeout", 10), 1, 600)}
    if kind == "tcp":
        found.update(port=_number(item["tcp"], 1, 65535), host=str(item.get("host", "127.0.0.1")))
        if not HOST.fullmatch(found["host"]):
            raise HealthError(f"the host of a tcp check is {found['host']!r}")
    elif kind == "command":
        command = item["command"]
        if not isinstance(command, list) or not command or not all(isinstance(word, str) for word in command):
            raise HealthError(f"the command of a check is {command!r}; expected a list: [systemctl, is-active, nginx]")
        found["command"] = command
    else:
        found.update(url=str(item["url"]), status=_number(item.get("status", 200), 100, 599))
        if not found["url"].startswith(("http://", "https://")):
            raise HealthError(f"the url of a check is {found['url']!r}; expected http:// or https://")
    return found


def _number(value, least, most):
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = least - 1
    if not least <= number <= most:
        raise HealthError(f"a check of ringwall_health holds {value!r}; expected {least} to {most}")
    return number


def task_of(check):
    """Return ``(module, arguments)`` of Ansible's own modules that carry out one check on the host."""
    if check["kind"] == "tcp":
        return "ansible.builtin.wait_for", {
            "host": check["host"],
            "port": check["port"],
            "timeout": check["timeout"],
            "sleep": 1,
        }
    if check["kind"] == "command":
        program = ["timeout", str(check["timeout"]), *check["command"]]
        return "ansible.builtin.command", {"argv": program}
    return "ansible.builtin.uri", {
        "url": check["url"],
        "status_code": [check["status"]],
        "timeout": check["timeout"],
    }


def words(check):
    """One check for people."""
    if check["kind"] == "tcp":
        return f"port {check['port']} of {check['host']}"
    return " ".join(check["command"]) if check["kind"] == "command" else f"{check['url']} gives {check['status']}"


def newly_failed(before, after):
    """Names of units that failed after the change and not before; arguments are rows of the table ``units``."""
    return sorted(
        name
        for name, row in after.items()
        if row.get("active") == "failed" and before.get(name, {}).get("active") != "failed"
    )

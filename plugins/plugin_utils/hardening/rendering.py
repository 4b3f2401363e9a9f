"""A plan for people: per host, by kind, what changes and for which sections, what is held and why."""

from __future__ import annotations

import json

from ..snapshots.limits import harmless
from . import plan as plans

TITLES = {
    "package": "packages",
    "sysctl": "kernel parameters",
    "kernel_module": "kernel modules",
    "mount": "mounts",
    "service": "services",
    "file": "files",
    "config": "directives",
    "content": "files of our own",
    "line": "lines",
    "sshd": "SSH server",
    "login_defs": "login.defs",
    "pam": "PAM",
    "sudo": "sudo",
    "audit_rule": "audit rules",
    "auditd": "auditd",
    "account": "accounts",
    "password_age": "ages of passwords",
    "dconf": "desktop",
    "shell_profile": "shell profiles",
    "firewall": "firewall",
    "boot": "boot loader",
    "mac": "mandatory access control",
    "crypto_policy": "cryptography",
    "time": "clock",
}


def render(plan):
    """Return the plan as text; every line that holds what a host wrote is made harmless for a terminal."""
    lines = [_headline(plan)]
    packages = plan["packages"]
    if packages["install"] or packages["remove"]:
        lines.append("  packages")
        for sign, verb, names in (("+", "install", packages["install"]), ("-", "remove", packages["remove"])):
            lines += [f"    {sign} {verb} {name}{_for(plan, packages['controls'][name])}" for name in names]
    for kind, indexes in plan["kinds"].items():
        lines.append(f"  {TITLES.get(kind, kind)}")
        for index in indexes:
            lines += _operation(plan, index)
    lines += _listed("held back; ringwall_hardening_release releases by control or hold", _held(plan))
    lines += _listed("left to people", [_reason(plan, item) for item in plan["left"]])
    lines += _listed("exempt", [f"{item['control']}: disposition {item['disposition']}" for item in plan["exempt"]])
    lines += _listed("benchmarks differ", [f"{item['control']}: {item['text']}" for item in plan["conflicts"]])
    lines += _listed("needs a reboot to count", [_reason(plan, item) for item in plan["reboot"]])
    return "\n".join(harmless(line.expandtabs(4)) for line in lines)


def _headline(plan):
    what = "nothing to change" if plans.nothing(plan) else "to keep" if plan["mode"] == "keep" else "to change"
    sections = len({one for about in _planned(plan) for one in about["sections"]})
    count = len(plan["operations"]) + len(plan["packages"]["install"]) + len(plan["packages"]["remove"])
    if plans.nothing(plan):
        text = f"{plan['host']}: {what}"
    else:
        text = f"{plan['host']}: {count} steps {what} for {sections} sections of {', '.join(plan['benchmarks'])}"
    return f"{text}; held {len(plan['held'])}, left {len(plan['left'])}; plan {plan['digest']}"


def _planned(plan):
    names = {name for item in plan["operations"] for name in item["controls"]}
    names |= {name for some in plan["packages"]["controls"].values() for name in some}
    return [plan["controls"][name] for name in names if name in plan["controls"]]


def _for(plan, controls):
    """``  [cis_debian12 1.1.1, 1.1.2]`` of the sections that want it."""
    found = {}
    for name in controls:
        for one in plan["controls"].get(name, {}).get("sections", ()):
            benchmark, section = one.split(" ", 1)
            found.setdefault(benchmark, set()).add(section)
    texts = [f"{benchmark} {', '.join(sorted(sections, key=_natural)[:6])}" for benchmark, sections in found.items()]
    return f"  [{'; '.join(texts)}]" if texts else ""


def _natural(section):
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in section.split(".")]


def _operation(plan, index):
    operation = plan["operations"][index]
    where = _for(plan, operation["controls"])
    changes = plan.get("changes")
    lines = [f"    {_words(operation)}{where}"]
    diff = changes[index].get("diff") if changes else None
    if diff:
        lines += [f"      {line}" for line in diff]
    elif operation["op"] == "edit":
        lines += [f"      {_edit(one)}" for one in operation["edits"]]
    lines += [f"      then {name}" for name in operation["follow"]]
    return lines


def _words(operation):
    op, path = operation["op"], operation.get("path")
    if op in ("write", "edit", "remove"):
        return f"{op} {path}"
    if op == "attributes":
        parts = [f"without mode bits {operation['clear_mode']}" if operation.get("clear_mode") else ""]
        parts += [f"{key} {operation[key]}" for key in ("mode", "owner", "group") if operation.get(key)]
        return f"{path}: {', '.join(part for part in parts if part)}"
    if op == "unit":
        states = {"enabled": ("enable", "disable"), "masked": ("mask", "unmask"), "active": ("start", "stop")}
        verbs = [words[not operation[key]] for key, words in states.items() if operation.get(key) is not None]
        verbs += [operation["action"]] if operation.get("action") else []
        return f"{' and '.join(verbs)} {operation['name']}"
    if op == "sysctl":
        return f"{operation['key']} = {operation['value']} now"
    if op == "unload":
        return f"unload {operation['module']}"
    if op == "remount":
        return f"remount {path} with {','.join(operation['options'])}"
    known = ("op", "name", "controls", "guarded", "follow")
    rest = {key: value for key, value in operation.items() if key not in known}
    return f"{op} {operation.get('name', '')}: " + ", ".join(f"{key} {json.dumps(rest[key])}" for key in sorted(rest))


def _edit(edit):
    if "set" in edit:
        section = f"[{edit['section']}] " if edit.get("section") else ""
        return f"{section}{edit['set']}{edit.get('separator', '=')}{edit['value']}"
    if "line" in edit:
        return f"{'without' if edit.get('state') == 'absent' else 'with'} {edit['line'] or edit.get('replaces')}"
    return ", ".join(f"{key} {json.dumps(value)}" for key, value in edit.items() if key != "controls")


def _held(plan):
    return [
        f"{item['control']}{_for(plan, [item['control']])}: "
        + "; ".join(f"{hold['name']} - {hold['reason']}" for hold in item["holds"])
        for item in plan["held"]
    ]


def _reason(plan, item):
    return f"{', '.join(item['controls'])}{_for(plan, item['controls'])}: {item['reason']}"


def _listed(title, texts):
    return [f"  {title}", *(f"    {text}" for text in dict.fromkeys(texts))] if texts else []

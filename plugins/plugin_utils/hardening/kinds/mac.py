"""Mandatory access control: ``{kind: mac, selinux: enforcing|permissive}``, ``selinux_policy``, ``apparmor: enforce``.

SELinux is configured for the next boot and not switched now: what it would refuse is known only after it was watched,
and a file system without labels must be labelled first.
"""

from __future__ import annotations

from ..operations import change, controls_of, edit, left, operation, reboot, safe_name

KIND = "mac"
CONFIG = "/etc/selinux/config"


def operations(settings, facts):
    """Return the edits of SELinux's configuration, and the links that go so that profiles enforce."""
    found, edits, chosen = [], [], []
    modes = [item for item in settings if "selinux" in item["setting"]]
    stricter = any(item["setting"]["selinux"] == "enforcing" for item in modes)
    off = facts.value("mac", "selinux", "mode") == "disabled"
    for item in modes:
        value = "permissive" if off else "enforcing" if stricter else item["setting"]["selinux"]
        edits.append(change(item["controls"], set="SELINUX", value=value, separator="="))
        chosen.append(item)
    for item in settings:
        if "selinux_policy" in item["setting"]:
            fields = {"set": "SELINUXTYPE", "value": str(item["setting"]["selinux_policy"]), "separator": "="}
            edits.append(change(item["controls"], **fields))
            chosen.append(item)
        if "apparmor" in item["setting"]:
            found += _apparmor(item, facts)
    if edits:
        if not facts.value("mac", "selinux", "installed"):
            found.append(left(controls_of(chosen), "SELinux is not installed"))
        else:
            found.append(edit(CONFIG, _once(edits), controls_of(chosen)))
            if off:
                relabel = operation("write", controls_of(chosen), path="/.autorelabel", text="", mode="0600",
                                    owner="root", group="root")  # fmt: skip
                found.append(relabel)
            reason = "SELinux changes its mode at the next boot"
            if off:
                reason += (
                    "; it starts permissive and labels all files first: look at what it would refuse, then enforce"
                )
            found.append(reboot(controls_of(chosen), reason))
    return found


def _once(edits):
    seen = {}
    for one in edits:
        key = (one["set"], one["value"])
        if key in seen:
            seen[key]["controls"] = sorted({*seen[key]["controls"], *one["controls"]})
        else:
            seen[key] = one
    return list(seen.values())


def _apparmor(item, facts):
    """Links in force-complain go; profiles that say complain themselves are named for a person to look at."""
    names = facts.value("mac", "apparmor", "force_complain", [])
    found = [
        operation("remove", item["controls"], path=f"/etc/apparmor.d/force-complain/{name}",
                  follow=["reload:apparmor.service"])
        for name in names
        if safe_name(name)
    ]  # fmt: skip
    complaining = facts.value("mac", "apparmor", "complaining", [])
    if complaining and not found:
        named = ", ".join(str(name) for name in complaining[:5])
        found.append(left(item["controls"], f"profiles say themselves that they only complain ({named}): look at what "
                          "they log, then run aa-enforce"))  # fmt: skip
    unconfined = facts.value("mac", "apparmor", "unconfined", [])
    if unconfined:
        found.append(left(item["controls"], f"restart what runs without its profile: {', '.join(unconfined[:5])}"))
    return found

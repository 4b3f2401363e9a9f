"""System-wide cryptographic policy: ``{kind: crypto_policy, policy|subpolicy|not}``.

Subpolicies of ours are files below /etc/crypto-policies/policies/modules; the configured policy names them, and
update-crypto-policies makes the back ends. FIPS is never switched on here: it takes the kernel, its start and a reboot.
"""

from __future__ import annotations

import re

from ..operations import CREATED, change, controls_of, edit, left, operation, reboot

KIND = "crypto_policy"
CONFIG = "/etc/crypto-policies/config"
MODULES = "/etc/crypto-policies/policies/modules"
OURS = {
    "RINGWALL-NO-SSH-CBC": "cipher@SSH = -*-CBC\n",
    "RINGWALL-NO-SSH-CHACHA20": "cipher@SSH = -CHACHA20-POLY1305\n",
    "RINGWALL-NO-SSH-ETM": "etm@SSH = DISABLE_ETM\n",
    "RINGWALL-NO-WEAK-MAC": "mac = -*-64 -*-128 -HMAC-MD5\n",
}
"""Subpolicy of ours -> its text (crypto-policies(7))."""

VENDOR = ("NO-SHA1",)
NAME = re.compile(r"[A-Z0-9][A-Z0-9-]{0,63}")


def operations(settings, facts):
    """Return the subpolicies' files and the edit of the configured policy."""
    applied = facts.value("crypto_policy", "host", "configured") or facts.value("crypto_policy", "host", "applied")
    base, *subs = (applied or "DEFAULT").split(":")
    if not all(NAME.fullmatch(part) for part in (base, *subs)):
        return [left(controls_of(settings), "the configured policy has a name that is not understood")]
    found, chosen = [], []
    for item in settings:
        setting = item["setting"]
        if "policy" in setting:
            reason = "FIPS mode takes the kernel and its start as well: switch it on with fips-mode-setup and reboot"
            wanted = setting["policy"] if isinstance(setting["policy"], list) else [setting["policy"]]
            if not any(str(one).split(":", maxsplit=1)[0] == base for one in wanted):
                found.append(left(item["controls"], reason))
            continue
        if "not" in setting:
            base = "DEFAULT" if base == setting["not"] else base
            chosen.append(item)
            continue
        name = str(setting.get("subpolicy"))
        if name not in OURS and name not in VENDOR:
            found.append(left(item["controls"], f"there is no subpolicy {name}"))
            continue
        if name in OURS:
            path = f"{MODULES}/{name}.pmod"
            found.append(operation("write", item["controls"], path=path, text=OURS[name], **CREATED))
        chosen.append(item)
        subs += [] if name in subs else [name]
    if chosen:
        text = ":".join((base, *subs))
        controls = controls_of(chosen)
        edits = [change(controls, line=text, replaces=r"^[A-Z0-9][A-Za-z0-9:_.-]*\s*$", state="present")]
        # The SSH server takes it when it starts anew: now, while the change can still be undone, and not at some boot.
        follow = ["update-crypto-policies", *(["restart:sshd.service"] if facts.active("sshd.service") else [])]
        found.append(edit(CONFIG, edits, controls, create=CREATED, guarded=True, follow=follow))
        found.append(
            reboot(controls, "programs that run keep the algorithms they started with until they are restarted")
        )
    return found

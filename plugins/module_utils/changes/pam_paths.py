"""Whether a PAM stack lets in who gives the right password, and nobody else: a walk as libpam's dispatcher does it.

Source: libpam/pam_dispatch.c. Modules are taken at their word: those that check who somebody is succeed with the right
password and fail with a wrong one; all others succeed.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from ..pam_stacks import KEYWORDS

OTHERWISE = {"pam_deny.so": "auth_err", "pam_warn.so": "ignore", "pam_debug.so": "ignore", "pam_fprintd.so": "auth_err",
             "pam_sss.so": "user_unknown", "pam_winbind.so": "user_unknown", "pam_krb5.so": "user_unknown",
             "pam_ldap.so": "user_unknown", "pam_systemd_home.so": "user_unknown", "pam_pkcs11.so": "auth_err",
             "pam_u2f.so": "auth_err", "pam_usertype.so": "perm_denied", "pam_localuser.so": "success"}  # fmt: skip
"""What modules return for a local account with a password, where that is not success."""


def returned(module, arguments, right):
    """What a module returns for a local account that gives the right password (or a wrong one)."""
    name = module.rsplit("/", 1)[-1]
    if name == "pam_unix.so":
        return "success" if right else "auth_err"
    if name == "pam_faillock.so":
        return "auth_err" if "authfail" in arguments else "success" if "authsucc" in arguments else "ignore"
    if name in ("pam_succeed_if.so", "pam_wheel.so", "pam_rootok.so", "pam_access.so", "pam_time.so"):
        # Conditions on the account: root's own shortcut is not ours, and who is refused by one is refused on purpose.
        return "auth_err" if name == "pam_rootok.so" else "success" if name != "pam_wheel.so" else "ignore"
    return OTHERWISE.get(name, "success")


def outcome(entries, right):
    """True if the stack (entries of pam_stacks.Reader.stack) lets such a user in."""
    impression, status, index = None, None, 0
    while index < len(entries):
        entry = entries[index]
        if entry["control"] == "substack":
            index += 1
            continue
        actions = entry["actions"] or KEYWORDS.get(entry["control"]) or {}
        value = returned(entry["module"], entry["args"], right)
        action = actions.get(value, actions.get("default", "ignore"))
        if isinstance(action, int):
            index = entry["jumps"].get(value, entry["jumps"].get("default", index + 1 + action))
            continue
        if action in ("ok", "done"):
            if impression in (None, True):
                impression, status = True, value
            if action == "done" and impression is True:
                index = _behind(entries, index)
                continue
        elif action in ("bad", "die"):
            if impression is not False:
                impression, status = False, value
            if action == "die":
                index = _behind(entries, index)
                continue
        elif action == "reset":
            impression, status = None, None
        index += 1
    return impression is True and status == "success"


def _behind(entries, index):
    """Where ``done`` and ``die`` go on: behind the substack that the module is in."""
    level = entries[index]["level"]
    if level == 0:
        return len(entries)
    index += 1
    while index < len(entries) and entries[index]["level"] >= level:
        index += 1
    return index

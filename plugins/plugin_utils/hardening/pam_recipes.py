"""How modules come into PAM's stacks on Debian (pam-auth-update), on Red Hat (authselect), and where neither is used.

Debian: lines go into the blocks of common-* as pam-auth-update itself would write them, with profiles of our own in
/usr/share/pam-configs and their lines in the tool's record below /var/lib/pam. A later run of the tool (packages start
it) then finds what it expects, keeps it and counts jumps anew. Lines outside the blocks would not do: it would count
``success=end`` without them, and the jump would land on pam_deny. Arguments changed within a line it keeps by itself.
"""

from __future__ import annotations

from .operations import CREATED, change, edit, operation

CONFIGS = "/usr/share/pam-configs/"
RECORD = "/var/lib/pam/"

PREAUTH = """\
Name: Ringwall: look for locked accounts
Default: yes
Priority: 1024
Auth-Type: Primary
Auth:
\trequisite	pam_faillock.so preauth
Account-Type: Primary
Account:
\trequired	pam_faillock.so
"""
AUTHFAIL = """\
Name: Ringwall: count wrong passwords
Default: yes
Priority: 0
Auth-Type: Primary
Auth:
\t[default=die]	pam_faillock.so authfail
"""
HISTORY = """\
Name: Ringwall: history of passwords
Default: yes
Priority: 512
Password-Type: Primary
Password:
\trequisite	pam_pwhistory.so%s
"""

FEATURES = {"lockout": "with-faillock", "history": "with-pwhistory", "nullok": "without-nullok"}
"""What a profile of authselect calls it."""
AUTHSELECT = "/etc/authselect/authselect.conf"
STACKS = ("/etc/pam.d/system-auth", "/etc/pam.d/password-auth")
"""Shared stacks of Red Hat where authselect does not write them."""


def pam(kind, module, **fields):
    """An edit of lines of one module."""
    return {"pam": {"type": kind, "module": module, **fields}}


def pam_edit(path, edits, controls):
    """An ``edit`` of a file of PAM, checked before it takes effect. Edits may bear controls of their own."""
    edits = [one if "controls" in one else change(controls, **one) for one in edits]
    return edit(path, edits, controls, validate="pam", guarded=True)


def _profile(name, text, controls):
    return operation("write", controls, path=CONFIGS + name, text=text, **CREATED)


def _recorded(kind, name, line, where, controls):
    """Add the line of a profile to the record of pam-auth-update."""
    head = f"Module: {name}"
    edits = [{"line": head, **where}, {"line": line, "after": f"^{head}$"}]
    return edit(RECORD + kind, [change(controls, **one) for one in edits], controls)


def debian_lockout(controls):
    """pam_faillock around the modules of common-auth, and in common-account."""
    before = pam("auth", "pam_faillock.so", control="requisite", add={"preauth": None},
                 arguments_match=r"\bpreauth\b", position="first")  # fmt: skip
    after = pam("auth", "pam_faillock.so", control="[default=die]", add={"authfail": None},
                arguments_match=r"\bauthfail\b", position={"before": "pam_deny.so"})  # fmt: skip
    account = pam("account", "pam_faillock.so", control="required", position="first")
    first, last = {"before": "^Module: "}, {"after": r"=end\b"}
    return [
        _profile("ringwall-faillock-preauth", PREAUTH, controls),
        _profile("ringwall-faillock-authfail", AUTHFAIL, controls),
        _recorded("auth", "ringwall-faillock-preauth", "requisite\tpam_faillock.so preauth", first, controls),
        _recorded("auth", "ringwall-faillock-authfail", "[default=die]\tpam_faillock.so authfail", last, controls),
        _recorded("account", "ringwall-faillock-preauth", "required\tpam_faillock.so", first, controls),
        pam_edit("/etc/pam.d/common-auth", [before, after], controls),
        pam_edit("/etc/pam.d/common-account", [account], controls),
    ]


def debian_quality(controls, installed, called):
    """pam_pwquality first in common-password, which installing its package does; where that was undone, we do it.

    Without the dictionary of cracklib-runtime, which the package only recommends, it refuses every password.
    """
    bearers = sorted(set(controls))
    found = [
        {"op": "package", "name": name, "state": "installed", "controls": bearers}
        for name in (("cracklib-runtime",) if installed else ("cracklib-runtime", "libpam-pwquality"))
    ]
    if not installed:
        return found
    line = pam("password", "pam_pwquality.so", control="requisite", position="first")
    if not called:
        where = {"before": "^Module: "}
        found.append(_recorded("password", "pwquality", "requisite\tpam_pwquality.so", where, controls))
    return [*found, pam_edit("/etc/pam.d/common-password", [line], controls)]


def debian_history(controls, words):
    """pam_pwhistory before pam_unix in common-password. ``words``: arguments of a new line."""
    text = "".join(" " + (name if value is None else f"{name}={value}") for name, value in words.items())
    line = pam("password", "pam_pwhistory.so", control="requisite", add=words, position={"before": "pam_unix.so"})
    where = {"before": "^Module: unix$"}
    return [
        _profile("ringwall-pwhistory", HISTORY % text, controls),
        _recorded("password", "ringwall-pwhistory", f"requisite\tpam_pwhistory.so{text}", where, controls),
        pam_edit("/etc/pam.d/common-password", [line], controls),
    ]


def plain_lockout(controls):
    """pam_faillock in both shared stacks of Red Hat."""
    edits = [
        pam("auth", "pam_faillock.so", control="required", add={"preauth": None, "silent": None},
            arguments_match=r"\bpreauth\b", position="first"),
        pam("auth", "pam_faillock.so", control="required", add={"authfail": None},
            arguments_match=r"\bauthfail\b", position={"before": "pam_deny.so"}),
        pam("account", "pam_faillock.so", control="required", position="first"),
    ]  # fmt: skip
    return [pam_edit(path, edits, controls) for path in STACKS]


def plain_password(module, controls, words):
    """A test or history before pam_unix in both shared stacks of Red Hat."""
    place = "first" if module == "pam_pwquality.so" else {"before": "pam_unix.so"}
    line = pam("password", module, control="requisite", add=words, position=place)
    found = [pam_edit(path, [line], controls) for path in STACKS]
    if module == "pam_pwquality.so":
        found.insert(
            0, {"op": "package", "name": "libpwquality", "state": "installed", "controls": sorted(set(controls))}
        )
    return found


def feature(name, controls):
    """Switch a feature of the profile on; authselect then writes the stacks anew."""
    edits = [change(controls, line=FEATURES[name])]
    return edit(AUTHSELECT, edits, controls, guarded=True, follow=["authselect"])

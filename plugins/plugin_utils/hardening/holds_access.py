"""Holds that keep the way in open: log-in, becoming root, the account that connects."""

from __future__ import annotations

import posixpath
import re

SAFE_SESSIONS = 10  # sshd_config(5): the defaults of MaxSessions and of the start of MaxStartups
DENIES_ROOT = ("no", "forced-commands-only")
HOME_PACKAGES = ("autofs", "nfs-common", "nfs-utils", "rpcbind", "nis", "ypbind", "ypbind-mt", "gssproxy", "sssd",
                 "krb5-workstation", "cifs-utils")  # fmt: skip
HOME_UNITS = ("autofs", "rpcbind", "nfs-client", "rpc-statd", "rpc-gssd", "gssproxy", "ypbind", "nis", "sssd", "nslcd")
NETWORK_TYPES = re.compile(r"nfs4?|cifs|smb3|autofs|afs|ceph|lustre|9p|gfs2?|ocfs2|fuse\..+")
KEYS_ALONE = {"no": ("passwordauthentication", "kbdinteractiveauthentication", "challengeresponseauthentication")}


def _sshd(setting):
    return str(setting.get("name", "")).lower() if setting.get("kind") == "sshd" else ""


def _words(value):
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    return [str(one) for one in value] if isinstance(value, list) else str(value).split()


def _settings(entry, kind):
    return [setting for setting in entry["settings"] if setting.get("kind") == kind]


# Who logs in --------------------------------------------------------------------------------------------


def sshd_access(entry, facts):
    """Allow*, Deny* and PermitRootLogin: safe if the account that connects is let in by what is to be set."""
    connection = facts.connection
    if connection.local:
        return None
    user, settings = connection.user, _settings(entry, "sshd")
    if not settings:
        return "what it sets is not known, and it decides who may log in"
    for setting in settings:
        name, words = _sshd(setting), _words(setting.get("value"))
        if name == "permitrootlogin" and user == "root":
            if words[0] in DENIES_ROOT:
                return "this connection logs in as root"
            if words[0] != "yes" and connection.password:
                return "this connection logs in as root with a password"
        if name in ("allowusers", "denyusers", "allowgroups", "denygroups"):
            reason = _listed(name, words, user, facts)
            if reason:
                return reason
    return None


def _listed(name, words, user, facts):
    if any(set(word) & set("*?!@") for word in words):
        return f"{name} holds patterns: whether {user} fits them is for a person to say"
    if name.endswith("users"):
        inside = user in words
    else:
        groups = facts.value("users", user, "groups")
        primary = facts.value("users", user, "primary_group")
        if groups is None or primary is None:
            return f"the groups of {user} are not known here"
        inside = bool({*groups, primary} & set(words))
    if name.startswith("allow") and not inside:
        return f"{user}, who connects, is not among {name} {' '.join(words)}"
    if name.startswith("deny") and inside:
        return f"{user}, who connects, is among {name} {' '.join(words)}"
    return None


def sshd_sessions(entry, facts):
    """MaxSessions and MaxStartups: safe where they are no lower than sshd's own defaults, which all live with."""
    settings = _settings(entry, "sshd")
    if not settings:
        return "what it sets is not known, and it limits how many may connect"
    for setting in settings:
        name, first = _sshd(setting), str(setting.get("value", "")).split(":", maxsplit=1)[0]
        if name in ("maxsessions", "maxstartups") and not (first.isdigit() and int(first) >= SAFE_SESSIONS):
            return f"{name} {setting.get('value')} is below sshd's own default: many hosts may come through this one"
    return None


def password_only(entry, facts):
    """Keys alone: safe for this connection if it uses one."""
    if facts.connection.local or not facts.connection.password:
        return None
    return f"this connection logs in as {facts.connection.user} with a password: nothing shows that a key would do"


def sftp(entry, facts):
    """The SFTP subsystem: safe if files do not come to the host by it."""
    if facts.connection.local or facts.connection.transfer != "sftp":
        return None
    return "files come to this host by SFTP (ansible_ssh_transfer_method)"


# Becoming root ------------------------------------------------------------------------------------------


def _becomes(facts, *others):
    """How the account that connects becomes root, None when it need not, or does it by one of ``others``.

    Methods that are not known (``sudosu`` is sudo and then su) may be of any kind.
    """
    connection = facts.connection
    if not connection.become or connection.user == "root" or connection.become_method in others:
        return None
    return connection.become_method


def sudo_authentication(entry, facts):
    """A password for sudo: safe if we log in as root, do not use sudo, or have that password."""
    method = _becomes(facts, "su", "doas")
    if not method or facts.connection.become_password:
        return None
    return f"{facts.connection.user} becomes root by {method} without a password"


def sudo_requiretty(entry, facts):
    """A terminal for sudo: there is none on our connections."""
    method = _becomes(facts, "su", "doas")
    return f"{facts.connection.user} becomes root by {method} on a connection without a terminal" if method else None


def pam_wheel(entry, facts):
    """Membership of a group for su: safe unless we become root by su."""
    method = _becomes(facts, "sudo", "doas")
    return f"{facts.connection.user} becomes root by {method}" if method else None


def faillock(entry, facts):
    """A lock after failures: anybody can make them. Safe if no password stands between us and root.

    A key is not asked by the authentication phase of PAM, and sudo without a password does not run it.
    """
    connection = facts.connection
    if connection.local:
        return None
    if connection.password:
        return f"{connection.user} logs in with a password: whoever guesses at it locks this connection out"
    if connection.become and connection.become_password and connection.user != "root":
        return f"{connection.user} becomes root with a password: whoever guesses at it locks this connection out"
    return None


# Time ---------------------------------------------------------------------------------------------------


def password_age(entry, facts):
    """An age for the passwords that there are. A key does not help: PAM refuses an expired account with a key, too.

    Safe if neither the account that connects nor root (where we become root by su, or log in as root) has a usable
    password, for accounts without one get no age.
    """
    connection = facts.connection
    if connection.local and not connection.become:
        return None
    if not facts.known("password_ages"):
        return "whether the account that connects has a password is not known"
    names = {connection.user}
    if _becomes(facts, "sudo", "doas"):
        names.add("root")
    for name in sorted(names):
        row = facts.row("password_ages", name)
        if row is None:
            return f"{name} is no account of this host's own files: when its password ends is not known"
        if facts.value("password_ages", name, "usable") is not False:
            return f"{name} has a password: when it has grown too old, this connection ends, with a key as well"
    return None


def tmout(entry, facts):
    """An end for idle shells: safe, for only interactive shells read it; unless we become root by a log-in shell."""
    if facts.connection.become and facts.connection.become_login:
        return "root's shell is a log-in shell on this connection (ansible_become_flags): it may end while it waits"
    return None


def connection_account(entry, facts):
    """Locks, other shells or other groups for the account that connects."""
    return f"it changes {facts.connection.user}, who connects"


def _touches_us(setting, facts):
    return setting.get("kind") == "account" and setting.get("name") == facts.connection.user


# Files --------------------------------------------------------------------------------------------------


def noexec_remote_tmp(entry, facts):
    """Option noexec where modules are put: safe if that directory lies on another file system."""
    if facts.connection.local:
        return None
    place = remote_tmp(facts)
    if place is None:
        return f"where {facts.connection.remote_tmp} lies on this host is not known"
    for setting in _settings(entry, "mount"):
        if "noexec" in setting["options"] and _lies_on(place, setting["path"], facts):
            return f"modules of this connection are put in {place}, on the file system of {setting['path']}"
    return None


def network_home(entry, facts):
    """What mounts homes and names accounts from elsewhere: safe if the account that connects is local with its home.

    A package goes before the change is guarded, and what is mounted now may be missed at the next boot alone.
    """
    connection = facts.connection
    if connection.local:
        return None
    if facts.value("users", connection.user, "kind") != "local":
        return f"{connection.user}, who connects, is no account of this host's own files"
    home = facts.value("users", connection.user, "home")
    if not isinstance(home, str) or not home.startswith("/") or not facts.known("mounts"):
        return f"where the home of {connection.user}, who connects, lies is not known"
    above = [
        path
        for path in facts.rows("mounts")
        if facts.value("mounts", path, "live") and (home + "/").startswith(path.rstrip("/") + "/")
    ]
    kind = str(facts.value("mounts", max(above, key=len, default=""), "type", ""))
    if NETWORK_TYPES.fullmatch(kind):
        return f"the home of {connection.user}, who connects, lies on {kind}"
    return None


def _serves_homes(setting, facts):
    name = str(setting.get("name", "")).rpartition(".")[0] or str(setting.get("name", ""))
    if setting.get("kind") == "package":
        return setting.get("state") == "absent" and setting.get("name") in HOME_PACKAGES
    off = {"masked", "inactive", "disabled", "off"} & set(setting.get("states") or ())
    return setting.get("kind") == "service" and bool(off) and name in HOME_UNITS


def remote_tmp(facts):
    """Return the absolute path of the connection's remote_tmp, or None if it cannot be told."""
    place = facts.connection.remote_tmp
    if place.startswith("~"):
        name, _slash, rest = place[1:].partition("/")
        home = facts.value("users", name or facts.connection.user, "home")
        if not isinstance(home, str) or not home.startswith("/"):
            return None
        place = posixpath.join(home, rest)
    return posixpath.normpath(place) if place.startswith("/") and "$" not in place else None


def _lies_on(place, mount, facts):
    """True if the deepest mount point above ``place`` is ``mount`` (or what is mounted is not known)."""
    if place != mount and not place.startswith(mount.rstrip("/") + "/"):
        return False
    points = [path for path in facts.rows("mounts") if place == path or place.startswith(path.rstrip("/") + "/")]
    return not points or max(points, key=len) == mount or not facts.known("mounts")


def _denies_root(setting, facts):
    return _sshd(setting) == "permitrootlogin" and facts.connection.user == "root"


RULES = {
    "sshd_access": sshd_access,
    "sshd_sessions": sshd_sessions,
    "password_only": password_only,
    "sftp": sftp,
    "sudo_authentication": sudo_authentication,
    "sudo_requiretty": sudo_requiretty,
    "pam_wheel": pam_wheel,
    "faillock": faillock,
    "password_age": password_age,
    "inactivity": password_age,
    "tmout": tmout,
    "connection_account": connection_account,
    "noexec_remote_tmp": noexec_remote_tmp,
    "network_home": network_home,
}

ALWAYS = (
    (
        "sshd_access",
        lambda setting, facts: (
            _denies_root(setting, facts) or _sshd(setting) in ("allowusers", "allowgroups", "denyusers", "denygroups")
        ),
    ),
    ("sshd_sessions", lambda setting, facts: _sshd(setting) in ("maxsessions", "maxstartups")),
    (
        "password_only",
        lambda setting, facts: (
            (_sshd(setting) in KEYS_ALONE["no"] and _words(setting.get("value"))[0] == "no")
            or _sshd(setting) in ("authenticationmethods", "usepam")
        ),
    ),
    ("sftp", lambda setting, facts: _sshd(setting) == "subsystem"),
    (
        "sudo_authentication",
        lambda setting, facts: setting.get("kind") == "sudo" and ("authenticate" in setting or "nopasswd" in setting),
    ),
    (
        "sudo_requiretty",
        lambda setting, facts: setting.get("kind") == "sudo" and "requiretty" in (setting.get("defaults") or {}),
    ),
    ("password_age", lambda setting, facts: setting.get("kind") == "password_age"),
    ("connection_account", _touches_us),
    ("network_home", _serves_homes),
    ("noexec_remote_tmp", lambda setting, facts: "noexec" in (setting.get("options") or ())),
)

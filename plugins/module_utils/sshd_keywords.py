"""The vocabulary of sshd_config(5): keywords, spellings, and defaults that the manual page has long promised."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import re

from .redact import MARK, redact

ALIASES = {
    "challengeresponseauthentication": "kbdinteractiveauthentication",
    "skeyauthentication": "kbdinteractiveauthentication",
    "keepalive": "tcpkeepalive",
    "pubkeyacceptedkeytypes": "pubkeyacceptedalgorithms",
    "hostbasedacceptedkeytypes": "hostbasedacceptedalgorithms",
    "hostdsakey": "hostkey",
    "authorizedkeysfile2": "authorizedkeysfile",
    "gssapicleanupcreds": "gssapicleanupcredentials",
    "gssusesessionccache": "gssapicleanupcredentials",
    "dsaauthentication": "pubkeyauthentication",
}
"""Old spellings that sshd takes for today's keywords."""

KEYWORDS = frozenset((
    "acceptenv", "addressfamily", "allowagentforwarding", "allowgroups", "allowstreamlocalforwarding",
    "allowtcpforwarding", "allowusers", "authenticationmethods", "authorizedkeyscommand",
    "authorizedkeyscommanduser", "authorizedkeysfile", "authorizedprincipalscommand",
    "authorizedprincipalscommanduser", "authorizedprincipalsfile", "banner", "canonicaldomains",
    "casignaturealgorithms", "channeltimeout", "chrootdirectory", "ciphers", "clientalivecountmax",
    "clientaliveinterval", "compression", "debianbanner", "denygroups", "denyusers", "disableforwarding",
    "exposeauthinfo", "fingerprinthash", "forcecommand", "gatewayports", "gssapiauthentication",
    "gssapicleanupcredentials", "gssapidelegatecredentials", "gssapienablek5users", "gssapikexalgorithms",
    "gssapikeyexchange", "gssapistorecredentialsonrekey", "gssapistrictacceptorcheck",
    "hostbasedacceptedalgorithms", "hostbasedauthentication", "hostbasedusesnamefrompacketonly", "hostcertificate",
    "hostkey", "hostkeyagent", "hostkeyalgorithms", "ignorerhosts", "ignoreuserknownhosts", "ipqos",
    "kbdinteractiveauthentication", "kerberosauthentication", "kerberosgetafstoken", "kerberosorlocalpasswd",
    "kerberosticketcleanup", "kerberosuniqueccache", "kexalgorithms", "listenaddress", "logingracetime", "loglevel",
    "logverbose", "macs", "maxauthtries", "maxsessions", "maxstartups", "modulifile", "passwordauthentication",
    "permitemptypasswords", "permitlisten", "permitopen", "permitrootlogin", "permittty", "permittunnel",
    "permituserenvironment", "permituserrc", "persourcemaxstartups", "persourcenetblocksize", "persourcepenalties",
    "persourcepenaltyexemptlist", "pidfile", "port", "printlastlog", "printmotd", "protocol",
    "pubkeyacceptedalgorithms", "pubkeyauthentication", "pubkeyauthoptions", "rdomain", "refuseconnection",
    "rekeylimit", "requiredrsasize", "revokedkeys", "rsaauthentication", "rhostsrsaauthentication",
    "securitykeyprovider", "setenv", "showpatchlevel", "sshdsessionpath", "sshdauthpath", "streamlocalbindmask",
    "streamlocalbindunlink", "strictmodes", "subsystem", "syslogfacility", "tcpkeepalive", "trustedusercakeys",
    "unusedconnectiontimeout", "usedns", "usepam", "useprivilegeseparation", "versionaddendum", "x11displayoffset",
    "x11forwarding", "x11maxdisplays", "x11uselocalhost", "xauthlocation",
))  # fmt: skip

LISTS = frozenset((
    "port", "listenaddress", "hostkey", "hostcertificate", "acceptenv", "allowusers", "denyusers", "allowgroups",
    "denygroups", "subsystem", "setenv",
))  # fmt: skip
"""Keywords whose values are lists: several lines of them add up (of SetEnv, the first line counts)."""

COMMANDS = frozenset((
    "forcecommand", "authorizedkeyscommand", "authorizedprincipalscommand", "subsystem", "versionaddendum",
))  # fmt: skip
SECONDS = frozenset(("logingracetime", "clientaliveinterval"))
UPPER = frozenset(("loglevel", "syslogfacility"))
ALGORITHMS = frozenset((
    "ciphers", "macs", "kexalgorithms", "hostkeyalgorithms", "pubkeyacceptedalgorithms",
    "hostbasedacceptedalgorithms", "casignaturealgorithms", "gssapikexalgorithms",
))  # fmt: skip

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_TIME = re.compile(r"(\d{1,9})([smhdwSMHDW]?)")

DEFAULTS = {
    "addressfamily": "any", "allowagentforwarding": "yes", "allowstreamlocalforwarding": "yes",
    "authenticationmethods": "any",
    "allowtcpforwarding": "yes", "banner": "none", "chrootdirectory": "none", "clientalivecountmax": "3",
    "clientaliveinterval": "0", "disableforwarding": "no", "exposeauthinfo": "no", "fingerprinthash": "SHA256",
    "forcecommand": "none", "gatewayports": "no", "gssapiauthentication": "no", "hostbasedauthentication": "no",
    "hostbasedusesnamefrompacketonly": "no", "ignorerhosts": "yes", "ignoreuserknownhosts": "no",
    "kbdinteractiveauthentication": "yes", "kerberosauthentication": "no", "logingracetime": "120",
    "loglevel": "INFO", "maxauthtries": "6", "maxsessions": "10", "maxstartups": "10:30:100",
    "passwordauthentication": "yes", "permitemptypasswords": "no", "permitrootlogin": "prohibit-password",
    "permittty": "yes", "permittunnel": "no", "permituserenvironment": "no", "port": ["22"], "printlastlog": "yes",
    "pubkeyauthentication": "yes", "strictmodes": "yes", "syslogfacility": "AUTH", "tcpkeepalive": "yes",
    "usepam": "no", "x11forwarding": "no", "x11uselocalhost": "yes",
}  # fmt: skip
"""Defaults of sshd_config(5) that are the same in every release from 8.0 to 10.0 and in Debian's, Red Hat's and
SUSE's builds. Algorithm lists differ from release to release and are not here."""

DEFAULTS_OF = "OpenSSH 8.0 to 10.0"


def seconds(value):
    """Return a time of sshd_config(5) (``1m30s``) in seconds as text; other text unchanged."""
    parts = _TIME.findall(value)
    if not parts or "".join(number + unit for number, unit in parts) != value:
        return value
    return str(sum(int(number) * _UNITS[unit.lower()] for number, unit in parts))


def canonical_value(keyword, value):
    """Return a value in one spelling: seconds, ``prohibit-password``, upper-case log levels, yes and no."""
    if keyword in SECONDS:
        return "0" if value.lower() == "none" else seconds(value)
    if keyword in UPPER:
        return value.upper()
    lower = value.lower()
    if keyword == "permitrootlogin" and lower == "without-password":
        return "prohibit-password"
    if lower in ("yes", "no", "none", "true", "false"):
        return {"true": "yes", "false": "no"}.get(lower, lower)
    return value


def presentable(keyword, value):
    """Return a value as it may leave the target: commands redacted, the values of SetEnv gone, length capped."""
    if isinstance(value, list):
        return [presentable(keyword, item) for item in value[:100]]
    if keyword == "setenv":
        return " ".join(part.partition("=")[0] + "=" + MARK for part in value.split() if "=" in part)[:256]
    if keyword in COMMANDS:
        value = redact(value)
    return value[:1024]

"""What the TLS settings of services mean: who serves TLS at all, which old protocols and broken ciphers are named."""

from __future__ import annotations

import re

OLD = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1")
"""Protocols that RFC 6176, RFC 7568 and RFC 8996 forbid."""

ALL = (*OLD, "TLSv1.2", "TLSv1.3")
BY_LEVEL = ("TLSv1", "TLSv1.1")
"""OpenSSL 3 speaks these at security level 0 only (ssl_security_default_callback of ssl/ssl_cert.c)."""

ON = ("on", "yes", "true", "1", "enable", "enabled", "optional", "required")
PROCESSES = {
    "nginx": ("nginx",),
    "apache": ("apache2", "httpd"),
    "haproxy": ("haproxy",),
    "postfix": ("master",),
    "dovecot": ("dovecot",),
    "postgresql": ("postgres", "postmaster"),
    "mysql": ("mysqld", "mariadbd"),
    "vsftpd": ("vsftpd",),
    "lighttpd": ("lighttpd",),
    "redis": ("redis-server", "valkey-server"),
    "slapd": ("slapd",),
}
"""Service of the table tls_services -> names of its processes."""

_BROKEN = re.compile(r"(?:^|[-_])(?:RC4|RC2|3?DES|DES(?:40|64)?|CBC3|NULL|EXP(?:ORT)?\d*|MD5|IDEA)(?=$|[-_@])|^e?NULL$"
                     r"|^aNULL$|^A(?:EC)?DH(?=$|-)|^LOW$|^EXP(?:ORT)?$|^COMPLEMENTOFALL$", re.IGNORECASE)  # fmt: skip
_DIRECTIVES = {
    "nginx": "ssl_protocols",
    "apache": "sslprotocol",
    "dovecot": "ssl_protocols",
    "mysql": "tls_version",
    "redis": "tls-protocols",
    "postfix": "smtpd_tls_mandatory_protocols",
}
"""Service -> directive (small letters, mysql with _) whose value lists protocols."""

_LEAST = {"dovecot": "ssl_min_protocol", "postgresql": "ssl_min_protocol_version", "slapd": "olctlsprotocolmin"}
_SLAPD = {"2.0": "SSLv2", "3.0": "SSLv3", "3.1": "TLSv1", "3.2": "TLSv1.1"}
_HAPROXY = re.compile(r"(?:ssl-min-ver (SSLv3|TLSv1\.[01])|force-(sslv3|tlsv1[01]))(?!\S)", re.IGNORECASE)
_LIGHTTPD = re.compile(r"MinProtocol\"?\s*=>\s*\"(\S+?)\"")


def _setting(rows, *names):
    return [row for row in rows if row["kind"] == "setting" and row["directive"].lower().replace("-", "_") in names]


def _is_on(rows, *names):
    found = _setting(rows, *names)
    return bool(found) and found[-1]["value"].strip().lower() in ON


def serves(service, rows):
    """True if the configuration makes the service speak TLS. ``rows``: its rows of the table tls_services."""
    certificates = any(row["kind"] == "certificate" for row in rows)
    if service == "nginx":
        return bool(_setting(rows, "listen")) or _is_on(rows, "ssl")
    if service == "haproxy":
        return bool(_setting(rows, "bind"))
    if service == "apache":
        return any(row["value"].lower().split()[0:1] in (["on"], ["optional"]) for row in _setting(rows, "sslengine"))
    if service == "postfix":
        level = [row["value"].lower() for row in _setting(rows, "smtpd_tls_security_level")]
        return level[-1] != "none" if level and level[-1] else _is_on(rows, "smtpd_use_tls")
    if service == "dovecot":
        said = _setting(rows, "ssl")
        return certificates and not (said and said[-1]["value"].lower() == "no")
    if service == "postgresql":
        return _is_on(rows, "ssl")
    if service == "vsftpd":
        return _is_on(rows, "ssl_enable")
    if service == "lighttpd":
        return any(row["value"].lower() in ON for row in _setting(rows, "ssl.engine"))
    if service == "redis":
        return any(row["value"] not in ("0", "") for row in _setting(rows, "tls_port"))
    return service in PROCESSES and certificates


def in_force(service, rows):
    """Leave out what another line replaces: settings of nginx outside the servers when each TLS server has its own."""
    if service != "nginx":
        return rows
    servers = {row["context"] for row in _setting(rows, "listen")}
    kept = []
    for row in rows:
        own = {other["context"] for other in rows if other["directive"] == row["directive"]}
        needed = not (row["context"] or "").startswith("server") and servers - own
        if row["kind"] != "setting" or not servers or row["context"] in servers or needed:
            kept.append(row)
    return kept


def _listed(service, value):
    """Return the protocols that a list of them leaves on, in the notation of that service."""
    words = [word for word in re.split(r"[\s,:]+", value.replace(">=", " >= ")) if word]
    known = {name.lower(): name for name in ALL} | {"tlsv1.0": "TLSv1"}
    if service == "postfix" and ">=" in words:
        least = known.get(words[words.index(">=") + 1].lower()) if words[-1] != ">=" else None
        return set(ALL[ALL.index(least) :]) if least else set()
    signed = service == "apache"
    found = set(ALL) - {"SSLv2"} if any(word[0] == "!" for word in words) else set()
    if signed:
        found = set()
    for word in words:
        name = known.get(word.lstrip("+-!").lower())
        group = set(ALL) - {"SSLv2", "SSLv3"} if word.lstrip("+-").lower() == "all" else {name} if name else set()
        if word[0] in "-!":
            found -= group
        elif signed and word[0] != "+":
            found = group  # mod_ssl: a name without sign starts anew
        else:
            found |= group
    return found


def old_protocols(service, row):
    """Return the sorted names of OLD that one setting leaves on; empty for a setting of something else."""
    directive, value = row["directive"].lower(), row["value"].strip()
    compared = directive.replace("-", "_") if service == "mysql" else directive
    found = set()
    if _DIRECTIVES.get(service) == compared:
        found = _listed(service, value)
    elif _LEAST.get(service) == compared:
        least = _SLAPD.get(value, "TLSv1" if value == "TLSv1.0" else value)
        found = set(ALL[ALL.index(least) :]) if least in OLD else set(OLD) if value == "ANY" else set()
    elif service == "haproxy":
        for match in _HAPROXY.finditer(value):
            said = (match.group(1) or match.group(2)).lower()
            found.add({"sslv3": "SSLv3", "tlsv1.0": "TLSv1", "tlsv10": "TLSv1"}.get(said, "TLSv1.1"))
    elif directive in ("ssl_sslv2", "ssl_sslv3", "ssl.use-sslv2", "ssl.use-sslv3") and value.lower() in ON:
        found = {"SSLv2" if directive.endswith("2") else "SSLv3"}
    elif service == "lighttpd" and _LIGHTTPD.search(value):
        least = _LIGHTTPD.search(value).group(1)
        found = set(ALL[ALL.index(least) :]) if least in OLD else set()
    return sorted(found & set(OLD))


def broken_ciphers(row):
    """Return what a cipher list names and should not: broken ciphers, none at all, security level 0."""
    directive, value = row["directive"].lower(), row["value"]
    if directive == "bind":  # haproxy
        value = " ".join(re.findall(r"(?<!\S)ciphers (\S+)", value))
    elif "cipher" not in directive or "exclude" in directive or "prefer" in directive:
        return []
    found = []
    for word in re.split(r"[\s,:]+", value):
        plain, _sign, level = word.partition("@")
        if level.upper() == "SECLEVEL=0":
            found.append("security level 0")
        if plain and plain[0] not in "!-" and any(_BROKEN.search(part) for part in plain.lstrip("+").split("+")):
            found.append(plain)
    return found

"""TLS settings in configuration of the form ``name = value``: mail, databases, FTP, LDAP, and the system's defaults."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import re
from collections import namedtuple

from .tls_web import Setting

Family = namedtuple("Family", "service paths separator settings certificates keys folded")
"""How one service writes its settings: glob patterns of its files, the sign between name and value (a regular
expression), names by role, and whether a line that begins with a blank goes on the one before (postfix)."""

EQUALS = r"\s*=\s*"
FAMILIES = (
    Family(
        "postfix",
        ("/etc/postfix/main.cf",),
        EQUALS,
        (
            "smtpd_tls_security_level",
            "smtpd_use_tls",
            "smtpd_enforce_tls",
            "smtpd_tls_auth_only",
            "smtpd_tls_protocols",
            "smtpd_tls_mandatory_protocols",
            "smtpd_tls_ciphers",
            "smtpd_tls_mandatory_ciphers",
            "smtpd_tls_exclude_ciphers",
            "smtp_tls_security_level",
            "smtp_tls_protocols",
            "smtp_tls_mandatory_protocols",
            "tls_high_cipherlist",
            "tls_medium_cipherlist",
            "tls_preempt_cipherlist",
        ),
        ("smtpd_tls_cert_file", "smtpd_tls_chain_files"),
        ("smtpd_tls_key_file",),
        True,
    ),
    Family(
        "dovecot",
        ("/etc/dovecot/dovecot.conf", "/etc/dovecot/conf.d/*.conf", "/etc/dovecot/local.conf"),
        EQUALS,
        (
            "ssl",
            "ssl_min_protocol",
            "ssl_protocols",
            "ssl_cipher_list",
            "ssl_cipher_suites",
            "ssl_prefer_server_ciphers",
            "ssl_server_prefer_ciphers",
            "disable_plaintext_auth",
            "auth_allow_cleartext",
        ),
        ("ssl_cert", "ssl_server_cert_file"),
        ("ssl_key", "ssl_server_key_file"),
        False,
    ),
    Family(
        "postgresql",
        (
            "/etc/postgresql/*/*/postgresql.conf",
            "/etc/postgresql/*/*/conf.d/*.conf",
            "/var/lib/pgsql/data/postgresql.conf",
            "/var/lib/pgsql/*/data/postgresql.conf",
        ),
        r"\s*=\s*|\s+",
        (
            "ssl",
            "ssl_min_protocol_version",
            "ssl_max_protocol_version",
            "ssl_ciphers",
            "ssl_prefer_server_ciphers",
            "password_encryption",
        ),
        ("ssl_cert_file",),
        ("ssl_key_file",),
        False,
    ),
    Family(
        "mysql",
        (
            "/etc/my.cnf",
            "/etc/my.cnf.d/*.cnf",
            "/etc/mysql/my.cnf",
            "/etc/mysql/conf.d/*.cnf",
            "/etc/mysql/mariadb.conf.d/*.cnf",
            "/etc/mysql/mysql.conf.d/*.cnf",
        ),
        EQUALS,
        ("tls_version", "ssl_cipher", "tls_ciphersuites", "require_secure_transport"),
        ("ssl_cert",),
        ("ssl_key",),
        False,
    ),
    Family(
        "vsftpd",
        ("/etc/vsftpd.conf", "/etc/vsftpd/vsftpd.conf"),
        "=",
        (
            "ssl_enable",
            "ssl_tlsv1",
            "ssl_tlsv1_1",
            "ssl_sslv2",
            "ssl_sslv3",
            "ssl_ciphers",
            "force_local_logins_ssl",
            "force_local_data_ssl",
        ),
        ("rsa_cert_file",),
        ("rsa_private_key_file",),
        False,
    ),
    Family(
        "lighttpd",
        ("/etc/lighttpd/lighttpd.conf", "/etc/lighttpd/conf-enabled/*.conf", "/etc/lighttpd/conf.d/*.conf"),
        r"\s*\+?:?=\s*",
        ("ssl.engine", "ssl.cipher-list", "ssl.openssl.ssl-conf-cmd", "ssl.use-sslv2", "ssl.use-sslv3"),
        ("ssl.pemfile",),
        ("ssl.privkey",),
        False,
    ),
    Family(
        "redis",
        ("/etc/redis/redis.conf", "/etc/redis.conf", "/etc/valkey/valkey.conf"),
        r"\s+",
        (
            "tls-port",
            "tls-protocols",
            "tls-ciphers",
            "tls-ciphersuites",
            "tls-prefer-server-ciphers",
            "tls-auth-clients",
        ),
        ("tls-cert-file",),
        ("tls-key-file",),
        False,
    ),
    Family(
        "slapd",
        ("/etc/ldap/slapd.d/cn=config.ldif", "/etc/openldap/slapd.d/cn=config.ldif"),
        r":\s*",
        ("olctlsprotocolmin", "olctlsciphersuite"),
        ("olctlscertificatefile",),
        ("olctlscertificatekeyfile",),
        False,
    ),
    Family(
        "openssl",
        ("/etc/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf", "/etc/crypto-policies/back-ends/opensslcnf.config"),
        EQUALS,
        ("minprotocol", "maxprotocol", "tls.minprotocol", "tls.maxprotocol", "cipherstring", "ciphersuites", "options"),
        (),
        (),
        False,
    ),
)

_COMMENT = re.compile(r"(?<=\s)[#;].*$")
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|\((\w+)\)|(\w+))")


def logical(lines, folded):
    """Yield (line number, text) of lines without comments; ``folded`` joins those that begin with a blank."""
    pending, start = "", 0
    for number, line in enumerate(lines, 1):
        stripped = line.strip()
        if not stripped or stripped[0] in "#;":
            continue
        if folded and line[0] in " \t" and pending:
            pending += " " + stripped
            continue
        if pending:
            yield start, pending
        pending, start = stripped, number
    if pending:
        yield start, pending


def parse_family(family, lines, path):
    """Yield the settings of one file of a service. ``$name`` of the same file is replaced (postfix)."""
    separator = re.compile(family.separator)
    known = {}
    section = ""
    for number, line in logical(lines, family.folded):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].strip()
            continue
        parts = separator.split(line, maxsplit=1)
        if len(parts) != 2:
            continue
        name, value = parts[0].strip(), _COMMENT.sub("", parts[1]).strip().strip("\"'")
        lowered = name.lower().replace("-", "_") if family.service == "mysql" else name.lower()
        if family.folded:
            value = _VARIABLE.sub(lambda match: known.get(next(filter(None, match.groups())), match.group(0)), value)
            known[name] = value
        role = None
        if lowered in family.settings:
            role = "setting"
        elif lowered in family.certificates:
            role = "certificate"
        elif lowered in family.keys:
            role = "key"
        if role:
            # Dovecot marks a value that is read from a file by "<".
            yield Setting(name, value.lstrip("<").strip() if role != "setting" else value, path, number, section, role)

"""TLS as services are configured: protocols, ciphers, certificates and the protection of their keys."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os
import stat

from .. import tls_plain, tls_web, x509
from ..spec import Absent, Column, Result, Table, Unreadable, unreadable
from ..text import rfc3339, text

TABLE = Table(
    name="tls_services",
    description=(
        "TLS settings in the configuration files of nginx, Apache, HAProxy, postfix, dovecot, PostgreSQL, MySQL and"
        " MariaDB, vsftpd, lighttpd, Redis, slapd and OpenSSL's defaults, with the certificates and key files they"
        " name. Keys are never opened. What a service does without a setting is its built-in default"
        " and not in this table."
    ),
    key=(
        "`<service> <file> <directive> <n>`, n counting the directive in that file; files as"
        " `<service> certificate|key <path>`"
    ),
    columns=(
        Column("service", "text", "name of the service; openssl and crypto-policies for the system's defaults"),
        Column("kind", "text", "setting, certificate or key"),
        Column("directive", "text", "name of the directive as written"),
        Column("value", "text", "value of a setting; path of a certificate or key; at most 2,000 characters"),
        Column("where", "text", "path:line"),
        Column("context", "text", "server, virtual host, frontend or section it stands in"),
        Column("path", "text", "file of a certificate or key; null for settings"),
        Column("not_before", "time", "start of the certificate's validity"),
        Column("not_after", "time", "end of the certificate's validity"),
        Column("subject", "text", "common name of the subject"),
        Column("issuer", "text", "common name of the issuer"),
        Column("self_issued", "bool", "subject and issuer are the same"),
        Column("names", "list", "DNS names of the certificate; at most 16"),
        Column("key_type", "text", "rsa, ec, ed25519, ed448, dsa, other"),
        Column("bits", "int", "size of an RSA modulus or of the field of an EC curve"),
        Column("signature", "text", "signature algorithm, such as sha256-rsa, sha1-rsa, md5-rsa"),
        Column("mode", "text", "permissions of the file, octal"),
        Column("uid", "int", "owner of the file"),
        Column("gid", "int", "group of the file"),
    ),
    max_rows=5000,
)

MAIN_FILES = (
    ("nginx", "/etc/nginx/nginx.conf"),
    ("apache", "/etc/apache2/apache2.conf"),
    ("apache", "/etc/httpd/conf/httpd.conf"),
    ("haproxy", "/etc/haproxy/haproxy.cfg"),
)
POLICY = "/etc/crypto-policies/state/current"
FILE_LIMIT = 2 << 20
MAX_SETTINGS = 3000
MAX_BUNDLE = 100
FACTS = ("not_before", "not_after", "subject", "issuer", "self_issued", "names", "key", "bits", "signature")


class _Reader:
    """Reads configuration for the parsers and remembers what it could not read."""

    def __init__(self, host):
        self.host = host
        self.gaps = []

    def has(self, path):
        """True if a file is there; what cannot be told is a gap."""
        try:
            return self.host.exists(path)
        except Unreadable as error:
            self.gaps.append(error.why)
            return False

    def lines(self, path):
        """Lines of a file, None when it is absent or could not be read."""
        try:
            return self.host.lines(path, FILE_LIMIT)
        except Absent:
            return None
        except Unreadable as error:
            self.gaps.append(error.why)
            return None

    def expand(self, pattern):
        """Paths that match a glob; of a directory the files in it."""
        try:
            found = []
            for path in self.host.glob(pattern)[: tls_web.MAX_FILES]:
                if self.host.is_dir(path):
                    found.extend("%s/%s" % (path, name) for name in self.host.listdir(path))
                else:
                    found.append(path)
            return found
        except (Absent, Unreadable) as error:
            self.gaps.append(getattr(error, "why", str(error)))
            return []


def _settings(reader):
    """Yield (service, Setting) of every service whose configuration is there."""
    for service, path in MAIN_FILES:
        if not reader.has(path):
            continue
        if service == "nginx":
            found = tls_web.parse_nginx(reader.lines, reader.expand, path)
        elif service == "apache":
            root = "/etc/apache2" if path.startswith("/etc/apache2") else "/etc/httpd"
            found = tls_web.parse_apache(reader.lines, reader.expand, path, root)
        else:
            found = tls_web.parse_haproxy(reader.lines(path) or (), path)
        for setting in found:
            yield service, setting
    for family in tls_plain.FAMILIES:
        for pattern in family.paths:
            paths = reader.expand(pattern) if "*" in pattern else [pattern]
            for path in paths:
                lines = reader.lines(path)
                if lines is not None:
                    for setting in tls_plain.parse_family(family, lines, path):
                        yield family.service, setting
    policy = reader.lines(POLICY)
    if policy:
        yield "crypto-policies", tls_web.Setting("policy", policy[0].strip(), POLICY, 1, "", "setting")


def _row(service, kind, setting):
    row = dict.fromkeys(column.name for column in TABLE.columns)
    row.update(
        service=service,
        kind=kind,
        directive=setting.directive[:128],
        value=setting.value[:2000],
        where="%s:%d" % (text(os.fsencode(setting.path)), setting.line),
        context=setting.context[:256] or None,
    )
    return row


def _add_certificate(host, row, path):
    try:
        facts = x509.first_certificate(host.read(host_path(host, path), FILE_LIMIT))
    except Absent:
        row["not_after"] = unreadable("invalid", "%s: not there" % path)
        return
    except Unreadable as error:
        row["not_after"] = error.cell()
        return
    except x509.Malformed:
        row["not_after"] = unreadable("invalid", "%s: no certificate that could be read" % path)
        return
    for name in FACTS:
        row["key_type" if name == "key" else name] = facts[name]
    row["not_before"], row["not_after"] = rfc3339(facts["not_before"]), rfc3339(facts["not_after"])


def _add_mode(host, row, path):
    try:
        info = host.stat(host_path(host, path))
    except Absent:
        row["mode"] = unreadable("invalid", "%s: not there" % path)
    except Unreadable as error:
        row["mode"] = error.cell()
    else:
        row["mode"], row["uid"], row["gid"] = "%04o" % stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid


def host_path(host, path):
    """The path as the system has it, of a path in text form."""
    return os.fsdecode(host.raw(path))


def _files(reader, service, setting):
    """Yield (key, row) of the files that a certificate, key or bundle setting names."""
    host = reader.host
    paths = [part for part in setting.value.replace(",", " ").split() if part.startswith("/") and "$" not in part]
    if setting.role == "bundle":
        paths = [text(os.fsencode(found)) for path in paths for found in reader.expand(host_path(host, path))][
            :MAX_BUNDLE
        ]
    for path in paths:
        for kind in ("certificate", "key") if setting.role == "bundle" else (setting.role,):
            row = _row(service, kind, setting)
            row["path"] = path[:1024]
            _add_mode(host, row, path)
            if kind == "certificate":
                _add_certificate(host, row, path)
            yield "%s %s %s" % (service, kind, path[:1024]), row


def collect(host, options):
    """Return one row a setting, certificate and key file; partial when a file of a service could not be read."""
    reader = _Reader(host)
    rows, counts = {}, {}
    for number, (service, setting) in enumerate(_settings(reader)):
        if number >= MAX_SETTINGS:
            reader.gaps.append("more than %d TLS settings" % MAX_SETTINGS)
            break
        if setting.role == "setting":
            key = "%s %s %s" % (service, text(os.fsencode(setting.path)), setting.directive)
            counts[key] = counts.get(key, 0) + 1
            rows["%s %d" % (key, counts[key])] = _row(service, "setting", setting)
        else:
            for key, row in _files(reader, service, setting):
                rows.setdefault(key, row)
    if reader.gaps:
        return Result(rows, "partial", "; ".join(dict.fromkeys(reader.gaps))[:500])
    return Result(rows)

"""TLS settings as nginx, Apache, HAProxy, Postfix, Dovecot, databases and others write them; meanings decided by hand."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.tls_facts import (
    PROCESSES,
    broken_ciphers,
    in_force,
    old_protocols,
    serves,
)
from hypothesis import given
from hypothesis import strategies as st


def row(directive, value, context="server", kind="setting"):
    return {"directive": directive, "value": value, "context": context, "kind": kind}


CERTIFICATE = row("cert", "/etc/ssl/a.pem", kind="certificate")


@pytest.mark.parametrize(
    ("service", "directive", "value", "old"),
    [
        ("nginx", "ssl_protocols", "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3", ["TLSv1", "TLSv1.1"]),
        ("nginx", "ssl_protocols", "TLSv1.2 TLSv1.3", []),
        ("nginx", "ssl_ciphers", "TLSv1", []),
        ("apache", "SSLProtocol", "all -SSLv3", ["TLSv1", "TLSv1.1"]),
        ("apache", "SSLProtocol", "all -SSLv3 -TLSv1 -TLSv1.1", []),
        ("apache", "SSLProtocol", "-all +TLSv1.2", []),
        ("apache", "SSLProtocol", "TLSv1.2", []),
        ("apache", "SSLProtocol", "+TLSv1 +TLSv1.2", ["TLSv1"]),
        ("haproxy", "ssl-default-bind-options", "ssl-min-ver TLSv1.0 no-tls-tickets", ["TLSv1"]),
        ("haproxy", "ssl-default-bind-options", "no-sslv3 no-tlsv10 no-tlsv11", []),
        ("haproxy", "bind", ":443 ssl crt /a.pem force-tlsv11", ["TLSv1.1"]),
        ("haproxy", "bind", ":443 ssl crt /a.pem ssl-min-ver TLSv1.2", []),
        ("postfix", "smtpd_tls_mandatory_protocols", "!SSLv2, !SSLv3", ["TLSv1", "TLSv1.1"]),
        ("postfix", "smtpd_tls_mandatory_protocols", ">=TLSv1.2", []),
        ("postfix", "smtpd_tls_mandatory_protocols", ">=TLSv1", ["TLSv1", "TLSv1.1"]),
        ("postfix", "smtpd_tls_mandatory_protocols", "!SSLv2, !SSLv3, !TLSv1, !TLSv1.1", []),
        ("postfix", "smtpd_tls_protocols", "!SSLv2", []),  # opportunistic: better an old one than none
        ("dovecot", "ssl_min_protocol", "TLSv1.1", ["TLSv1.1"]),
        ("dovecot", "ssl_min_protocol", "TLSv1.2", []),
        ("dovecot", "ssl_min_protocol", "ANY", ["SSLv2", "SSLv3", "TLSv1", "TLSv1.1"]),
        ("dovecot", "ssl_protocols", "!SSLv3", ["TLSv1", "TLSv1.1"]),
        ("postgresql", "ssl_min_protocol_version", "TLSv1", ["TLSv1", "TLSv1.1"]),
        ("postgresql", "ssl_min_protocol_version", "TLSv1.3", []),
        ("mysql", "tls-version", "TLSv1.1,TLSv1.2", ["TLSv1.1"]),
        ("mysql", "tls_version", "TLSv1.2,TLSv1.3", []),
        ("redis", "tls-protocols", "TLSv1.1 TLSv1.2", ["TLSv1.1"]),
        ("slapd", "olcTLSProtocolMin", "3.1", ["TLSv1", "TLSv1.1"]),
        ("slapd", "olcTLSProtocolMin", "3.3", []),
        ("vsftpd", "ssl_sslv3", "YES", ["SSLv3"]),
        ("vsftpd", "ssl_sslv3", "NO", []),
        ("lighttpd", "ssl.openssl.ssl-conf-cmd", '("MinProtocol" => "TLSv1.1")', ["TLSv1.1"]),
        ("lighttpd", "ssl.openssl.ssl-conf-cmd", '("MinProtocol" => "TLSv1.2")', []),
        ("lighttpd", "ssl.use-sslv3", "enable", ["SSLv3"]),
    ],
)
def test_old_protocols(service, directive, value, old):
    assert old_protocols(service, row(directive, value)) == old


@pytest.mark.parametrize(
    ("directive", "value", "found"),
    [
        ("ssl_ciphers", "HIGH:!aNULL:!MD5:!3DES", []),
        ("ssl_ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256:DHE-RSA-CHACHA20-POLY1305", []),
        ("ssl_ciphers", "HIGH:RC4-SHA", ["RC4-SHA"]),
        ("SSLCipherSuite", "ECDHE-RSA-DES-CBC3-SHA:AES128-SHA", ["ECDHE-RSA-DES-CBC3-SHA"]),
        ("ssl_ciphers", "kRSA+3DES:HIGH", ["kRSA+3DES"]),
        ("ssl_ciphers", "EXP-RC4-MD5", ["EXP-RC4-MD5"]),
        ("ssl_ciphers", "ADH-AES128-SHA:AECDH", ["ADH-AES128-SHA", "AECDH"]),
        ("ssl_ciphers", "DEFAULT:@SECLEVEL=0", ["security level 0"]),
        ("CipherString", "DEFAULT@SECLEVEL=0", ["security level 0"]),
        ("CipherString", "DEFAULT@SECLEVEL=2", []),
        ("smtpd_tls_mandatory_ciphers", "export", ["export"]),
        ("smtpd_tls_mandatory_ciphers", "medium", []),
        ("smtpd_tls_exclude_ciphers", "aNULL, MD5, DES", []),
        ("ssl_prefer_server_ciphers", "on", []),
        ("bind", ":443 ssl crt /a.pem ciphers RC4-SHA", ["RC4-SHA"]),
        ("bind", ":443 ssl crt /des/a.pem", []),
        ("ssl_protocols", "DES", []),
        ("ssl_ciphersuites", "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256", []),
    ],
)
def test_broken_ciphers(directive, value, found):
    assert broken_ciphers(row(directive, value)) == found


@pytest.mark.parametrize(
    ("service", "rows", "speaks"),
    [
        ("nginx", [row("listen", "443 ssl")], True),
        ("nginx", [row("ssl", "on")], True),
        ("nginx", [row("ssl_protocols", "TLSv1.2", "http")], False),
        ("apache", [row("SSLEngine", "on")], True),
        ("apache", [row("SSLEngine", "off"), row("SSLProtocol", "all")], False),
        ("haproxy", [row("bind", ":443 ssl")], True),
        ("haproxy", [row("ssl-default-bind-options", "x")], False),
        ("postfix", [row("smtpd_tls_security_level", "may")], True),
        ("postfix", [row("smtpd_tls_security_level", "none"), row("smtpd_use_tls", "yes")], False),
        ("postfix", [row("smtpd_use_tls", "yes")], True),
        ("dovecot", [CERTIFICATE], True),
        ("dovecot", [CERTIFICATE, row("ssl", "no")], False),
        ("postgresql", [row("ssl", "on"), CERTIFICATE], True),
        ("postgresql", [row("ssl", "off"), CERTIFICATE], False),
        ("mysql", [CERTIFICATE], True),
        ("mysql", [row("tls_version", "TLSv1.2")], False),
        ("vsftpd", [row("ssl_enable", "YES")], True),
        ("vsftpd", [row("ssl_enable", "NO"), CERTIFICATE], False),
        ("lighttpd", [row("ssl.engine", "enable")], True),
        ("lighttpd", [row("ssl.engine", "disable")], False),
        ("redis", [row("tls-port", "6380")], True),
        ("redis", [row("tls-port", "0"), CERTIFICATE], False),
        ("slapd", [CERTIFICATE], True),
        ("openssl", [row("MinProtocol", "TLSv1")], False),
    ],
)
def test_who_speaks_tls(service, rows, speaks):
    assert serves(service, rows) is speaks


def test_a_server_of_nginx_replaces_what_is_set_for_all():
    listen, general, own = (
        row("listen", "443 ssl", "server a"),
        row("ssl_protocols", "old", "http"),
        row("ssl_protocols", "new", "server a"),
    )
    assert in_force("nginx", [listen, general, own]) == [listen, own]
    other = row("listen", "443 ssl", "server b")
    assert in_force("nginx", [listen, general, own, other]) == [listen, general, own, other]
    plain = row("ssl_protocols", "old", "server without tls")
    assert in_force("nginx", [listen, own, plain]) == [listen, own]
    assert in_force("apache", [general]) == [general]


@given(st.sampled_from([*PROCESSES, "openssl"]), st.text(max_size=40), st.text(max_size=40))
def test_any_text_has_a_meaning(service, directive, value):
    for name in (directive, "ssl_protocols", "sslprotocol", "smtpd_tls_mandatory_protocols", "bind", "ssl_ciphers"):
        old_protocols(service, row(name, value))
        broken_ciphers(row(name, value))
        serves(service, [row(name, value)])

"""tls_services: settings of each kind of configuration, certificates, protection of keys."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import tls_plain, tls_web, x509
from ansible_collections.ringwall.servers.plugins.module_utils.spec import Result, is_unreadable
from ansible_collections.ringwall.servers.plugins.module_utils.tables import tls_services
from hypothesis import given
from hypothesis import strategies as st

NGINX = """user www-data;
http {
    ssl_protocols TLSv1 TLSv1.1 TLSv1.2; # dropping SSLv3
    ssl_ciphers 'ECDHE-RSA-CHACHA20-POLY1305:!aNULL';
    include /etc/nginx/conf.d/*.conf;
    include sites-enabled/*;
    server { listen 80; server_name plain.example.com; }
}
"""
SITE = """server {
    listen 443 ssl default_server;
    server_name www.example.com example.com;
    ssl_certificate     /etc/ssl/site.pem;
    ssl_certificate_key /etc/ssl/private/site.key;
    ssl_protocols TLSv1.3;
    location / { return 200 "ssl_protocols SSLv3;"; }
    add_header Strict-Transport-Security "max-age=63072000" always;
}
"""
APACHE = """ServerRoot "/etc/apache2"
IncludeOptional mods-enabled/*.conf
IncludeOptional sites-enabled/*.conf
"""
APACHE_SSL = """<IfModule mod_ssl.c>
  # SSLProtocol all
  SSLProtocol all -SSLv3
  SSLCipherSuite HIGH:\\
    !aNULL
</IfModule>
"""
APACHE_SITE = """<VirtualHost *:443>
  SSLEngine on
  SSLCertificateFile "/etc/ssl/site.pem"
</VirtualHost>
SSLHonorCipherOrder off
"""
HAPROXY = """global
  ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets
  crt-base /etc/haproxy/certs
frontend https
  bind *:443 ssl crt site.pem alpn h2,http/1.1 # main
  bind *:80
"""
POSTFIX = """# smtpd_tls_protocols = no
myhostname = mail.example.com
smtpd_tls_cert_file=/etc/ssl/$myhostname.pem
smtpd_tls_security_level = may
smtpd_tls_mandatory_protocols = !SSLv2,
   !SSLv3
smtpd_relay_restrictions = permit_mynetworks
"""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of 90 days with two names, as PEM, and the end that openssl tells."""
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("openssl is not installed")
    place = tmp_path_factory.mktemp("certificate")
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "90", "-sha384"]
    command += ["-keyout", str(place / "key"), "-out", str(place / "pem"), "-subj", "/O=Acme/CN=www.example.com"]
    command += ["-addext", "subjectAltName=DNS:www.example.com,DNS:example.com"]
    subprocess.run(command, capture_output=True, check=True)
    command = [openssl, "x509", "-in", str(place / "pem"), "-noout", "-enddate", "-dateopt", "iso_8601"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return (place / "pem").read_text(), ended.strip().partition("=")[2].replace(" ", "T"), (place / "key").read_text()


def rows_of(result):
    return result.rows if isinstance(result, Result) else result


def settings_of(rows):
    return {key: row["value"] for key, row in rows.items() if row["kind"] == "setting"}


def test_nginx_follows_includes_and_knows_contexts(file_host):
    host = file_host({"/etc/nginx/nginx.conf": NGINX, "/etc/nginx/sites-enabled/site": SITE})
    rows = rows_of(tls_services.collect(host, {}))
    assert settings_of(rows) == {
        "nginx /etc/nginx/nginx.conf ssl_protocols 1": "TLSv1 TLSv1.1 TLSv1.2",
        "nginx /etc/nginx/nginx.conf ssl_ciphers 1": "ECDHE-RSA-CHACHA20-POLY1305:!aNULL",
        "nginx /etc/nginx/sites-enabled/site listen 1": "443 ssl default_server",
        "nginx /etc/nginx/sites-enabled/site ssl_protocols 1": "TLSv1.3",
        "nginx /etc/nginx/sites-enabled/site add_header 1": "Strict-Transport-Security max-age=63072000 always",
    }
    row = rows["nginx /etc/nginx/sites-enabled/site ssl_protocols 1"]
    assert (row["where"], row["context"]) == ("/etc/nginx/sites-enabled/site:6", "server www.example.com example.com")
    assert rows["nginx /etc/nginx/nginx.conf ssl_protocols 1"]["context"] == "http"
    assert all(set(row) == {column.name for column in tls_services.TABLE.columns} for row in rows.values())


def test_certificates_and_keys(file_host, tmp_path, certificate):
    pem, ends, key = certificate
    host = file_host(
        {
            "/etc/nginx/nginx.conf": NGINX,
            "/etc/nginx/sites-enabled/site": SITE,
            "/etc/ssl/site.pem": pem,
            "/etc/ssl/private/site.key": key,
        }
    )
    (tmp_path / "etc/ssl/private/site.key").chmod(0o644)
    rows = rows_of(tls_services.collect(host, {}))
    row = rows["nginx certificate /etc/ssl/site.pem"]
    assert (row["not_after"], row["subject"], row["self_issued"]) == (ends, "www.example.com", True)
    assert (row["key_type"], row["bits"], row["signature"]) == ("rsa", 2048, "sha384-rsa")
    assert row["names"] == ["www.example.com", "example.com"]
    assert rows["nginx key /etc/ssl/private/site.key"]["mode"] == "0644"
    assert key.split("\n")[1] not in json.dumps(rows)


def test_a_certificate_that_is_missing_or_broken_is_unreadable(file_host):
    host = file_host({"/etc/nginx/nginx.conf": NGINX, "/etc/nginx/sites-enabled/site": SITE, "/etc/ssl/site.pem": "x"})
    rows = rows_of(tls_services.collect(host, {}))
    assert is_unreadable(rows["nginx certificate /etc/ssl/site.pem"]["not_after"])
    assert is_unreadable(rows["nginx key /etc/ssl/private/site.key"]["mode"])


def test_apache(file_host):
    host = file_host(
        {
            "/etc/apache2/apache2.conf": APACHE,
            "/etc/apache2/mods-enabled/ssl.conf": APACHE_SSL,
            "/etc/apache2/sites-enabled/site.conf": APACHE_SITE,
        }
    )
    rows = rows_of(tls_services.collect(host, {}))
    assert settings_of(rows) == {
        "apache /etc/apache2/mods-enabled/ssl.conf SSLProtocol 1": "all -SSLv3",
        "apache /etc/apache2/mods-enabled/ssl.conf SSLCipherSuite 1": "HIGH:     !aNULL",
        "apache /etc/apache2/sites-enabled/site.conf SSLEngine 1": "on",
        "apache /etc/apache2/sites-enabled/site.conf SSLHonorCipherOrder 1": "off",
    }
    assert rows["apache /etc/apache2/mods-enabled/ssl.conf SSLCipherSuite 1"]["where"].endswith("ssl.conf:4")
    assert rows["apache /etc/apache2/sites-enabled/site.conf SSLEngine 1"]["context"] == "vhost *:443"
    assert rows["apache /etc/apache2/sites-enabled/site.conf SSLHonorCipherOrder 1"]["context"] == "server"
    assert "apache certificate /etc/ssl/site.pem" in rows


def test_haproxy_bundles(file_host, certificate):
    pem, ends, key = certificate
    host = file_host({"/etc/haproxy/haproxy.cfg": HAPROXY, "/etc/haproxy/certs/site.pem": key + pem})
    rows = rows_of(tls_services.collect(host, {}))
    assert settings_of(rows) == {
        "haproxy /etc/haproxy/haproxy.cfg ssl-default-bind-options 1": "ssl-min-ver TLSv1.2 no-tls-tickets",
        "haproxy /etc/haproxy/haproxy.cfg bind 1": "*:443 ssl crt site.pem alpn h2,http/1.1",
    }
    assert rows["haproxy certificate /etc/haproxy/certs/site.pem"]["not_after"] == ends
    assert rows["haproxy key /etc/haproxy/certs/site.pem"]["mode"]


def test_postfix_continues_lines_and_replaces_names(file_host):
    rows = rows_of(tls_services.collect(file_host({"/etc/postfix/main.cf": POSTFIX}), {}))
    assert settings_of(rows) == {
        "postfix /etc/postfix/main.cf smtpd_tls_security_level 1": "may",
        "postfix /etc/postfix/main.cf smtpd_tls_mandatory_protocols 1": "!SSLv2, !SSLv3",
    }
    assert "postfix certificate /etc/ssl/mail.example.com.pem" in rows


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        (
            "/etc/dovecot/conf.d/10-ssl.conf",
            "ssl = required\n#ssl_min_protocol = TLSv1.2\nssl_key = </etc/dovecot/key\n",
            {"dovecot /etc/dovecot/conf.d/10-ssl.conf ssl 1": "required"},
        ),
        (
            "/etc/postgresql/15/main/postgresql.conf",
            "ssl = on   # (change requires restart)\nssl_min_protocol_version 'TLSv1.2'\n",
            {
                "postgresql /etc/postgresql/15/main/postgresql.conf ssl 1": "on",
                "postgresql /etc/postgresql/15/main/postgresql.conf ssl_min_protocol_version 1": "TLSv1.2",
            },
        ),
        (
            "/etc/mysql/my.cnf",
            "[mysqld]\ntls-version = TLSv1.2,TLSv1.3\npassword = hunter2\n",
            {"mysql /etc/mysql/my.cnf tls-version 1": "TLSv1.2,TLSv1.3"},
        ),
        ("/etc/redis/redis.conf", "tls-port 6379\nrequirepass x\n", {"redis /etc/redis/redis.conf tls-port 1": "6379"}),
        (
            "/etc/ssl/openssl.cnf",
            "[system_default_sect]\nMinProtocol = TLSv1.2\nCipherString = DEFAULT@SECLEVEL=2\n",
            {
                "openssl /etc/ssl/openssl.cnf MinProtocol 1": "TLSv1.2",
                "openssl /etc/ssl/openssl.cnf CipherString 1": "DEFAULT@SECLEVEL=2",
            },
        ),
        (
            "/etc/crypto-policies/state/current",
            "DEFAULT:NO-SHA1\n",
            {"crypto-policies /etc/crypto-policies/state/current policy 1": "DEFAULT:NO-SHA1"},
        ),
    ],
)
def test_plain_families(file_host, path, content, expected):
    rows = rows_of(tls_services.collect(file_host({path: content}), {}))
    assert settings_of(rows) == expected
    assert "hunter2" not in json.dumps(rows)


def test_a_configuration_that_cannot_be_read_is_named(file_host, tmp_path):
    host = file_host({"/etc/nginx/nginx.conf": NGINX})
    (tmp_path / "etc/nginx/conf.d").mkdir()
    (tmp_path / "etc/postfix/main.cf").mkdir(parents=True)
    result = tls_services.collect(host, {})
    assert result.state == "partial"
    assert "/etc/postfix/main.cf" in result.why


def test_includes_in_a_circle_end(file_host):
    host = file_host({"/etc/nginx/nginx.conf": "include nginx.conf;\nssl_protocols TLSv1.3;\ninclude *.conf;"})
    assert len(rows_of(tls_services.collect(host, {}))) == 1


def test_generalized_time_after_2049():
    assert x509.parse_time(0x18, b"20500101000000Z") == 2524608000
    assert x509.parse_time(0x17, b"491231235959Z") == 2524607999
    assert x509.parse_time(0x17, b"500101000000Z") == -631152000
    with pytest.raises(x509.Malformed):
        x509.parse_time(0x17, b"4913312359Z")


@given(st.data())
def test_damaged_certificates_are_refused_or_read(certificate, data):
    der = bytearray(base64.b64decode("".join(certificate[0].split("-----")[2].split())))
    place = data.draw(st.integers(0, len(der) - 1))
    der[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(der)))
    for broken in (bytes(der), bytes(der[:cut])):
        try:
            x509.first_certificate(broken)
        except x509.Malformed:
            pass


@given(st.binary(max_size=200))
def test_no_certificate_at_all(data):
    try:
        x509.first_certificate(data)
    except x509.Malformed:
        pass


@given(st.text(alphabet="abc{};\"'#\n \\ssl_protocols=<>", max_size=200))
def test_configurations_of_any_kind(content):
    lines = content.split("\n")
    list(tls_web.parse_nginx(lambda path: lines, lambda pattern: [pattern]))
    list(tls_web.parse_apache(lambda path: lines, lambda pattern: [pattern], "/a", "/"))
    list(tls_web.parse_haproxy(lines, "/a"))
    for family in tls_plain.FAMILIES:
        list(tls_plain.parse_family(family, lines, "/a"))

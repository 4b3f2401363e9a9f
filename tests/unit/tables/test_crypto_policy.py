"""crypto_policy: files as update-crypto-policies(8) of RHEL 9 leaves them, and programs that follow or do not."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import crypto_policies
from ansible_collections.ringwall.servers.plugins.module_utils.tables import crypto_policy
from hypothesis import given
from hypothesis import strategies as st

CURRENT = """# Policy DEFAULT:NO-SHA1 dump
#
# Do not parse the contents of this file with automated tools,
# it is provided for review convenience only.
#
# Baseline values for all scopes:
cipher = AES-256-GCM AES-256-CCM CHACHA20-POLY1305 AES-128-GCM
hash = SHA2-256 SHA2-384 SHA2-512
mac = AEAD HMAC-SHA2-256 HMAC-SHA1 UMAC-128
# Scope-specific properties derived for select backends:
cipher@openssh = AES-256-GCM AES-256-CTR
etm@openssh = ANY
"""
SERVER = """Ciphers aes256-gcm@openssh.com,aes256-ctr
MACs hmac-sha2-256-etm@openssh.com,hmac-sha2-256
RequiredRSASize 2048
"""
SERVER_8 = "CRYPTO_POLICY='-oCiphers=aes256-gcm@openssh.com,aes256-ctr -oMACs=hmac-sha2-256'\n"
HEAD = "/etc/crypto-policies/"


@pytest.fixture
def rhel(file_host):
    def make(**changes):
        files = {
            "/usr/share/crypto-policies/policies/DEFAULT.pol": "x",
            "/usr/share/crypto-policies/DEFAULT/gnutls.txt": "x",
            "/usr/share/crypto-policies/policies/modules/NO-SHA1.pmod": "hash = -SHA1\n",
            HEAD + "config": "# comment\n\nDEFAULT:NO-SHA1\n",
            HEAD + "state/current": "DEFAULT:NO-SHA1\n",
            HEAD + "state/CURRENT.pol": CURRENT,
            HEAD + "back-ends/opensshserver.config": SERVER,
            HEAD + "back-ends/gnutls.config": "x",
            "/etc/ssh/sshd_config": "Include /etc/ssh/sshd_config.d/*.conf\n",
            "/etc/ssh/sshd_config.d/50-redhat.conf": "Include /etc/crypto-policies/back-ends/opensshserver.config\n",
            "/etc/pki/tls/openssl.cnf": "[ crypto_policy ]\n.include = /etc/crypto-policies/back-ends/opensslcnf.config\n",
        }
        files.update(changes)
        return file_host({path: body for path, body in files.items() if body is not None})

    return make


def test_policy_subpolicies_and_rules(rhel):
    rows = crypto_policy.collect(rhel(), {})
    host = rows["host"]
    assert (host["applied"], host["base"], host["subpolicies"]) == ("DEFAULT:NO-SHA1", "DEFAULT", ["NO-SHA1"])
    assert host["configured"] == "DEFAULT:NO-SHA1"
    assert host["fips"] is host["altered"] is None  # nothing runs under this root
    assert rows["rule mac"]["values"][-1] == "UMAC-128"
    assert rows["rule cipher@openssh"]["scope"] == "openssh"
    assert rows["rule cipher@openssh"]["where"].endswith("CURRENT.pol:11")
    assert rows["module NO-SHA1"]["values"] == ["hash = -SHA1"]


def test_back_ends_of_composed_policies_are_files_and_plain_ones_are_links(rhel):
    rows = crypto_policy.collect(rhel(), {})
    assert rows["back end opensshserver"]["settings"]["ciphers"] == ["aes256-gcm@openssh.com", "aes256-ctr"]
    assert rows["back end gnutls"]["follows"] is True
    plain = {HEAD + "config": "DEFAULT\n", HEAD + "state/current": "DEFAULT\n"}
    assert crypto_policy.collect(rhel(**plain), {})["back end gnutls"]["follows"] is False


@pytest.mark.parametrize(("target", "good"), [("DEFAULT", True), ("LEGACY", False)])
def test_a_link_leads_to_the_policy_that_was_applied(rhel, target, good):
    link = ("link", f"/usr/share/crypto-policies/{target}/gnutls.txt")
    plain = {HEAD + "config": "DEFAULT\n", HEAD + "state/current": "DEFAULT\n", HEAD + "back-ends/gnutls.config": link}
    row = crypto_policy.collect(rhel(**plain), {})["back end gnutls"]
    assert (row["follows"], row["target"]) == (good, link[1])


@pytest.mark.parametrize(
    ("changes", "follows"),
    [
        ({}, True),
        ({"/etc/sysconfig/sshd": "CRYPTO_POLICY=\n"}, False),
        ({"/etc/sysconfig/sshd": "# CRYPTO_POLICY=\n"}, True),
        ({"/etc/ssh/sshd_config.d/50-redhat.conf": "X11Forwarding yes\n"}, False),
        ({"/etc/ssh/sshd_config.d/50-redhat.conf": None}, False),
        ({"/etc/ssh/sshd_config.d/50-redhat.conf": None,
          "/usr/lib/systemd/system/sshd.service": "EnvironmentFile=-/etc/crypto-policies/back-ends/opensshserver.config\n"},
         True),
    ],
)  # fmt: skip
def test_whether_the_ssh_server_follows(rhel, changes, follows):
    assert crypto_policy.collect(rhel(**changes), {})["program sshd"]["follows"] is follows


def test_other_programs(rhel):
    include = 'include "/etc/crypto-policies/back-ends/bind.config";\n'
    files = {
        "/etc/named.conf": "options {\n" + include + "};\n", "/etc/ipsec.conf": "# include /etc/crypto-policies/x\n",
        "/etc/krb5.conf": "x", "/etc/krb5.conf.d/crypto-policies": ("link", HEAD + "back-ends/krb5.config"),
    }  # fmt: skip
    rows = crypto_policy.collect(rhel(**files), {})
    told = {name: rows["program " + name]["follows"] for name in ("bind", "libreswan", "krb5", "openssl")}
    assert told == {"bind": True, "libreswan": False, "krb5": True, "openssl": True}


def test_a_system_without_policies(file_host):
    rows = crypto_policy.collect(file_host({"/etc/debian_version": "12"}), {})
    assert list(rows) == ["host"]
    assert rows["host"]["installed"] is False


def test_both_forms_of_the_back_end_of_openssh():
    assert crypto_policies.parse_openssh(SERVER_8.split("\n"))["macs"] == ["hmac-sha2-256"]
    assert crypto_policies.parse_openssh(["Ciphers = aes256-ctr", "# MACs x"]) == {"ciphers": ["aes256-ctr"]}


def test_scopes_in_braces():
    assert crypto_policies.parse_rules(["cipher@{SSH,libssh} = -*-CBC # weak"]) == [
        ("cipher", "ssh", ["-*-CBC"], 1),
        ("cipher", "libssh", ["-*-CBC"], 1),
    ]


@given(st.lists(st.text(max_size=80), max_size=20))
def test_parsers_take_anything(lines):
    assert all(len(rule) == 4 for rule in crypto_policies.parse_rules(lines))
    assert isinstance(crypto_policies.parse_openssh(lines), dict)
    assert isinstance(crypto_policies.first_policy(lines), str)

"""ssh_client: system-wide settings and whether keys are encrypted, with keys made by ssh-keygen itself."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.tables import ssh_client
from hypothesis import given
from hypothesis import strategies as st

CONFIG = """Include /etc/ssh/ssh_config.d/*.conf
Host *.example
    Ciphers 3des-cbc
Host *
    Ciphers aes256-ctr,aes128-ctr
    HashKnownHosts yes
Match exec "true"
    MACs hmac-md5
Match all
    MACs=hmac-sha2-256
"""


def test_the_first_value_counts_and_blocks_of_hosts_do_not(file_host):
    files = {
        "/etc/ssh/ssh_config": CONFIG,
        "/etc/ssh/ssh_config.d/50-x.conf": "HashKnownHosts no\n",
        "/usr/bin/ssh": "x",
    }
    row = ssh_client.collect(file_host(files), {})["host"]
    assert row["settings"] == {
        "ciphers": ["aes256-ctr", "aes128-ctr"], "hashknownhosts": "no", "macs": ["hmac-sha2-256"],
    }  # fmt: skip
    assert row["where"]["ciphers"] == "/etc/ssh/ssh_config:5"
    assert row["files"] == ["/etc/ssh/ssh_config", "/etc/ssh/ssh_config.d/50-x.conf"]
    assert (row["installed"], row["source"]) == (True, "files")


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen here")
@pytest.mark.parametrize("form", [[], ["-m", "PEM"], ["-m", "PKCS8"]])
@pytest.mark.parametrize(("phrase", "encrypted"), [("", False), ("a good one", True)])
def test_keys(tmp_path, file_host, form, phrase, encrypted):
    key = tmp_path / "made"
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", *form, "-N", phrase, "-f", str(key)], check=True)
    files = {
        "/etc/passwd": "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\nbin:x:2:2::/:/x\n",
        "/home/ann/.ssh/id_rsa": key.read_bytes(),
        "/home/ann/.ssh/id_rsa.pub": (tmp_path / "made.pub").read_bytes(),
        "/home/ann/.ssh/config": "Host x\n",
    }
    rows = ssh_client.collect(file_host(files), {})
    keys = {name: row for name, row in rows.items() if row["kind"] == "key"}
    assert list(keys) == ["key /home/ann/.ssh/id_rsa"]
    row = keys["key /home/ann/.ssh/id_rsa"]
    assert (row["user"], row["encrypted"]) == ("ann", encrypted)


@given(st.binary(max_size=300))
def test_any_file_is_taken(data):
    assert ssh_client.key_state(data) is None or len(ssh_client.key_state(data)) == 2
    ssh_client.key_state(b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + data)

"""package_sources: both forms of apt's sources, apt.conf, repositories of dnf."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import package_sources as parsers
from ansible_collections.ringwall.servers.plugins.module_utils.tables import package_sources
from hypothesis import given
from hypothesis import strategies as st

LIST = """# comment
deb http://deb.debian.org/debian bookworm main contrib # why
deb [arch=amd64 trusted=yes] https://user:secret@apt.example/ stable main
deb-src [signed-by=/etc/apt/keyrings/x.asc allow-weak=yes] https://x.example ./
"""
STANZAS = """Types: deb deb-src
URIs: http://deb.debian.org/debian https://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

# off
Enabled: no
Types: deb
URIs: http://old.example
Suites: ./
Trusted: yes
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINB
"""
CONF = """// settings
APT::Install-Recommends "0";
APT { Get { AllowUnauthenticated "true"; }; Install-Suggests "0"; };
Acquire::AllowInsecureRepositories "true";  # loose
Acquire::AllowInsecureRepositories "false";
Unattended-Upgrade::Origins-Pattern { "origin=Debian"; };
DPkg::Post-Invoke { "echo { ; }"; };
/* APT::Install-Suggests "1"; */
"""


def apt(file_host, **files):
    return package_sources.collect(file_host({"/etc/apt/" + name: body for name, body in files.items()}), {})


def test_one_line_sources(file_host):
    rows = apt(file_host, **{"sources.list": LIST})
    plain, loose, signed = (rows[f"apt /etc/apt/sources.list:{line}"] for line in (2, 3, 4))
    assert (plain["types"], plain["components"], plain["checked"]) == (["deb"], ["main", "contrib"], True)
    assert (loose["trusted"], loose["checked"]) == (True, False)
    assert "secret" not in loose["address"]
    assert (signed["signed_by"], signed["allow_weak"]) == ("/etc/apt/keyrings/x.asc", True)


def test_stanzas(file_host):
    rows = apt(file_host, **{"sources.list.d/debian.sources": STANZAS})
    first, second = (
        rows["apt /etc/apt/sources.list.d/debian.sources:1"],
        rows["apt /etc/apt/sources.list.d/debian.sources:1#2"],
    )
    assert first["name"] == "bookworm bookworm-updates"
    assert second["address"] == "https://mirror.example/debian"
    off = rows["apt /etc/apt/sources.list.d/debian.sources:8"]
    assert (off["enabled"], off["trusted"], off["signed_by"]) == (False, True, "in the file")


def test_settings_of_apt(file_host):
    rows = apt(file_host, **{"apt.conf.d/50x": CONF, "apt.conf.d/60y.bak": 'APT::Install-Recommends "1";'})
    value = {key: row["value"] for key, row in rows.items()}
    assert value["setting apt apt::install-recommends"] == "0"
    assert value["setting apt apt::install-suggests"] == "0"
    assert value["setting apt apt::get::allowunauthenticated"] == "true"
    assert value["setting apt acquire::allowinsecurerepositories"] == "false"
    assert rows["setting apt acquire::allowinsecurerepositories"]["where"] == "/etc/apt/apt.conf.d/50x:5"


def test_what_is_cleared_is_gone():
    settings = {}
    parsers.parse_apt('A::B "1";\n#clear A;\nC "2";', "f", settings)
    assert list(settings) == ["c"]


@pytest.mark.skipif(shutil.which("apt-config") is None, reason="no apt here")
def test_apt_reads_the_same(tmp_path):
    path = tmp_path / "x.conf"
    path.write_text(CONF)
    told = subprocess.run(["apt-config", "dump"], env={"APT_CONFIG": str(path), "PATH": "/usr/bin:/bin"},
                          capture_output=True, text=True, check=True).stdout  # fmt: skip
    settings = {}
    parsers.parse_apt(CONF, str(path), settings)
    for name, (_written, value, _where) in settings.items():
        assert f'{name} "{value}";' in told.lower(), name


REPO = """[baseos]
name=BaseOS
mirrorlist=https://mirrors.example/list
gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY

[site]
name = Site
baseurl=https://user:secret@repo.example/x
 https://second.example
gpgcheck = 0
enabled = 0
repo_gpgcheck=1
"""


def test_repositories_of_dnf(file_host):
    files = {"/etc/dnf/dnf.conf": "[main]\ngpgcheck=1\nclean_requirements_on_remove=True\n",
             "/etc/yum.repos.d/x.repo": REPO}  # fmt: skip
    rows = package_sources.collect(file_host(files), {})
    base, site = rows["dnf baseos"], rows["dnf site"]
    assert (base["checked"], base["metadata_checked"], base["enabled"]) == (True, False, True)
    assert (site["checked"], site["metadata_checked"], site["enabled"]) == (False, True, False)
    assert "secret" not in site["address"]
    assert rows["setting dnf clean_requirements_on_remove"]["value"] == "True"


def test_without_a_main_setting_nothing_is_checked(file_host):
    rows = package_sources.collect(file_host({"/etc/yum.repos.d/x.repo": "[a]\nbaseurl=x\n"}), {})
    assert rows["dnf a"]["checked"] is False


def test_neither_manager(file_host):
    assert package_sources.collect(file_host({"/etc/apk/world": "x"}), {}) == {}


@given(st.text(alphabet='ab:{};"#/*\n ', max_size=200))
def test_parsers_take_anything(content):
    settings = {}
    parsers.parse_apt(content, "f", settings)
    lines = content.split("\n")
    assert isinstance(parsers.parse_list(lines, "f") + parsers.parse_deb822(lines, "f"), list)
    assert isinstance(parsers.parse_ini(lines, "f"), list)

"""packages: dpkg, apk and rpm databases, and Debian's version order."""

from __future__ import annotations

import functools
import shutil
import struct
import subprocess

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import deb_version, dpkg, rpm_database
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.spec import Result, Unreadable, Unsupported
from ansible_collections.ringwall.servers.plugins.module_utils.tables import packages
from hypothesis import given, settings
from hypothesis import strategies as st

STATUS = """Package: openssl
Status: install ok installed
Architecture: amd64
Version: 3.0.11-1~deb12u2
Description: Secure Sockets Layer toolkit
 Package: not-a-package
 Status: purge ok not-installed

Package: libc-bin
Status: hold ok installed
Architecture: amd64
Source: glibc
Version: 2.36-9+deb12u4

Package: gcc
Status: install ok half-configured
Architecture: amd64
Source: gcc-defaults (1.203)
Version: 4:12.2.0-3

Package: telnet
Status: deinstall ok config-files
Architecture: all
Version: 0.17+2.4-2

Package: broken
Status: install reinstreq half-installed
Architecture: amd64
Version: 1.0

Package: libc6
Status: install ok triggers-awaited
Architecture: i386
Source: glibc
Version: 2.36-9+deb12u4

Package: gone
Status: purge ok not-installed
Architecture: amd64

Package: docker-ce
Status: install ok installed
Origin: Docker
Architecture: amd64
Version: 5:24.0.7-1~debian.12~bookworm
"""


@pytest.fixture
def debian(file_host):
    return file_host({"/var/lib/dpkg/status": STATUS})


def test_every_state_of_dpkg(debian):
    result = packages.collect(debian, {})
    assert result.state == "ok"
    rows = result.rows
    assert {key: (row["state"], row["selection"], row["installed"]) for key, row in rows.items()} == {
        "openssl:amd64": ("installed", "install", True),
        "libc-bin:amd64": ("installed", "hold", True),
        "gcc:amd64": ("half-configured", "install", False),
        "telnet:all": ("config-files", "deinstall", False),
        "broken:amd64": ("half-installed", "install", False),
        "libc6:i386": ("triggers-awaited", "install", True),
        "docker-ce:amd64": ("installed", "install", True),
    }
    assert rows["broken:amd64"]["broken"] is True
    assert rows["docker-ce:amd64"]["origin"] == "Docker"
    assert set(rows["gcc:amd64"]) == {column.name for column in packages.TABLE.columns}


def test_the_source_package_and_its_version(debian):
    rows = packages.collect(debian, {}).rows
    assert (rows["gcc:amd64"]["source"], rows["gcc:amd64"]["source_version"]) == ("gcc-defaults", "1.203")
    assert (rows["libc-bin:amd64"]["source"], rows["libc-bin:amd64"]["source_version"]) == ("glibc", "2.36-9+deb12u4")
    assert rows["openssl:amd64"]["source"] == "openssl"


def test_dpkgs_journal_counts_on_top_of_the_status_file(file_host):
    host = file_host(
        {
            "/var/lib/dpkg/status": STATUS,
            "/var/lib/dpkg/updates/0001": "Package: openssl\nStatus: purge ok not-installed\nArchitecture: amd64\n",
            "/var/lib/dpkg/updates/0002": "Package: new\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n",
            "/var/lib/dpkg/updates/tmp.i": "Package: half-written\nStatus: install ok installed\nVersion: 1\n",
        }
    )
    rows = packages.collect(host, {}).rows
    assert "openssl:amd64" not in rows
    assert "new:all" in rows
    assert "half-written:all" not in rows


def test_distroless_images_have_a_file_for_each_package(file_host):
    host = file_host(
        {
            "/var/lib/dpkg/status.d/base": "Package: base-files\nVersion: 12.4\nArchitecture: amd64\n",
            "/var/lib/dpkg/status.d/base.md5sums": "d41d8  usr/x\n",
        }
    )
    rows = packages.collect(host, {}).rows
    assert list(rows) == ["base-files:amd64"]
    assert rows["base-files:amd64"]["installed"] is True


def test_apk(file_host):
    installed = (
        "C:Q1abc=\nP:busybox\nV:1.36.1-r5\nA:x86_64\no:busybox\nF:bin\nR:busybox\na:0:0:755\nZ:Q1def=\n\n"
        "P:libcrypto3\nV:3.1.4-r1\nA:x86_64\no:openssl\n\n"
    )
    rows = packages.collect(file_host({"/lib/apk/db/installed": installed}), {}).rows
    assert rows["libcrypto3:x86_64"]["source"] == "openssl"
    assert rows["busybox:x86_64"]["version"] == "1.36.1-r5"


def test_without_a_manager_nothing_is_concluded(file_host):
    with pytest.raises(Unsupported):
        packages.collect(file_host({"/etc/x": ""}), {})


def test_an_unreadable_database_is_not_an_empty_one(file_host, tmp_path):
    host = file_host({"/var/lib/dpkg/x": ""})
    (tmp_path / "var/lib/dpkg/status").mkdir()
    with pytest.raises(Unreadable):
        packages.collect(host, {})
    host = file_host({"/lib/apk/db/installed": "P:busybox\nV:1\nA:x86_64\n"})
    result = packages.collect(host, {})
    assert isinstance(result, Result)
    assert result.state == "partial"
    assert len(result.rows) == 1


def test_this_systems_dpkg_agrees():
    if not shutil.which("dpkg-query"):
        pytest.skip("no dpkg here")
    form = "${Package}:${Architecture}\t${Version}\t${source:Package}\t${source:Version}"
    form += "\t${db:Status-Want}\t${db:Status-Status}\n"
    output = subprocess.run(["dpkg-query", "-W", "-f", form], capture_output=True, text=True, check=True).stdout
    ours = {
        key: [row["version"] or "", row["source"], row["source_version"] or "", row["selection"], row["state"]]
        for key, row in dpkg.read_database(Host()).items()
    }
    theirs = {line.split("\t")[0]: line.split("\t")[1:] for line in output.splitlines()}
    assert {key: value for key, value in theirs.items() if value[-1] != "not-installed"} == ours


def test_rpm_query_output():
    output = (
        b"bash\t(none)\t5.1.8\t6.el9_1\tx86_64\tbash-5.1.8-6.el9_1.src.rpm\tRocky Foundation\t1700000000\t\n"
        b"openssl-libs\t1\t3.0.7\t24.el9\tx86_64\topenssl-3.0.7-24.el9.src.rpm\t(none)\t1700000001\t\n"
        b"nodejs\t1\t18.19.0\t1.el9\tx86_64\tnodejs-18.19.0-1.el9.src.rpm\tR\t1700000002\tnodejs:18:9020:rhel9\n"
        b"gpg-pubkey\t0\t350d275d\t6279464b\t(none)\t(none)\t(none)\t1600000000\t\n"
        b"cut\tshort\n"
    )
    rows = rpm_database.keyed(rpm_database.parse_query(output))
    assert set(rows) == {"bash:x86_64", "openssl-libs:x86_64", "nodejs:x86_64", "gpg-pubkey:none"}
    assert rows["openssl-libs:x86_64"]["version"] == "1:3.0.7-24.el9"
    assert (rows["openssl-libs:x86_64"]["source"], rows["openssl-libs:x86_64"]["source_version"]) == (
        "openssl",
        "1:3.0.7-24.el9",
    )
    assert rows["nodejs:x86_64"]["module"] == "nodejs:18:9020:rhel9"
    assert rows["bash:x86_64"]["installed_at"] == "2023-11-14T22:13:20Z"


def test_the_latest_of_several_kernels_has_the_plain_key():
    line = b"kernel-core\t0\t5.14.0\t%s.el9\tx86_64\tkernel-5.14.0-%s.el9.src.rpm\tR\t%d\t\n"
    output = line % (b"362", b"362", 1700000000) + line % (b"427", b"427", 1710000000)
    rows = rpm_database.keyed(rpm_database.parse_query(output))
    assert rows["kernel-core:x86_64"]["version"] == "5.14.0-427.el9"
    assert "kernel-core:x86_64=5.14.0-362.el9" in rows


SPEC = """Name: {name}
Version: 1.{number}
Release: 2.el9
Epoch: {number}
Summary: a fixture
License: MIT
Vendor: Acme Ltd
BuildArch: noarch
%description
x
%files
"""


@pytest.fixture(scope="module")
def rpm_root(tmp_path_factory):
    """A root with a real rpm database, made by Debian's rpm."""
    if not (shutil.which("rpmbuild") and shutil.which("rpm")):
        pytest.skip("rpm and rpmbuild are not installed")
    top = tmp_path_factory.mktemp("rpm")
    root = top / "root"
    root.mkdir()
    for number, name in enumerate(("demo-one", "demo-two", "demo-three")):
        (top / f"{name}.spec").write_text(SPEC.format(name=name, number=number))
        command = ["rpmbuild", "-bb", "--define", f"_topdir {top}/build", str(top / f"{name}.spec")]
        subprocess.run(command, capture_output=True, check=True)
    built = [str(path) for path in (top / "build" / "RPMS").rglob("*.rpm")]
    command = ["rpm", "--root", str(root), "--dbpath", "/var/lib/rpm", "-i", "--nodeps", *built]
    try:
        subprocess.run(command, capture_output=True, check=True)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"rpm cannot install here: {error.stderr.decode()[-200:]}")
    return root


def test_a_real_rpm_database_read_without_rpm(rpm_root):
    rows = packages.collect(Host(str(rpm_root)), {}).rows
    assert {key: (row["version"], row["source"], row["origin"]) for key, row in rows.items()} == {
        "demo-one:noarch": ("1.0-2.el9", "demo-one", "Acme Ltd"),
        "demo-two:noarch": ("1:1.1-2.el9", "demo-two", "Acme Ltd"),
        "demo-three:noarch": ("2:1.2-2.el9", "demo-three", "Acme Ltd"),
    }


def test_rpm_itself_says_the_same_and_changes_nothing(rpm_root):
    host = Host(str(rpm_root))
    before = sorted((path.name, path.stat().st_size) for path in (rpm_root / "var/lib/rpm").iterdir())
    asked = rpm_database._ask_rpm(host, "/var/lib/rpm")
    direct = rpm_database.keyed(rpm_database.read_sqlite(host, "/var/lib/rpm/rpmdb.sqlite"))
    assert asked == direct
    assert len(asked) == 3
    assert before == sorted((path.name, path.stat().st_size) for path in (rpm_root / "var/lib/rpm").iterdir())
    assert not (rpm_root / "root").exists()
    assert not (rpm_root / ".rpmdb").exists()


def test_a_damaged_rpm_database_is_unreadable(file_host, monkeypatch):
    monkeypatch.setattr(
        rpm_database, "_ask_rpm", lambda host, directory: (_ for _ in ()).throw(rpm_database.Absent("rpm"))
    )
    with pytest.raises(Unreadable):
        rpm_database.read_database(file_host({"/var/lib/rpm/rpmdb.sqlite": b"no database at all"}))


@given(st.binary(max_size=300))
def test_headers_are_refused_or_read(blob):
    try:
        for value in rpm_database.parse_header(blob).values():
            value.encode("utf-8")
    except (ValueError, struct.error):
        pass


@given(st.binary(max_size=600))
def test_status_files_of_any_kind(data):
    for row in list(dpkg.parse_status(data)) + list(packages.parse_apk(data)):
        assert row["name"]
        row["name"].encode("utf-8")
    list(rpm_database.parse_query(data))


# Version order ------------------------------------------------------------------------------------------------


def compare(left, right):
    """dpkg's verrevcmp, written from its description in deb-version(7): the reference for the key."""

    def split(version):
        epoch, colon, rest = version.partition(":")
        if not colon:
            epoch, rest = "0", version
        upstream, dash, revision = rest.rpartition("-")
        return int(epoch), upstream if dash else rest, revision if dash else ""

    def order(character):
        return -1 if character == "~" else ord(character) if character.isalpha() else ord(character) + 256

    def part(a, b):
        while a or b:
            i = j = 0
            while (i < len(a) and not a[i].isdigit()) or (j < len(b) and not b[j].isdigit()):
                x = order(a[i]) if i < len(a) and not a[i].isdigit() else 0
                y = order(b[j]) if j < len(b) and not b[j].isdigit() else 0
                if x != y:
                    return -1 if x < y else 1
                i, j = i + 1, j + 1
            a, b = a[i:], b[j:]
            i = next((n for n, c in enumerate(a) if not c.isdigit()), len(a))
            j = next((n for n, c in enumerate(b) if not c.isdigit()), len(b))
            x, y = int(a[:i] or 0), int(b[:j] or 0)
            if x != y:
                return -1 if x < y else 1
            a, b = a[i:], b[j:]
        return 0

    one, two = split(left), split(right)
    if one[0] != two[0]:
        return -1 if one[0] < two[0] else 1
    return part(one[1], two[1]) or part(one[2], two[2])


VERSIONS = st.builds(
    lambda epoch, upstream, revision: epoch + "1" + upstream + revision,
    st.sampled_from(["", "0:", "1:", "12:"]),
    st.text("019.+~ab", max_size=6),
    st.one_of(st.just(""), st.text("019.+~ab", max_size=4).map(lambda text: "-" + text)),
)


@settings(max_examples=2000)
@given(VERSIONS, VERSIONS)
def test_the_key_orders_like_dpkg(left, right):
    one, two = deb_version.version_key(left), deb_version.version_key(right)
    assert (one > two) - (one < two) == compare(left, right)


def test_known_orders():
    ordered = ["1.0~~", "1.0~rc1", "1.0~", "1.0", "1.0+b1", "1.0.1", "1.0a", "1.2", "1.10", "1:0.1"]
    assert sorted(ordered, key=functools.cmp_to_key(compare)) == sorted(ordered, key=deb_version.version_key)
    assert deb_version.version_key("1.0") == deb_version.version_key("1.0-0") == deb_version.version_key("0:1.0-0")
    assert deb_version.version_key("1.0-1") < deb_version.version_key("1.0-1+deb12u1")


def test_real_dpkg_agrees_on_a_sample():
    if not shutil.which("dpkg"):
        pytest.skip("no dpkg here")
    sample = ["1.0~~", "1.0~", "1.0", "1.0-0", "1.0-1~bpo", "1.0+b1", "1.0.", "1.0a", "2:0", "1.00", "1.0-0~", "1.0-0a"]
    for left in sample:
        for right in sample:
            less = subprocess.run(["dpkg", "--compare-versions", left, "lt", right], check=False).returncode == 0
            assert less == (deb_version.version_key(left) < deb_version.version_key(right)), (left, right)

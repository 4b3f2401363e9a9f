"""Root file systems of RPM distributions with a real rpm database, made by Debian's rpmbuild and rpm.

The packages are empty: what counts is the database, which rpm itself writes. The rest of an image are its files.
"""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import collect
from ansible_collections.ringwall.servers.plugins.plugin_utils.content import compile_content, roots
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture import VOCABULARY, plain_snapshot

SPEC = """\
Name: images
Version: 1.0
Release: 1
Summary: packages of test images
License: none
BuildArch: noarch
%description
x
"""
PACKAGE = """\
%package -n {name}
Summary: {name}
Version: {version}
Release: {release}
%description -n {name}
x
%files -n {name}
"""
RELEASES = {
    "rhel9": ("Red Hat Enterprise Linux", "rhel", "9.4", "fedora"),
    "rhel10": ("Red Hat Enterprise Linux", "rhel", "10.0", "fedora"),
    "rhel8": ("Red Hat Enterprise Linux", "rhel", "8.10", "fedora"),
    "almalinux9": ("AlmaLinux", "almalinux", "9.4", "rhel centos fedora"),
    "rocky8": ("Rocky Linux", "rocky", "8.10", "rhel centos fedora"),
    "ol10": ("Oracle Linux Server", "ol", "10.0", "fedora"),
}
DIRECTORY = {"8": "/var/lib/rpm", "9": "/var/lib/rpm", "10": "/usr/lib/sysimage/rpm"}
"""Where each release keeps its database."""


def built(folder, packages):
    """Build ``{name: (version, release)}`` as empty packages with one rpmbuild; return name -> path of the file."""
    if not (shutil.which("rpmbuild") and shutil.which("rpm")):
        pytest.skip("rpm and rpmbuild are not installed")
    spec = folder / "images.spec"
    parts = [PACKAGE.format(name=name, version=number[0], release=number[1]) for name, number in packages.items()]
    spec.write_text(SPEC + "".join(parts), encoding="utf-8")
    command = ["rpmbuild", "-bb", "--quiet", "--define", f"_topdir {folder}/build", str(spec)]
    subprocess.run(command, capture_output=True, check=True)
    found = list((folder / "build" / "RPMS").rglob("*.rpm"))
    return {
        name: next(path for path in found if path.name.startswith(f"{name}-{packages[name][0]}-")) for name in packages
    }


def install(root, directory, paths):
    """Let rpm put packages into the database of ``root``, in SQLite form: the only one that Debian's rpm writes."""
    command = ["rpm", "--root", str(root), "--dbpath", directory, "-i", "--nodeps"]
    done = subprocess.run([*command, *map(str, paths)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-500:]


def write(root, files):
    """Write ``{path: text or (text, mode)}`` below ``root``; a text that begins with ``->`` is a link."""
    for path, content in files.items():
        text, mode = content if isinstance(content, tuple) else (content, 0o644)
        place = root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("->"):
            place.symlink_to(text[2:])
            continue
        place.write_text(text, encoding="utf-8")
        place.chmod(mode)


def release_files(name):
    """The files by which a release is known."""
    title, ident, version, like = RELEASES[name]
    return {
        "/etc/os-release": f'NAME="{title}"\nID="{ident}"\nID_LIKE="{like}"\nVERSION_ID="{version}"\nPRETTY_NAME="{title} {version}"\n',
        "/etc/redhat-release": f"{title} release {version}\n",
    }


def verdicts(root, benchmarks):
    """Read the image and judge it; return {benchmark: {section: [finding, ...]}} and what was chosen."""
    content = compile_content(roots(), VOCABULARY)
    needs = content.needs(benchmarks)
    options = {"file_attributes": {"paths": sorted(needs["paths"])}, "config": {"files": needs["configs"]}}
    raw = collect.collect({"root": str(root), "tables": sorted(needs["tables"]), "options": options})
    judged = plain_snapshot.evaluate(json.loads(raw), {"benchmarks": benchmarks, "host": "image"})
    found = {}
    for finding in judged["findings"]:
        found.setdefault(finding["benchmark"], {}).setdefault(finding["section"], []).append(finding)
    return found, judged

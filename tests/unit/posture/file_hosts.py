"""Hosts as trees of files, as real ones have them, read by the collectors themselves, with some text changed.

A case names one with ``host`` (a directory of fixtures/posture/file_hosts) and what differs with ``change``:
``{path: whole text | null (no such file) | {text there: text instead}}``.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import tempfile
from pathlib import Path

from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.spec import Result

TREES = Path(__file__).parents[2] / "fixtures" / "posture" / "file_hosts"
TABLES = ("pam", "pam_settings", "login_defs", "sudoers", "password_ages", "groups", "config")
FILES = (
    "/etc/sssd/sssd.conf", "/etc/libuser.conf", "/etc/default/useradd", "/etc/opensc.conf",
    "/etc/pam_pkcs11/pam_pkcs11.conf", "/etc/gdm3/custom.conf", "/etc/gdm/custom.conf",
)  # fmt: skip
FORMATS = {"/etc/libuser.conf": "ini", "/etc/opensc.conf": "keyvalue", "/etc/pam_pkcs11/pam_pkcs11.conf": "keyvalue"}
FAMILIES = {"debian12": {"family": "debian"}, "rhel9": {"id": "rhel", "family": "rhel", "version_id": "9.4"}}
PACKAGES = {
    "debian12": (("libpam-modules", "1.5.2-6+deb12u1"), ("sudo", "1.9.13p3-1+deb12u1"), ("sssd", "2.8.2-4")),
    "rhel9": (("pam", "1.5.1-20.el9"), ("sudo", "1.9.5p2-10.el9"), ("sssd", "2.9.4-6.el9"), ("libuser", "0.63-13.el9")),
}


def tree(name):
    """Return {path: text} of a host."""
    base = TREES / name
    return {"/" + str(path.relative_to(base)): path.read_text() for path in sorted(base.rglob("*")) if path.is_file()}


def changed(files, change):
    """Return the files after the change; a text that is to be replaced must be there."""
    files = dict(files)
    for path, body in change.items():
        if body is None:
            del files[path]
        elif isinstance(body, str):
            files[path] = body
        else:
            for old, new in body.items():
                assert old in files[path], f"{path} has no {old!r}"
                files[path] = files[path].replace(old, new)
    return files


def collected(root, names=TABLES):
    """Return the rows of these tables below ``root``."""
    found = {}
    options = {"files": [{"file": path, "format": FORMATS.get(path), "drop_ins": None} for path in FILES]}
    host = Host(root)
    for name in names:
        module = importlib.import_module(f"ansible_collections.ringwall.servers.plugins.module_utils.tables.{name}")
        result = module.collect(host, options)
        found[name] = result.rows if isinstance(result, Result) else result
    os.close(host.tree._root_fd)  # there are more of these hosts than descriptors that select(2) can watch
    return found


@functools.cache
def _tables(name, change):
    with tempfile.TemporaryDirectory() as root:
        for path, text in changed(tree(name), json.loads(change)).items():
            place = Path(root + path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        return collected(root)


def expand(case):
    """Return the case with the tables of its host beside those it brings itself."""
    if "host" not in case:
        return case
    name = case["host"]
    tables = dict(_tables(name, json.dumps(case.get("change") or {})))
    tables["packages"] = {
        f"{package}:x": {"name": package, "version": version, "installed": True, "state": "installed"}
        for package, version in PACKAGES[name]
    }
    tables.update(case.get("tables") or {})
    return {**case, "tables": tables, "platform": {**FAMILIES[name], **(case.get("platform") or {})}}

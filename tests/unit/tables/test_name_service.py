"""A directory that is down, hangs, is quiet by its settings, or answers: unknown is never taken for absent."""

from __future__ import annotations

import os
import socket

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import name_service
from ansible_collections.ringwall.servers.plugins.module_utils.collect import collect_table
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.spec import Unreadable, is_unreadable
from ansible_collections.ringwall.servers.plugins.module_utils.tables import groups, name_services, users

LOCAL = "root:x:0:0:root:/root:/bin/bash\nann:x:1000:5000::/home/ann:/bin/bash\n"
DIRECTORY = "DOM\\eve:*:70001:70000:Eve:/home/eve:/bin/bash\n"


@pytest.fixture
def make(tmp_path):
    """A host whose files lie in a directory and whose getent is a script; None: getent must not be started."""

    def build(nsswitch, script, **files):
        etc = tmp_path / "etc"
        etc.mkdir(exist_ok=True)
        (etc / "passwd").write_text(LOCAL)
        (etc / "group").write_text("root:x:0:\n")
        (etc / "nsswitch.conf").write_text(f"passwd: {nsswitch}\ngroup: {nsswitch}\n")
        for name, content in files.items():
            path = tmp_path / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        (tmp_path / "proc/self").mkdir(parents=True, exist_ok=True)
        (tmp_path / "proc/self/mountinfo").write_text(
            "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 0:40 / /home/far\\040away rw - nfs4 srv:/ rw\n"
        )
        program = tmp_path / "getent"
        program.write_text("#!/bin/sh\n" + (script or f"touch {tmp_path}/started"))
        program.chmod(0o755)
        host = Host(str(tmp_path))
        host.live = True
        host._cache[("which", "getent")] = str(program)
        host.scratch = tmp_path
        return host

    return build


def answering(host, lines):
    (host.scratch / "answer").write_text(lines)
    (host.scratch / "getent").write_text(f"#!/bin/sh\ncat {host.scratch}/answer\n")


@pytest.mark.parametrize(
    "nsswitch", ["files", "files systemd", "compat", "files sss", "files [NOTFOUND=return] winbind"]
)
def test_no_directory_in_use_starts_nothing(make, nsswitch):
    host = make(nsswitch, None)
    assert collect_table(users, host, {})["state"] == "ok"
    assert not (host.scratch / "started").exists()
    assert not any(row["in_use"] for row in name_services.collect(host, {}).values() if row["kind"] == "directory")


def test_directory_accounts_are_listed(make):
    host = make("files ldap", "", etc__nslcd_dot_conf="uri ldap://x\n")
    answering(host, LOCAL + DIRECTORY)
    result = collect_table(users, host, {})
    assert (result["state"], result["why"]) == ("ok", "")
    assert result["rows"]["DOM\\x5ceve"]["kind"] == "directory"
    assert result["rows"]["DOM\\x5ceve"]["uid"] == 70001
    assert name_services.collect(host, {})["passwd ldap"]["accounts"] == 1


def test_silent_directory_is_not_an_empty_one(make):
    host = make("files ldap", "", etc__nslcd_dot_conf="uri ldap://x\n")
    answering(host, LOCAL)
    result = collect_table(users, host, {})
    assert result["state"] == "partial"
    assert "ldap" in result["why"]
    assert set(result["rows"]) == {"root", "ann"}
    assert is_unreadable(result["rows"]["ann"]["primary_group"]), "group 5000 may be one of the directory"
    assert collect_table(groups, host, {})["state"] == "partial"


def test_hanging_directory_costs_its_time_only(make, monkeypatch):
    monkeypatch.setattr(name_service, "TIMEOUT", 0.3)
    host = make("files nis", "sleep 30")
    result = collect_table(users, host, {})
    assert result["state"] == "partial"
    assert "no end after" in result["why"]
    assert result["cost"]["wall"] < 3
    assert set(result["rows"]) == {"root", "ann"}


def test_failing_getent(make):
    host = make("files nis", "exit 127")
    assert collect_table(users, host, {})["state"] == "partial"


def test_sssd_that_lists_nobody_by_its_settings(make, monkeypatch, tmp_path_factory):
    host = make("files sss", "", etc__sssd__sssd_dot_conf="[domain/x]\nid_provider = ad\n")
    answering(host, LOCAL)
    assert collect_table(users, host, {})["state"] == "partial", "its daemon takes no connection"
    directory = tmp_path_factory.mktemp("s")
    path = os.path.join(directory, "nss")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen(1)
        monkeypatch.setitem(name_service.SOCKETS, "sss", (path,))
        host._cache.pop(("directory", "passwd"))
        assert collect_table(users, host, {})["state"] == "ok"
        (host.scratch / "etc/sssd/sssd.conf").write_text("[domain/x]\nenumerate = True\n")
        host._cache.pop(("directory", "passwd"))
        assert collect_table(users, host, {})["state"] == "partial", "it should list them and does not"


def test_compat_lines_mean_a_directory(make):
    host = make("compat", "")
    (host.scratch / "etc/passwd").write_text(LOCAL + "+::::::\n")
    answering(host, LOCAL)
    result = collect_table(users, host, {})
    assert result["state"] == "partial"
    assert result["rows"]["+"]["kind"] == "nis"


def test_image_with_a_directory_is_partial(make):
    host = make("files ldap", None, etc__nslcd_dot_conf="")
    host.live = False
    assert collect_table(users, host, {})["state"] == "partial"


def test_owners_of_a_directory_are_not_unowned(make):
    host = make("files ldap", "", etc__nslcd_dot_conf="")
    answering(host, DIRECTORY)
    assert name_service.resolve_ids(host, "passwd", {0, 70001, 70002}) == {70002}


def test_owners_cannot_be_told_while_the_directory_is_down(make):
    host = make("files ldap", "exit 2", etc__nslcd_dot_conf="")
    with pytest.raises(Unreadable):
        name_service.resolve_ids(host, "passwd", {70001})
    assert name_service.resolve_ids(host, "passwd", {0, 1000}) == set(), "the files know these"


def test_owners_without_a_directory(make):
    host = make("files", None)
    assert name_service.resolve_ids(host, "passwd", {0, 1000, 4711}) == {4711}
    assert name_service.resolve_ids(host, "group", {0, 4711}) == {4711}


def test_homes_on_network_file_systems_are_not_touched(make):
    host = make("files", None)
    assert name_service.may_hang(host, "/home/far away/bob") == "/home/far away"
    assert name_service.may_hang(host, "/home/bob") is None
    (host.scratch / "etc/passwd").write_text("bob:x:1000:0::/home/far away/bob:/bin/sh\n")
    row = collect_table(users, host, {})["rows"]["bob"]
    assert row["home_exists"]["!"] == "partial"


def test_extra_files(make):
    host = make("files extrausers", None, var__lib__extrausers__passwd="core:x:1100:0::/home/core:/bin/sh\n")
    assert collect_table(users, host, {})["rows"]["core"]["where"] == ["/var/lib/extrausers/passwd:1"]

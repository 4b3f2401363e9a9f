from __future__ import annotations

import os

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.tables import home_files, homes
from ansible_collections.ringwall.servers.plugins.module_utils.tables import root_path as root_paths

PASSWD = """root:x:0:0:root:/root:/bin/bash
daemon:x:1:1::/usr/sbin:/usr/sbin/nologin
postgres:x:110:110::/var/lib/postgresql:/bin/bash
ann:x:1000:1000::/home/ann:/bin/bash
bob:x:1001:1001::/home/bob:/bin/bash
out:x:1002:1002::/home/out:/usr/sbin/nologin
"""
GROUP = "root:x:0:\nann:x:1000:\nbob:x:1001:\nops:x:50:ann\n"
BASE = {"/etc/passwd": PASSWD, "/etc/group": GROUP, "/etc/shells": "/bin/sh\n/bin/bash\n"}


def test_people_and_root_alone(file_host):
    rows = homes.collect(file_host({**BASE, "/home/ann/.bashrc": ""}), {}).rows
    assert sorted(rows) == ["ann", "bob", "root"]
    assert rows["ann"]["gids"] == [1000, 50]
    assert rows["ann"]["exists"] is True
    assert rows["bob"]["exists"] is False
    assert rows["bob"]["dot_files"] is None


def test_dot_files_and_what_start_up_files_do(file_host, tmp_path):
    bashrc = 'umask 002\nexport PATH="$HOME/bin:/opt/tools:$PATH:"\n. ~/x.sh\n# /opt/never\n/opt/run.sh\n'
    files = {"/home/ann/.bashrc": bashrc, "/home/ann/.netrc": "", "/home/ann/.ssh/id": "", "/home/ann/plain": ""}
    host = file_host({**BASE, **files, "/home/ann/x.sh": "", "/opt/run.sh": "", "/opt/never": ""})
    for name in ("home/ann/x.sh", "opt/never"):
        (tmp_path / name).chmod(0o777)
    (tmp_path / "home/ann/.netrc").chmod(0o600)
    row = homes.collect(host, {}).rows["ann"]
    assert [(entry["name"], entry["type"]) for entry in row["dot_files"]] == [(".bashrc", "file"), (".netrc", "file")]
    assert row["dot_files"][1]["mode"] == "0600"
    assert row["umasks"] == [{"value": "0002", "where": "/home/ann/.bashrc:1"}]
    assert [entry["part"] for entry in row["paths"]] == ["$HOME/bin", "/opt/tools", ""]
    assert row["loose_programs"] == [{"path": "/home/ann/x.sh", "where": "/home/ann/.bashrc:3", "mode": "0777"}]


def test_a_pipe_in_place_of_a_start_up_file_is_not_opened(file_host, tmp_path):
    host = file_host({**BASE, "/home/ann/x": ""})
    os.mkfifo(tmp_path / "home/ann/.bashrc")
    row = homes.collect(host, {}).rows["ann"]
    assert row["dot_files"][0]["type"] == "fifo"
    assert row["umasks"]["!"] == "invalid"
    assert row["loose_programs"]["!"] == "invalid"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_links_of_a_person_are_not_followed(file_host, tmp_path):
    host = file_host({**BASE, "/etc/secret": "umask 000\n", "/home/ann/.profile": ("link", "/etc/secret")})
    (tmp_path / "home/bob").symlink_to("/root")
    for name, uid in (("home/ann", 1000), ("home/ann/.profile", 1000), ("home/bob", 1001)):
        os.chown(tmp_path / name, uid, uid, follow_symlinks=False)
    rows = homes.collect(host, {}).rows
    assert rows["ann"]["dot_files"][0]["type"] == "link"
    assert "not followed" in rows["ann"]["umasks"]["why"]
    assert "not followed" in rows["bob"]["exists"]["why"]


def test_a_home_full_of_names_is_told_not_cut(file_host):
    files = {f"/home/ann/.f{number}": "" for number in range(homes.MAX_DOT_FILES + 1)}
    row = homes.collect(file_host({**BASE, **files}), {}).rows["ann"]
    assert row["dot_files"]["!"] == "partial"
    assert row["umasks"]["!"] == "partial"


def test_what_is_open_in_a_home(file_host, tmp_path):
    host = file_host({**BASE, "/home/ann/a": "", "/home/ann/d/b": "", "/home/ann/l": ("link", "/etc/passwd")})
    for name, mode in (("a", 0o640), ("d", 0o750), ("d/b", 0o664)):
        (tmp_path / "home/ann" / name).chmod(mode)
    row = home_files.collect(host, {}).rows["ann"]
    assert row["open"] == [{"path": "/home/ann/d/b", "mode": "0664"}]
    assert (row["open_count"], row["entries"]) == (1, 3)
    own = os.getegid()
    assert row["foreign_count"] == (0 if own in (1000, 50) else 3)


def test_a_home_that_goes_too_deep_is_partial(file_host):
    row = home_files.collect(file_host({**BASE, "/home/ann/" + "d/" * 25 + "x": ""}), {}).rows["ann"]
    assert row["open"]["!"] == "partial"
    assert row["foreign_count"]["!"] == "partial"


def test_roots_path_from_all_that_sets_it(file_host, tmp_path):
    host = file_host(
        {
            "/etc/login.defs": "ENV_SUPATH PATH=/usr/sbin:/usr/bin\n",
            "/etc/environment": 'PATH="/usr/bin:/opt/games"\n',
            "/etc/profile": "if [ x ]; then PATH=/usr/local/bin:$PATH; fi\n",
            "/root/.bashrc": "export PATH=$PATH:.:~/bin:$GOROOT/bin:\n",
            "/usr/bin/true": "",
            "/opt/games": "",
        }
    )
    (tmp_path / "usr/bin").chmod(0o775)
    rows = root_paths.collect(host, {}).rows
    assert rows["/usr/bin"]["where"] == ["/etc/login.defs:1", "/etc/environment:1"]
    assert (rows["/usr/bin"]["writable"], rows["/usr/bin"]["type"]) == (True, "directory")
    assert rows["/opt/games"]["type"] == "file"
    assert rows["/usr/local/bin"]["optional"] is True
    assert rows["/usr/local/bin"]["exists"] is False
    assert rows["."]["form"] == "relative"
    assert (rows["~/bin"]["form"], rows["~/bin"]["path"]) == ("home", "/root/bin")
    assert rows["$GOROOT/bin"]["form"] == "variable"
    assert rows["(empty)"]["form"] == "empty"

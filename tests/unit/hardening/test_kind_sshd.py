"""SSH servers: where a value must stand so that it counts, and that a real sshd then says so."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.changes import edits, spec
from ansible_collections.ringwall.servers.plugins.module_utils.sshd_config import parse
from ansible_collections.ringwall.servers.plugins.plugin_utils.hardening.kinds import sshd

MAIN, DROP_IN = "/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/00-ringwall.conf"
FIRST = {"pattern": "/etc/ssh/sshd_config.d/*.conf", "where": MAIN + ":12", "first": True}


def server(**cells):
    row = {
        "config": MAIN, "uid": 0, "running": True, "enabled": True, "units": ["ssh.service", "ssh@.service"],
        "files": [MAIN], "includes": [FIRST], "effective": {}, "where": {}, "matches": [],
    }  # fmt: skip
    return {"sshd": {MAIN: {**row, **cells}}}


def setting(name, value, rule="equals"):
    return {"kind": "sshd", "name": name, "value": value, "rule": rule}


def planned(here, items):
    found = sshd.operations(items, here)
    for one in found:
        if one["op"] != "left":
            spec.check_operation(one)
    return {one["path"]: one for one in found if one["op"] == "edit"}, [
        one["reason"] for one in found if one["op"] == "left"
    ]


def test_a_drop_in_of_ours_where_the_main_file_reads_them_first(facts, chosen):
    files, left = planned(facts(server()), chosen(setting("X11Forwarding", "no"), setting("MaxAuthTries", 4, "max")))
    assert left == []
    assert list(files) == [DROP_IN]
    one = files[DROP_IN]
    assert [(edit["set"], edit["value"]) for edit in one["edits"]] == [("X11Forwarding", "no"), ("MaxAuthTries", "4")]
    assert one["create"]["mode"] == "0600"
    assert one["validate"] == "sshd"
    assert one["guarded"] is True
    assert one["follow"] == ["reload:ssh.service"]


@pytest.mark.parametrize("includes", [[], [{**FIRST, "first": False}], [{**FIRST, "pattern": "/etc/ssh/other/*"}]])
def test_the_main_file_where_a_drop_in_would_come_too_late(facts, chosen, includes):
    files, _left = planned(facts(server(includes=includes)), chosen(setting("X11Forwarding", "no")))
    assert list(files) == [MAIN]
    text = b"Port 22\nMatch User ann\n    X11Forwarding yes\n"
    changed = edits.apply(text, files[MAIN]["edits"])
    assert changed == b"Port 22\nX11Forwarding no\nMatch User ann\n    X11Forwarding yes\n"
    assert edits.apply(changed, files[MAIN]["edits"]) == changed


def test_a_file_that_is_read_before_ours_is_edited_too(facts, chosen):
    early = "/etc/ssh/sshd_config.d/00-a.conf"
    here = facts(server(where={"x11forwarding": early + ":1"}, files=[MAIN, early]))
    files, _left = planned(here, chosen(setting("X11Forwarding", "no")))
    assert list(files) == [DROP_IN, early]
    late = facts(server(where={"x11forwarding": "/etc/ssh/sshd_config.d/50-cloud.conf:1"}))
    assert list(planned(late, chosen(setting("X11Forwarding", "no")))[0]) == [DROP_IN]


def test_match_blocks_that_say_otherwise_are_edited_in_their_place(facts, chosen):
    block = {
        "criteria": "user ann",
        "settings": {"x11forwarding": "yes", "maxauthtries": "2"},
        "lines": {"x11forwarding": MAIN + ":9", "maxauthtries": MAIN + ":10"},
    }
    here = facts(server(matches=[block]))
    items = chosen(setting("X11Forwarding", "no"), setting("MaxAuthTries", 4, "max"))
    files, _left = planned(here, items)
    assert set(files) == {DROP_IN, MAIN}
    text = b"Match User ann\n    x11forwarding = yes # why\n    MaxAuthTries 2\n"
    assert edits.apply(text, files[MAIN]["edits"]) == b"Match User ann\n    X11Forwarding no\n    MaxAuthTries 2\n"


def test_weak_algorithms_go_and_unknown_ones_never_come(facts, chosen):
    now = {"ciphers": "aes128-cbc,aes256-ctr,x@example", "macs": ["hmac-sha1", "hmac-sha2-256"]}
    here = facts(server(effective=now))
    items = chosen(
        setting("Ciphers", ["aes128-cbc", "3des-cbc"], "none_of"),
        setting("MACs", ["hmac-sha2-512", "hmac-of-tomorrow", "hmac-sha2-256"], "subset_of"),
    )
    files, _left = planned(here, items)
    assert [edit["value"] for edit in files[DROP_IN]["edits"]] == [
        "aes256-ctr,x@example",
        "hmac-sha2-512,hmac-sha2-256",
    ]


@pytest.mark.parametrize(
    ("cells", "what", "reason"),
    [
        ({"effective": {"ciphers": "aes128-cbc"}}, setting("Ciphers", ["aes128-cbc"], "none_of"), "no algorithm"),
        ({"where": {"ciphers": "command line"}, "effective": {"ciphers": "aes256-ctr"}},
         setting("Ciphers", ["aes256-ctr"]), "command line"),
        ({"effective": {"!": "denied", "why": "x"}}, setting("X11Forwarding", "no"), "could not be read"),
        ({}, setting("AllowGroups", []), "for the site to say"),
        ({}, setting("Banner", "/etc/issue\nMatch all"), "cannot have that value"),
        ({"config": "/srv/own_sshd"}, setting("X11Forwarding", "no"), "cannot be set there"),
    ],
)  # fmt: skip
def test_what_a_machine_cannot_set_is_left_with_the_reason(facts, chosen, cells, what, reason):
    files, left = planned(facts(server(**cells)), chosen(what))
    assert files == {}
    assert reason in left[0]


def test_without_a_server_nothing_is_written(facts, chosen):
    assert planned(facts({"sshd": {}}), chosen(setting("X11Forwarding", "no"))) == ({}, ["no SSH server was found"])


def test_the_table_tells_whether_drop_ins_come_first():
    def read(text):
        config = parse(lambda _path: text.split("\n"), lambda _pattern: [], MAIN)
        return [(one["pattern"], one["first"]) for one in config.includes]

    assert read("# x\nInclude /etc/ssh/sshd_config.d/*.conf\nPort 22") == [("/etc/ssh/sshd_config.d/*.conf", True)]
    assert read("Port 22\nInclude sshd_config.d/*.conf") == [("sshd_config.d/*.conf", False)]
    assert read("Match all\nInclude a b") == [("a", False), ("b", False)]


@pytest.fixture
def separation():
    """The directory that the server wants to see; made for the test where it is not there."""
    folder = Path("/run/sshd")
    if folder.is_dir():
        yield
        return
    if os.geteuid() != 0:
        pytest.skip("the server's own directory is not there")
    folder.mkdir(mode=0o755)
    yield
    folder.rmdir()


@pytest.mark.skipif(shutil.which("sshd", path="/usr/sbin") is None, reason="no sshd here")
def test_a_real_server_takes_the_first_value(tmp_path, facts, chosen, separation):
    items = chosen(
        setting("X11Forwarding", "no"), setting("MaxStartups", "10:30:60", "max"),
        setting("RekeyLimit", "1073741824 3600", "one_of"), setting("ClientAliveInterval", 300, "max"),
        setting("MACs", ["hmac-sha2-512", "hmac-sha2-256"], "subset_of"),
    )  # fmt: skip
    files, _left = planned(facts(server()), items)
    assert list(files) == [DROP_IN, MAIN]
    folder = tmp_path / "sshd_config.d"
    folder.mkdir()
    (folder / "00-ringwall.conf").write_bytes(edits.apply(b"", files[DROP_IN]["edits"]))
    (folder / "50-cloud.conf").write_text("X11Forwarding yes\nClientAliveInterval 900\n")
    main = tmp_path / "sshd_config"
    before = f"Include {folder}/*.conf\nMACs hmac-sha1\nMaxStartups 100\n"
    main.write_bytes(edits.apply(before.encode(), files[MAIN]["edits"]))
    done = subprocess.run(["/usr/sbin/sshd", "-G", "-f", str(main)], capture_output=True, text=True, check=False)
    if "unknown option" in done.stderr or "illegal option" in done.stderr or "invalid option" in done.stderr:
        key = tmp_path / "key"
        subprocess.run(["ssh-keygen", "-q", "-N", "", "-t", "ed25519", "-f", str(key)], check=True)
        (folder / "99-key.conf").write_text(f"HostKey {key}\n")
        done = subprocess.run(["/usr/sbin/sshd", "-T", "-f", str(main)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)
    assert told["x11forwarding"] == "no"
    assert told["maxstartups"] == "10:30:60"
    assert told["rekeylimit"] == "1073741824 3600"
    assert told["clientaliveinterval"] == "300"
    assert told["macs"] == "hmac-sha2-512,hmac-sha2-256"

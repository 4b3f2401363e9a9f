"""Plan, apply, confirm and undo on a tree."""

from __future__ import annotations

import json
import os
import pathlib
import types

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.changes import follow
from ansible_collections.ringwall.servers.plugins.module_utils.changes import journal as journals
from ansible_collections.ringwall.servers.plugins.module_utils.changes.kinds import Resources
from ansible_collections.ringwall.servers.plugins.module_utils.changes.target import Problem

OPERATIONS = [
    {"op": "write", "path": "/etc/sysctl.d/60-ringwall.conf", "text": "kernel.x = 1\n", "controls": ["a"]},
    {"op": "write", "path": "/etc/new/deep/file.conf", "text": "x\n", "mode": "0600", "controls": ["b"]},
    {
        "op": "edit",
        "path": "/etc/login.defs",
        "edits": [{"set": "PASS_MAX_DAYS", "value": "365", "separator": " "}],
        "controls": ["c"],
    },
    {"op": "attributes", "path": "/etc/issue", "clear_mode": "0022", "mode": None, "controls": ["d"]},
    {"op": "attributes", "path": "/etc/ssh", "mode": "0700", "controls": ["d"]},
    {"op": "remove", "path": "/etc/issue", "controls": ["e"]},
    {"op": "unit", "name": "cups.service", "enabled": False, "masked": True, "controls": ["f"]},
    {"op": "account", "name": "alice", "max_days": 365, "lock": True, "shell": "/usr/sbin/nologin", "controls": ["g"]},
    {"op": "group", "name": "sudo", "members_remove": ["alice"], "controls": ["h"]},
    {"op": "group", "name": "sugroup", "present": True, "controls": ["i"]},
]


def furnish(box):
    os.symlink(
        "/usr/lib/systemd/system/cups.service", box.root / "etc/systemd/system/multi-user.target.wants/cups.service"
    )
    os.symlink("/usr/lib/systemd/system/cups.service", box.root / "etc/systemd/system/printer.service")


def test_a_plan_says_what_would_change_and_changes_nothing(box):
    furnish(box)
    before = box.fingerprint()
    rows = box.plan(OPERATIONS)["operations"]
    assert [row["problem"] for row in rows] == [None] * len(rows)
    assert [row["changes"] for row in rows] == [True, True, True, False, True, True, True, True, True, True]
    assert "-PASS_MAX_DAYS\t99999" in rows[2]["diff"]
    assert "+PASS_MAX_DAYS 365" in rows[2]["diff"]
    assert "hash" not in json.dumps(rows)
    assert box.fingerprint() == before
    assert not (box.root / "var/lib/ringwall").exists()


def test_all_of_it_is_done_and_undone_to_the_byte(box):
    furnish(box)
    before = box.fingerprint()
    told = box.apply(OPERATIONS)
    assert told["phase"] == "switched"
    assert [row["status"] for row in told["results"]] == ["changed"] * 3 + ["unchanged"] + ["changed"] * 6
    assert box.text("etc/sysctl.d/60-ringwall.conf") == "kernel.x = 1\n"
    assert (box.root / "etc/new/deep/file.conf").stat().st_mode & 0o777 == 0o600
    assert os.readlink(box.root / "etc/systemd/system/cups.service") == "/dev/null"
    assert not os.path.lexists(box.root / "etc/systemd/system/multi-user.target.wants/cups.service")
    assert not os.path.lexists(box.root / "etc/systemd/system/printer.service")
    assert "alice:!$y$j9T$salt$hash:19000:0:365:7:::" in box.text("etc/shadow")
    assert box.text("etc/group").endswith("sudo:x:27:\nsugroup:x:999:\n")
    assert box.text("etc/gshadow").endswith("sudo:*::\nsugroup:!::\n")
    assert not (box.root / "etc/.pwd.lock").exists()
    assert "hash" not in (box.root / "var/lib/ringwall/r1/journal.jsonl").read_text()
    assert box.confirm()["phase"] == "confirmed"
    again = box.apply(OPERATIONS, run="r2")
    assert again["phase"] == "unchanged"
    told = box.rollback()
    assert (told["phase"], told["conflicts"], told["problems"]) == ("rolled_back", [], [])
    assert box.fingerprint() == before


def test_one_control_is_undone_and_the_others_stay(box):
    operations = [
        {
            "op": "edit", "path": "/etc/login.defs", "controls": ["x", "y"],
            "edits": [
                {"set": "PASS_MAX_DAYS", "value": "365", "separator": " ", "controls": ["x"]},
                {"set": "UMASK", "value": "027", "separator": " ", "controls": ["y"]},
            ],
        },
        {"op": "edit", "path": "/etc/login.defs", "controls": ["z"], "edits": [{"set": "LOG_OK_LOGINS", "value": "yes", "separator": " "}]},
        {"op": "write", "path": "/etc/both.conf", "text": "1\n", "controls": ["x", "z"]},
    ]  # fmt: skip
    before = box.fingerprint()
    box.apply(operations)
    box.confirm()
    told = box.rollback(controls=["x"])
    assert told["conflicts"] == []
    assert box.text("etc/login.defs") == "# ages\nPASS_MAX_DAYS\t99999\nUMASK 027\nLOG_OK_LOGINS yes\n"
    assert box.text("etc/both.conf") == "1\n"
    box.rollback(controls=["z"])
    assert box.text("etc/login.defs") == "# ages\nPASS_MAX_DAYS\t99999\nUMASK 027\n"
    assert not (box.root / "etc/both.conf").exists()
    box.rollback()
    assert box.fingerprint() == before


def test_what_somebody_else_changed_is_left_and_told(box):
    box.apply(OPERATIONS[:3] + OPERATIONS[7:])
    box.confirm()
    box.write("etc/sysctl.d/60-ringwall.conf", "kernel.x = 2\n")
    shadow = box.text("etc/shadow").replace("root:*:19000", "root:*:19001")
    box.write("etc/shadow", shadow.replace(":365:", ":90:"), 0o640)
    told = box.rollback()
    assert len(told["conflicts"]) == 3
    assert any("60-ringwall.conf" in text for text in told["conflicts"])
    assert any("shadow:alice:4" in text for text in told["conflicts"])
    assert any("/etc/sysctl.d" in text for text in told["conflicts"])
    assert box.text("etc/sysctl.d/60-ringwall.conf") == "kernel.x = 2\n"
    assert box.text("etc/shadow") == "root:*:19001:0:99999:7:::\nalice:$y$j9T$salt$hash:19000:0:90:7:::\n"
    assert not (box.root / "etc/new").exists()


def test_a_group_that_is_there_is_left_and_one_that_got_members_stays(box):
    makes = [
        {"op": "group", "name": "sudo", "present": True, "controls": ["a"]},
        {"op": "group", "name": "one", "present": True, "controls": ["b"]},
        {"op": "group", "name": "two", "present": True, "controls": ["c"]},
    ]
    assert [row["changes"] for row in box.plan(makes)["operations"]] == [False, True, True]
    box.apply(makes)
    box.confirm()
    assert box.text("etc/group").endswith("one:x:999:\ntwo:x:998:\n")
    box.write("etc/group", box.text("etc/group").replace("two:x:998:", "two:x:998:alice"))
    told = box.rollback()
    assert told["conflicts"] == ["entry /etc/group:two is not what was written: left as it is"]
    assert box.text("etc/group") == "root:x:0:\nsudo:x:27:alice\ntwo:x:998:alice\n"


def test_what_a_file_of_ours_made_later_goes_with_it(box):
    makes = ["/var/made", "/var/made/later.db", "/var/lib/there"]
    operations = [{"op": "write", "path": "/etc/job", "text": "x\n", "makes": makes, "controls": ["a"]}]
    box.write("var/lib/there", "old\n")
    box.apply(operations)
    box.confirm()
    box.write("var/made/later.db", b"x" * (9 << 20))
    assert box.apply(operations, run="r2")["phase"] == "unchanged"
    told = box.rollback()
    assert told["conflicts"] == []
    assert not (box.root / "var/made").exists()
    assert box.text("var/lib/there") == "old\n"


def test_a_directory_made_later_stays_when_somebody_uses_it(box):
    operations = [{"op": "write", "path": "/etc/job", "text": "x\n", "makes": ["/var/made"], "controls": ["a"]}]
    box.apply(operations)
    box.write("var/made/theirs", "x\n")
    assert box.rollback()["conflicts"] == []
    assert box.text("var/made/theirs") == "x\n"


def test_what_changed_since_the_plan_is_refused_and_the_rest_goes_on(box):
    told = box.plan(OPERATIONS[:3])
    box.write("etc/login.defs", "PASS_MAX_DAYS 1\n")
    before = {str(row["index"]): row["digest_before"] for row in told["operations"]}
    result = box.apply(OPERATIONS[:3], before=before)
    assert [row["status"] for row in result["results"]] == ["changed", "changed", "conflict"]
    assert result["failed"] == {"c": "what is there is not what the plan saw"}
    assert box.text("etc/login.defs") == "PASS_MAX_DAYS 1\n"
    with pytest.raises(Problem, match="digest"):
        box.apply(OPERATIONS[:3], run="r3", digest="0" * 64)


def test_a_failing_operation_takes_its_control_with_it(box, monkeypatch):
    from ansible_collections.ringwall.servers.plugins.module_utils.changes import durable

    def full(name, *rest, **more):
        if b"poison" in rest[1]:
            raise OSError(28, "No space left on device", name)
        return real(name, *rest, **more)

    real = durable.replace_file
    monkeypatch.setattr(
        durable,
        "replace_file",
        lambda *args, **more: (
            full(*args, **more)
            if b"poison" in bytes(args[2]) and not str(args[1]).endswith(".json")
            else real(*args, **more)
        ),
    )
    operations = [
        {"op": "write", "path": "/etc/a.conf", "text": "1\n", "controls": ["one"]},
        {"op": "write", "path": "/etc/b.conf", "text": "poison\n", "controls": ["one", "two"]},
        {"op": "write", "path": "/etc/c.conf", "text": "1\n", "controls": ["two", "three"]},
        {"op": "write", "path": "/etc/d.conf", "text": "1\n", "controls": ["two"]},
    ]
    result = box.apply(operations)
    assert [row["status"] for row in result["results"]] == ["undone", "failed", "changed", "undone"]
    assert sorted(result["failed"]) == ["one", "two"]
    assert [name for name in "abcd" if (box.root / f"etc/{name}.conf").exists()] == ["c"]
    box.rollback()
    assert not (box.root / "etc/c.conf").exists()


def test_hard_links_links_of_users_and_missing_files_are_said(box):
    os.link(box.root / "etc/issue", box.root / "etc/issue.net")
    (box.root / "etc/lost").symlink_to("nowhere")
    problems = [row["problem"] for row in box.plan([
        {"op": "edit", "path": "/etc/issue", "edits": [{"line": "x"}]},
        {"op": "edit", "path": "/etc/none", "edits": [{"line": "x"}]},
        {"op": "edit", "path": "/etc/lost", "edits": [{"line": "x"}]},
        {"op": "attributes", "path": "/etc/none", "mode": "0600"},
        {"op": "account", "name": "nobody9", "lock": True},
        {"op": "unit", "name": "none.service", "enabled": True},
        {"op": "write", "path": "/etc/ssh", "text": ""},
    ])["operations"]]  # fmt: skip
    assert "2 hard links" in problems[0]
    assert "is not there" in problems[1]
    assert "leads nowhere" in problems[2]
    assert all(problems[3:])


def test_an_edit_follows_a_link_of_root_and_a_write_replaces_it(box):
    box.write("etc/authselect/system-auth", "auth required pam_deny.so\n")
    os.makedirs(box.root / "etc/pam.d")
    (box.root / "etc/pam.d/system-auth").symlink_to("/etc/authselect/system-auth")
    (box.root / "etc/motd").symlink_to("/etc/issue")
    before = box.fingerprint()
    box.apply([
        {"op": "edit", "path": "/etc/pam.d/system-auth", "edits": [{"line": "# ours"}]},
        {"op": "write", "path": "/etc/motd", "text": "no\n"},
    ])  # fmt: skip
    assert box.text("etc/authselect/system-auth").endswith("# ours\n")
    assert (box.root / "etc/pam.d/system-auth").is_symlink()
    assert not (box.root / "etc/motd").is_symlink()
    assert box.text("etc/issue") == "Debian\n"
    box.rollback()
    assert box.fingerprint() == before


def test_mode_and_extended_attributes_survive_a_rewrite(box):
    path = box.write("etc/keep.conf", "a\n", 0o640)
    os.chown(path, 0, 27) if os.geteuid() == 0 else None
    try:
        os.setxattr(path, "user.note", b"kept")
    except OSError:
        pytest.skip("no extended attributes on this file system")
    before = path.stat()
    box.apply([{"op": "edit", "path": "/etc/keep.conf", "edits": [{"line": "b"}]}])
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert os.getxattr(path, "user.note") == b"kept"


def test_a_damaged_image_is_not_used(box):
    box.apply(OPERATIONS[2:3])
    for image in (box.root / "var/lib/ringwall/r1/images").iterdir():
        image.write_bytes(b"other\n")
    told = box.rollback()
    assert "damaged" in told["conflicts"][0]
    assert "365" in box.text("etc/login.defs")


def test_the_directory_of_runs_is_root_s_alone_and_forgets_after_30_days(box):
    box.apply(OPERATIONS[:1])
    base = box.root / "var/lib/ringwall"
    assert base.stat().st_mode & 0o777 == 0o700
    box.confirm()
    os.utime(base / "r1", (10**9, 10**9))
    box.apply(OPERATIONS[2:3], run="r2")
    assert not (base / "r1").exists()
    base.chmod(0o755)
    with pytest.raises(Problem, match="0700"):
        box.apply(OPERATIONS[7:8], run="r3")


def test_a_second_run_is_refused_by_name_while_the_first_is_not_confirmed(box):
    from ansible_collections.ringwall.servers.plugins.module_utils.changes.hostlock import Refused

    box.apply(OPERATIONS[:1], run="first")
    with pytest.raises(Refused, match=r"run first changes this host since 20"):
        box.apply(OPERATIONS[2:3], run="second")
    assert box.plan(OPERATIONS[:1])["owner"]["run"] == "first"
    box.confirm("first")
    assert box.apply(OPERATIONS[2:3], run="second")["phase"] == "switched"


def test_a_torn_last_line_of_the_journal_was_never_acted_upon(box):
    before = box.fingerprint()
    box.apply(OPERATIONS[:3])
    journal = pathlib.Path(box.root, "var/lib/ringwall/r1/journal.jsonl")
    with open(journal, "ab") as file:
        file.write(b'{"n": 99, "op": 1, "chan')
    box.rollback()
    assert box.fingerprint() == before
    assert journals.Journal(str(box.root), "r1").records()[-1]["finished"]


def test_an_edit_that_cannot_be_made_takes_only_its_own_control_along(box):
    box.write("etc/pam.d/x", "auth required pam_unix.so\n")
    operation = {
        "op": "edit", "path": "/etc/pam.d/x", "controls": ["a", "b", "c"],
        "edits": [
            {"pam": {"type": "auth", "module": "pam_unix.so", "add": {"x": None}}, "controls": ["a"]},
            {"pam": {"type": "auth", "module": "pam_none.so"}, "controls": ["b"]},
            {"line": "# c", "controls": ["b", "c"]},
        ],
    }  # fmt: skip
    row = box.plan([operation])["operations"][0]
    assert (row["problem"], row["changes"], row["left"][0]["controls"]) == (None, True, ["b"])
    told = box.apply([operation])
    assert [one["status"] for one in told["results"]] == ["changed"]
    assert list(told["failed"]) == ["b"]
    assert box.text("etc/pam.d/x") == "auth required pam_unix.so x\n# c\n"
    box.confirm()
    assert box.rollback()["conflicts"] == []
    assert box.text("etc/pam.d/x") == "auth required pam_unix.so\n"


def test_one_value_that_does_not_pass_validation_takes_only_its_own_control_along(box):
    box.write("etc/audit/auditd.conf", "a = 1\n")
    operation = {
        "op": "edit", "path": "/etc/audit/auditd.conf", "controls": ["a", "b"], "validate": "auditd",
        "edits": [
            {"set": "max_log_file", "value": "8", "separator": " = ", "controls": ["a"]},
            {"line": "nonsense", "controls": ["b"]},
        ],
    }  # fmt: skip
    told = box.apply([operation])
    assert list(told["failed"]) == ["b"]
    assert "not of the form" in told["failed"]["b"]
    assert box.text("etc/audit/auditd.conf") == "a = 1\nmax_log_file = 8\n"


def test_a_unit_is_enabled_whose_file_is_written_just_before(box):
    path, link = "etc/systemd/system/own.service", "etc/systemd/system/multi-user.target.wants/own.service"
    text = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"
    unit = {"op": "unit", "name": "own.service", "enabled": True, "controls": ["a"]}
    before = box.fingerprint()
    assert "no unit file" in box.plan([unit])["operations"][0]["problem"]
    write = {"op": "write", "path": f"/{path}", "text": text, "mode": "0644", "owner": "root", "group": "root"}
    operations = [{**write, "controls": ["a"], "follow": ["daemon-reload"]}, unit]
    assert [row["problem"] for row in box.plan(operations)["operations"]] == [None, None]
    told = box.apply(operations)
    assert [row["status"] for row in told["results"]] == ["changed", "changed"]
    assert os.readlink(box.root / link) == f"/{path}"
    box.confirm()
    assert box.apply(operations, run="r2")["phase"] == "unchanged"
    box.rollback()
    assert box.fingerprint() == before


@pytest.mark.parametrize(("before", "again"), [(b"enabled 1", True), (b"enabled 0", False)])
def test_a_journal_that_starts_anew_does_not_end_the_audit(before, again):
    said, ran = [before, b"enabled 0"], []
    host = types.SimpleNamespace(
        systemd=lambda: True,
        run=lambda argv, timeout: types.SimpleNamespace(out=said.pop(0) + b"\nfailure 1\n"),
    )
    target = types.SimpleNamespace(live=True, host=host, run=lambda argv, timeout=90.0: ran.append(argv))
    follow.run("restart:systemd-journald.service", target)
    assert ran[0] == ["systemctl", "try-restart", "systemd-journald.service"]
    assert (ran[1:] == [["auditctl", "-e", "1"]]) is again


def test_what_fails_at_the_switch_is_taken_back_with_its_control_alone(box, monkeypatch):
    carried_out = Resources.put

    def put(self, kind, key, state, blob=None):
        if key == "/etc/issue":
            raise Problem("no room for it")
        return carried_out(self, kind, key, state, blob)

    monkeypatch.setattr(Resources, "put", put)
    told = box.apply(
        [
            {"op": "write", "path": "/etc/sysctl.d/60-a.conf", "text": "a\n", "controls": ["a"]},
            {"op": "write", "path": "/etc/sysctl.d/60-b.conf", "text": "b\n", "controls": ["b"]},
            {"op": "remove", "path": "/etc/issue", "controls": ["a"]},
        ]
    )
    assert told["phase"] == "switched"
    assert told["results"][2]["status"] == "failed"
    assert "no room for it" in told["results"][2]["reason"]
    assert not (box.root / "etc/sysctl.d/60-a.conf").exists()
    assert box.text("etc/sysctl.d/60-b.conf") == "b\n"
    assert box.text("etc/issue") == "Debian\n"


def test_a_plan_does_not_show_a_text_that_goes_as_a_whole(box):
    box.write("etc/motd", "Welcome.\nAsk Ann for the key of room 7.\n")
    rows = box.plan([{"op": "write", "path": "/etc/motd", "text": "Authorized people only.\n", "controls": ["a"]}])
    diff = rows["operations"][0]["diff"]
    assert "+Authorized people only." in diff
    assert "-[2 lines, kept on this host]" in diff
    assert not [line for line in diff if "Ann" in line]

from __future__ import annotations

import json

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import pam_stacks
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.spec import Result
from ansible_collections.ringwall.servers.plugins.module_utils.tables import pam
from hypothesis import given
from hypothesis import strategies as st


def rows_of(host):
    result = pam.collect(host, {})
    return result.rows if isinstance(result, Result) else result


def stack(files, service, kind, file_host):
    return rows_of(file_host({"/etc/pam.d/" + name: text for name, text in files.items()}))[service + ":" + kind]


@pytest.fixture
def distribution(table_fixture, file_host):
    """Host with the PAM files of a distribution."""

    def make(name, services):
        return file_host({"/etc/pam.d/" + service: table_fixture(f"pam/{name}/{service}") for service in services})

    return make


DEBIAN = (
    "common-account",
    "common-auth",
    "common-password",
    "common-session",
    "common-session-noninteractive",
    "login",
    "other",
    "sshd",
    "su",
)


def test_debian_jump_over_deny_ends_at_permit(distribution):
    row = rows_of(distribution("debian12", DEBIAN))["sshd:auth"]
    first = row["stack"][0]
    assert (first["control"], first["actions"]) == ("[success=1 default=ignore]", {"success": 1, "default": "ignore"})
    assert first["args"] == ["nullok"]
    assert first["where"].startswith("/etc/pam.d/common-auth:")
    assert row["stack"][first["jumps"]["success"]]["module"] == "pam_permit.so"
    assert row["stack"][1] == {
        "control": "requisite",
        "module": "pam_deny.so",
        "where": "/etc/pam.d/common-auth:19",
        "level": 0,
    }
    assert row["problems"] == []


def test_debian_types_do_not_mix(distribution):
    rows = rows_of(distribution("debian12", DEBIAN))
    assert [entry["module"] for entry in rows["sshd:account"]["stack"]] == [
        "pam_nologin.so",
        "pam_unix.so",
        "pam_deny.so",
        "pam_permit.so",
    ]
    assert {kind.split(":")[1] for kind in rows} == set(pam_stacks.TYPES)


def test_red_hat_substack_and_include(distribution):
    rows = rows_of(distribution("rhel9", ("sshd", "password-auth", "system-auth", "postlogin")))
    auth = rows["sshd:auth"]["stack"]
    assert (auth[0]["control"], auth[0]["module"], auth[0]["level"]) == ("substack", "password-auth", 0)
    assert {entry["level"] for entry in auth[1:]} == {1}
    assert [entry["module"] for entry in auth][1:4] == ["pam_env.so", "pam_faildelay.so", "pam_faillock.so"]
    # usertype's default=1 skips localuser; localuser's skips pam_unix.
    usertype, localuser = auth[4], auth[5]
    assert auth[usertype["jumps"]["default"]]["module"] == "pam_unix.so"
    assert auth[localuser["jumps"]["default"]]["module"] == "pam_usertype.so"
    account = rows["sshd:account"]["stack"]
    assert [entry["level"] for entry in account] == [0] * 4
    assert rows["sshd:password"]["files"] == ["sshd", "password-auth"]
    session = rows["sshd:session"]["stack"]
    assert next(entry for entry in session if entry["module"] == "pam_systemd.so")["quiet"] is True


def test_jump_counts_a_substack_as_one(file_host):
    row = stack(
        {
            "x": "auth [success=2 default=ignore] a.so\nauth substack sub\nauth required b.so\nauth required c.so\n",
            "sub": "auth [success=5 default=bad] s1.so\nauth required s2.so\n",
        },
        "x",
        "auth",
        file_host,
    )
    names = [entry["module"] for entry in row["stack"]]
    assert names == ["a.so", "sub", "s1.so", "s2.so", "b.so", "c.so"]
    assert names[row["stack"][0]["jumps"]["success"]] == "c.so"
    # A jump does not leave its substack.
    assert row["stack"][2]["jumps"]["success"] == 4


def test_jump_past_the_end_points_behind_the_last(file_host):
    row = stack({"x": "auth [default=9] a.so\nauth required b.so\n"}, "x", "auth", file_host)
    assert row["stack"][0]["jumps"] == {"default": 2}


def test_lines_of_every_form(file_host):
    row = stack(
        {
            "x": "# c\nAUTH Required a.so one two # tail\n-auth optional gone.so\n"
            "auth [success=ok \\\n   default=bad] b.so [query=select a]\nbad line here now\nauth x\nauth wrong c.so\n",
        },
        "x",
        "auth",
        file_host,
    )
    assert [(entry["control"], entry["module"]) for entry in row["stack"]] == [
        ("required", "a.so"),
        ("optional", "gone.so"),
        ("[success=ok default=bad]", "b.so"),
        ("wrong", "c.so"),
    ]
    assert row["stack"][0]["args"] == ["one", "two"]
    assert row["stack"][2]["args"] == ["[query=select a]"]
    assert row["stack"][2]["where"] == "/etc/pam.d/x:4"
    assert row["problems"] == ["/etc/pam.d/x:6", "/etc/pam.d/x:7", "/etc/pam.d/x:8: unknown control"]


@pytest.mark.parametrize(
    ("control", "actions"),
    [
        ("[success=1 default=ignore]", {"success": 1, "default": "ignore"}),
        (
            "[success = 2   new_authtok_reqd=done default=die]",
            {"success": 2, "new_authtok_reqd": "done", "default": "die"},
        ),
        ("[]", {}),
        ("[success]", {}),
        ("sometimes", None),
        ("sufficient", {"success": "done", "new_authtok_reqd": "done", "default": "ignore"}),
    ],
)
def test_controls(control, actions):
    assert pam_stacks.actions_of(control) == actions


def test_missing_include_is_a_problem_and_missing_module_is_said(file_host):
    host = file_host(
        {
            "/etc/pam.d/x": "auth include nowhere\nauth required pam_unix.so\nauth required pam_evil.so\n"
            "auth required /opt/m.so\nauth required /opt/gone.so\n",
            "/usr/lib/x86_64-linux-gnu/security/pam_unix.so": "",
            "/opt/m.so": "",
        }
    )
    row = rows_of(host)["x:auth"]
    assert row["problems"] == ["/etc/pam.d/x:1: nowhere is not there"]
    assert [entry.get("missing", False) for entry in row["stack"]] == [False, True, False, True]


def test_include_loop_ends(file_host):
    row = stack({"x": "auth required a.so\n@include x\n"}, "x", "auth", file_host)
    assert len(row["stack"]) <= pam_stacks.MAX_ENTRIES
    assert any("too deep" in problem for problem in row["problems"])


def test_exponential_include_ends(file_host):
    row = stack({"x": "auth required a.so\n" + "auth include x\n" * 20}, "x", "auth", file_host)
    assert len(row["stack"]) <= pam_stacks.MAX_ENTRIES


def test_vendor_directory_yields_to_etc(file_host):
    host = file_host(
        {
            "/usr/lib/pam.d/login": "auth required vendor.so\n",
            "/usr/lib/pam.d/only": "auth required only.so\n",
            "/etc/pam.d/login": "auth required ours.so\n",
        }
    )
    rows = rows_of(host)
    assert rows["login:auth"]["stack"][0]["module"] == "ours.so"
    assert rows["only:auth"]["stack"][0]["where"] == "/usr/lib/pam.d/only:1"


def test_one_file_for_all_counts_only_without_the_directory(file_host):
    host = file_host(
        {"/etc/pam.conf": "login auth required a.so\nother auth required deny.so\nlogin account required b.so\n"}
    )
    rows = rows_of(host)
    assert [entry["module"] for entry in rows["login:auth"]["stack"]] == ["a.so"]
    file_host({"/etc/pam.d/sshd": "auth required c.so\n"})
    assert {key.split(":")[0] for key in rows_of(Host(host.root))} == {"sshd"}


def test_secrets_in_arguments_stay(file_host):
    row = stack({"x": "auth required pam_mysql.so user=a passwd=hunter2\n"}, "x", "auth", file_host)
    assert "hunter2" not in json.dumps(row)
    assert row["stack"][0]["args"][0] == "user=a"


def test_unreadable_include_leaves_the_stack_untold(file_host):
    host = file_host({"/etc/pam.d/x": "@include y\nauth required a.so\n", "/etc/pam.d/y/z": ""})
    result = pam.collect(host, {})
    assert result.state == "partial"
    assert result.rows["x:auth"]["stack"]["!"] == "invalid"


def test_rows_hold_every_column_and_stay_small(distribution):
    rows = rows_of(distribution("debian12", DEBIAN))
    columns = {column.name for column in pam.TABLE.columns}
    assert all(set(row) == columns for row in rows.values())
    assert max(len(json.dumps(row)) for row in rows.values()) < 8192


@given(st.text(max_size=300))
def test_parser_takes_any_text(text):
    lines, _problems = pam_stacks.parse(text.split("\n"), "/f")
    for line in lines:
        pam_stacks.actions_of(line.control)


ENTRY = st.tuples(st.integers(0, 3), st.integers(0, 5))


@given(st.lists(ENTRY, max_size=20))
def test_jumps_go_forward_and_stay_in_their_level(shape):
    entries = [
        {"level": level, "actions": {"success": skip} if skip else {"success": "ok"}, "jumps": {}}
        for level, skip in shape
    ]
    pam_stacks._resolve_jumps(entries)
    for index, entry in enumerate(entries):
        for target in entry["jumps"].values():
            assert index < target <= len(entries)
            # Everything skipped is of this level or deeper.
            assert all(other["level"] >= entry["level"] for other in entries[index + 1 : target])

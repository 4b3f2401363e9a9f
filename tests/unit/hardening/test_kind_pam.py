"""PAM planned and made: from the files that a distribution ships, through the edits of the engine, to verdicts."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.changes import edits as engine
from ansible_collections.ringwall.servers.plugins.module_utils.changes import spec
from ansible_collections.ringwall.servers.plugins.module_utils.pam_paths import lets_in, open_door
from ansible_collections.ringwall.servers.plugins.plugin_utils.hardening.kinds import pam
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.resources.pam import Pam
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.view import Snapshot, TableView
from unit.posture import file_hosts

UNIX = "[success=end default=ignore]\tpam_unix.so"
SHIPPED = {
    "debian": {
        "/etc/pam.d/common-auth": "# here are the per-package modules (the \"Primary\" block)\n"
        "auth\t[success=1 default=ignore]\tpam_unix.so nullok\n"
        "# here's the fallback if no module succeeds\nauth\trequisite\t\t\tpam_deny.so\n"
        "auth\trequired\t\t\tpam_permit.so\nauth\toptional\t\t\tpam_cap.so \n",
        "/etc/pam.d/common-account": "account\t[success=1 new_authtok_reqd=done default=ignore]\tpam_unix.so \n"
        "account\trequisite\t\t\tpam_deny.so\naccount\trequired\t\t\tpam_permit.so\n",
        "/etc/pam.d/common-password": "password\trequisite\t\t\tpam_pwquality.so retry=3\n"
        "password\t[success=1 default=ignore]\tpam_unix.so obscure use_authtok try_first_pass yescrypt\n"
        "password\trequisite\t\t\tpam_deny.so\npassword\trequired\t\t\tpam_permit.so\n",
        "/etc/pam.d/common-session": "session\trequired\tpam_unix.so\n",
        "/etc/pam.d/su": "auth       sufficient pam_rootok.so\n# auth required pam_wheel.so\n@include common-auth\n"
        "@include common-account\n@include common-session\n",
        "/etc/pam.d/sshd": "@include common-auth\n@include common-account\n@include common-session\n"
        "@include common-password\n",
        "/etc/security/faillock.conf": "# deny = 3\n",
        "/etc/security/pwquality.conf": "# minlen = 8\nminlen = 6\n",
        "/var/lib/pam/auth": f"Module: unix\n{UNIX} nullok\nModule: capability\noptional\t\t\tpam_cap.so\n",
        "/var/lib/pam/account": "Module: unix\n[success=end new_authtok_reqd=done default=ignore]\tpam_unix.so\n",
        "/var/lib/pam/password": "Module: pwquality\nrequisite\t\t\tpam_pwquality.so retry=3\n"
        f"Module: unix\n{UNIX} obscure use_authtok try_first_pass yescrypt\n",
    },
    "rhel": {
        path: text.replace("preauth", "PRE").replace("auth        required                                     "
        "pam_faillock.so PRE silent\n", "").replace("auth        required                                     "
        "pam_faillock.so authfail\n", "").replace("account     required                                     "
        "pam_faillock.so\n", "").replace("pam_unix.so\n", "pam_unix.so nullok\n")
        for path, text in file_hosts.tree("rhel9").items()
        if path.startswith("/etc/pam.d/")
    },
}  # fmt: skip
LOCKOUT = {"lockout": True}
STATEMENTS = [
    LOCKOUT,
    {"auth": {"pam_faillock": {"arguments": {"deny": {"min": 1, "max": 4}, "unlock_time": {"min": 900}}}}},
    {"auth": {"pam_faillock": {"arguments": {"even_deny_root": True}}}},
    {"password": {"pam_pwquality": {"called": True, "denies": True, "arguments": {"minlen": {"min": 14}}}}},
    {"password": {"pam_pwquality": {"arguments": {"retry": {"min": 1, "max": 2}, "enforce_for_root": True}}}},
    {"password": {"pam_pwhistory": {"called": True, "denies": True}}},
    {"password": {"pam_pwhistory": {"arguments": {"remember": {"min": 24}, "enforce_for_root": True}}}},
    {"password": {"pam_pwhistory": {"arguments": {"use_authtok": True}}}},
    {"password": {"pam_unix": {"arguments": {"use_authtok": True, "hash": {"one_of": ["sha512"]}}}}},
    {"password": {"pam_unix": {"arguments": {"rounds": {"min": 100000}}}}},
    {"any": {"pam_unix": {"arguments": {"nullok": False, "remember": {"absent": True}}}}},
    {"services": ["su"], "auth": {"pam_wheel": {"called": True, "denies": True, "arguments": {"use_uid": True}}}},
    {"services": ["su"], "auth": {"pam_wheel": {"arguments": {"group": "sugroup", "deny": False}}}},
]
PACKAGES = {
    "debian": ("libpam-modules", "1.5.2-6+deb12u1"), "libpam-pwquality": None, "rhel": ("pam", "1.5.1-20.el9"),
}  # fmt: skip


def read(files, tmp_path_factory, family):
    """The tables of a host with these files."""
    root = tmp_path_factory.mktemp("host")
    for path, text in files.items():
        place = root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    name, version = PACKAGES[family]
    tables = file_hosts.collected(str(root), ("pam", "pam_settings", "login_defs"))
    tables["packages"] = {"a": {"name": name, "version": version, "installed": True},
                          "b": {"name": "libpam-pwquality", "version": "1.4.5", "installed": True}}  # fmt: skip
    return tables


def carried_out(files, operations):
    """Files after the operations, as the engine makes them."""
    files = dict(files)
    for number, operation in enumerate(operations):
        if operation["op"] == "write":
            files[operation["path"]] = operation["text"]
        elif operation["op"] == "edit":
            assert operation["path"] in files or operation.get("create"), operation["path"]
            plain = [{name: value for name, value in one.items() if name != "controls"} for one in operation["edits"]]
            spec.check_operation(operation, f"operations[{number}]")
            data = files.get(operation["path"], "").encode()
            files[operation["path"]] = engine.apply(data, plain).decode()
    return files


@pytest.fixture
def planned(tmp_path_factory, facts, chosen):
    def run(files, family, statements=STATEMENTS):
        resource, settings = Pam(), [item for one in statements for item in Pam().settings(one)]
        assert all(resource.check(one, None) is None for one in statements)
        return pam.operations(chosen(*settings), facts(read(files, tmp_path_factory, family), family=family))

    return run


def stacks(tables):
    return {key: row["stack"] for key, row in tables["pam"].items() if row["stack"]}


@pytest.mark.parametrize("family", ["debian", "rhel"])
def test_what_is_planned_holds_afterwards_and_nobody_is_kept_out(family, planned, tmp_path_factory):
    before = SHIPPED[family]
    operations = planned(before, family)
    assert [item["reason"] for item in operations if item["op"] == "left"] == []
    after = carried_out(before, operations)
    tables = read(after, tmp_path_factory, family)
    views = {name: TableView(name, rows=rows, observed_at="2026-03-01T00:00:00Z") for name, rows in tables.items()}
    for statement in STATEMENTS:
        verdicts = Pam().judge(statement, Snapshot(views))
        assert {verdict.status for verdict in verdicts} == {"pass"}, (statement, verdicts)
    for key, stack in stacks(read(before, tmp_path_factory, family)).items():
        assert lets_in(stacks(tables)[key]) == lets_in(stack), key
        assert open_door(stacks(tables)[key]) <= open_door(stack), key
    assert carried_out(after, planned(after, family)) == after


def test_the_record_of_pam_auth_update_follows(planned):
    after = carried_out(SHIPPED["debian"], planned(SHIPPED["debian"], "debian"))
    assert after["/var/lib/pam/auth"].split("\n")[:6] == [
        "Module: ringwall-faillock-preauth", "requisite\tpam_faillock.so preauth", "Module: unix", UNIX + " nullok",
        "Module: ringwall-faillock-authfail", "[default=die]\tpam_faillock.so authfail",
    ]  # fmt: skip
    assert "[success=2 default=ignore]" in after["/etc/pam.d/common-auth"]
    names = [line for line in after["/var/lib/pam/password"].splitlines() if line.startswith("Module")]
    assert names == ["Module: pwquality", "Module: ringwall-pwhistory", "Module: unix"]


def test_authselect_is_asked_for_features_and_its_files_are_left_alone(facts, chosen):
    tables = {
        "pam": {"system-auth:auth": {"service": "system-auth", "type": "auth", "stack": [
            {"control": "sufficient", "module": "pam_unix.so", "args": ["nullok"], "where": "/etc/pam.d/system-auth:7"}]}},
        "pam_settings": {"authselect:profile": {"value": "sssd"}},
    }  # fmt: skip
    settings = [{"kind": "pam", "what": "lockout"}, {"kind": "pam", "what": "argument", "type": "any", "name": "nullok",
                "module": "pam_unix", "value": False}, {"kind": "pam", "what": "argument", "type": "auth",
                "module": "pam_unix", "name": "remember", "value": None}]  # fmt: skip
    found = pam.operations(chosen(*settings), facts(tables, family="rhel"))
    lines = [one["line"] for item in found if item["op"] == "edit" for one in item["edits"]]
    assert lines == ["with-faillock", "without-nullok"]
    assert all(item["follow"] == ["authselect"] for item in found if item["op"] == "edit")
    assert [item["reason"] for item in found if item["op"] == "left"] == [
        "/etc/pam.d/system-auth is written by authselect: this needs a profile of the site's own"
    ]
    tables["pam_settings"]["authselect:profile"]["value"] = "custom/site"
    assert {item["op"] for item in pam.operations(chosen(*settings), facts(tables, family="rhel"))} == {"left"}


def test_unix_is_not_told_to_take_a_password_that_nobody_asked_for(planned):
    files = dict(SHIPPED["debian"], **{"/etc/pam.d/common-password": "password required pam_unix.so\n"})
    statement = {"password": {"pam_unix": {"arguments": {"use_authtok": True}}}}
    assert [item["op"] for item in planned(files, "debian", [statement])] == ["left"]


def test_the_test_of_passwords_comes_with_its_package(facts, chosen):
    here = facts({"pam": {"common-auth:auth": {"service": "common-auth", "type": "auth", "stack": []}}, "packages": {}})
    setting = {"kind": "pam", "what": "module", "type": "password", "module": "pam_pwquality"}
    assert [(item["op"], item.get("name")) for item in pam.operations(chosen(setting), here)] == [
        ("package", "cracklib-runtime"),
        ("package", "libpam-pwquality"),
    ]


def test_a_line_that_trusts_the_members_of_a_group_becomes_one_that_asks_for_them(planned):
    trusting = "auth sufficient pam_rootok.so\nauth sufficient pam_wheel.so trust use_uid\n@include common-auth\n"
    files = dict(SHIPPED["debian"], **{"/etc/pam.d/su": trusting})
    after = carried_out(files, planned(files, "debian", STATEMENTS[-2:]))
    assert after["/etc/pam.d/su"].splitlines()[1] == "auth required pam_wheel.so use_uid group=sugroup"

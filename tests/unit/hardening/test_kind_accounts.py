"""The kinds of accounts and sessions: login_defs, limit, shell_profile, dconf, account."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.changes.spec import check_operations
from ansible_collections.ringwall.servers.plugins.module_utils.shell_settings import parse
from ansible_collections.ringwall.servers.plugins.plugin_utils.hardening import holds_work, kinds

UNITS = {"fapolicyd.service": {"active": "active"}}


@pytest.fixture
def ops():
    def plan(kind, settings, here):
        done = kinds.KINDS[kind].operations(settings, here)
        check_operations([item for item in done if item["op"] not in ("left", "reboot")])
        return done

    return plan


def edits(item):
    return [{key: value for key, value in one.items() if key != "controls"} for one in item["edits"]]


# login_defs


def test_login_defs_sets_names_in_one_edit(ops, facts, chosen):
    here = facts({"login_defs": {"UMASK": {"value": "022", "where": "/etc/login.defs:151"}}})
    done = ops("login_defs", chosen({"name": "UMASK", "value": "027"}, {"name": "CREATE_HOME", "value": True}), here)
    assert [item["path"] for item in done] == ["/etc/login.defs"]
    assert [(one["set"], one["value"]) for one in edits(done[0])] == [("UMASK", "027"), ("CREATE_HOME", "yes")]


def test_a_vendors_login_defs_is_not_hidden_by_ours(ops, facts, chosen):
    here = facts({"login_defs": {"UMASK": {"value": "022", "where": "/usr/etc/login.defs:9"}}})
    assert [item["op"] for item in ops("login_defs", chosen({"name": "UMASK", "value": "027"}), here)] == ["left"]


def test_a_value_that_would_be_two_lines_is_left(ops, facts, chosen):
    done = ops("login_defs", chosen({"name": "UMASK", "value": "027\nSU_NAME x"}), facts())
    assert [item["op"] for item in done] == ["left"]


# limit

LIMIT = {"domain": "*", "type": "hard", "item": "maxlogins", "value": 10}


def test_a_limit_goes_into_our_file(ops, facts, chosen):
    (done,) = ops("limit", chosen(LIMIT), facts())
    assert done["path"] == "/etc/security/limits.d/60-ringwall.conf"
    assert edits(done)[0]["line"] == "* hard maxlogins 10"


def test_a_file_that_is_read_later_is_edited_too(ops, facts, chosen):
    row = {"value": "50", "where": "/etc/security/limits.d/90-site.conf:3"}
    here = facts({"pam_settings": {"limits:* hard maxlogins": row}})
    assert [item["path"] for item in ops("limit", chosen(LIMIT), here)] == [
        "/etc/security/limits.d/60-ringwall.conf",
        "/etc/security/limits.d/90-site.conf",
    ]
    row["where"] = "/etc/security/limits.d/../../passwd:3"
    assert len(ops("limit", chosen(LIMIT), here)) == 1


# shell_profile


def profile(scope, path, setting=None, value=None, line=0):
    where = f"{path}:{line}" if line else path
    row = {"path": path, "scope": scope, "setting": setting, "value": value, "written": value, "where": where}
    return {f"{where} {setting}" if line else path: row}


UMASK = {"name": "umask", "value": "027", "scope": "login", "required": True}
TMOUT = {"name": "TMOUT", "value": "900", "scope": "login", "required": True, "readonly": True}


def test_log_in_shells_get_files_of_ours_that_the_collector_understands(ops, facts, chosen):
    done = ops("shell_profile", chosen(UMASK, TMOUT), facts())
    assert [item["path"] for item in done] == [
        "/etc/profile.d/60-ringwall-umask.sh",
        "/etc/profile.d/60-ringwall-tmout.sh",
    ]
    umask, tmout = (parse(item["text"].split("\n"))[0] for item in done)
    assert (umask["value"], umask["conditional"]) == ("0027", False)
    assert (tmout["value"], tmout["readonly"], tmout["exported"]) == ("900", True, True)


def test_a_weaker_umask_is_edited_where_it_stands_and_a_stricter_one_stays(ops, facts, chosen):
    rows = {
        **profile("login", "/etc/profile"),
        **profile("login", "/etc/profile", "umask", "0022", 9),
        **profile("login", "/etc/profile.d/x.sh", "umask", "0077", 1),
    }
    for row in rows.values():
        row["written"] = (row["value"] or "")[1:]
    done = ops("shell_profile", chosen(UMASK), facts({"shell_profiles": rows}))
    assert [item["path"] for item in done] == ["/etc/profile.d/60-ringwall-umask.sh", "/etc/profile"]
    (one,) = edits(done[1])
    assert one["with"] == r"\g<1>umask\g<2>027"
    assert "022" in one["sub"]


def test_another_tmout_becomes_a_line_that_does_nothing(ops, facts, chosen):
    import re

    rows = profile("login", "/etc/profile.d/tmout.sh", "TMOUT", "1800", 1)
    done = ops("shell_profile", chosen(TMOUT), facts({"shell_profiles": rows}))
    (one,) = edits(done[1])
    for line in ("TMOUT=1800", "readonly TMOUT=1800; export TMOUT", "  export TMOUT", "declare -xr TMOUT=1800"):
        assert re.sub(one["sub"], one["with"], line).strip().startswith(": #"), line
    for line in ('[ -n "$PS1" ] && TMOUT=5', "echo TMOUT"):
        assert re.sub(one["sub"], one["with"], line) == line


def test_bash_is_edited_in_its_own_file(ops, facts, chosen):
    here = facts({"shell_profiles": profile("bash", "/etc/bashrc")}, family="rhel")
    (done,) = ops("shell_profile", chosen({**UMASK, "scope": "bash"}), here)
    assert (done["path"], edits(done)) == ("/etc/bashrc", [{"line": "umask 027"}])
    assert ops("shell_profile", chosen({**UMASK, "scope": "csh"}), here)[0]["op"] == "left"


def test_paths_that_a_host_made_up_are_not_edited(ops, facts, chosen):
    rows = {
        **profile("root", "/root/.bashrc", "umask", "0022", 1),
        **profile("root", "/etc/passwd", "umask", "0022", 1),
    }
    here = facts({"shell_profiles": rows})
    done = ops("shell_profile", chosen({**UMASK, "scope": "root", "required": False}), here)
    assert [item["path"] for item in done] == ["/root/.bashrc"]


# dconf

IDLE = "/org/gnome/desktop/session/idle-delay"


def test_a_setting_goes_into_the_database_that_the_profile_names(ops, facts, chosen):
    here = facts({"dconf": {"local": {"kind": "database", "database": "local", "profiles": ["user"]}}})
    done = ops("dconf", chosen({"profile": "user", "path": IDLE, "value": 900, "lock": True}), here)
    assert [item["path"] for item in done] == [
        "/etc/dconf/db/local.d/60-ringwall",
        "/etc/dconf/db/local.d/locks/60-ringwall",
    ]
    assert edits(done[0]) == [
        {"set": "idle-delay", "value": "uint32 900", "separator": "=", "section": "org/gnome/desktop/session"}
    ]
    assert edits(done[1]) == [{"line": IDLE}]
    assert all(item["follow"] == ["dconf-update"] for item in done)


def test_without_a_profile_one_is_made(ops, facts, chosen):
    setting = {
        "profile": "gdm",
        "path": "/org/gnome/login-screen/banner-message-text",
        "value": "Don't\nenter",
        "lock": False,
    }
    done = ops("dconf", chosen(setting), facts())
    assert [item["path"] for item in done] == ["/etc/dconf/db/gdm.d/60-ringwall", "/etc/dconf/profile/gdm"]
    assert edits(done[0])[0]["value"] == "'Don\\'t\\nenter'"
    assert [one["line"] for one in edits(done[1])][:2] == ["user-db:user", "system-db:gdm"]


def test_a_keyfile_that_sorts_later_is_edited_too(ops, facts, chosen):
    rows = {
        "local": {"kind": "database", "database": "local", "profiles": ["user"]},
        f"local {IDLE}": {"value": "0", "where": "/etc/dconf/db/local.d/99-site:2"},
    }
    done = ops("dconf", chosen({"profile": "user", "path": IDLE, "value": 900, "lock": False}), facts({"dconf": rows}))
    assert [item["path"] for item in done] == ["/etc/dconf/db/local.d/60-ringwall", "/etc/dconf/db/local.d/99-site"]


# what may run or be plugged in


def test_lists_that_nobody_wrote_are_held(facts):
    def reason(control, rows):
        return holds_work.allowlist({"control": control, "settings": []}, facts({"allowlists": rows, "units": UNITS}))

    assert "listed" in reason("linux.allowlists.fapolicyd_runs", {})
    assert "listed" in reason("linux.allowlists.fapolicyd_denies", {"fapolicyd": {"denies_rest": False}})
    assert reason("linux.allowlists.fapolicyd_runs", {"fapolicyd": {"denies_rest": True}}) is None
    assert "no rules" in reason("linux.allowlists.usbguard_runs", {})
    assert reason("linux.allowlists.usbguard_runs", {"usbguard": {"rules": 3}}) is None


# account


def user(name, uid, **more):
    return {name: {"name": name, "kind": "local", "uid": uid, "regular": uid >= 1000, "login_shell": True, **more}}


def shadow(name, locked=False):
    return {name: {"name": name, "locked": locked, "where": "/etc/shadow:1"}}


def test_services_get_nologin_but_not_the_account_that_connects(ops, facts, chosen):
    rows = {**user("root", 0), **user("postgres", 110), **user("ann", 1000), **user("deploy", 900)}
    done = ops("account", chosen({"do": "system_shells"}), facts({"users": rows}, user="deploy"))
    assert [(item["op"], item.get("name"), item.get("shell")) for item in done] == [
        ("left", None, None),
        ("account", "postgres", "/usr/sbin/nologin"),
    ]
    assert done[1]["guarded"] is True


def test_a_service_that_loses_its_shell_loses_its_password(ops, facts, chosen):
    here = facts({"users": user("postgres", 110), "password_ages": shadow("postgres")})
    (done,) = ops("account", chosen({"do": "system_shells"}), here)
    assert (done["shell"], done["lock"]) == ("/usr/sbin/nologin", True)


def test_the_group_for_su_is_made_where_there_is_none(ops, facts, chosen):
    wanted = chosen({"do": "empty_group", "group": "sugroup"})
    (done,) = ops("account", wanted, facts({"groups": {"root": {"name": "root"}}}))
    assert (done["op"], done["name"], done["present"]) == ("group", "sugroup", True)
    (done,) = ops("account", wanted, facts({"groups": {"sugroup": {"name": "sugroup", "member_count": 2}}}))
    assert (done["op"], "has members" in done["reason"]) == ("left", True)
    (done,) = ops("account", chosen({"do": "empty_group", "group": "a:x"}), facts())
    assert done["op"] == "left"


def test_a_hostile_name_never_becomes_an_operation(ops, facts, chosen):
    rows = user("x;reboot", 110)
    assert [item["op"] for item in ops("account", chosen({"do": "system_shells"}), facts({"users": rows}))] == ["left"]


@pytest.mark.parametrize(
    ("do", "locked"), [("lock_system", ["games"]), ("lock_shellless", ["games"]), ("lock_root", ["root"])]
)
def test_passwords_are_locked(ops, facts, chosen, do, locked):
    rows = {**user("root", 0), **user("games", 5, login_shell=False), **user("ann", 1000)}
    ages = {**shadow("root"), **shadow("games"), **shadow("ann")}
    here = facts({"users": rows, "password_ages": ages}, user="ann")
    done = ops("account", chosen({"do": do}), here)
    assert [item["name"] for item in done] == locked
    assert all(item["lock"] is True for item in done)


def test_what_is_locked_is_left_alone(ops, facts, chosen):
    here = facts({"users": user("games", 5), "password_ages": shadow("games", True)}, user="ann")
    assert ops("account", chosen({"do": "lock_system"}), here) == []


def home(name, uid=1000, **more):
    row = {"uid": uid, "gids": [uid], "kind": "local", "home": f"/home/{name}", "exists": True, "owner": uid}
    return {name: {**row, "group": uid, "mode": "0755", "dot_files": [], "umasks": [], **more}}


def test_homes_are_closed_and_dot_files_given_back(ops, facts, chosen):
    dots = [
        {"name": ".bashrc", "uid": 0, "gid": 1000, "mode": "0666", "type": "file"},
        {"name": ".link", "uid": 0, "gid": 0, "mode": "0777", "type": "link"},
    ]
    here = facts({"homes": {**home("ann", dot_files=dots), **home("root", 0, home="/root")}})
    (done,) = ops("account", chosen({"do": "home", "who": "people", "mode": "0750"}), here)
    assert (done["path"], done["clear_mode"]) == ("/home/ann", "7027")
    done = ops("account", chosen({"do": "home", "who": "all", "dot_mode": "0644", "dot_owner": True}), here)
    assert [(item["path"], item["owner"], item["clear_mode"]) for item in done] == [
        ("/home/ann/.bashrc", "1000", "7133")
    ]


def test_nobody_is_given_a_home_that_is_not_theirs_alone(ops, facts, chosen):
    wanted = chosen({"do": "home", "who": "all", "owner": True})
    two = {**home("ann", owner=0), **home("bob", 1001, home="/home/ann", owner=0)}
    assert {one["op"] for one in ops("account", wanted, facts({"homes": two}))} == {"left"}
    mine = facts({"homes": home("root", 0, home="/root", owner=1000)})
    assert [one["op"] for one in ops("account", wanted, mine)] == ["attributes"]


@pytest.mark.parametrize(
    "place", ["/home", "/root", "/root/x", "/home/", "/etc", "/home/../etc", "/", "/var/lib/x", "/home/a*b", "relative"]
)
def test_a_home_at_an_unusual_place_is_left(ops, facts, chosen, place):
    here = facts({"homes": home("ann", home=place)})
    done = ops("account", chosen({"do": "home", "who": "people", "mode": "0750"}), here)
    assert [item["op"] for item in done] == ["left"]


def test_directories_of_roots_path_lose_bits_only(ops, facts, chosen):
    rows = {
        "/usr/local/bin": {
            "form": "absolute",
            "path": "/usr/local/bin",
            "exists": True,
            "type": "directory",
            "uid": 0,
            "writable": True,
        },
        "/opt/x": {
            "form": "absolute",
            "path": "/opt/x",
            "exists": True,
            "type": "directory",
            "uid": 1000,
            "writable": True,
        },
        "(empty)": {"form": "empty", "path": None, "where": ["/root/.bashrc:3"]},
    }
    done = ops("account", chosen({"do": "root_path"}), facts({"root_path": rows}))
    assert sorted(item["op"] for item in done) == ["attributes", "left", "left"]
    assert next(item for item in done if item["op"] == "attributes")["clear_mode"] == "0022"

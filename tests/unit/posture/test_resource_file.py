import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.collect import collect_table
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.tables import file_attributes
from ansible_collections.ringwall.servers.plugins.plugin_utils.content.errors import ContentError, Where
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.resources import RESOURCES
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.resources.base import worst
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.view import Gap, Snapshot, TableView
from hypothesis import given
from hypothesis import strategies as st

FILE, WALK, BOOT = RESOURCES["file"], RESOURCES["file_walk"], RESOURCES["boot"]


def row(mode=0o644, uid=0, gid=0, owner="root", group="root", **more):
    return {
        "exists": True, "type": "file", "mode": mode, "mode_text": f"{mode:04o}", "uid": uid, "gid": gid,
        "owner": owner, "group": group, "is_link": False, "link_target": None, "matches": None,
    } | more  # fmt: skip


ABSENT = {"exists": False, "type": None, "mode": None, "matches": None}


def snapshot(**rows):
    return Snapshot({"file_attributes": TableView("file_attributes", rows=rows.pop("rows", rows))})


def judge(wanted, found, path="/etc/x"):
    statement = {path: wanted}
    FILE.check(statement, Where("c.yml", 1))
    return worst(FILE.judge(statement, snapshot(rows={path: found} if isinstance(found, dict) else dict(found))))


@pytest.mark.parametrize(
    ("mode", "status"),
    [(0o644, "pass"), (0o600, "pass"), (0o444, "pass"), (0o000, "pass"), (0o664, "fail"), (0o645, "fail"),
     (0o4644, "fail"), (0o755, "fail")],
)  # fmt: skip
def test_the_mode_is_a_mask_of_what_may_be_set(mode, status):
    assert judge({"mode": "0644"}, row(mode)).status == status


def test_owner_and_group_by_name_or_number():
    assert judge({"owner": "root", "group": ["root", "shadow"]}, row(gid=42, group="shadow")).status == "pass"
    assert judge({"group": "root"}, row(gid=42, group="shadow")).status == "fail"
    assert judge({"owner": 1000}, row(uid=1000, owner="ann")).status == "pass"
    assert judge({"owner": "ann"}, row(uid=1000, owner="ann")).status == "pass"
    verdict = judge({"owner": "root"}, row(uid=1000, owner=None))
    assert (verdict.status, verdict.actual) == ("fail", {"/etc/x": {"owner": "1000"}})


def test_root_is_number_0_whatever_the_host_calls_it():
    assert judge({"owner": "root"}, row(uid=0, owner="toor")).status == "pass"
    assert judge({"owner": "root"}, row(uid=7, owner="root")).status == "fail"


def test_evidence_says_what_was_found():
    verdict = judge({"mode": "0600", "owner": "root"}, row(0o640, gid=4, group="adm"))
    assert verdict.evidence == [{"where": "/etc/x", "what": "0640 root adm"}]
    assert verdict.expected == {"/etc/x": "mode 0600 or stricter, owner root"}
    linked = judge({"mode": "0600"}, row(0o640, is_link=True, link_target="/srv/x"))
    assert linked.evidence[0]["what"] == "0640 root root (link to /srv/x)"


def test_absence_is_judged_by_the_state_wanted():
    assert judge({"mode": "0600"}, ABSENT).status == "fail"
    verdict = judge({"mode": "0600", "state": "if_present"}, ABSENT)
    assert (verdict.status, verdict.reason) == ("not_applicable", "/etc/x does not exist")
    assert judge({"state": "absent"}, ABSENT).status == "pass"
    assert judge({"state": "absent"}, row()).status == "fail"
    assert judge({"state": "present"}, row()).status == "pass"


def test_a_path_that_was_not_asked_for_or_not_readable_never_passes():
    assert judge({"mode": "0600"}, {}.items()).status == "unreadable"
    denied = {"!": "denied", "why": "/etc/x: permission denied"}
    assert judge({"state": "absent"}, row() | {"exists": denied}).status == "unreadable"
    assert judge({"mode": "0600"}, row() | {"mode": denied}).status == "unreadable"
    assert judge({"mode": "0600", "state": "if_present"}, row() | {"exists": denied}).status == "unreadable"


def test_a_pattern_stands_for_each_of_its_matches():
    pattern = row() | {"type": "pattern", "matches": ["/k/a", "/k/b", "/k/d"]}
    rows = {"/k/*": pattern, "/k/a": row(0o600), "/k/b": row(0o640), "/k/d": row(0o755, type="directory")}
    verdict = judge({"mode": "0600", "type": "file"}, rows.items(), "/k/*")
    assert (verdict.status, verdict.actual) == ("fail", {"/k/b": {"mode": "0640"}})
    rows["/k/b"] = row(0o400)
    assert judge({"mode": "0600", "type": "file"}, rows.items(), "/k/*").status == "pass"
    assert judge({"mode": "0600"}, rows.items(), "/k/*").status == "fail"
    empty = {"/k/*": ABSENT | {"type": "pattern", "matches": []}}
    assert judge({"mode": "0600"}, empty.items(), "/k/*").status == "fail"
    assert judge({"mode": "0600", "state": "if_present"}, empty.items(), "/k/*").status == "not_applicable"


def test_real_files_through_the_collector(tmp_path):
    (tmp_path / "etc").mkdir()
    for name, mode in (("one.key", 0o600), ("two.key", 0o660)):
        (tmp_path / "etc" / name).write_text("x")
        (tmp_path / "etc" / name).chmod(mode)
    statement = {"/etc/*.key": {"mode": "0640"}, "/etc/none": {"state": "absent"}}
    table = collect_table(file_attributes, Host(str(tmp_path)), {"paths": list(FILE.paths(statement))})
    verdict = worst(FILE.judge(statement, snapshot(rows=table["rows"])))
    assert (verdict.status, verdict.actual) == ("fail", {"/etc/two.key": {"mode": "0660"}})
    (tmp_path / "etc/two.key").chmod(0o440)
    table = collect_table(file_attributes, Host(str(tmp_path)), {"paths": list(FILE.paths(statement))})
    assert worst(FILE.judge(statement, snapshot(rows=table["rows"]))).status == "pass"


@pytest.mark.parametrize(
    "wanted",
    [{"mode": 420}, {"mode": "0999"}, {"mode": "rw"}, {}, {"modes": "0644"}, {"state": "gone"}, {"owner": [None]},
     {"state": "absent", "mode": "0600"}, {"type": "socket"}],
)  # fmt: skip
def test_malformed_statements_are_refused_at_load(wanted):
    with pytest.raises(ContentError):
        FILE.check({"/etc/x": wanted}, Where("c.yml", 1))
    with pytest.raises(ContentError):
        FILE.check({"etc/x": {"mode": "0644"}}, Where("c.yml", 1))


@given(st.integers(0, 0o7777), st.integers(0, 0o7777))
def test_a_mode_passes_exactly_when_it_adds_no_bit(mask, mode):
    assert (judge({"mode": f"{mask:04o}"}, row(mode)).status == "pass") == (mask | mode == mask)


# The walk -------------------------------------------------------------------------------------------------


def walked(state="ok", **marks):
    rows = {"filesystem:/": {"kind": "filesystem", "options": ["rw"]}}
    for path, found in marks.items():
        rows["/srv/" + path] = {"kind": "found", "type": "file", "mode_text": "0666"} | found
    return Snapshot(
        {"file_walk": TableView("file_walk", rows=rows, state=state, why="" if state == "ok" else "cut off")}
    )


def test_what_was_found_fails_although_the_walk_was_cut_off():
    statement = {"none": ["world_writable"]}
    assert worst(WALK.judge(statement, walked())).status == "pass"
    found = {"a": {"world_writable": True}, "b": {"world_writable": False}}
    verdict = worst(WALK.judge(statement, walked(**found)))
    assert (verdict.status, verdict.actual) == ("fail", "1 found")
    assert verdict.evidence == [{"where": "/srv/a", "what": "can be written by everybody (mode 0666)"}]
    assert worst(WALK.judge(statement, walked("partial", **found))).status == "fail"
    with pytest.raises(Gap):
        WALK.judge(statement, walked("partial"))


def test_exceptions_are_patterns():
    found = {"a": {"unowned": True}}
    assert worst(WALK.judge({"none": ["unowned"], "except": ["/srv/*"]}, walked(**found))).status == "pass"
    assert worst(WALK.judge({"none": ["unowned"], "except": ["/opt/*"]}, walked(**found))).status == "fail"


def test_owners_that_a_silent_directory_may_know_are_unreadable():
    found = {"a": {"unowned": {"!": "timeout", "why": "the directory does not answer"}}}
    with pytest.raises(Gap, match="does not answer"):
        WALK.judge({"none": ["unowned"]}, walked(**found))


def test_a_walk_that_was_not_made_or_is_too_old_is_no_answer():
    with pytest.raises(Gap):
        WALK.judge({"none": ["unowned"]}, Snapshot({}))
    old = TableView("file_walk", rows={}, stale=True, observed_at="2026-01-01T00:00:00Z")
    with pytest.raises(Gap, match="too old"):
        WALK.judge({"none": ["unowned"]}, Snapshot({"file_walk": old}))


@pytest.mark.parametrize(
    "statement", [{"none": []}, {"none": ["odd"]}, {"except": []}, {"none": ["unowned"], "but": 1}]
)
def test_malformed_walks_are_refused_at_load(statement):
    with pytest.raises(ContentError):
        WALK.check(statement, Where("c.yml", 1))


# The kernel command line ----------------------------------------------------------------------------------


def booted(cmdline, *menu, **more):
    lines = [{"where": f"/boot/grub/grub.cfg:{number}", "arguments": line} for number, line in enumerate(menu, 1)]
    row_ = {"cmdline": cmdline, "kernel_lines": lines, "host_global": False} | more
    return Snapshot({"boot": TableView("boot", rows={"host": row_})})


@pytest.mark.parametrize(
    ("cmdline", "menu", "status"),
    [
        ("root=/dev/sda1 ro audit=1", ["ro audit=1", "ro single audit=1"], "pass"),
        ("ro", ["ro audit=1"], "fail"),
        ("ro audit=1", ["ro audit=1", "ro single"], "fail"),
        ("ro audit=0", ["ro audit=1"], "fail"),
        ("ro audit=0 audit=1", ["ro audit=1"], "pass"),
        ("ro -- audit=1", ["ro audit=1"], "fail"),
        ("ro audit=1", [], "unreadable"),
    ],
)
def test_the_running_kernel_and_every_menu_entry_must_have_the_argument(cmdline, menu, status):
    statement = {"kernel_arguments": {"audit": 1}}
    BOOT.check(statement, Where("c.yml", 1))
    assert worst(BOOT.judge(statement, booted(cmdline, *menu))).status == status


def test_least_values():
    statement = {"kernel_arguments": {"audit_backlog_limit": {"min": 8192}}}
    assert (
        worst(BOOT.judge(statement, booted("audit_backlog_limit=8192", "audit_backlog_limit=16384"))).status == "pass"
    )
    verdict = worst(BOOT.judge(statement, booted("audit_backlog_limit=8192", "audit_backlog_limit=64")))
    assert verdict.status == "fail"
    assert verdict.evidence == [{"where": "/boot/grub/grub.cfg:1", "what": "audit_backlog_limit=64"}]


def test_in_a_container_the_kernel_is_the_host_s():
    verdict = worst(BOOT.judge({"kernel_arguments": {"audit": 1}}, booted(None, host_global=True)))
    assert verdict.status == "not_applicable"
    assert "container's host" in verdict.reason


def test_a_menu_that_may_not_be_read_is_unreadable():
    view = booted("audit=1", kernel_lines={"!": "denied", "why": "grub.cfg: permission denied"})
    assert worst(BOOT.judge({"kernel_arguments": {"audit": 1}}, view)).status == "unreadable"
    assert worst(BOOT.judge({"kernel_arguments": {"audit": 0}}, view)).status == "fail"

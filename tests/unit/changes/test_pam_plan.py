"""A plan for PAM through the engine: staged, checked, switched, undone to the byte; and one that would keep us out."""

from __future__ import annotations

from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.tables import pam as pam_table
from ansible_collections.ringwall.servers.plugins.plugin_utils.hardening.facts import Connection, Facts
from ansible_collections.ringwall.servers.plugins.plugin_utils.hardening.kinds import pam
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.view import Snapshot, TableView

FILES = {
    "etc/pam.d/common-auth": "# here are the per-package modules (the \"Primary\" block)\n"
    "auth\t[success=1 default=ignore]\tpam_unix.so nullok\n# here's the fallback if no module succeeds\n"
    "auth\trequisite\t\t\tpam_deny.so\nauth\trequired\t\t\tpam_permit.so\n# end of pam-auth-update config\n",
    "etc/pam.d/common-account": "account\t[success=1 new_authtok_reqd=done default=ignore]\tpam_unix.so \n"
    "account\trequisite\t\t\tpam_deny.so\naccount\trequired\t\t\tpam_permit.so\n",
    "etc/pam.d/sshd": "@include common-auth\naccount required pam_nologin.so\n@include common-account\n",
    "etc/pam.d/sudo": "@include common-auth\n@include common-account\n",
    "etc/security/faillock.conf": "# deny = 3\n",
    "var/lib/pam/auth": "Module: unix\n[success=end default=ignore]\tpam_unix.so nullok\n",
    "var/lib/pam/account": "Module: unix\n[success=end new_authtok_reqd=done default=ignore]\tpam_unix.so\n",
}  # fmt: skip
SETTINGS = (
    {"kind": "pam", "what": "lockout"},
    {"kind": "pam", "what": "argument", "type": "auth", "module": "pam_faillock", "name": "deny", "value": 4},
    {"kind": "pam", "what": "argument", "type": "any", "module": "pam_unix", "name": "nullok", "value": False},
)


def furnish(box):
    for path, text in FILES.items():
        box.write(path, text)
    for name in ("unix", "deny", "permit", "faillock", "nologin"):
        box.write(f"usr/lib/x86_64-linux-gnu/security/pam_{name}.so", "")
    (box.root / "usr/share/pam-configs").mkdir(parents=True)


def planned(box):
    rows = pam_table.collect(Host(str(box.root)), {})
    snapshot = Snapshot({"pam": TableView("pam", rows=getattr(rows, "rows", rows))})
    settings = [{"setting": one, "controls": [f"linux.test.c{number}"]} for number, one in enumerate(SETTINGS)]
    return pam.operations(settings, Facts(snapshot, {"family": "debian"}, Connection()))


def everything(box):
    places = [place for folder in ("etc", "usr", "var/lib/pam") for place in (box.root / folder).rglob("*")]
    return {str(place): place.read_bytes() for place in places if place.is_file()}


def test_the_lock_comes_is_checked_and_goes_to_the_byte(box):
    furnish(box)
    before, operations = everything(box), planned(box)
    told = box.apply(operations)
    assert told["phase"] == "switched"
    assert {row["status"] for row in told["results"]} == {"changed", "unchanged"}
    assert box.text("etc/pam.d/common-auth").splitlines()[1:4] == [
        "auth\trequisite\tpam_faillock.so preauth",
        "auth\t[success=2 default=ignore]\tpam_unix.so",
        "auth\t[default=die]\tpam_faillock.so authfail",
    ]
    assert not any(row["changes"] for row in box.plan(planned(box))["operations"])
    box.confirm()
    box.rollback()
    assert everything(box) == before


def test_a_stack_that_would_refuse_everybody_is_not_switched_to(box):
    furnish(box)
    before = everything(box)
    line = {"type": "auth", "module": "pam_deny.so", "control": "requisite", "arguments_match": "^x$"}
    bad = {
        "op": "edit", "path": "/etc/pam.d/common-auth", "validate": "pam", "controls": ["linux.test.c0"],
        "edits": [{"pam": {**line, "add": {"x": None}, "position": "first"}}],
    }  # fmt: skip
    told = box.apply([bad])
    assert [row["status"] for row in told["results"]] == ["failed"]
    assert everything(box) == before


def test_a_module_that_is_not_there_is_not_called(box):
    furnish(box)
    (box.root / "usr/lib/x86_64-linux-gnu/security/pam_faillock.so").unlink()
    told = box.apply(planned(box))
    states = {row["index"]: row["status"] for row in told["results"]}
    assert states[5] == states[6] == "failed"
    assert "pam_faillock" not in box.text("etc/pam.d/common-auth")

"""Rules written by hand and what auditctl 3.0.9 listed after loading them (both taken from a running kernel)."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.audit_rules import BadRule, parse_rule, rule_key
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.spec import Unreadable
from ansible_collections.ringwall.servers.plugins.module_utils.tables import audit_rules, audit_rules_loaded
from hypothesis import given
from hypothesis import strategies as st

FIXTURES = Path(__file__).parents[2] / "fixtures/tables/audit"
DIRECTORIES = {"/etc/sudoers.d", "/etc/apt"}


def lines(name):
    return (FIXTURES / name).read_text().splitlines()


def key(line, **arguments):
    return rule_key(parse_rule(line, **arguments))


def is_directory(path):
    return path in DIRECTORIES


def test_disk_and_loaded_rules_have_the_same_keys():
    disk = audit_rules.parse([("/etc/audit/rules.d/50-hand.rules", lines("50-hand.rules"))], is_directory)
    loaded, strange = audit_rules_loaded.parse(lines("auditctl-l.txt"), is_directory)
    assert strange == 0
    assert len(loaded) == 19
    rules = {name: row for name, row in disk.items() if row["kind"] == "rule"}
    assert set(rules) == set(loaded)
    for name, row in loaded.items():
        assert row["keys"] == rules[name]["keys"], name


def test_what_a_hardening_guide_loads_is_understood_whole():
    rows, strange = audit_rules_loaded.parse(lines("auditctl-l-stig.txt"), is_directory)
    assert (len(rows), strange) == (33, 0)
    names = "creat,ftruncate,open,open_by_handle_at,openat,openat2,truncate"
    row = rows["always,exit arch=b64 " + names + " auid!=unset auid>=1000 exit=-EPERM"]
    assert row["arch"] == "b64"
    assert row["keys"] == ["access"]
    assert {"field": "exit", "op": "=", "value": "-EPERM"} in row["fields"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("-w /x -p wa -k k", "-a always,exit -F path=/x -F perm=wa -F key=k"),
        ("-w /x -p aw", "-w /x -p wa -k other"),
        ("-w /x", "-a exit,always -F perm=rwxa -F path=/x -S all"),
        ("-w /etc/sudoers.d/ -p wa", "-a always,exit -F dir=/etc/sudoers.d -F perm=wa"),
        ("-w /etc/sudoers.d -p wa", "-a always,exit -F dir=/etc/sudoers.d/ -F perm=wa"),
        ("-a always,exit -F arch=b64 -S a,b", "-a always,exit -F arch=x86_64 -S b -S a"),
        ("-a always,exit -F arch=b64 -S a", "-a always,exit -F arch=0xC000003E -S a"),
        ("-a always,exit -F arch=b32 -S a", "-a always,exit -F arch=i386 -S a"),
        ("-a always,exit -F auid!=-1", "-a always,exit -F auid!=unset"),
        ("-a always,exit -F auid!=4294967295", "-a always,exit -F loginuid!=unset"),
        ("-a always,exit -F uid=root -S x", "-a always,exit -F uid=0 -S x"),
        ("-a always,exit -C euid!=uid -S x", "-a always,exit -C uid!=euid -S x"),
        ("-a always,exit -F exit=-13 -S x", "-a always,exit -F exit=-EACCES -S x"),
        ("-a always,exit -F a2&03 -S x", "-a always,exit -F a2&0x3 -S x"),
        ("-a always,exit -F success=no -S x", "-a always,exit -F success=0 -S x"),
        ("-A task,never", "-a never,task"),
        ("-w /a\\ b -p r", "-w /a\\x5c b -p r"),
    ],
)
def test_two_spellings_of_one_rule(one, other):
    assert key(one, is_dir=is_directory) == key(other, is_dir=is_directory)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("-w /x -p w", "-w /x -p wa"),
        ("-w /x -p wa", "-w /xx -p wa"),
        ("-a always,exit -F arch=b64 -S a", "-a always,exit -F arch=b32 -S a"),
        ("-a always,exit -F arch=b64 -S a", "-a always,exit -S a"),
        ("-a always,exit -S a", "-a never,exit -S a"),
        ("-a always,exit -F auid>=1000 -S a", "-a always,exit -F auid>1000 -S a"),
        ("-a always,exit -F auid=0 -S a", "-a always,exit -F auid!=0 -S a"),
        ("-a always,exit -F path=/etc/sudoers.d -F perm=wa", "-a always,exit -F dir=/etc/sudoers.d -F perm=wa"),
        ("-a always,exit -F exit=-EACCES -S a", "-a always,exit -F exit=-EPERM -S a"),
        ("-C uid=euid -a always,exit -S a", "-C uid!=euid -a always,exit -S a"),
    ],
)
def test_different_rules_have_different_keys(one, other):
    assert key(one) != key(other)


@pytest.mark.parametrize(
    "line",
    ["/etc/passwd", "-w", "-w etc/passwd", "-w /x -p q", "-a always", "-a always,nowhere", "-F auid", "-S a", "-p wa",
     "-a always,exit -p wa", "-w /x -S open", "-b", "-b 1 2", "-k", "-a always,exit -Z 1", "-w /" + "x" * 9000],
)  # fmt: skip
def test_what_auditctl_refuses_is_no_rule(line):
    with pytest.raises(BadRule):
        parse_rule(line)


def test_control_lines_and_their_order():
    rows = audit_rules.parse(
        [
            ("/etc/audit/rules.d/10-base.rules", ["# base", "-D", "-b 8192", "-e 1"]),
            ("/etc/audit/rules.d/99-final.rules", ["", "-e 2"]),
            ("/etc/audit/audit.rules", ["-D", "-w /x -p wa", "broken line"]),
        ]
    )
    assert rows["-e 2"]["where"] == ["/etc/audit/rules.d/99-final.rules:2"]
    assert rows["-e 2"]["order"] == 3
    assert (rows["-e 2"]["option"], rows["-e 2"]["value"]) == ("-e", "2")
    assert rows["-D"]["order"] == 4, "of a control line the last place counts"
    assert (rows["-D"]["rules_d"], rows["-D"]["compiled"]) == (True, True)
    watch = rows["always,exit all path=/x perm=wa"]
    assert (watch["rules_d"], watch["compiled"], watch["watch"]) == (False, True, True)
    assert rows["invalid /etc/audit/audit.rules:3"]["kind"] == "invalid"


def test_every_row_holds_every_column():
    columns = {column.name for column in audit_rules.TABLE.columns}
    rows = audit_rules.parse([("/etc/audit/rules.d/a.rules", [*lines("50-hand.rules"), "nonsense"])])
    assert len(rows) > 20
    for name, row in rows.items():
        assert set(row) == columns, name


def test_files_are_read_in_the_order_of_augenrules(tmp_path):
    directory = tmp_path / "etc/audit/rules.d"
    directory.mkdir(parents=True)
    for name, line in (("10-b.rules", "-b 3"), ("9-a.rules", "-b 2"), ("x.rules~", "-b 9"), (".y.rules", "-b 9")):
        (directory / name).write_text(line + "\n")
    rows = audit_rules.collect(Host(str(tmp_path)), {})
    assert {name: row["order"] for name, row in rows.items()} == {"-b 2": 0, "-b 3": 1}


def test_a_file_that_is_no_file_makes_the_table_partial(tmp_path):
    directory = tmp_path / "etc/audit/rules.d"
    (directory / "20-odd.rules").mkdir(parents=True)
    (directory / "10-good.rules").write_text("-w /etc/passwd -p wa\n")
    result = audit_rules.collect(Host(str(tmp_path)), {})
    assert result.state == "partial"
    assert "20-odd.rules" in result.why
    assert "always,exit all path=/etc/passwd perm=wa" in result.rows


def test_names_of_users_are_resolved_by_the_host_itself(tmp_path):
    (tmp_path / "etc/audit/rules.d").mkdir(parents=True)
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nann:x:1001:1001::/home/ann:/bin/sh\n")
    (tmp_path / "etc/audit/rules.d/a.rules").write_text("-a always,exit -S execve -F auid=ann\n-w /srv/data -p w\n")
    (tmp_path / "srv/data").mkdir(parents=True)
    rows = audit_rules.collect(Host(str(tmp_path)), {})
    assert set(rows) == {"always,exit execve auid=1001", "always,exit all dir=/srv/data perm=w"}


def test_loaded_rules_without_auditctl_are_unreadable_not_absent():
    host = Host()
    host._cache["audit.rules"] = [b"\0" * 1056]
    host._cache[("which", "auditctl")] = None
    with pytest.raises(Unreadable, match="1 rules are loaded"):
        audit_rules_loaded.collect(host, {})
    host._cache["audit.rules"] = []
    assert audit_rules_loaded.collect(host, {}) == {}


PIECES = (
    *("-a", "-w", "-p", "-k", "-F", "-S", "-C", "always,exit", "/x", "wa", "auid!=-1", "perm=x", "arch=b64"),
    *("open,openat", "uid!=euid", "key=a", "-1", "path=/x", "exit=-13", "-D", "-e", "2"),
)
WORDS = st.lists(
    st.sampled_from(PIECES) | st.text(max_size=12),
    max_size=14,
)


@given(WORDS)
def test_any_line_is_a_rule_or_refused(words):
    line = " ".join(words)
    try:
        row = parse_rule(line)
    except BadRule:
        return
    assert rule_key(row)
    assert rule_key(parse_rule(line)) == rule_key(row)


@given(
    st.lists(st.sampled_from(["open", "openat", "unlink", "rename", "execve"]), min_size=1, unique=True),
    st.lists(st.sampled_from(["auid>=1000", "auid!=-1", "success=0", "path=/a", "perm=x", "a0&1"]), unique=True),
    st.randoms(use_true_random=False),
)
def test_order_and_grouping_never_matter(syscalls, fields, random):
    plain = ["-F arch=b64", "-S " + ",".join(syscalls)] + ["-F " + field for field in fields]
    split = ["-F arch=x86_64"] + ["-S " + name for name in syscalls] + ["-F " + field for field in fields]
    random.shuffle(split)
    assert key("-a always,exit " + " ".join(plain)) == key("-a exit,always " + " ".join(split) + " -k k")


def test_versions_in_names_order_as_ls_does():
    # What `ls -1v` prints.
    order = [
        "9-a.rules",
        "10-ringwall.rules",
        "60-ringwall.rules",
        "99-x.rules",
        "Stig.rules",
        "a1.rules",
        "a2.rules",
        "a10.rules",
        "audit.rules",
        "zz-ringwall.rules",
    ]
    assert sorted(sorted(order), key=audit_rules.by_version) == order

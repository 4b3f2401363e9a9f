"""Edits: what they say is so afterwards, again changes nothing, and other lines stay byte for byte."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.changes import spec
from ansible_collections.ringwall.servers.plugins.module_utils.changes.edits import apply
from ansible_collections.ringwall.servers.plugins.module_utils.changes.edits.lines import EditError
from hypothesis import given
from hypothesis import strategies as st

COMMON_AUTH = (
    b"# here are the per-package modules\nauth\t[success=1 default=ignore]\tpam_unix.so nullok\n"
    b"auth\trequisite\t\t\tpam_deny.so\nauth\trequired\t\t\tpam_permit.so\n"
)


@pytest.mark.parametrize(("before", "edit", "after"), [
    (b"A 1\nB 2\n", {"set": "A", "value": "3", "separator": " "}, b"A 3\nB 2\n"),
    (b"A\t1\n", {"set": "A", "value": "1", "separator": " "}, b"A\t1\n"),
    (b"#A 1\nB 2", {"set": "A", "value": "3", "separator": " "}, b"#A 1\nB 2\nA 3\n"),
    (b"A=1\r\nB=2\r\n", {"set": "C", "value": "3"}, b"A=1\r\nB=2\r\nC=3\r\n"),
    (b"A=1\r\nA=4\r\n", {"set": "A", "value": "2"}, b"A=2\r\n"),
    (b"a = 1\na = 2\n", {"set": "a", "value": "3", "separator": " = ", "first_only": True}, b"a = 3\na = 2\n"),
    (b"AB 1\n", {"set": "A", "value": "3", "separator": " "}, b"AB 1\nA 3\n"),
    (b"X yes\nMatch User a\n  X no\n", {"set": "x", "value": "no", "separator": " ", "ignore_case": True, "until": r"(?i)^\s*match\s"},
     b"x no\nMatch User a\n  X no\n"),
    (b"Y yes\n\nMatch User a\n  X no\n", {"set": "X", "value": "yes", "separator": " ", "until": r"(?i)^\s*match\s"},
     b"Y yes\nX yes\n\nMatch User a\n  X no\n"),
    (b"[A]\nx=1\n\n[B]\nx=2\n", {"set": "x", "value": "3", "section": "B"}, b"[A]\nx=1\n\n[B]\nx=3\n"),
    (b"[A]\nx=1\n\n[B]\n", {"set": "y", "value": "3", "section": "A"}, b"[A]\nx=1\ny=3\n\n[B]\n"),
    (b"[A]\nx=1\n", {"set": "y", "value": "3", "section": "C"}, b"[A]\nx=1\n\n[C]\ny=3\n"),
    (b"", {"set": "y", "value": "3", "section": "C"}, b"[C]\ny=3\n"),
    (b"a=1\nb=2\na=3\n", {"unset": "a"}, b"b=2\n"),
    (b"a\nb\n", {"line": "c", "after": "^a"}, b"a\nc\nb\n"),
    (b"a\nb\n", {"line": "c", "before": "^b"}, b"a\nc\nb\n"),
    (b"x 1\nx 2\n", {"line": "x 3", "replaces": "^x "}, b"x 3\n"),
    (b"x 1\nx 3\n", {"line": "x 3", "replaces": "^x "}, b"x 3\n"),
    (b"x 1\ny\n", {"line": "x 1", "state": "absent"}, b"y\n"),
    (b"nullok nullok\nb\n", {"sub": r"\bnullok\s*", "with": ""}, b"\nb\n"),
    (b"UUID=1 /tmp ext4 defaults,rw 0 2\n", {"fstab": "/tmp", "options_add": ["nodev", "nosuid"]}, b"UUID=1 /tmp ext4 defaults,rw,nodev,nosuid 0 2\n"),
    (b"t /tmp tmpfs exec,size=1g 0 0\n", {"fstab": "/tmp", "options_add": ["noexec", "size=2g"]}, b"t /tmp tmpfs noexec,size=2g 0 0\n"),
    (b"t\t/a\\040b\ttmpfs\trw\n", {"fstab": "/a b", "options_add": ["nodev"]}, b"t\t/a\\040b\ttmpfs\trw,nodev\n"),
    (b'GRUB_CMDLINE_LINUX="quiet audit=0"\n', {"kernel_arguments": {"audit": "1", "quiet": None, "apparmor": "1"}}, b'GRUB_CMDLINE_LINUX="audit=1 apparmor=1"\n'),
    (b"X=1\n", {"kernel_arguments": {"audit": "1"}}, b'X=1\nGRUB_CMDLINE_LINUX="audit=1"\n'),
    (COMMON_AUTH, {"pam": {"type": "auth", "module": "pam_unix.so", "remove": ["nullok"]}}, COMMON_AUTH.replace(b" nullok", b"")),
    (COMMON_AUTH, {"pam": {"type": "auth", "module": "pam_faillock.so", "control": "required", "add": {"preauth": None}, "position": "first"}},
     COMMON_AUTH.replace(b"auth\t[", b"auth\trequired\tpam_faillock.so preauth\nauth\t[")),
    (COMMON_AUTH, {"pam": {"type": "auth", "module": "pam_faillock.so", "control": "[default=die]", "add": {"authfail": None}, "position": {"after": "pam_unix.so"}}},
     COMMON_AUTH.replace(b"success=1", b"success=2").replace(b"nullok\n", b"nullok\nauth\t[default=die]\tpam_faillock.so authfail\n")),
])  # fmt: skip
def test_what_an_edit_makes_of_a_file(before, edit, after):
    spec.check_operation({"op": "edit", "path": "/etc/x", "edits": [edit]})
    assert apply(before, [edit]) == after
    assert apply(after, [edit]) == after


def test_a_line_taken_out_again_gives_back_the_jumps():
    edit = {
        "pam": {
            "type": "auth",
            "module": "pam_faillock.so",
            "control": "required",
            "position": {"after": "pam_unix.so"},
        }
    }
    assert (
        apply(apply(COMMON_AUTH, [edit]), [{"pam": {"type": "auth", "module": "pam_faillock.so", "state": "absent"}}])
        == COMMON_AUTH
    )


@pytest.mark.parametrize(("data", "edit"), [
    (b"", {"fstab": "/tmp", "options_add": ["nodev"]}),
    (b"auth required pam_unix.so\n", {"pam": {"type": "auth", "module": "pam_none.so"}}),
    (b"GRUB_CMDLINE_LINUX=$(cat x)\n", {"kernel_arguments": {"audit": "1"}}),
])  # fmt: skip
def test_what_cannot_be_edited_is_said(data, edit):
    with pytest.raises(EditError, match=r"edits\[0\]"):
        apply(data, [edit])


ANY_LINE = st.binary(max_size=20).map(lambda line: line.replace(b"\n", b"").replace(b"\r", b""))
FILES = st.builds(
    lambda lines, end, last: end.join(lines) + (end if last and lines else b""),
    st.lists(st.one_of(ANY_LINE, st.sampled_from([b"key=1", b"key = 2", b"#key=3", b"[s]", b"other=1", b"  key=4"])), max_size=8),
    st.sampled_from([b"\n", b"\r\n"]), st.booleans(),
)  # fmt: skip
SETS = st.fixed_dictionaries(
    {
        "set": st.just("key"),
        "value": st.sampled_from(["1", "x y", "", "4"]),
        "separator": st.sampled_from(["=", " ", " = "]),
    },
    optional={"section": st.just("s"), "first_only": st.just(True), "until": st.just("^other")},
)


@given(FILES, SETS)
def test_setting_is_idempotent_and_leaves_other_lines_byte_for_byte(data, edit):
    once = apply(data, [edit])
    assert apply(once, [edit]) == once

    def others(content):
        return [
            line
            for line in content.replace(b"\r\n", b"\n").split(b"\n")
            if b"key" not in line and line not in (b"", b"[s]")
        ]

    assert others(once) == others(data)


@given(FILES)
def test_set_then_unset_is_as_never_set(data):
    unset = {"unset": "key"}
    bare = apply(data, [unset])
    again = apply(bare, [{"set": "key", "value": "9"}, unset])
    assert again in (bare, bare + b"\n", bare + b"\r\n")


@given(st.binary(max_size=200))
def test_no_edit_no_change_whatever_the_bytes(data):
    assert apply(data, []) == data
    assert apply(data, [{"unset": "key-that-is-not-there"}]) == data


@given(st.binary(max_size=300), st.sampled_from([
    {"fstab": "/tmp", "options_add": ["nodev"], "missing_ok": True}, {"kernel_arguments": {"audit": "1"}},
    {"pam": {"type": "auth", "module": "pam_x.so", "position": "last"}}, {"line": "x", "replaces": "a", "after": "b"},
    {"sub": "a", "with": "b"},
]))  # fmt: skip
def test_any_bytes_are_edited_or_refused(data, edit):
    try:
        once = apply(data, [edit])
    except EditError:
        return
    assert apply(once, [edit]) == once


@pytest.mark.parametrize(("operation", "place"), [
    ({"op": "writ", "path": "/x"}, "no operation"),
    ({"op": "write", "path": "x", "text": ""}, "plain absolute path"),
    ({"op": "write", "path": "/etc/../x", "text": ""}, "plain absolute path"),
    ({"op": "write", "path": "/etc/shadow", "text": ""}, "account and group alone"),
    ({"op": "write", "path": "/etc/x", "text": "", "mode": "999"}, "octal"),
    ({"op": "edit", "path": "/etc/x", "edits": []}, "is empty"),
    ({"op": "edit", "path": "/etc/x", "edits": [{"set": "a\nb", "value": "1"}]}, r"edits\[0\].set: holds a line break"),
    ({"op": "edit", "path": "/etc/x", "edits": [{"sub": "(", "with": ""}]}, "no regular expression"),
    ({"op": "write", "path": "/etc/x", "text": "", "follow": ["rm -rf"]}, "no follow-up"),
    ({"op": "unit", "name": "a;b.service"}, "full name of a unit"),
    ({"op": "attributes", "path": "/etc/x", "mode": "0600", "clear_mode": "0077"}, "both"),
    ({"op": "sysctl", "key": "../x", "value": "1"}, "kernel parameter"),
    ({"op": "edit", "path": "/etc/x", "edits": [{"pam": {"type": "auth", "module": "a b"}}]}, "one word"),
])  # fmt: skip
def test_what_is_not_of_the_vocabulary_is_refused_with_its_place(operation, place):
    with pytest.raises(spec.SpecError, match=place):
        spec.check_operations([operation])

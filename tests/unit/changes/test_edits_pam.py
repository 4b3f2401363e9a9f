"""Edits of PAM stacks never turn away who was let in, nor let in who was turned away."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.changes.edits import EditError, apply
from ansible_collections.ringwall.servers.plugins.module_utils.pam_paths import indexes, lets_in, open_door, walk
from ansible_collections.ringwall.servers.plugins.module_utils.pam_stacks import Reader, parse
from hypothesis import given, settings
from hypothesis import strategies as st

CONTROLS = ("required", "requisite", "sufficient", "optional", "[default=die]", "[success=ok default=bad]")
MODULES = ("pam_env.so", "pam_sss.so", "pam_cap.so", "pam_krb5.so arg=1", "pam_succeed_if.so uid = 0")
EDITS = [
    {"module": "pam_faillock.so", "control": "requisite", "add": {"preauth": None}, "position": "first",
     "arguments_match": "preauth"},
    {"module": "pam_faillock.so", "control": "[default=die]", "add": {"authfail": None}, "arguments_match": "authfail",
     "position": {"before": "pam_deny.so"}},
    {"module": "pam_unix.so", "remove": ["nullok"]},
    {"module": "pam_faildelay.so", "control": "required", "position": {"before": "pam_unix.so"}},
    {"module": "pam_wheel.so", "control": "required", "position": "first", "add": {"group": "x"}},
]  # fmt: skip


class One:
    """A host with one file."""

    def __init__(self, text):
        self.text = text

    def lines(self, path, limit=None):
        return self.text.splitlines()


def stack(text, kind="auth"):
    return Reader(One(text)).stack("one", kind)[0]


@st.composite
def files(draw):
    """A stack of Debian's kind: some modules, authenticators that jump over pam_deny, pam_permit, and more."""
    before = draw(st.lists(st.tuples(st.sampled_from(CONTROLS), st.sampled_from(MODULES)), max_size=3))
    jumpers = ["pam_unix.so nullok", *draw(st.lists(st.sampled_from(("pam_sss.so", "pam_ldap.so")), max_size=2))]
    after = draw(st.lists(st.sampled_from(("pam_cap.so", "pam_env.so")), max_size=2))
    lines = [f"auth\t{control}\t{module}" for control, module in before]
    lines += ['# here are the per-package modules (the "Primary" block)']
    lines += [
        f"auth\t[success={len(jumpers) - number} default=ignore]\t{module}" for number, module in enumerate(jumpers)
    ]
    lines += ["# here's the fallback if no module succeeds", "auth\trequisite\tpam_deny.so"]
    lines += ["auth\trequired\tpam_permit.so", *(f"auth\toptional\t{module}" for module in after)]
    return "\n".join(lines) + "\n"


def by_password(entries):
    """True if a good password for pam_unix can let somebody in."""
    unix = set(indexes(entries, "pam_unix"))

    def watch(state, index, answer):
        return state or (index in unix and answer == "success")

    return any(let_in and good for let_in, good in walk(entries, False, watch))


@settings(max_examples=60, deadline=None)
@given(files(), st.lists(st.sampled_from(EDITS), min_size=1, max_size=5))
def test_any_row_of_edits_keeps_the_ways_in(text, chosen):
    edits = [{"pam": {"type": "auth", **one}} for one in chosen]
    after = apply(text.encode(), edits).decode()
    before, now = stack(text), stack(after)
    assert by_password(now) == by_password(before)
    assert lets_in(now) == lets_in(before)
    assert open_door(now) <= open_door(before)
    assert parse(after.splitlines(), "x")[1] == []
    assert apply(after.encode(), edits).decode() == after
    bad = [entry for entry in now if entry["actions"] is None]
    assert not bad


@settings(max_examples=40, deadline=None)
@given(files(), st.sampled_from([EDITS[0], EDITS[1], EDITS[3], EDITS[4]]))
def test_a_line_that_is_made_and_removed_leaves_the_file_as_it_was(text, one):
    made = apply(text.encode(), [{"pam": {"type": "auth", **one}}])
    fields = {name: value for name, value in one.items() if name in ("module", "arguments_match")}
    assert apply(made, [{"pam": {"type": "auth", "state": "absent", **fields}}]).decode() == text


def test_a_line_before_pam_deny_stays_within_the_block_of_pam_auth_update():
    text = (
        "auth\t[success=1 default=ignore]\tpam_unix.so\n# here's the fallback if no module succeeds\n"
        "auth\trequisite\tpam_deny.so\nauth\trequired\tpam_permit.so\n"
    )
    after = apply(text.encode(), [{"pam": {"type": "auth", **EDITS[1]}}]).decode().splitlines()
    assert after[:3] == [
        "auth\t[success=2 default=ignore]\tpam_unix.so",
        "auth\t[default=die]\tpam_faillock.so authfail",
        "# here's the fallback if no module succeeds",
    ]


def test_a_jump_over_an_include_is_not_counted_by_guess():
    text = "auth\t[success=2 default=ignore]\tpam_unix.so\nauth\tinclude\tother\nauth\trequisite\tpam_deny.so\n"
    with pytest.raises(EditError, match="included"):
        apply(text.encode(), [{"pam": {"type": "auth", **EDITS[1]}}])

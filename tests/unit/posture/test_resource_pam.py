"""Statements on PAM that are malformed, what hardening is asked for, and ways through stacks by hand."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.pam_paths import (
    lets_in,
    open_door,
    passed_by,
    reached,
    refusal_overruled,
    uncounted,
)
from ansible_collections.ringwall.servers.plugins.module_utils.pam_stacks import Reader
from ansible_collections.ringwall.servers.plugins.plugin_utils.content.errors import ContentError, Where
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.resources.pam import Pam
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.resources.password_age import PasswordAge
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.resources.sudo import Sudo
from hypothesis import given, settings
from hypothesis import strategies as st


class Files:
    def __init__(self, files):
        self.files = files

    def lines(self, path, limit=None):
        return self.files[path.rsplit("/", 1)[-1]].splitlines()


def stack(text, **files):
    return Reader(Files({"one": text, **files})).stack("one", "auth")[0]


def lines(*rows):
    return "\n".join("auth " + row for row in rows) + "\n"


def test_a_jump_goes_over_modules_of_its_own_level_and_a_substack_is_one_of_them():
    entries = stack(
        lines("[default=1] pam_env.so", "substack two", "required pam_unix.so"),
        two=lines("required pam_a.so", "required pam_b.so"),
    )
    assert [entries[index]["module"] for index in sorted(reached(entries))] == ["pam_env.so", "pam_unix.so"]


def test_a_jump_too_far_lets_nobody_in():
    assert lets_in(
        stack(lines("required pam_permit.so", "[success=1 default=ignore] pam_unix.so", "required pam_b.so"))
    )
    assert not lets_in(stack(lines("required pam_permit.so", "[default=3] pam_unix.so", "required pam_b.so")))


def test_done_ends_a_substack_and_not_the_stack():
    text = lines("substack two", "required pam_deny.so")
    assert not lets_in(stack(text, two=lines("sufficient pam_unix.so")))
    assert lets_in(stack(lines("include two", "required pam_deny.so"), two=lines("sufficient pam_unix.so")))


def test_die_in_a_substack_is_remembered_after_it():
    text = lines("substack two", "sufficient pam_permit.so")
    assert refusal_overruled(stack(text, two=lines("optional pam_unix.so")), [1])
    assert not refusal_overruled(stack(text, two=lines("requisite pam_unix.so")), [1])


def test_reset_forgets_what_the_substack_said():
    entries = stack(
        lines("required pam_permit.so", "substack two", "required pam_env.so"),
        two=lines("[default=bad success=ok] pam_unix.so", "[default=reset] pam_b.so"),
    )
    assert refusal_overruled(entries, [2])


def test_a_required_module_after_a_sufficient_one_is_passed_by():
    entries = stack(lines("sufficient pam_unix.so", "required pam_faillock.so preauth", "required pam_deny.so"))
    assert passed_by(entries, [1], [0])
    entries = stack(lines("required pam_faillock.so preauth", "sufficient pam_unix.so", "required pam_deny.so"))
    assert not passed_by(entries, [0], [1])


def test_nothing_but_modules_that_always_say_yes_is_an_open_door():
    assert open_door(stack(lines("sufficient pam_permit.so", "required pam_unix.so")))
    assert not open_door(stack(lines("required pam_permit.so", "required pam_unix.so")))
    assert not lets_in(stack(lines("required pam_deny.so")))
    assert not lets_in([])


def test_who_is_accepted_after_all_does_not_count_as_turned_away():
    entries = stack(lines("sufficient pam_unix.so", "sufficient pam_sss.so", "[default=die] pam_faillock.so authfail"))
    assert not uncounted(entries, [0], [2])
    entries = stack(lines("requisite pam_unix.so", "[default=die] pam_faillock.so authfail"))
    assert uncounted(entries, [0], [1])


CONTROLS = st.sampled_from(
    ["required", "requisite", "sufficient", "optional", "[success=1 default=ignore]", "[default=die]", "[x", "[a=b c]"]
)
MODULES = st.sampled_from(["pam_unix.so", "pam_deny.so", "pam_permit.so", "pam_faillock.so authfail", "pam_x.so"])


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(CONTROLS, MODULES), max_size=12))
def test_any_stack_can_be_walked(rows):
    entries = stack(lines(*(f"{control} {module}" for control, module in rows)))
    assert reached(entries) <= set(range(len(entries)))
    assert open_door(entries) <= lets_in(entries)


@pytest.mark.parametrize(
    ("resource", "statement"),
    [
        (Pam(), {}),
        (Pam(), []),
        (Pam(), {"services": ["su"]}),
        (Pam(), {"services": "su", "auth": {"pam_unix": {"called": True}}}),
        (Pam(), {"auht": {"pam_unix": {"called": True}}}),
        (Pam(), {"auth": {"pam_unix": {}}}),
        (Pam(), {"auth": {"pam_unix": {"having": ["x"]}}}),
        (Pam(), {"auth": {"pam_unix": {"called": "yes"}}}),
        (Pam(), {"auth": {"pam_unix": {"denies": False}}}),
        (Pam(), {"auth": {"pam_unix": {"arguments": {"x": {"least": 3}}}}}),
        (Pam(), {"any": {"pam_unix": {"called": True}}}),
        (Pam(), {"lockout": False}),
        (PasswordAge(), {"maximum": 3}),
        (PasswordAge(), {"max": {"max": "x"}}),
        (Sudo(), {"use-pty": True}),
        (Sudo(), {}),
    ],
)
def test_malformed_statements_are_refused(resource, statement):
    with pytest.raises(ContentError):
        resource.check(statement, Where("controls.yml", 3))


def test_what_hardening_is_asked_for():
    statement = {
        "services": ["su"],
        "auth": {"pam_wheel": {"called": True, "denies": True, "arguments": {"use_uid": True, "group": "x"}}},
    }
    base = {"kind": "pam", "services": ["su"], "type": "auth", "module": "pam_wheel"}
    assert Pam().settings(statement) == [
        {**base, "what": "module"},
        {**base, "what": "argument", "name": "use_uid", "value": True},
        {**base, "what": "argument", "name": "group", "value": "x"},
    ]
    assert Pam().settings({"lockout": True}) == [{"kind": "pam", "what": "lockout"}]
    assert PasswordAge().settings({"max": {"min": 1, "max": 365}}) == [
        {"kind": "password_age", "name": "max", "value": 365}
    ]
    assert Sudo().settings({"use_pty": True}) == [{"kind": "sudo", "defaults": {"use_pty": True}}]

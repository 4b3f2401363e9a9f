"""Comparators: hand-written truth, and what holds for any value."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture.comparison import (
    COMPARATORS,
    check,
    holds,
    number,
    words,
)
from hypothesis import given
from hypothesis import strategies as st

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
OPERANDS = {
    "min": 4,
    "max": 4,
    "count": 2,
    "one_of": ["a", 1],
    "none_of": ["a", 1],
    "all_of": ["a", 1],
    "subset_of": ["a", 1],
    "within": ["a", 1],
    "matches": "^a",
    "not_matches": "^a",
    "absent": True,
    "empty": True,
}

TRUTH = [
    (0, "0", True),
    ("0", 0, True),
    (0, "00", True),
    (0, "", False),
    (0, None, False),
    (0, False, False),
    (1, True, False),
    (True, True, True),
    ("4096 87380", "4096\t87380", True),
    ("no", "yes", False),
    ({"mask": "027"}, "0027", True),
    ({"mask": "027"}, "077", True),
    ({"mask": "027"}, "022", False),
    ({"mask": "027"}, "u=rwx,g=rx,o=", False),
    ({"mask": "027"}, None, False),
    ({"min": 4}, "5", True),
    ({"min": 4}, "3", False),
    ({"min": 4}, "many", False),
    ({"min": 4}, None, False),
    ({"max": 4}, 4, True),
    ({"max": 4}, "5", False),
    ({"min": 1, "max": 4}, 0, False),
    ({"min": 1, "max": 4}, 2, True),
    ({"equals": "a"}, "a", True),
    ({"not_equals": "a"}, "a", False),
    ({"not_equals": "a"}, None, True),
    ({"one_of": [1, 2]}, "2", True),
    ({"one_of": [1, 2]}, "3", False),
    ({"one_of": [1, 2]}, None, False),
    ({"none_of": ["a"]}, ["b"], True),
    ({"none_of": ["a"]}, ["b", "a"], False),
    ({"none_of": ["a"]}, None, True),
    ({"all_of": ["a", "b"]}, ["b", "c", "a"], True),
    ({"all_of": ["a", "b"]}, ["a"], False),
    ({"subset_of": ["a", "b"]}, ["a"], True),
    ({"subset_of": ["a", "b"]}, ["a", "c"], False),
    ({"subset_of": ["a", "b"]}, [], False),
    ({"within": ["a", "b"]}, ["a"], True),
    ({"within": ["a", "b"]}, ["a", "c"], False),
    ({"within": ["a", "b"]}, [], True),
    ({"within": []}, None, True),
    ({"within": []}, ["a"], False),
    ({"count": 1}, ["a"], True),
    ({"count": 1}, [], False),
    ({"matches": "^r.*t$"}, "root", True),
    ({"matches": "^r.*t$"}, "roots", False),
    ({"matches": "."}, None, False),
    ({"not_matches": "x"}, None, True),
    ({"not_matches": "x"}, "ax", False),
    ({"absent": True}, None, True),
    ({"absent": True}, "", False),
    ({"absent": False}, 0, True),
    ({"empty": True}, [], True),
    ({"empty": True}, 0, False),
    ({"empty": False}, None, False),
    ({"empty": False}, ["a"], True),
]


@pytest.mark.parametrize(("expected", "value", "truth"), TRUTH)
def test_truth(expected, value, truth):
    assert holds(expected, value) is truth


def test_every_comparator_has_truth_and_words():
    used = {name for expected, _, _ in TRUTH if isinstance(expected, dict) for name in expected}
    assert used == set(COMPARATORS)
    for name, operand in {**OPERANDS, "equals": 1, "not_equals": 1}.items():
        check({name: operand}, None)
        assert words({name: operand})


@given(VALUES)
def test_any_value_has_an_answer(value):
    for name, operand in OPERANDS.items():
        assert holds({name: operand}, value) in (True, False)


@given(VALUES)
def test_a_value_and_its_opposite(value):
    assert holds({"absent": True}, value) is not holds({"absent": False}, value)
    assert holds({"empty": True}, value) is not holds({"empty": False}, value)
    assert holds({"equals": 4}, value) is not holds({"not_equals": 4}, value)
    assert holds({"matches": "a"}, value) is not holds({"not_matches": "a"}, value)


@given(st.text(max_size=30))
def test_number_of_any_text(text):
    assert number(text) is None or isinstance(number(text), (int, float))

"""What a PAM stack comes to: which modules are reached, and which answers of theirs let a caller in.

Every way through a stack is walked, with each answer that a module may give, by the rules of libpam
(pam_dispatch.c): impressions, jumps, ``done`` and ``die``, which end a substack and not the stack.
Entries are those of ``pam_stacks.Reader.stack`` or of a row of the table ``pam``.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from .pam_stacks import KEYWORDS

FAILURES = {
    "pam_deny": "auth_err",
    "pam_faillock": "auth_err",
    "pam_pwhistory": "authtok_err",
    "pam_pwquality": "authtok_err",
    "pam_cracklib": "authtok_err",
    "pam_wheel": "perm_denied",
    "pam_succeed_if": "auth_err",
    "pam_unix": "auth_err",
}
"""Module -> what it answers when it refuses; ``perm_denied`` for others."""

FIXED = {"pam_deny": ("auth_err",), "pam_permit": ("success",), "pam_faildelay": ("ignore",)}
"""Modules that always answer the same."""

SORTERS = ("pam_succeed_if", "pam_usertype", "pam_localuser", "pam_listfile", "pam_access", "pam_nologin")
"""Modules that tell users apart and look at no password."""

LIMIT = 20000  # states of one walk: a real stack has some hundred

ACCEPTED = ("success", "new_authtok_reqd")
"""Answers of a module that lets the caller pass."""

UNDECIDED, GOOD, ODD, BAD = 0, 1, 2, 3
"""Impressions: none yet; success; positive with an answer that is not success; negative."""


class TooMany(Exception):
    """The stack has more ways than are walked."""


def plain(module):
    """Return the name of a module without directory and ``.so``."""
    name = module.rsplit("/", 1)[-1]
    return name[:-3] if name.endswith(".so") else name


def refusal(entry):
    """The answer with which the module of an entry refuses."""
    return FAILURES.get(plain(entry["module"]), "perm_denied")


def answers(entry):
    """Return all answers to try for an entry: success, its refusal, ignore and what its control names."""
    if entry.get("missing"):
        return ("module_unknown",)
    name = plain(entry["module"])
    if name in FIXED:
        return FIXED[name]
    arguments = entry.get("args") or ()
    if name == "pam_faillock" and "authfail" in arguments:
        return ("auth_err",)
    named = [value for value in (entry.get("actions") or {}) if value != "default"]
    return tuple(dict.fromkeys(["success", refusal(entry), "ignore"] + named))


def _action(entry, answer):
    actions = entry.get("actions") or KEYWORDS.get(entry["control"])
    if actions is None:
        return "bad"  # libpam makes such a line fail
    action = actions.get(answer, actions.get("default", "bad"))
    if isinstance(action, int):
        return action or "ignore"
    if action.isdigit():
        return int(action) or "ignore"
    return action if action in ("ok", "done", "bad", "die", "ignore", "reset") else "bad"


def _level(stack, index):
    return stack[index].get("level") or 0


def _skip(stack, index, count):
    """Return ``(index of the last entry that a jump skips, number that could not be skipped)``."""
    level, place = _level(stack, index), index
    while place + 1 < len(stack) and _level(stack, place + 1) >= level and count > 0:
        place += 1
        while place + 1 < len(stack) and _level(stack, place + 1) > level:
            place += 1
        count -= 1
    return place, count


def _rest(stack, index):
    """Return the index of the last entry that a decision at ``index`` leaves out."""
    level = _level(stack, index)
    while index + 1 < len(stack) and _level(stack, index + 1) >= level:
        index += 1
    return index


def _weigh(impression, action, answer):
    """The impression after ``ok``, ``done``, ``bad`` or ``die``."""
    if action in ("bad", "die"):
        return BAD
    if impression in (UNDECIDED, GOOD):
        return GOOD if answer in ACCEPTED else ODD
    return impression


def _step(stack, index, impression, saved, answer):
    """Return ``(index of the next entry, impression, saved)`` after this answer."""
    entry = stack[index]
    action = _action(entry, answer)
    if isinstance(action, int):
        last, left = _skip(stack, index, action)
        return last + 1, BAD if left else impression, saved
    if action == "reset":
        return index + 1, saved[_level(stack, index)] if _level(stack, index) < len(saved) else UNDECIDED, saved
    if action == "ignore":
        return index + 1, impression, saved
    impression = _weigh(impression, action, answer)
    if action == "die" or (action == "done" and impression in (GOOD, ODD)):
        return _rest(stack, index) + 1, impression, saved
    return index + 1, impression, saved


def walk(stack, start=None, watch=None):
    """Yield ``(let in, state)`` for each way through the stack; ``state`` begins as ``start``.

    ``watch(state, index, answer)`` returns the next state (hashable) when the module at ``index`` answers,
    None to give this way up. Raises TooMany.
    """
    ends, seen = set(), set()
    todo = [(0, UNDECIDED, (UNDECIDED,), 0, start)]
    while todo:
        item = todo.pop()
        if item in seen:
            continue
        seen.add(item)
        if len(seen) > LIMIT:
            raise TooMany()
        index, impression, saved, before, state = item
        if index >= len(stack):
            ends.add((impression == GOOD, state))
            continue
        level = _level(stack, index)
        if level > before:
            saved = saved[:level] + (UNDECIDED,) * (level - len(saved)) + (impression,)
        if stack[index]["control"] == "substack":
            todo.append((index + 1, impression, saved, level, state))
            continue
        for answer in answers(stack[index]):
            after = watch(state, index, answer) if watch else state
            if after is None and watch:
                continue
            place, mood, kept = _step(stack, index, impression, saved, answer)
            todo.append((place, mood, kept, level, after))
    return ends


def reached(stack):
    """Return the set of indexes of entries that are called on some way."""
    found = set()

    def watch(state, index, answer):
        found.add(index)
        return state

    walk(stack, True, watch)
    return found


def indexes(stack, module, arguments=()):
    """Return the indexes of the entries of a module (plain name) that have all these arguments."""
    return [
        index
        for index, entry in enumerate(stack)
        if entry["control"] != "substack"
        and plain(entry["module"]) == module
        and not set(arguments) - set(entry.get("args") or ())
    ]


def passed_by(stack, targets, anchors):
    """True if there is a way in on which an anchor says success before any target was called.

    Without anchors: a way in on which no target is called. pam_unix changes or accepts no password of somebody whom
    pam_localuser did not find.
    """
    targets, anchors = set(targets), set(anchors)

    def watch(state, index, answer):
        called, missed, foreign = state
        if index in targets:
            return True, missed, foreign
        if index in anchors and answer in ACCEPTED:
            if foreign:
                return None
            return called, missed or not called, foreign
        if plain(stack[index]["module"]) == "pam_localuser":
            return called, missed, answer not in ACCEPTED
        return state

    for let_in, (called, missed, _foreign) in walk(stack, (False, False, False), watch):
        if let_in and (missed if anchors else not called):
            return True
    return False


def refusal_overruled(stack, targets):
    """True if there is a way in although every target that was called, and one was, refused."""
    targets = set(targets)

    def watch(state, index, answer):
        if index not in targets:
            return state
        return True if answer == refusal(stack[index]) else None

    return any(let_in and called for let_in, called in walk(stack, False, watch))


def uncounted(stack, anchors, counters):
    """True if an anchor (password module) can refuse, the caller is turned away and no counter was called.

    Ways that a module ended which only tells users apart do not count, nor those on which another module
    accepted the caller after all.
    """
    anchors, counters = set(anchors), set(counters)

    def watch(state, index, answer):
        refused, counted = state
        if index in counters:
            return refused, True
        if index in anchors:
            return (True, counted) if answer == refusal(stack[index]) else None
        name = plain(stack[index]["module"])
        if name in SORTERS:
            return None if _action(stack[index], answer) in ("die", "bad") else state
        if refused and answer in ACCEPTED and name not in FIXED:
            return None
        return state

    return any(
        not let_in and refused and not counted for let_in, (refused, counted) in walk(stack, (False, False), watch)
    )


def lets_in(stack):
    """True if there is a way in."""
    return any(let_in for let_in, _state in walk(stack, True))


def open_door(stack):
    """True if there is a way in on which every module that asks who somebody is refuses."""

    def watch(state, index, answer):
        name = plain(stack[index]["module"])
        return state if name in FIXED or name in SORTERS or answer == refusal(stack[index]) else None

    return any(let_in for let_in, _state in walk(stack, True, watch))

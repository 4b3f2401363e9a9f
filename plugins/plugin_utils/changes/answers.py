"""What a host answers about changes, taken apart: known keys of known types within bounds, and nothing else of it."""

from __future__ import annotations

from ..snapshots.limits import HostFailure
from ..snapshots.wire import malformed

TEXT = 4000
LINES = 500
ITEMS = 6000
PHASES = ("unchanged", "applying", "switched", "rolling_back", "confirmed", "rolled_back", "damaged")
STATUSES = ("changed", "unchanged", "failed", "conflict", "undone")
CODES = {
    "refused": "Wait until that run has ended, or roll it back: playbooks/rollback.yml.",
    "problem": "",
    "spec": "This is a defect of Ringwall: please report it with this text.",
    "defect": "This is a defect of Ringwall: please report it with this text.",
}


def _text(value, limit=TEXT):
    if not isinstance(value, str):
        raise malformed("a text is none")
    return value[:limit]


def _texts(value, many=LINES):
    if not isinstance(value, list):
        raise malformed("a list is none")
    return [_text(item) for item in value[:many]]


def _choice(value, choices):
    if value not in choices:
        raise malformed("an unknown word")
    return value


def _map(value, of):
    if not isinstance(value, dict) or len(value) > ITEMS:
        raise malformed("a map is none")
    return {_text(name, 300): of(item) for name, item in value.items()}


def _optional(of):
    return lambda value: None if value is None else of(value)


def _bool(value):
    if not isinstance(value, bool):
        raise malformed("a truth value is none")
    return value


def _number(value):
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise malformed("a number is none")
    return value


def _digest(value):
    if not isinstance(value, str) or len(value) != 64 or not set(value) <= set("0123456789abcdef"):
        raise malformed("a digest is none")
    return value


def _owner(value):
    return {name: _text(value.get(name, ""), 200) for name in ("run", "since")} if isinstance(value, dict) else None


def _left(value):
    if not isinstance(value, dict):
        raise malformed("an object is none")
    return {"controls": _texts(value.get("controls")), "problem": _text(value.get("problem"))}


ROW = {
    "index": _number, "changes": _bool, "before": _text, "after": _text, "diff": _texts, "digest_before": _digest,
    "problem": _optional(_text), "left": lambda value: [_left(item) for item in value or []],
}  # fmt: skip
RESULT = {"index": _number, "status": lambda value: _choice(value, STATUSES), "reason": _optional(_text)}


def _rows(of, value, count):
    if not isinstance(value, list) or len(value) != count:
        raise malformed("it answers to other operations than it was asked about")
    rows = []
    for index, item in enumerate(value):
        if not isinstance(item, dict) or item.get("index") != index:
            raise malformed("an operation has another number")
        rows.append({name: check(item.get(name)) for name, check in of.items()})
    return rows


def opened(answer):
    """Return the answer when it is a good one; raise HostFailure with what the host refused, and why."""
    if answer.get("ok") is True:
        return answer
    code = answer.get("code") if answer.get("code") in CODES else "problem"
    raise HostFailure(code, _text(answer.get("problem", "it did not say what is wrong")), CODES[code])


def planned(answer, count):
    """``{operations: [row of ROW], owner}`` of the verb ``plan`` about ``count`` operations."""
    answer = opened(answer)
    return {"operations": _rows(ROW, answer.get("operations"), count), "owner": _owner(answer.get("owner"))}


def applied(answer, count):
    """The result of the verb ``apply``."""
    answer = opened(answer)
    return {
        "phase": _choice(answer.get("phase"), PHASES),
        "results": _rows(RESULT, answer.get("results"), count),
        "failed": _map(answer.get("failed"), _text),
        "followed": _texts(answer.get("followed")),
        "why": _optional(_text)(answer.get("why")),
        "conflicts": _texts(answer.get("conflicts") or []),
        "problems": _texts(answer.get("problems") or []),
        "healed": _texts(answer.get("healed") or []),
    }


def undone(answer):
    """The result of the verb ``rollback``."""
    answer = opened(answer)
    found = {name: _texts(answer.get(name) or []) for name in ("undone", "conflicts", "problems")}
    return {"phase": _choice(answer.get("phase"), PHASES), **found}


def _run(value):
    if not isinstance(value, dict):
        raise malformed("a run is none")
    return {
        "phase": _choice(value.get("phase") or "damaged", PHASES),
        **{name: _optional(_text)(value.get(name)) for name in ("since", "why", "ended", "confirmed")},
        **{name: _texts(value.get(name) or []) for name in ("conflicts", "problems")},
        "fired": bool(value.get("fired")),
        "left": _optional(_number)(value.get("left")),
        "result": value.get("result"),
    }


def status(answer):
    """``{runs: {run: {...}}, owner}`` of the verb ``status``; ``result`` in it is not checked yet."""
    answer = opened(answer)
    return {"runs": _map(answer.get("runs"), _run), "owner": _owner(answer.get("owner"))}

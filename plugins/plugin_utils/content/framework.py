"""One framework: which requirements it has and which controls speak to each."""

from __future__ import annotations

from .benchmark import ID
from .errors import ContentError
from .lines import known_keys, near, no_nulls

KEYS = ("id", "title", "version", "source", "requirements")
REQUIREMENT_KEYS = ("title", "controls")


def read_framework(document, controls):
    """Check one framework document and return it compiled: ``{id, title, version, requirements}``.

    ``requirements``: id -> ``{title, controls}``, in the order of the file; the title may be empty, and a requirement
    without controls is one that nothing here checks. Raise ContentError with file, line and what was expected.
    """
    data = document.data
    known_keys(document, (), data, KEYS, ("id", "title", "version", "requirements"))
    for key in ("id", "title", "version"):
        if not isinstance(data[key], str):
            raise ContentError(document.where(key), f"{key} is not text", f'{key}: "..."')
    if not ID.fullmatch(data["id"]):
        raise ContentError(document.where("id"), f"malformed id {data['id']}", "small letters, digits and _")
    if not isinstance(data["requirements"], dict):
        raise ContentError(document.where("requirements"), "requirements takes a map", '"<id>": {controls: [...]}')
    requirements = {}
    for name, body in data["requirements"].items():
        requirements[name] = _requirement(document, name, body, controls)
    return {"id": data["id"], "title": data["title"], "version": data["version"], "requirements": requirements}


def _requirement(document, name, body, controls):
    at = ("requirements", name)
    if not isinstance(name, str):
        raise ContentError(document.where(*at), f"requirement {name} is read as a number", f'"{name}" in quotes')
    known_keys(document, at, body, REQUIREMENT_KEYS)
    no_nulls(document, at, body)
    title, named = body.get("title", ""), body.get("controls", [])
    if not isinstance(title, str):
        raise ContentError(document.where(*at, "title"), f"requirement {name}: title is not text", 'title: "..."')
    if not isinstance(named, list):
        raise ContentError(document.where(*at, "controls"), "controls is not a list", "controls: [<id>]")
    for number, control in enumerate(named):
        if control not in controls:
            problem = f"requirement {name}: unknown control {control}{near(control, controls)}"
            raise ContentError(document.where(*at, "controls", number), problem, "the id of a control")
    if len(set(named)) != len(named):
        raise ContentError(document.where(*at, "controls"), f"requirement {name} names a control twice", "each id once")
    return {"title": title, "controls": named}

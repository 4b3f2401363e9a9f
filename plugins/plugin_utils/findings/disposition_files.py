"""Reading dispositions from YAML files, with the file and line of whatever is wrong."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

from ..content.errors import ContentError, Where
from ..content.lines import known_keys, parse
from .dispositions import CATEGORIES, MAX_DAYS, SELECTORS, wide

REQUIRED = (
    "id",
    "selector",
    "hosts",
    "category",
    "reason",
    "owner",
    "approver",
    "created",
    "expires",
)
KEYS = (*REQUIRED, "scope", "ticket", "compensating_control")
EXTENSIONS = (".yml", ".yaml")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def load_dispositions(paths):
    """Return the dispositions of all files as plain dicts with every key of KEYS and ``where`` (``file:line``).

    ``paths``: one path or a list; a directory stands for its ``*.yml`` and ``*.yaml`` files. A file holds a list of
    maps. Raises ContentError with file and line.
    """
    found = {}
    for path in _files([paths] if isinstance(paths, (str, Path)) else list(paths or ())):
        for one in parse_dispositions(_read(path), str(path)):
            if one["id"] in found:
                raise ContentError(
                    _where(one["where"]),
                    f"the id {one['id']} is also at {found[one['id']]['where']}",
                    "one id each",
                )
            found[one["id"]] = one
    return list(found.values())


def _where(text):
    path, _colon, line = text.rpartition(":")
    return Where(path, int(line))


def _files(paths):
    for path in (Path(item) for item in paths):
        if path.is_dir():
            yield from sorted(item for item in path.iterdir() if item.suffix in EXTENSIONS)
        elif path.is_file():
            yield path
        else:
            raise ContentError(
                Where(str(path)),
                "there is no such file",
                "a YAML file, or a directory of them",
            )


def _read(path):
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ContentError(Where(str(path)), f"cannot be read: {error}", "a readable UTF-8 file") from None


def parse_dispositions(text, path):
    """Return the dispositions of one YAML text; raise ContentError with ``path`` and line."""
    document = parse(text, path)
    if document.data is None:
        return []
    if not isinstance(document.data, list):
        raise ContentError(document.where(), "found no list", "a list of dispositions")
    found = [_one(document, number, entry) for number, entry in enumerate(document.data)]
    seen = {}
    for one in found:
        if one["id"] in seen:
            raise ContentError(
                _where(one["where"]),
                f"the id {one['id']} is also at {seen[one['id']]}",
                "one id each",
            )
        seen[one["id"]] = one["where"]
    return found


def _one(document, number, entry):
    known_keys(document, (number,), entry, KEYS, REQUIRED)

    def wrong(key, problem, expected):
        return ContentError(document.where(number, key), problem, expected)

    for key in KEYS:
        if key not in ("selector", "hosts") and entry.get(key) is not None and not isinstance(entry[key], str):
            raise wrong(key, f"{key} is {type(entry[key]).__name__}", "text (in quotes)")
    if not _ID.fullmatch(entry["id"]):
        raise wrong(
            "id",
            f"{entry['id']!r} is no id",
            "1 to 64 letters, digits, dots, dashes, underscores",
        )
    if entry["category"] not in CATEGORIES:
        raise wrong(
            "category",
            f"unknown category {entry['category']}",
            "one of " + ", ".join(CATEGORIES),
        )
    if entry["category"] == "mitigated" and not entry.get("compensating_control"):
        raise wrong(
            "category",
            "mitigated, but by what?",
            "compensating_control: what mitigates it",
        )
    selector = _selector(document, number, entry["selector"])
    hosts = entry["hosts"] if isinstance(entry["hosts"], list) else [entry["hosts"]]
    if not all(isinstance(item, str) and item for item in hosts):
        raise wrong(
            "hosts",
            "not a host pattern",
            "a name with wildcards, group:<name>, or a list of those",
        )
    if all(wide(pattern) for pattern in selector.values()) and any(wide(pattern) for pattern in hosts):
        raise wrong(
            "selector",
            "everything on every host is no exception",
            "a selector or a host that names something",
        )
    created, expires = (_date(document, number, entry, key) for key in ("created", "expires"))
    if expires < created:
        raise wrong("expires", "ends before it is created", "a date after created")
    if (expires - created).days > MAX_DAYS:
        latest = created + datetime.timedelta(days=MAX_DAYS)
        raise wrong(
            "expires",
            f"in force for more than {MAX_DAYS} days",
            f"{latest.isoformat()} at the latest",
        )
    one = {key: entry.get(key) for key in KEYS}
    one.update(
        selector=selector,
        hosts=hosts,
        scope=entry.get("scope") or "*",
        where=str(document.where(number)),
    )
    return one


def _selector(document, number, selector):
    if not isinstance(selector, dict):
        raise ContentError(document.where(number, "selector"), "not a map", "selector: {control: <id>}")
    known_keys(document, (number, "selector"), selector, SELECTORS)
    for name, pattern in selector.items():
        if not isinstance(pattern, str) or not pattern:
            raise ContentError(
                document.where(number, "selector", name),
                f"{name} is not text",
                f'{name}: "..."',
            )
    return dict(selector)


def _date(document, number, entry, key):
    try:
        return datetime.datetime.strptime(entry[key], "%Y-%m-%d").date()
    except ValueError:
        raise ContentError(
            document.where(number, key),
            f"{entry[key]!r} is no date",
            "a day such as 2026-01-31",
        ) from None

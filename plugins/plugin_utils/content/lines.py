"""YAML with the line of every entry, so that an error can name it."""

from __future__ import annotations

import difflib

import yaml

from .errors import ContentError, Where

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MAX_DEPTH = 32
MAX_NODES = 200_000
"""Nodes of one file with all references followed: some forty times our largest file has."""

YAML_OWN = "tag:yaml.org,2002:"
TAGS = frozenset(
    YAML_OWN + name for name in ("str", "int", "float", "bool", "null", "timestamp", "seq", "map", "value")
)
"""Tags that plain YAML 1.1 has without writing them; any other means something that content is not."""


class Document:
    """One parsed file: ``data`` is plain, ``where(*path)`` gives the place of an entry.

    A path is the sequence of keys and list positions that leads to the entry.
    """

    def __init__(self, path, data, marks):
        self.path = path
        self.data = data
        self._marks = marks

    def where(self, *path):
        """Return the Where of the entry, or of its nearest ancestor with a line."""
        while path and path not in self._marks:
            path = path[:-1]
        return Where(self.path, self._marks.get(path, 0))


def parse(text, path):
    """Return the Document of one YAML text; ``path`` names it in errors.

    Raises ContentError for anything that is not one plain document: bad syntax, unknown tags, a key given twice.
    """
    try:
        loader = LOADER(text)
        node = loader.get_single_node()
    except yaml.YAMLError as error:
        raise _syntax(error, path) from None
    marks = {}
    if node is None:
        return Document(path, None, marks)
    try:
        return Document(path, _plain(loader, node, (), marks, path), marks)
    except yaml.YAMLError as error:
        raise _syntax(error, path) from None


def _syntax(error, path):
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).split("\n", 1)[0]
    return ContentError(Where(path, mark.line + 1 if mark else 0), f"not valid YAML: {problem}", "one YAML document")


def _tagged(node, path):
    if node.tag not in TAGS:
        name = node.tag.replace(YAML_OWN, "!!", 1)
        where = Where(path, node.start_mark.line + 1)
        raise ContentError(where, f"unknown tag {name}", "a plain value; quote it if it starts with ! or is <<")


def _plain(loader, node, at, marks, path, count=None):
    line = node.start_mark.line + 1
    marks.setdefault(at, line)
    count = [0] if count is None else count
    count[0] += 1
    if count[0] > MAX_NODES:
        raise ContentError(Where(path, line), "too large", f"at most {MAX_NODES} entries, references (*name) followed")
    _tagged(node, path)
    if len(at) > MAX_DEPTH:
        raise ContentError(Where(path, line), "nested too deeply", f"at most {MAX_DEPTH} levels")
    if isinstance(node, yaml.ScalarNode):
        try:
            value = loader.construct_object(node)
        except (ValueError, OverflowError):
            return node.value  # 2026-02-30: whoever wants a date refuses it with the place
        if not isinstance(value, (str, int, float, bool, type(None))):
            return node.value  # dates: content has no use for date objects
        return value
    if isinstance(node, yaml.SequenceNode):
        return [_plain(loader, item, (*at, number), marks, path, count) for number, item in enumerate(node.value)]
    found = {}
    for key_node, value_node in node.value:
        _tagged(key_node, path)
        key = loader.construct_object(key_node) if isinstance(key_node, yaml.ScalarNode) else None
        where = Where(path, key_node.start_mark.line + 1)
        if not isinstance(key, (str, int, float, bool)):
            raise ContentError(where, "this key is not a plain word", "a word; quote it if it starts with * or &")
        if key in found:
            first = Where(path, marks[(*at, key)])
            raise ContentError(where, f"{key} is given twice, first at line {first.line}", "each key once")
        marks[(*at, key)] = where.line
        found[key] = _plain(loader, value_node, (*at, key), marks, path, count)
    return found


def near(name, known):
    """Return ``; did you mean X?`` for the nearest known name, else an empty text."""
    by_lower = {str(item).lower(): str(item) for item in known}
    close = difflib.get_close_matches(str(name).lower(), by_lower, n=1, cutoff=0.6)
    return f"; did you mean {by_lower[close[0]]}?" if close else ""


def known_keys(document, at, entry, allowed, required=()):
    """Raise ContentError unless ``entry`` is a map with only ``allowed`` keys and all ``required`` ones."""
    if not isinstance(entry, dict):
        raise ContentError(document.where(*at), f"found {type(entry).__name__}", "a map with " + ", ".join(allowed))
    for key in entry:
        if key not in allowed:
            problem = f"unknown key {key}{near(key, allowed)}"
            raise ContentError(document.where(*at, key), problem, "one of " + ", ".join(sorted(allowed)))
    for key in required:
        if entry.get(key) in (None, "", [], {}):
            raise ContentError(document.where(*at), f"{entry.get('id', 'this entry')} has no {key}", f"{key}: ...")


def no_nulls(document, at, entry):
    """Raise ContentError for the first ``key:`` without a value in ``entry``: a slip that must not mean anything."""
    if isinstance(entry, dict):
        for key, value in entry.items():
            if value is None:
                raise ContentError(document.where(*at, key), f"{key} has no value", f"{key}: ..., or leave it out")
            no_nulls(document, (*at, key), value)
    elif isinstance(entry, list):
        for number, value in enumerate(entry):
            if value is None:
                raise ContentError(document.where(*at, number), "an entry of the list has no value", "a value")
            no_nulls(document, (*at, number), value)

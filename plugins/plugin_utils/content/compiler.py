"""All roots -> one Content of plain data, cached as JSON under the digest of everything it was made from."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from .benchmark import read_benchmark, resolve_includes
from .control import read_control, read_parameters, unique
from .errors import ContentError, Where
from .framework import read_framework
from .lines import parse
from .roots import content_files

SCHEMA = "ringwall.content/2"
KEPT = {}
"""Digest -> Content that this process has loaded and its forks inherit: at most one."""


class Content:
    """Compiled content. ``data`` is plain JSON.

    ``controls``, ``benchmarks``, ``frameworks``: id -> what was compiled of it; ``parameters``: name ->
    {default, stricter, description, control}, ``digest``: SHA-256 over the files it was made from and the compiler's
    own source.
    """

    def __init__(self, data):
        self.data = data
        self.digest = data["digest"]
        self.controls = data["controls"]
        self.benchmarks = data["benchmarks"]
        self.frameworks = data.get("frameworks", {})
        self.parameters = data["parameters"]

    def needs(self, benchmarks=None):
        """Return what judging the named benchmarks (default: all) reads: ``tables`` and ``paths``, sets of text, and
        ``configs``, a list of maps that name configuration files.
        """
        tables, paths, configs = {"platform"}, set(), []
        for name in self.benchmarks if benchmarks is None else benchmarks:
            for section in self.benchmarks.get(name, {"sections": {}})["sections"].values():
                for control in section["controls"]:
                    tables.update(self.controls[control]["tables"])
                    paths.update(self.controls[control]["paths"])
                    configs += self.controls[control]["configs"]
        return {"tables": tables, "paths": paths, "configs": unique(configs)}


def compile_content(roots=(), vocabulary=None, cache=None, digest=None):
    """Return the Content of ``roots`` (list of Root); raise ContentError for the first thing that is wrong.

    ``cache``: directory for ``content-<digest>.json``. What stands there is used when the digest fits; a file that
    cannot be read or written costs time, never correctness. No pickle: a cache file must not be able to run code.
    With ``digest`` (and no roots) the cached content of that digest is loaded: what a worker does with what its
    parent compiled. FileNotFoundError when it is not there.
    """
    if digest:
        if digest in KEPT:
            return KEPT[digest]
        cached = _read_cache(Path(cache) / f"content-{digest}.json", digest)
        if cached is None:
            raise FileNotFoundError(f"compiled content {digest} is not in {cache}")
        return cached
    texts = [_texts(root) for root in roots]
    digest = _digest(texts, vocabulary)
    path = Path(cache) / f"content-{digest}.json" if cache else None
    cached = _read_cache(path, digest) if path else None
    if cached:
        return cached
    content = Content({"schema": SCHEMA, "digest": digest, **_compile(roots, texts, vocabulary)})
    if path:
        _write_cache(path, content)
    return content


def keep_newest(cache):
    """Load the newest compiled content of a cache directory, so that the forks of this process need not; or nothing.

    A play's process does so before it knows where the state of the play lies: if another content is asked for later,
    that one is loaded. A directory that is not this account's alone is left alone.
    """
    KEPT.clear()
    try:
        place = os.stat(cache)
        if place.st_uid != os.geteuid() or place.st_mode & 0o077:
            return
        newest = max(Path(cache).glob("content-*.json"), key=lambda path: path.stat().st_mtime, default=None)
    except OSError:
        return
    if newest is not None:
        digest = newest.name.removeprefix("content-").removesuffix(".json")
        content = _read_cache(newest, digest)
        if content is not None:
            KEPT[digest] = content


def _texts(root):
    """Return ``(controls, benchmarks, frameworks)``, each a list of ``(label, text)`` of one root."""
    found = []
    for files in content_files(root):
        pairs = []
        for file in files:
            try:
                pairs.append((root.label(file), file.read_text(encoding="utf-8")))
            except (OSError, UnicodeDecodeError) as error:
                raise ContentError(Where(str(file)), f"cannot be read: {error}", "a readable UTF-8 file") from None
        found.append(pairs)
    return tuple(found)


def _digest(texts, vocabulary):
    state = hashlib.sha256(SCHEMA.encode())
    own = sorted(Path(__file__).parent.glob("*.py"))
    for source in (*own, *(Path(item) for item in vocabulary.sources)):
        state.update(source.read_bytes() if source.is_file() else source.name.encode())
    for kinds in texts:
        state.update(b"\0root")
        for label, text in (item for kind in kinds for item in kind):
            state.update(f"\0{label}\0{len(text)}\0".encode("utf-8", "surrogateescape"))
            state.update(text.encode())
    return state.hexdigest()


def _compile(roots, texts, vocabulary):
    documents = [
        (root, *([parse(text, label) for label, text in pairs] for pairs in kinds))
        for root, kinds in zip(roots, texts, strict=True)
    ]
    entries = [item for root, files, *_others in documents for item in _entries(root, files)]
    parameters = _all_parameters(entries)
    controls = {}
    first = {}
    for root, document, at, entry in entries:
        control = read_control(document, at, entry, vocabulary, parameters)
        where = document.where(*at, "id")
        _unique(first, control["id"], where, root, "id")
        control.update(where=str(where), ours=root.ours)
        controls[control["id"]] = control
    benchmarks, places, first = {}, {}, {}
    for root, _controls, files, _others in documents:
        for document in files:
            benchmark = read_benchmark(document, controls, parameters)
            _unique(first, benchmark["id"], document.where("id"), root, "benchmark id")
            benchmark.update(where=str(document.where("id")), ours=root.ours)
            benchmarks[benchmark["id"]] = benchmark
            places[benchmark["id"]] = document
    resolve_includes(benchmarks, places)
    frameworks = _frameworks(documents, controls)
    return {"controls": controls, "benchmarks": benchmarks, "frameworks": frameworks, "parameters": parameters}


def _frameworks(documents, controls):
    found, first = {}, {}
    for root, _controls, _benchmarks, files in documents:
        for document in files:
            framework = read_framework(document, controls)
            _unique(first, framework["id"], document.where("id"), root, "framework id")
            found[framework["id"]] = framework
    return found


def _entries(root, files):
    for document in files:
        if document.data is None:
            continue
        if not isinstance(document.data, list):
            raise ContentError(document.where(), "a file of controls is a list", "- id: ... for each control")
        for number, entry in enumerate(document.data):
            if not isinstance(entry, dict):
                raise ContentError(document.where(number), "this entry is not a control", "- id: ...")
            yield root, document, (number,), entry


def _all_parameters(entries):
    """Parameters are global by name, and one control defines each: a second definition could only disagree."""
    found = {}
    for _root, document, at, entry in entries:
        for name, body in read_parameters(document, at, entry).items():
            if name in found:
                problem = f"parameter {name} is already defined by {found[name]['control']}"
                raise ContentError(document.where(*at, "parameters", name), problem, "one definition, used by both")
            found[name] = {**body, "control": str(entry.get("id"))}
    return found


def _unique(first, name, where, root, what):
    if name not in first:
        first[name] = (where, root)
        return
    earlier, owner = first[name]
    if owner.ours and not root.ours:
        raise ContentError(where, f"{what} {name} is one of ours ({earlier})", "an id of your own")
    raise ContentError(where, f"{what} {name} is a duplicate of {earlier}", "each id once")


def _read_cache(path, digest):
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
    except (OSError, ValueError):
        return None
    if not isinstance(data, dict) or data.get("schema") != SCHEMA or data.get("digest") != digest:
        return None
    return Content(data)


def _write_cache(path, content):
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(content.data, file, separators=(",", ":"))
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)

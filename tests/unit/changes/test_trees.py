"""Undoing what was applied to any tree gives back that tree: contents, modes, owners, links, times."""

from __future__ import annotations

import os
import pathlib
import tempfile

from hypothesis import given
from hypothesis import strategies as st

NAMES = st.sampled_from(["a", "b", "c.conf", "d"])
FOLDERS = st.sampled_from(["etc", "etc/x", "etc/x/y", "etc/new", "etc/new/er"])
PATHS = st.builds(lambda folder, name: f"{folder}/{name}", FOLDERS, NAMES)
FILES = st.dictionaries(PATHS, st.tuples(st.binary(max_size=40), st.sampled_from([0o600, 0o644, 0o4755])), max_size=5)
LINKS = st.dictionaries(PATHS, st.sampled_from(["/etc/x/a", "b", "/dev/null", "/nowhere"]), max_size=2)
CONTROLS = st.lists(st.sampled_from(["p", "q", "r"]), min_size=1, max_size=2, unique=True)
EDITS = st.lists(st.one_of(
    st.fixed_dictionaries({"set": st.sampled_from(["k", "m"]), "value": st.sampled_from(["1", "2"])}, optional={"controls": CONTROLS}),
    st.fixed_dictionaries({"line": st.sampled_from(["x", "y"])}, optional={"state": st.just("absent"), "controls": CONTROLS}),
), min_size=1, max_size=3)  # fmt: skip
PATH = PATHS.map(lambda path: "/" + path)
OPERATIONS = st.lists(st.one_of(
    st.fixed_dictionaries({"op": st.just("write"), "path": PATH, "text": st.sampled_from(["", "one\n", "two\n"]), "controls": CONTROLS},
                          optional={"mode": st.sampled_from(["0600", "0640"])}),
    st.fixed_dictionaries({"op": st.just("edit"), "path": PATH, "edits": EDITS, "controls": CONTROLS}, optional={"create": st.just({})}),
    st.fixed_dictionaries({"op": st.just("attributes"), "path": PATH, "mode": st.sampled_from(["0600", "0755"]), "controls": CONTROLS}),
    st.fixed_dictionaries({"op": st.just("remove"), "path": PATH, "controls": CONTROLS}),
), min_size=1, max_size=8)  # fmt: skip


def furnished(make_box, folder, files, links):
    box = make_box(pathlib.Path(folder) / "root")
    for path, (data, mode) in files.items():
        box.write(path, data, mode)
    for path, target in links.items():
        place = box.root / path
        if not os.path.lexists(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(target)
    return box


def without_times(fingerprint):
    return {path: state[:-1] for path, state in fingerprint.items()}


@given(FILES, LINKS, OPERATIONS)
def test_undoing_everything_gives_the_tree_back(make_box, files, links, operations):
    with tempfile.TemporaryDirectory() as folder:
        box = furnished(make_box, folder, files, links)
        before = box.fingerprint()
        told = box.apply(operations)
        if told["phase"] == "switched":
            box.confirm()
            undone = box.rollback()
            assert undone["conflicts"] == []
        assert box.fingerprint() == before


@given(FILES, OPERATIONS, st.lists(st.sampled_from(["p", "q", "r"]), max_size=2, unique=True))
def test_undoing_some_controls_is_as_if_they_had_never_been_applied(make_box, files, operations, controls):
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        box, pure = (furnished(make_box, folder, files, {}) for folder in (one, other))
        before = without_times(box.fingerprint())
        told = box.apply(operations)
        if told["phase"] != "switched" or any(row["status"] in ("failed", "undone") for row in told["results"]):
            return
        box.confirm()
        undone = box.rollback(controls=controls)
        kept = []
        for operation in operations:
            left = dict(operation)
            if operation["op"] == "edit":
                left["edits"] = [
                    edit
                    for edit in operation["edits"]
                    if not set(edit.get("controls") or operation["controls"]) <= set(controls)
                ]
                if not left["edits"]:
                    continue
            elif set(operation["controls"]) <= set(controls):
                continue
            kept.append(left)
        if undone["conflicts"] == [] and kept:
            result = pure.apply(kept)
            if not any(row["status"] in ("failed", "undone") for row in result["results"]):
                shape = [
                    {os.path.relpath(path, it.root): state for path, state in without_times(it.fingerprint()).items()}
                    for it in (box, pure)
                ]
                assert shape[0] == shape[1]
        box.rollback()
        assert without_times(box.fingerprint()) == before

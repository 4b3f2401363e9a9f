"""Who may import whom. Read from the source, so that a wrong import is red before it runs."""

from __future__ import annotations

import ast
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
PLUGINS = ROOT / "plugins"
CAPABILITIES = {"posture", "hardening"}
ROOMS = {"content", "snapshots", "findings", "changes", "evidence", "store", "reports", "bundles"}
ABOVE = {"assessment", "actions", "hardening_actions", "keeping", "rejudging"}
"""Modules that may import several capabilities or hand them to Ansible."""
ALLOWED = {
    "content": set(),
    "evidence": set(),
    "snapshots": {"content"},
    "findings": {"content"},
    "changes": {"findings", "evidence", "snapshots"},
    "bundles": {"evidence"},
    "store": {"evidence", "findings", "snapshots"},
    "reports": {"store", "findings", "content", "evidence"},
    "posture": {"content", "findings", "snapshots", "evidence"},
    "hardening": {"content", "findings", "snapshots", "evidence", "changes"},
}
THIRD_PARTY_ON_TARGETS = "a collector may import the standard library only"


def imports(path):
    """Yield (absolute dotted name, line, inside a function) of every import of a file below plugins/."""
    package = ["plugins", *path.relative_to(PLUGINS).with_suffix("").parts]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inner = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name, node.lineno, id(node) in inner
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                base = package[: len(package) - node.level]
                module = base + (node.module.split(".") if node.module else [])
                if node.module:
                    yield ".".join(module), node.lineno, id(node) in inner
                for name in node.names:
                    yield ".".join([*module, name.name]), node.lineno, id(node) in inner
            else:
                yield node.module, node.lineno, id(node) in inner


def room(name):
    """The room or capability below plugin_utils that a dotted name lies in, or None."""
    parts = name.split(".")
    return parts[2] if parts[:2] == ["plugins", "plugin_utils"] and len(parts) > 2 else None


def files(folder):
    return sorted(path for path in (PLUGINS / folder).rglob("*.py"))


@pytest.mark.parametrize("path", files("module_utils"), ids=lambda path: str(path.relative_to(PLUGINS)))
def test_what_ships_to_targets_imports_nothing_but_itself_and_the_standard_library(path):
    for name, line, _inner in imports(path):
        top = name.split(".")[0]
        assert name.startswith("plugins.module_utils") or top in sys.stdlib_module_names, f"{path}:{line}: {name}"


@pytest.mark.parametrize("path", files("plugin_utils"), ids=lambda path: str(path.relative_to(PLUGINS)))
def test_rooms_import_downwards_only(path):
    own = path.relative_to(PLUGINS / "plugin_utils").parts[0].removesuffix(".py")
    if own in ABOVE:
        return
    for name, line, _inner in imports(path):
        other = room(name)
        if other in CAPABILITIES | ROOMS and other != own:
            assert other in ALLOWED.get(own, set()), f"{path}:{line}: {own} imports {other}"
        assert other not in ABOVE, f"{path}:{line}: {own} imports {other}"


@pytest.mark.parametrize("path", files("plugin_utils"), ids=lambda path: str(path.relative_to(PLUGINS)))
def test_the_database_library_is_imported_by_the_store_alone(path):
    own = path.relative_to(PLUGINS / "plugin_utils").parts[0]
    for name, line, _inner in imports(path):
        if name.split(".")[0] in ("sqlalchemy", "alembic", "psycopg"):
            assert own == "store", f"{path}:{line}: {name}"


def test_one_module_alone_imports_several_capabilities():
    for path in files("plugin_utils"):
        own = path.relative_to(PLUGINS / "plugin_utils").parts[0].removesuffix(".py")
        others = {room(name) for name, _line, _inner in imports(path)} & CAPABILITIES - {own}
        assert not others or own == "assessment", path


@pytest.mark.parametrize("folder", ["action", "callback"])
def test_the_faces_are_thin(folder):
    for path in files(folder):
        if folder == "action":
            assert len(path.read_text().splitlines()) < 45, f"{path} holds logic of its own"
        for name, line, _inner in imports(path):
            assert not name.startswith("plugins.module_utils"), f"{path}:{line}: {name}"


def test_files_stay_under_400_lines():
    for folder in ("plugins", "library", "filter_plugins", "tests", "tools"):
        for path in (ROOT / folder).rglob("*.py"):
            if "fixtures" not in path.parts:
                assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, path

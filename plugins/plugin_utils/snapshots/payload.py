"""The collector (or change engine) as one text for the remote Python's standard input: no module, no temporary file.

The same source as the module face ``library/snapshot.py``, without its docstrings, imported there from memory.
It travels as source, or as bytecode to a host whose Python is known to be of the controller's own version: that is
three times as long and spares the host 65 ms of CPU.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import marshal
import pathlib
import zlib

PACKAGE = "ringwall_target"
ROOT = pathlib.Path(__file__).resolve().parents[2] / "module_utils"
PYTHON = (3, 8)
NO_PYTHON = "RINGWALL:no-python"
OTHER_PYTHON = "RINGWALL:other-python"
OLD_PYTHON = 97
MAGIC = importlib.util.MAGIC_NUMBER
"""What tells whose bytecode this is; a table of each host says what its Python wants."""

SOURCE, BYTECODE = b"S", b"C"
"""First byte of the packed collector."""

CANDIDATES = (
    "/usr/bin/python3",
    "/usr/local/bin/python3",
    "/usr/libexec/platform-python",
    "python3",
    "/usr/bin/python3.13",
    "/usr/bin/python3.12",
    "/usr/bin/python3.11",
    "/usr/bin/python3.9",
    "/usr/bin/python3.8",
)

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin"
"""Where root's programs lie; the last one is NixOS's."""

STAGE = (
    "import sys\n"
    f"if sys.version_info < {PYTHON!r}: sys.exit({OLD_PYTHON})\n"
    "import zlib\n"
    "r = sys.stdin.buffer\n"
    "exec(compile(zlib.decompress(r.read(int(r.readline()))), 'ringwall', 'exec'))\n"
)
"""Given to the remote Python with -c; the rest comes over standard input."""

BOOT = """
import gc, importlib, importlib.util, json, marshal, zlib

gc.set_threshold(50000, 20, 20)  # little that is read has cycles: looking for them took 10 ms of CPU a host

class Finder:
    def __init__(self, modules):
        self.modules = modules

    def find_spec(self, name, path=None, target=None):
        if name in self.modules:
            return importlib.util.spec_from_loader(name, self, is_package=self.modules[name][0])

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        name = module.__name__
        code = self.modules[name][1]
        exec(compile(code, name, "exec", dont_inherit=True) if isinstance(code, str) else code, module.__dict__)

size = r.readline().split()
packed = r.read(int(size[0]))
settings = json.loads(r.read(int(size[1])))
kind, magic = packed[:1], packed[1:5]
if kind == b"C" and magic != importlib.util.MAGIC_NUMBER:
    print("RINGWALL:other-python")
    sys.exit(0)
plain = zlib.decompress(packed[5:])
sys.meta_path.insert(0, Finder(marshal.loads(plain) if kind == b"C" else json.loads(plain)))
answer = importlib.import_module("ringwall_target." + size[2].decode()).answer
sys.stdout.buffer.write(answer(settings))
sys.stdout.buffer.flush()
"""


class _DropDocstrings(ast.NodeTransformer):
    """Docstrings are for readers of the repository, not for the wire."""

    def _strip(self, node):
        self.generic_visit(node)
        first = node.body[0] if node.body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            node.body = node.body[1:] or [ast.Pass()]
        return node

    visit_Module = visit_FunctionDef = visit_ClassDef = _strip


def _module_name(path):
    parts = (PACKAGE, *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


COLLECTOR, CHANGES = "wire", "changes.answer"
"""What the packed code is for: the module whose ``answer(settings)`` is called."""


def _files(entry):
    """The files that ``entry`` needs, by the imports that stand in them, sorted."""
    todo, found = [ROOT.joinpath(*entry.split(".")).with_suffix(".py")], set()
    while todo:
        path = todo.pop()
        if path in found or not path.is_file():
            continue
        found.add(path)
        if path.parent != ROOT:
            todo.append(path.parent / "__init__.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
                for place in (base, *(base / name.name for name in node.names)):
                    todo += [place.with_suffix(".py"), place / "__init__.py"]
    return sorted(found)


def digest(entry=COLLECTOR):
    """SHA-256 (hexadecimal) of everything that ships: names and contents of the files."""
    total = hashlib.sha256()
    for path in _files(entry):
        total.update(_module_name(path).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _modules(entry):
    """Yield (name, is package, source without docstrings) of everything that ships."""
    yield PACKAGE, True, ""
    for path in _files(entry):
        tree = ast.fix_missing_locations(_DropDocstrings().visit(ast.parse(path.read_text(encoding="utf-8"))))
        yield _module_name(path), path.name == "__init__.py", ast.unparse(tree)


def pack(kind=SOURCE, entry=COLLECTOR):
    """Return what ``entry`` needs of module_utils in one piece. Takes some 0.4 s: make it once a run.

    It is: kind, magic number, zlib(JSON or marshal of ``{name: (is package, code)}``).
    """
    if kind == SOURCE:
        data = json.dumps({name: (package, source) for name, package, source in _modules(entry)}).encode()
    else:
        data = marshal.dumps(
            {name: (package, compile(code, name, "exec", dont_inherit=True)) for name, package, code in _modules(entry)}
        )
    return kind + MAGIC + zlib.compress(data, 9)


def build(settings, packed=None, entry=COLLECTOR):
    """Return the bytes for standard input of ``python -c STAGE``.

    ``settings`` are those of collect.DEFAULTS, or a request of changes/answer.py; ``packed`` is what ``pack`` returned.
    """
    packed = packed if packed is not None else pack(entry=entry)
    boot = zlib.compress(BOOT.encode(), 9)
    options = json.dumps(settings).encode()
    return b"".join(
        (b"%d\n" % len(boot), boot, b"%d %d %s\n" % (len(packed), len(options), entry.encode()), packed, options)
    )


def command(quote, interpreter=None):
    """Return the shell command that finds a Python 3.8+ and starts the collector, isolated, in a clean environment.

    ``quote`` is the shell's quoting function; ``interpreter`` the one that the user named, tried alone.
    Without any, it swallows the input and prints NO_PYTHON.
    """
    names = " ".join(quote(name) for name in ((interpreter,) if interpreter else CANDIDATES))
    return (
        # Without site (-S): no .pth file of somebody's packages runs here.
        # This runs as root: no program of the log-in user's own PATH, should sudo or su have kept it.
        f"PATH={SEARCH_PATH}; export PATH; "
        f'for p in {names}; do command -v "$p" >/dev/null 2>&1 || continue; '
        f'env -i PATH={SEARCH_PATH} LC_ALL=C "$p" -I -S -c {quote(STAGE)}; '
        "r=$?; "
        f"[ $r -eq {OLD_PYTHON} ] || [ $r -eq 126 ] || [ $r -eq 127 ] || exit $r; done; "
        f"cat >/dev/null; echo {NO_PYTHON}; exit 0"
    )

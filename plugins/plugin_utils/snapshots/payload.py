"""The collector as one text for the remote Python's standard input: no module, no temporary file.

The same source as the module face ``library/snapshot.py``, imported on the target from memory. Bytecode of
the controller's own Python version travels along, so that a target with the same version compiles nothing.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import json
import marshal
import pathlib
import zlib


PACKAGE = "ringwall_target"
ROOT = pathlib.Path(__file__).resolve().parents[2] / "module_utils"
PYTHON = (3, 8)
NO_PYTHON = "RINGWALL:no-python"
OLD_PYTHON = 97
CANDIDATES = (
    "/usr/bin/python3", "/usr/local/bin/python3", "/usr/libexec/platform-python", "python3",
    "/usr/bin/python3.13", "/usr/bin/python3.12", "/usr/bin/python3.11", "/usr/bin/python3.9", "/usr/bin/python3.8",
)

STAGE = (
    "import sys\n"
    f"if sys.version_info < {PYTHON!r}: sys.exit({OLD_PYTHON})\n"
    "import zlib\n"
    "r = sys.stdin.buffer\n"
    "exec(compile(zlib.decompress(r.read(int(r.readline()))), 'ringwall', 'exec'))\n"
)
"""Given to the remote Python with -c; the rest comes over standard input."""

BOOT = '''
import importlib.util, json, marshal, zlib

class Finder:
    """Imports the collector from memory: bytecode when it was made by this Python version, else source."""

    def __init__(self, sources, code):
        self.sources, self.code = sources, code

    def find_spec(self, name, path=None, target=None):
        if name not in self.sources:
            return None
        return importlib.util.spec_from_loader(name, self, is_package=self.sources[name][0])

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        name = module.__name__
        code = self.code.get(name)
        exec(code if code is not None else compile(self.sources[name][1], name, "exec", dont_inherit=True), module.__dict__)

count = r.readline().split()
sources = json.loads(zlib.decompress(r.read(int(count[0]))))
code = r.read(int(count[1]))
settings = json.loads(r.read(int(count[2])))
code = marshal.loads(zlib.decompress(code)) if count[3].decode() == importlib.util.MAGIC_NUMBER.hex() else {}
sys.meta_path.insert(0, Finder(sources, code))
from ringwall_target.wire import answer
sys.stdout.buffer.write(answer(settings))
sys.stdout.buffer.flush()
'''


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


@functools.lru_cache(maxsize=1)
def _collector():
    """Return (compressed sources, compressed bytecode) of everything under module_utils; built once a process."""
    sources = {PACKAGE: (True, "")}
    code = {}
    for path in sorted(ROOT.rglob("*.py")):
        name = _module_name(path)
        tree = ast.fix_missing_locations(_DropDocstrings().visit(ast.parse(path.read_text(encoding="utf-8"))))
        sources[name] = (path.name == "__init__.py", ast.unparse(tree))
        code[name] = compile(tree, name, "exec", dont_inherit=True)
    return zlib.compress(json.dumps(sources).encode(), 6), zlib.compress(marshal.dumps(code), 6)


def build(settings):
    """Return the bytes for standard input of ``python -c STAGE``. ``settings`` are those of collect.DEFAULTS."""
    sources, code = _collector()
    boot = zlib.compress(BOOT.encode(), 6)
    options = json.dumps(settings).encode()
    magic = importlib.util.MAGIC_NUMBER.hex()
    return b"".join((
        b"%d\n" % len(boot), boot,
        b"%d %d %d %s\n" % (len(sources), len(code), len(options), magic.encode()), sources, code, options,
    ))


def command(quote, interpreter=None):
    """Return the shell command that finds a Python 3.8+ and starts the collector, isolated and with a clean environment.

    ``quote`` is the shell's quoting function; ``interpreter`` the one that the user named, tried alone.
    Without any, it swallows the input and prints NO_PYTHON.
    """
    names = " ".join(quote(name) for name in ((interpreter,) if interpreter else CANDIDATES))
    return (
        f"for p in {names}; do command -v \"$p\" >/dev/null 2>&1 || continue; "
        f"env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C \"$p\" -I -c {quote(STAGE)}; r=$?; "
        f"[ $r -eq {OLD_PYTHON} ] || [ $r -eq 126 ] || [ $r -eq 127 ] || exit $r; done; "
        f"cat >/dev/null; echo {NO_PYTHON}; exit 0"
    )

"""Where content lies: the collection itself, then the directories of the user."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .errors import ContentError, Where


@dataclass(frozen=True)
class Root:
    """One content root. ``ours`` is true for the collection's own; ``path`` is absolute and not resolved."""

    path: str
    ours: bool = False

    def label(self, file):
        """How a file of this root is named to people: ours without the place of installation."""
        return str(Path(file).relative_to(self.path)) if self.ours else str(file)


def collection_root():
    """Return the directory that holds ``plugins/`` and ``benchmarks/``.

    It is found from this file's own path, which works for a clone (through the link farm or not) and for an
    installed collection alike, because both keep the two side by side.
    """
    return Path(__file__).absolute().parents[3]


def roots(collection_dir=None, extra=(), default=None):
    """Return the list of Root in the order of reading: ours, then each of the user's.

    ``extra`` are the directories that the user named (``ringwall_content``): one that is missing is an error.
    ``default`` is the directory next to the inventory that is used when ``extra`` is empty and it exists.
    """
    found = [Root(str(Path(collection_dir).absolute() if collection_dir else collection_root()), ours=True)]
    named = [str(item) for item in ([extra] if isinstance(extra, (str, Path)) else extra or ())]
    if not named and default and Path(default).is_dir():
        named = [str(default)]
    for name in dict.fromkeys(named):
        path = Path(name).expanduser().absolute()
        if not path.is_dir():
            raise ContentError(
                Where(str(path)), "this content directory does not exist", "a directory laid out like ours"
            )
        found.append(Root(str(path)))
    return found


def content_files(root):
    """Return ``(control files, benchmark files, framework files)`` of one root, each sorted; absolute paths."""
    base = Path(root.path) / "benchmarks"
    controls = sorted(base.glob("controls/*/*.yml"))
    benchmarks = sorted(path for path in base.glob("*.yml") if path.is_file())
    frameworks = sorted(base.glob("frameworks/*.yml"))
    return controls, benchmarks, frameworks

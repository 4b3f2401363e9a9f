"""Export the tracked files as a canonical collection, and build or test it there.

ansible-test and Galaxy do not look through the links of the clone (``plugins/modules -> ../library``): a broken
DOCUMENTATION would pass unseen. In the export those links are replaced by their content.
"""

from __future__ import annotations

import argparse
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = ROOT / "build" / "ansible_collections" / "ringwall" / "servers"
REPLACED = {"plugins/modules": "library", "plugins/filter": "filter_plugins"}
LEFT_OUT = (
    "library/",
    "filter_plugins/",
    "collections/",
    "inventories/",
    "requirements/",
    "tests/",
    "tools/",
    ".ci/",
    "ansible.cfg",
    "Makefile",
    "pyproject.toml",
    ".gitignore",
    "extensions/",
)


def tracked():
    """Paths (relative, text) of the files that git tracks or would add."""
    output = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout
    return sorted(path for path in output.decode().split("\0") if path and (ROOT / path).exists())


def export(target=TARGET):
    """Write the collection below ``target`` and return it."""
    shutil.rmtree(target, ignore_errors=True)
    for path in tracked():
        source = path
        for link, folder in REPLACED.items():
            if path.startswith(folder + "/"):
                path = link + path[len(folder) :]
        if path == source and (source.startswith(LEFT_OUT) or source in REPLACED):
            continue
        place = target / path
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / source, place)
    return target


def build(target):
    """Build the artefact of the exported collection into build/ and return its path."""
    galaxy = pathlib.Path(sys.executable).parent / "ansible-galaxy"
    subprocess.run(
        [galaxy, "collection", "build", "--force", "--output-path", ROOT / "build", target],
        cwd=ROOT / "build",
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return max((ROOT / "build").glob("ringwall-servers-*.tar.gz"), key=lambda path: path.stat().st_mtime)


def main():
    """Export, and build if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", action="store_true", help="build the artefact too")
    arguments = parser.parse_args()
    target = export()
    print(build(target) if arguments.build else target)


if __name__ == "__main__":
    main()

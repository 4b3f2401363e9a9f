"""Run ansible-test sanity and ansible-doc on the exported collection, after a canary has shown that they look.

ansible-test fetches its pip bootstrap from a host of its own; what is needed is laid into its cache from PyPI.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import export

ROOT = export.ROOT
BIN = pathlib.Path(sys.executable).parent
CACHE = pathlib.Path.home() / ".ansible" / "test" / "cache"
SKIPPED = ("pslint", "shellcheck")  # need PowerShell and the ShellCheck binary; we ship neither kind of file
BOOTSTRAP = '''"""Stands in for get-pip: the same wheel, installed from the index that pip is set up for."""
import glob, os, sys
folder = os.path.dirname(os.path.abspath(os.environ.get("GET_PIP", __file__)))
sys.path.insert(0, glob.glob(os.path.join(folder, "pip-%(version)s-*.whl"))[0])
from pip._internal.cli.main import main
sys.exit(main(["install"] + [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]))
'''


def seed_bootstrap():
    """Lay a pip bootstrap for the pip version that ansible-test wants into its cache."""
    import ansible_test._internal.python_requirements as requirements

    source = pathlib.Path(requirements.__file__).read_text(encoding="utf-8")
    version = re.search(r"pip='([0-9.]+)'", source).group(1)
    place = CACHE / f"get_pip_{version.replace('.', '_')}.py"
    CACHE.mkdir(parents=True, exist_ok=True)
    if not list(CACHE.glob(f"pip-{version}-*.whl")):
        subprocess.run(
            [BIN / "pip", "download", "-q", "--disable-pip-version-check", "--no-deps", "-d", CACHE, f"pip=={version}"],
            check=True,
        )
    if not place.exists():
        place.write_text(BOOTSTRAP % {"version": version}, encoding="utf-8")


def sanity(folder, *arguments):
    """Run ansible-test sanity in ``folder``; return (code, output)."""
    if not (folder / ".git").exists():
        # ansible-test lists what git tracks; the export lies in an ignored folder of the outer repository.
        subprocess.run(["git", "init", "-q", folder], check=True)
        subprocess.run(["git", "-C", folder, "add", "-A"], check=True)
    skip = [word for name in SKIPPED for word in ("--skip-test", name)]
    command = [
        BIN / "ansible-test",
        "sanity",
        "--color",
        "no",
        "--python",
        f"{sys.version_info[0]}.{sys.version_info[1]}",
    ]
    result = subprocess.run(
        [*command, *(arguments or skip)],
        cwd=folder,
        capture_output=True,
        text=True,
        env=dict(os.environ, PATH=f"{BIN}:{os.environ['PATH']}"),
    )
    return result.returncode, result.stdout + result.stderr


def canary():
    """Break one DOCUMENTATION in a copy: sanity must fail there, or it looks at nothing."""
    copy = ROOT / "build" / "canary" / "ansible_collections" / "ringwall" / "servers"
    shutil.rmtree(ROOT / "build" / "canary", ignore_errors=True)
    shutil.copytree(export.TARGET, copy, ignore=shutil.ignore_patterns(".git"))
    module = copy / "plugins" / "modules" / "snapshot.py"
    module.write_text(
        module.read_text(encoding="utf-8").replace("short_description:", "shrot_description:", 1), encoding="utf-8"
    )
    code, output = sanity(copy, "--test", "validate-modules")
    if code == 0 or "shrot_description" not in output:
        sys.exit("the canary lives: ansible-test did not see a broken DOCUMENTATION\n" + output[-2000:])


def documented():
    """Every module of ``library/`` must be seen by ansible-doc in the export."""
    result = subprocess.run(
        [BIN / "ansible-doc", "-t", "module", "-l", "--json", "ringwall.servers"],
        capture_output=True,
        text=True,
        cwd=ROOT / "build",
        env=dict(os.environ, ANSIBLE_COLLECTIONS_PATH=str(ROOT / "build")),
    )
    seen = {name.rsplit(".", 1)[1] for name in json.loads(result.stdout)}
    there = {path.stem for path in (ROOT / "library").glob("*.py")}
    if seen != there:
        sys.exit(f"ansible-doc sees {sorted(seen)}, library/ holds {sorted(there)}")


def main():
    """Export, let the canary die, then look at the real thing."""
    export.export()
    documented()
    seed_bootstrap()
    canary()
    code, output = sanity(export.TARGET)
    print(output if code else "ansible-test sanity: clean")
    docs = subprocess.run(
        [BIN / "antsibull-docs", "lint-collection-docs", "--plugin-docs", export.TARGET],
        cwd=ROOT / "build",
        env=dict(os.environ, PATH=f"{BIN}:{os.environ['PATH']}"),
    )
    sys.exit(code or docs.returncode)


if __name__ == "__main__":
    main()

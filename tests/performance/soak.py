#!/usr/bin/env python3
"""Run the random tests and the kill tests in their full counts; write state/soak/latest.json.

The seed is printed first; ``RINGWALL_SEED=<seed> make soak`` repeats a soak. Arguments go to pytest.
"""

from __future__ import annotations

import json
import os
import pathlib
import secrets
import subprocess
import sys
import tempfile
import time

from junitparser import JUnitXml

ROOT = pathlib.Path(__file__).resolve().parents[2]


def cases(path):
    """Return ``[{test, outcome, seconds}]`` of a JUnit file, slowest first."""
    found = []
    for suite in JUnitXml.fromfile(str(path)):
        for case in suite:
            kinds = {type(result).__name__.lower() for result in case.result}
            outcome = next((kind for kind in ("failure", "error", "skipped") if kind in kinds), "passed")
            found.append(
                {"test": f"{case.classname}::{case.name}", "outcome": outcome, "seconds": round(case.time or 0, 2)}
            )
    return sorted(found, key=lambda one: -one["seconds"])


def main(arguments):
    """Run; return pytest's exit code."""
    sys.path.insert(0, str(ROOT / "tests"))
    import meters

    seed = int(os.environ.get("RINGWALL_SEED") or secrets.randbelow(1 << 32))
    print(f"seed {seed}", flush=True)
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        result = pathlib.Path(folder, "junit.xml")
        code = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "soak_selection", f"--hypothesis-seed={seed}", f"--junitxml={result}", "-n", "2",
             "--dist", "loadgroup", "-q", *(arguments or ["tests/unit", "tests/integration", "tests/hosts"])],
            cwd=ROOT, check=False,
            env=dict(os.environ, RINGWALL_SOAK="1", RINGWALL_SEED=str(seed), PYTHONPATH=str(pathlib.Path(__file__).parent)),
        ).returncode  # fmt: skip
        tests = cases(result) if result.exists() else []
    outcomes = {
        name: sum(one["outcome"] == name for one in tests) for name in ("passed", "failure", "error", "skipped")
    }
    told = {
        "seed": seed, "taken": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "seconds": round(time.monotonic() - start, 1),
        "machine": meters.machine(), "exit": code, "met": code == 0 and bool(tests), "outcomes": outcomes, "tests": tests,
    }  # fmt: skip
    folder = pathlib.Path(os.environ.get("RINGWALL_STATE", ROOT / "state"), "soak")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.parent.chmod(0o700)
    (folder / "latest.json").write_text(json.dumps(told, indent=1) + "\n")
    print(f"seed {seed}: {outcomes} in {told['seconds']:.0f} s")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/env python3
"""Write docs/schema/report.schema.json from the code, or with --check fail if it is not what the code says."""

from __future__ import annotations

import argparse
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "schema" / "report.schema.json"


def main():
    """Return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if the file is not current")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT / "collections"))
    from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.schema import SCHEMA

    wanted = json.dumps(SCHEMA, indent=2) + "\n"
    if options.check:
        if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != wanted:
            print(f"{TARGET.relative_to(ROOT)} is not current: run python {pathlib.Path(__file__).name}")
            return 1
        return 0
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

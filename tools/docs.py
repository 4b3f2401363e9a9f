"""Write the generated documents anew, or with --check say which of them are not current."""

from __future__ import annotations

import pathlib
import subprocess
import sys

GENERATORS = ("tables_doc.py", "controls_doc.py", "report_schema.py", "roles_doc.py")


def main():
    """Run each generator with the same arguments; the code is that of the last that failed."""
    folder = pathlib.Path(__file__).parent
    codes = [subprocess.run([sys.executable, folder / name, *sys.argv[1:]]).returncode for name in GENERATORS]
    sys.exit(max(codes))


if __name__ == "__main__":
    main()

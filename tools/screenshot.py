#!/usr/bin/env python3
"""Make a picture of a report: ``tools/screenshot.py report.html docs/img/report.png``.

Needs Playwright and a Chromium (``--chromium``, by default the one on the path). The page is opened from the disk,
without a network.
"""

from __future__ import annotations

import argparse
import pathlib
import shutil
import sys

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--no-first-run")  # fmt: skip


def main():
    """Return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", type=pathlib.Path)
    parser.add_argument("picture", type=pathlib.Path)
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("chromium-browser"))
    parser.add_argument("--dark", action="store_true", help="with the dark colours")
    parser.add_argument("--width", type=int, default=1360)
    parser.add_argument("--height", type=int, default=1180)
    options = parser.parse_args()
    if not options.chromium:
        parser.error("no Chromium found: install the package chromium or give --chromium")
    from playwright.sync_api import sync_playwright

    options.picture.parent.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=list(ARGUMENTS))
        page = browser.new_page(
            viewport={"width": options.width, "height": options.height},
            color_scheme="dark" if options.dark else "light",
        )
        page.goto(options.report.resolve().as_uri())
        page.wait_for_selector("html.js")
        page.screenshot(path=options.picture)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

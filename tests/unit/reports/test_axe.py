"""Accessibility, judged by axe-core. The package is fetched into a cache when it is not there; never committed."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess

import pytest

pytestmark = pytest.mark.browser
VERSION = "4.10.3"
CACHE = (
    pathlib.Path(os.environ.get("RINGWALL_TEST_CACHE") or pathlib.Path(__file__).parents[3] / ".cache")
    / f"axe-core-{VERSION}"
)
VIEWS = {
    "findings": (),
    "drawer": ("#findings .row.group >> nth=0", "#findings .row.child >> nth=0"),
    "hosts": ("#tab-hosts",),
    "missing": ("#tab-missing",),
    "alerts": ("#tab-alerts", "#alerts summary >> nth=0"),
    "exceptions": ("#tab-exceptions",),
    "frameworks": ("#tab-frameworks", "#frameworks summary"),
}


@pytest.fixture(scope="session")
def axe():
    """Return the source of axe-core."""
    script = CACHE / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        if not shutil.which("npm"):
            pytest.skip("no npm to fetch axe-core with")
        CACHE.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(CACHE),
                   f"axe-core@{VERSION}"]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            pytest.skip(f"axe-core could not be fetched: {done.stderr.strip()[-300:]}")
    return script.read_text(encoding="utf-8")


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(("width", "scheme"), [(1360, "light"), (1360, "dark"), (390, "light")])
def test_axe_finds_nothing_serious(open_page, report, axe, view, scheme, width):
    page = open_page(report, color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 860})
    for selector in VIEWS[view]:
        page.click(selector)
    page.evaluate(axe)  # by the debugger: the page's own policy would rightly refuse it
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    bad = [(item["id"], item["impact"], item["help"], [node["html"][:120] for node in item["nodes"][:3]])
           for item in result["violations"] if item["impact"] in ("serious", "critical")]  # fmt: skip
    assert bad == []

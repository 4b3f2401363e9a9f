"""Fixtures of the report's tests: the synthetic fleet."""

from __future__ import annotations

import importlib.util
import os
import pathlib
import shutil
import sys

import pytest

CHROMIUM_ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
                      "--disable-sync", "--no-first-run")  # fmt: skip
FIXTURES = pathlib.Path(__file__).parents[2] / "fixtures" / "reports"


def _load(name):
    sys.path.insert(0, str(FIXTURES))
    try:
        spec = importlib.util.spec_from_file_location(f"report_{name}", FIXTURES / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(FIXTURES))
    return module


@pytest.fixture(scope="session")
def make_report():
    """Return ``make_report`` of the synthetic fleet."""
    return _load("fleet").make_report


@pytest.fixture(scope="session")
def write_run():
    """Return ``write_run``, which turns a synthetic report into a sealed run."""
    return _load("evidence").write_run


@pytest.fixture(scope="session")
def report(make_report):
    """Return a report of 12 assessed and 3 other hosts; do not change it."""
    return make_report()


def _missing(what):
    if os.environ.get("RINGWALL_REQUIRE_HOSTS") == "1":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def browser():
    """Return a headless Chromium driven by Playwright; skip where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if not path:
        _missing("no chromium: install the package chromium")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_ARGUMENTS))
        yield started
        started.close()


@pytest.fixture
def open_page(browser, tmp_path):
    """Return ``open_page(report, **context options)``: the rendered page, opened from the disk.

    The page carries ``errors`` (console errors and exceptions) and ``requests`` (every URL it asked for).
    """
    from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.to_html import render

    contexts = []

    def opened(report, fragment="", html=None, **options):
        file = tmp_path / f"report{len(contexts)}.html"
        file.write_text(html or render(report), encoding="utf-8")
        context = browser.new_context(viewport={"width": 1360, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.errors, page.requests = [], []
        page.on("console", lambda message: page.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.on("request", lambda request: page.requests.append(request.url))
        page.goto(file.as_uri() + fragment)
        return page

    yield opened
    for context in contexts:
        context.close()

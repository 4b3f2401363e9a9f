#!/usr/bin/env python3
"""Measure reports: writing a large fleet's, and how fast the page of 10,000 findings opens and answers keys.

``rows()`` gives ``[{name, value, unit, against, bar, met}]``; run as a program it prints them.
"""

from __future__ import annotations

import pathlib
import shutil
import statistics
import sys
import tempfile
import time
import types

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHROMIUM_ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
                      "--disable-sync", "--no-first-run")  # fmt: skip
KEYS = "permitrootlogin shadow 6.2.3 db-1"

# From the key's own time stamp until the frame that shows its effect has been handed to the compositor.
WATCH = """() => { window.times = []; addEventListener('keydown', (event) => { const pressed = event.timeStamp;
  requestAnimationFrame(() => { const channel = new MessageChannel();
    channel.port1.onmessage = () => window.times.push(performance.now() - pressed); channel.port2.postMessage(0); });
}, true); }"""


def _row(name, value, unit, bar):
    return {"name": name, "value": round(value, 3), "unit": unit, "against": "", "bar": bar, "met": value <= bar}


def distinct(report):
    """Give every finding values and evidence of its own: the worst case for a page that stores each text once."""
    for host in report["hosts"]:
        for number, finding in enumerate(host["findings"]):
            line = f"{host['name']} line {number}: "
            finding["actual"] = line + str(finding["actual"])
            finding["evidence"] = [{"where": f"/etc/conf.d/{number}.conf:{part}", "what": line + "value = " + "x" * 90}
                                   for part in range(3)]  # fmt: skip
    return report


def writing(make_report, hosts=1000, findings=300):
    """Return rows for writing the reports of a fleet: each format from the dict alone (CPU time)."""
    from ansible_collections.ringwall.servers.plugins.plugin_utils.reports import formats

    report = make_report(hosts=hosts, sections=findings, unseen=0)
    result, total = [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        for name in formats.FORMATS:
            start = time.process_time()
            path = formats.write_files(report, folder, [name])[name]
            spent = time.process_time() - start
            total += spent
            size = pathlib.Path(path).stat().st_size / 1e6
            print(f"  {name}: {spent:.2f} CPU s, {size:.1f} MB", file=sys.stderr)
            if name == "html":
                result.append(_row(f"report.html of {hosts} hosts x {findings} findings", size, "MB", 15))
    result.append(_row(f"all formats, {hosts} hosts x {findings} findings, without the store", total, "CPU s", 5))
    return result


def whole(make_report, hosts=1000, findings=300):
    """Return rows for all of it: the store asked, the report joined, every file written."""
    from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence.state import open_state
    from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.write import write_reports
    from ansible_collections.ringwall.servers.plugins.plugin_utils.store import open_store
    from evidence import write_run

    run_id = "20260314T060000Z-000001"
    with tempfile.TemporaryDirectory() as folder:
        state = open_state(str(pathlib.Path(folder, "state")))
        write_run(state, run_id, make_report(hosts=hosts, sections=findings, unseen=0), 14)
        store = open_store(None, state)
        store.record(run_id)
        store.close()
        start = time.perf_counter()
        write_reports(types.SimpleNamespace(state=state.path, store=None), run_id)
        spent = time.perf_counter() - start
    return [_row(f"report, {hosts} hosts x {findings} findings, SQLite, all formats", spent, "s", 10)]


def page(make_report, hosts=100, findings=100):
    """Return rows for the page in Chromium; empty when there is none."""
    from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.to_html import render
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        print("  no chromium: the page is not measured", file=sys.stderr)
        return []
    label = f"page of {hosts * findings:,} findings"
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = pathlib.Path(folder, "report.html")
        file.write_text(render(distinct(make_report(hosts=hosts, sections=findings, unseen=0))), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_ARGUMENTS))
        opened, times = [], []
        for _round in range(3):
            tab = browser.new_page(viewport={"width": 1360, "height": 900})
            start = time.perf_counter()
            tab.goto(file.as_uri())
            tab.wait_for_selector("#findings .rows .row", state="attached")
            opened.append(time.perf_counter() - start)
            tab.select_option("#select-group", value="")
            tab.click("#clear")
            tab.evaluate(WATCH)
            tab.focus("#search")
            for key in KEYS:
                tab.keyboard.press(key if key != " " else "Space")
            for _key in KEYS:
                tab.keyboard.press("Backspace")
            tab.wait_for_function(f"times.length >= {2 * len(KEYS)}")
            times += tab.evaluate("times")
            tab.close()
        browser.close()
        size = file.stat().st_size / 1e6
    return [
        _row(f"{label}: size", size, "MB", 15),
        _row(f"{label}: opens (slowest of 3)", max(opened), "s", 2),
        _row(f"{label}: key press to paint, p95 of {len(times)}", statistics.quantiles(times, n=20)[-1], "ms", 100),
    ]


def rows():
    """Return all rows."""
    for path in (ROOT / "collections", ROOT / "tests" / "fixtures" / "reports"):
        if str(path) not in sys.path:
            sys.path.insert(0, str(path))
    from fleet import make_report

    return [*page(make_report), *writing(make_report), *whole(make_report)]


def main():
    """Print the rows; return 1 if a bar is not met."""
    measured = rows()
    for row in measured:
        judged = "met" if row["met"] else "NOT MET"
        print(f"{row['name']:<75} {row['value']:>9.2f} {row['unit']:<5} bar {row['bar']:g}  {judged}")
    return 0 if all(row["met"] for row in measured) else 1


if __name__ == "__main__":
    sys.exit(main())

"""report.html: one file that works from a disk without a network, with its data, style and script inside.

A Content-Security-Policy allows exactly that one style and that one script by their SHA-256 and nothing else: no
network, no inline handlers, no evaluated strings, no markup made from text (Trusted Types).
"""

from __future__ import annotations

import base64
import hashlib
import pathlib

from ..findings.model import SEVERITIES, STATUSES
from ..third_party import load
from . import pictures
from .order import STATUS_TITLES, failed_groups, not_assessed, score_controls, system_name
from .packed import pack, to_script
from .visible import as_text, visible

TEMPLATES = pathlib.Path(__file__).parent / "templates"
STYLES = ("base.css", "summary.css", "findings.css", "print.css")
SCRIPTS = ("data.js", "filter.js", "list.js", "findings.js", "drawer.js", "panels.js", "frameworks.js", "main.js")
"""The page's script is these files in this order inside one function, so that nothing becomes a global."""

STATIC_ROWS = 250
"""Failed controls and hosts in the tables for print and for browsers without JavaScript."""


def write_html(report, file):
    """Write the page into ``file``, open for writing text (UTF-8). Raise MissingDependency without Jinja2."""
    file.write(render(report))


def render(report, **budgets):
    """Return the page as text; ``budgets`` go to ``packed.pack``."""
    style = "".join(_template(name) for name in STYLES)
    script = '"use strict";\n(() => {\n' + "".join(_template(name) for name in SCRIPTS) + "})();\n"
    data = pack(report, **budgets)
    environment = _environment()
    groups = failed_groups(report)
    return environment.get_template("report.html.j2").render(
        csp=policy(script, style),
        report=report,
        run=report["run"],
        score=report["score"],
        totals=report["totals"],
        gauge=pictures.gauge(report["score"]["secure"]["percent"]),
        trend=pictures.trend(report["trend"]),
        severities=_bars(report["totals"]["severities"]),
        statuses=_statuses(report, data),
        controls=score_controls(report),
        groups=groups[:STATIC_ROWS],
        more_groups=max(0, len(groups) - STATIC_ROWS),
        hosts=_static_hosts(report),
        more_hosts=max(0, len(report["hosts"]) - STATIC_ROWS),
        missing=not_assessed(report),
        notes=_notes(report, data),
        data=load("markupsafe").Markup(to_script(data)),
        script=load("markupsafe").Markup(script),
        style=load("markupsafe").Markup(style),
    )


def policy(script, style):
    """Return the page's Content-Security-Policy for these texts of its one script and one style element."""
    return (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _digest(text):
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _template(name):
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _environment():
    jinja2 = load("jinja2")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(str(TEMPLATES)),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=visible,  # every value that the template prints, so that none can be forgotten
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(as_text=as_text, points=points, moment=moment, day=day, tone=pictures.tone)
    environment.globals.update(SEVERITIES=SEVERITIES, system_name=system_name)
    return environment


def points(value):
    """Return a number of points or percent with at most one decimal, ``–`` for None."""
    return "–" if value is None else f"{round(value, 1):g}"


def moment(value):
    """Return an RFC 3339 time as people read it: ``2026-03-14 06:00 UTC``."""
    text = value or ""
    return f"{text[:10]} {text[11:16]} UTC" if len(text) >= 16 and text.endswith("Z") else text


def day(value):
    """Return the date of an RFC 3339 time."""
    return (value or "")[:10]


def _bars(counts):
    most = max([*counts.values(), 1])
    return [{"name": name, "count": counts.get(name, 0), "share": round(100 * counts.get(name, 0) / most, 1)}
            for name in SEVERITIES]  # fmt: skip


def _statuses(report, data):
    """Counts by the page's statuses (excepted ones apart), with their share of all findings in percent."""
    names = [*STATUSES, "excepted"]
    counts = [sum(host["counts"][code] for host in data["hosts"]) for code in range(len(names))]
    whole = max(1, sum(counts))
    left, result = 0.0, []
    passed = STATUSES.index("pass")
    for code in (passed, *(code for code in range(len(names)) if code != passed)):
        share = 100 * counts[code] / whole
        result.append({"name": names[code], "title": STATUS_TITLES.get(names[code], "Excepted"), "count": counts[code],
                       "left": round(left, 2), "share": round(share, 2)})  # fmt: skip
        left += share
    return result


def _static_hosts(report):
    """Hosts for the static table: worst score first, those without a score last."""

    def key(host):
        percent = host["score"]["percent"]
        return (percent is None, percent or 0, host["name"])

    return sorted(report["hosts"], key=key)[:STATIC_ROWS]


def _notes(report, data):
    """The report's notes, what the benchmarks could not cover, and what this page leaves out."""
    notes = list(report["notes"])
    left = data["left_out"]
    if left["rows"]:
        notes.append(f"This page leaves out the {left['rows']:,} least urgent findings; report.json holds all.")
    if left["details"]:
        notes.append(f"This page holds {left['details']:,} findings, the least urgent ones, without values, evidence "
                     "and history; report.json holds all.")  # fmt: skip
    if left["alerts"]:
        notes.append(f"This page leaves out {left['alerts']:,} alerts; report.json holds all.")
    return notes

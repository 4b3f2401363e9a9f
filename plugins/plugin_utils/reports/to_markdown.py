"""summary.md: one page for a ticket or a chat; the whole is in the other formats."""

from __future__ import annotations

import re

from ..findings.model import SEVERITIES, STATUSES
from .frameworks import STATE_TITLES, STATES
from .order import STATUS_TITLES, failed_groups, not_assessed, score_controls
from .visible import as_text, shorten

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!])")
_AUTOLINK = re.compile(r"(?i)\b(https?|ftp|mailto|xmpp)(:)|\b(www)(\.)|(@)")


def escaped(value):
    """Return text that Markdown shows as it stands: no markup, no HTML, no link, no mention."""
    text = _SPECIAL.sub(r"\\\1", as_text(value)).replace("&", "&amp;")
    return _AUTOLINK.sub(lambda found: "\\".join(part for part in found.groups() if part) if found[1] or found[3]
                         else "\\@", text)  # fmt: skip


def code(value):
    """Return text as a code span whose fence is longer than any run of backticks inside, safe inside a table."""
    text = as_text(value)
    if not text:
        return ""
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}".replace("|", "\\|")


def write_markdown(report, file):
    """Write the summary into ``file``, open for writing text."""
    file.write("\n".join(_lines(report)) + "\n")


def _table(head, rows):
    yield "| " + " | ".join(head) + " |"
    yield "|" + "|".join(" --- " for _title in head) + "|"
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def _lines(report):
    run, score, totals = report["run"], report["score"], report["totals"]
    percent = score["secure"]["percent"]
    yield f"# Ringwall: {'no score' if percent is None else f'{percent:.0f} %'}"
    yield ""
    yield f"Scope {code(run['scope'])}, run {code(run['id'])}, started {escaped(run['started'])}. " + escaped(
        score["sentence"][:1].upper() + score["sentence"][1:] + "."
    )
    yield ""
    yield from _table(
        ["Hosts", *(STATUS_TITLES[name] for name in STATUSES), *(f"Failed, {name}" for name in SEVERITIES)],
        [[f"{totals['assessed']} of {totals['hosts']} assessed",
          *(str(totals["findings"].get(name, 0)) for name in STATUSES),
          *(str(totals["severities"].get(name, 0)) for name in SEVERITIES)]],
    )  # fmt: skip
    worst = failed_groups(report)
    if worst:
        yield "## Worst findings"
        yield ""
        rows = []
        for group in worst[:10]:
            names = ", ".join(code(name) for name in group["hosts"][:3])
            more = f" and {len(group['hosts']) - 3} more" if len(group["hosts"]) > 3 else ""
            rows.append([group["severity"], escaped(group["title"]), code(group["section"]), names + more,
                         escaped(shorten(as_text(group["fix"]), 160))])  # fmt: skip
        yield from _table(["Severity", "Finding", "Section", "Hosts", "How to fix"], rows)
        if len(worst) > 10:
            yield f"{len(worst) - 10} more controls failed."
            yield ""
    yield "## Score"
    yield ""
    rows = [
        [escaped(item["title"]), f"{item['current']:g} of {item['max']:g}", f"+{item['potential']:g}",
         str(item["healthy"]), str(item["unhealthy"]), str(item["not_applicable"])]
        for item in score_controls(report) if item["max"]
    ]  # fmt: skip
    yield from _table(["Control", "Points", "Potential", "Healthy", "Unhealthy", "Not applicable"], rows)
    yield from _frameworks(report)
    yield from _missing(report)
    if report["notes"]:
        yield "## Notes"
        yield ""
        yield from (f"- {escaped(note)}" for note in report["notes"])
        yield ""


def _frameworks(report):
    found = report.get("frameworks") or {}
    if not found:
        return
    yield "## Frameworks"
    yield ""
    rows = [[f"{escaped(body['title'])} {escaped(body['version'])}", *(str(body["states"][state]) for state in STATES)]
            for body in found.values()]  # fmt: skip
    yield from _table(["Requirements of", *(STATE_TITLES[state] for state in STATES)], rows)


def _missing(report):
    hosts = not_assessed(report)
    if not hosts:
        return
    yield "## Hosts that could not be assessed"
    yield ""
    rows = []
    for host in hosts[:50]:
        reason = host["reason"] or {}
        days = host.get("days_unseen")
        texts = [escaped(shorten(as_text(reason.get(name)), 200)) for name in ("text", "fix")]
        rows.append([code(host["name"]), host["state"], *texts, "never" if days is None else str(days)])
    yield from _table(["Host", "State", "Reason", "What to do", "Days unseen"], rows)
    if len(hosts) > 50:
        yield f"{len(hosts) - 50} more hosts could not be assessed."
        yield ""

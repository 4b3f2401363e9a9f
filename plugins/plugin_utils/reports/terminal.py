"""What the terminal shows at the end of a run."""

from __future__ import annotations

from ..findings.model import SEVERITIES
from .order import failed_groups, lost_tables, lost_words, not_assessed
from .visible import as_text, shorten


def summary_text(report, path=None, width=100):
    """Return the score, the ten worst findings, hosts without an answer and the path of the report.

    ``path`` is shown as the place of the HTML report; ``width`` is the widest line in characters (the path may
    be longer). Plain text: no colour codes, invisible characters of hosts written out.
    """
    score, totals = report["score"], report["totals"]
    percent, weighted = score["secure"]["percent"], score["weighted"]["percent"]
    shown = "no score" if percent is None else f"{percent:.0f} %"
    lines = [f"Secure score  {shown}   {score['sentence']}"]
    if weighted is not None:
        lines.append(f"Pass rate     {weighted:.0f} %   weighted, of what could be judged")
    failed = ", ".join(f"{totals['severities'].get(name, 0)} {name}" for name in SEVERITIES)
    lines.append(f"Failed        {sum(totals['severities'].values())}   {failed}")
    lines.append(f"Hosts         {totals['hosts']}   " + ", ".join(
        f"{totals[name]} {name}" for name in ("assessed", "unreachable", "failed") if totals[name]))  # fmt: skip
    lost = {host["name"]: lost_tables(host) for host in report["hosts"]}
    if any(lost.values()):
        shown = ", ".join(f"{as_text(name)} ({as_text(', '.join(tables))})" for name, tables in lost.items() if tables)
        lines.append(shorten(f"Lost          {lost_words(sum(map(len, lost.values())))}: {shown}", width))
    exceptions = _exceptions(report["dispositions"])
    if exceptions:
        lines.append(f"Exceptions    {len(report['dispositions'])}   {exceptions}")
    groups = failed_groups(report)
    if groups:
        several = totals["hosts"] > 1
        lines += ["", "Worst findings"]
        column = min(32, max(len(as_text(group["section"])) for group in groups[:10]))
        for group in groups[:10]:
            tail = f"  {_where(group['hosts'])}" if several else ""
            head = f"  {group['severity']:<9} {shorten(as_text(group['section']), column):<{column}} "
            lines.append(head + shorten(as_text(group["title"]), max(20, width - len(head) - len(tail))) + tail)
        if len(groups) > 10:
            lines.append(f"  and {len(groups) - 10} more in the report")
    missing = not_assessed(report)
    if missing:
        lines += ["", "Not assessed"]
        for host in missing[:10]:
            reason = host["reason"] or {}
            lines.append(shorten(f"  {as_text(host['name'])}: {as_text(reason.get('text') or host['state'])}", width))
        if len(missing) > 10:
            lines.append(f"  and {len(missing) - 10} more in the report")
    if report["notes"]:
        lines += ["", "Notes"] + [shorten(f"  {as_text(note)}", 2 * width) for note in report["notes"][:5]]
        if len(report["notes"]) > 5:
            lines.append(f"  and {len(report['notes']) - 5} more in the report")
    ordinary = sum(1 for host in report["hosts"] if host["state"] == "assessed" and host.get("privilege") == "user")
    if ordinary:
        what = "as an ordinary user" if totals["hosts"] == 1 else f"{ordinary} hosts as an ordinary user"
        lines += ["", f"Read {what}: what only root sees is unreadable. Run as root, or with sudo (BECOME=ask)."]
    if path:
        lines += ["", f"Report: {path}"]
    return "\n".join(lines) + "\n"


def _exceptions(listed):
    """What people must know of the exceptions, "" without any."""
    found = {
        "ended": sum(one.get("state") == "expired" for one in listed),
        "end within a month": sum(one.get("state") == "expiring" for one in listed),
        "match nothing": sum(bool(one.get("unused")) for one in listed),
        "weaker than the benchmark": sum(one.get("category") == "tailored" for one in listed),
    }
    return ", ".join(f"{count} {what}" for what, count in found.items() if count)


def _where(hosts):
    return shorten(as_text(hosts[0]), 30) if len(hosts) == 1 else f"{len(hosts)} hosts"

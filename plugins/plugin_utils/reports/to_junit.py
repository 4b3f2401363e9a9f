"""junit.xml: a test suite per host, a test case per benchmark section."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from ..findings.model import rollup
from .order import section_of, status_rank, title_of
from .to_csv import evidence_text
from .visible import as_text, shorten, visible

_COUNTED_AS = {"fail": "failures", "error": "errors", "unreadable": "errors", "manual": "skipped",
               "not_applicable": "skipped", "excepted": "skipped", "pass": None}  # fmt: skip


def write_junit(report, file):
    """Write the report as JUnit XML into ``file``, open for writing text (UTF-8).

    A failed section is a failure; one that is unreadable or an error is an error, so that what could not be read
    never looks green; manual, not applicable and excepted sections are skipped with their reason. A host that could
    not be assessed is a suite with one error. All text is free of characters that XML 1.0 forbids.
    """
    suites, totals = [], dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    titles = {}
    for host in report["hosts"]:
        counts = dict.fromkeys(totals, 0)
        if host["state"] == "assessed":
            cases = [_case(report, key, group, counts, titles) for key, group in _sections(host["findings"]).items()]
        else:
            cases = [_unassessed(host, counts)]
        for name, number in counts.items():
            totals[name] += number
        suites.append(
            f"<testsuite name={_attr(host['name'])} hostname={_attr(host['name'])}{_counts(counts)}"
            f' time="0" timestamp={_attr((report["run"]["started"] or "").rstrip("Z"))}>\n'
        )
        suites.extend(cases)
        suites.append("</testsuite>\n")
    name = _attr(f"ringwall {report['run']['scope']} {report['run']['id']}")
    file.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name={name}{_counts(totals)} time="0">\n')
    file.writelines(suites)
    file.write("</testsuites>\n")


def _attr(value):
    return quoteattr(visible(value or ""))


def _counts(counts):
    return "".join(f' {name}="{number}"' for name, number in counts.items())


def _sections(findings):
    groups = {}
    for finding in findings:
        groups.setdefault((finding["benchmark"], finding["section"]), []).append(finding)
    return groups


def _status(group):
    """The section's status; ``excepted`` when every finding that did not pass has an exception."""
    if len(group) == 1:
        status, excepted = group[0]["status"], group[0]["disposition"]
    else:
        status = rollup(finding["status"] for finding in group)
        troubled = [finding for finding in group if _COUNTED_AS.get(finding["status"]) in ("failures", "errors")]
        excepted = troubled and all(finding["disposition"] for finding in troubled)
    return "excepted" if excepted and _COUNTED_AS.get(status) in ("failures", "errors") else status


def _case(report, key, group, counts, titles):
    status = _status(group)
    counts["tests"] += 1
    head = titles.get(key)
    if head is None:
        benchmark, section = key
        title = section_of(report, group[0]).get("title") or title_of(report, group[0])
        head = f'<testcase classname={_attr(benchmark)} name={_attr(f"{section} {title}")} time="0"'
        titles[key] = head
    counted = _COUNTED_AS.get(status, "errors")
    if counted is None:
        return head + "/>\n"
    counts[counted] += 1
    worst = min(group, key=lambda finding: status_rank(finding["status"]))
    if counted == "skipped":
        why = worst["reason"] or status.replace("_", " ")
        if status == "excepted":
            why = f"{worst['status']}, excepted by {worst['disposition']}"
        return f"{head}><skipped message={_attr(why)}/></testcase>\n"
    tag = "failure" if counted == "failures" else "error"
    short = worst["reason"] or f"expected {as_text(worst['expected'])}, found {as_text(worst['actual'])}"
    body = "\n".join(_body(report, finding) for finding in group if finding["status"] not in ("pass", "not_applicable"))
    kind = worst["severity"] if tag == "failure" else status
    return f"{head}><{tag} type={_attr(kind)} message={_attr(shorten(short, 300))}>{escape(body)}</{tag}></testcase>\n"


def _body(report, finding):
    control = report["controls"].get(finding["control"]) or {}
    lines = (
        ("control", finding["control"]),
        ("status", f"{finding['status']} ({finding['severity']})"),
        ("expected", as_text(finding["expected"])),
        ("actual", as_text(finding["actual"])),
        ("evidence", evidence_text(finding["evidence"])),
        ("reason", finding["reason"]),
        ("fix", control.get("fix")),
    )
    return "\n".join(f"{name}: {visible(value)}" for name, value in lines if value)


def _unassessed(host, counts):
    counts["tests"] += 1
    counts["errors"] += 1
    reason = host["reason"] or {}
    text = visible(". ".join(part for part in (reason.get("text"), reason.get("fix")) if part))
    return (
        f'<testcase classname="ringwall" name="host is assessed" time="0"><error type={_attr(host["state"])} '
        f"message={_attr(reason.get('code') or host['state'])}>{escape(text)}</error></testcase>\n"
    )

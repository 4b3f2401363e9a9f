"""The page in a real browser: clicks, filters, drawer, search, keys, hostile hosts, no network."""

from __future__ import annotations

import json
import re

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.to_html import render
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.visible import ODD_CLASS, visible

pytestmark = pytest.mark.browser
ATTACK = "</script><script>window.pwned=1</script><img src=https://evil.invalid/x onerror=window.pwned=1>"
QUOTES = "\"'><svg onload=window.pwned=1>{{7*7}}${7*7}&lt;b&gt;"
BIDI = "web\u202egpj.\u200bexe\x1b[2J"


def found(page):
    """The number of findings that the page says it shows."""
    return int(re.match(r"([\d,]+) finding", page.inner_text("#found"))[1].replace(",", ""))


def count(report, *, excepted=False, **wanted):
    """Count findings in the report dict by fields, those with an exception apart."""
    total = 0
    for host in report["hosts"]:
        for finding in host["findings"]:
            covered = bool(finding["disposition"]) and finding["status"] in ("fail", "error", "unreadable", "manual")
            if covered == excepted and all(finding[key] == value for key, value in wanted.items()):
                total += 1
    return total


def test_it_opens_from_the_disk_without_asking_for_anything(open_page, report):
    page = open_page(report)
    page.wait_for_selector("#findings [role=row]")
    assert [url.split(":")[0] for url in page.requests] == ["file"]
    assert page.errors == []
    assert "Ringwall" in page.title()
    assert page.text_content(".gauge-number") == f"{report['score']['secure']['percent']:.0f}%"
    assert report["score"]["sentence"][1:].replace(" %", "\u00a0%") in page.inner_text(".sentence")


def test_it_begins_with_what_failed_grouped_by_control(open_page, report):
    page = open_page(report)
    assert found(page) == count(report, status="fail")
    assert page.get_attribute(".chip[data-value=fail]", "aria-pressed") == "true"
    first = page.locator("#findings .row.group").first
    assert first.locator(".severity").inner_text() == "Critical"


@pytest.mark.parametrize("severity", ["critical", "high", "medium", "low"])
def test_a_severity_bar_filters(open_page, report, severity):
    page = open_page(report)
    page.click(f"a.bar[data-severity={severity}]")
    assert found(page) == count(report, status="fail", severity=severity) == report["totals"]["severities"][severity]
    assert page.get_attribute(f".chip[data-value={severity}]", "aria-pressed") == "true"


@pytest.mark.parametrize("status", ["fail", "error", "unreadable", "manual", "pass", "not_applicable"])
def test_status_chips(open_page, report, status):
    page = open_page(report)
    page.click("#clear")
    assert found(page) == sum(len(host["findings"]) for host in report["hosts"])
    page.click(f".chip[data-value={status}]")
    assert found(page) == count(report, status=status)
    assert int(page.inner_text(f".chip[data-value={status}] .chip-count").replace(",", "")) == count(
        report, status=status
    )


def test_excepted_findings_stand_apart(open_page, report):
    page = open_page(report, "#status=excepted")
    assert found(page) == count(report, excepted=True) > 0
    page.click("#findings .row.group >> nth=0")
    page.click("#findings .row.child >> nth=0")
    assert "SEC-1182" in page.inner_text("#drawer")


def test_selects_filter_by_benchmark_section_host_owner_and_score(open_page, report):
    page = open_page(report, "#sort=host")
    host = next(host for host in report["hosts"] if host["state"] == "assessed")
    page.select_option("#select-host", label=host["name"])
    assert found(page) == len(host["findings"])
    page.click("#clear")
    page.select_option("#select-benchmark", label="Ringwall Linux")
    assert found(page) == count(report, benchmark="ringwall_linux") + count(
        report, benchmark="ringwall_linux", excepted=True
    )
    page.click("#clear")
    page.select_option("#select-section", label="5.1")
    assert found(page) == sum(
        finding["section"].startswith("5.1.") for one in report["hosts"] for finding in one["findings"]
    )
    page.click("#clear")
    page.select_option("#select-owner", label=host["owner"])
    assert found(page) == sum(len(one["findings"]) for one in report["hosts"] if one["owner"] == host["owner"])
    page.click("#clear")
    page.select_option("#select-area", label="Data at rest is encrypted")
    wanted = {key for key, value in report["controls"].items() if value["score"] == "enable_encryption_at_rest"}
    assert found(page) == sum(finding["control"] in wanted for one in report["hosts"] for finding in one["findings"])


def test_filters_join_and_search_finds_values_and_evidence(open_page, report):
    page = open_page(report, "#status=fail")
    page.fill("#search", "PermitRootLogin")
    controls = [name for name in report["controls"] if name.startswith("linux.sshd.permitrootlogin")]
    shown = sum(count(report, status="fail", control=name) for name in controls)
    assert found(page) == shown > 0
    page.fill("#search", "sshd_config:7 permitrootLOGIN")
    assert found(page) == shown
    host = next(host for host in report["hosts"] if host["findings"])
    page.fill("#search", f'"{host["name"].upper()}"')
    assert found(page) == sum(
        finding["status"] == "fail" and not finding["disposition"] for finding in host["findings"]
    )
    page.fill("#search", "no such text anywhere")
    assert found(page) == 0
    assert page.is_visible("#findings .empty")


def test_a_group_opens_and_a_finding_shows_everything(open_page, report):
    page = open_page(report, "#control=linux.sshd.permitrootlogin&status=fail")
    group = page.locator("#findings .row.group").first
    assert group.get_attribute("aria-expanded") == "false"
    group.click()
    page.click("#findings .row.child >> nth=0")
    drawer = page.locator("#drawer")
    text = drawer.inner_text()
    for wanted in (
        "Root cannot log in over SSH",
        "Expected",
        "PermitRootLogin no",
        "Actual",
        "PermitRootLogin yes",
        "Evidence",
        "/etc/ssh/sshd_config:7",
        "How to fix",
        "60-ringwall.conf",
        "Why it matters",
        "T1021.004",
        "Due",
        "CIS Debian Linux 12 1.1.0",
        "5.1.1",
    ):
        assert wanted in text, wanted
    assert page.evaluate("document.activeElement.id") == "drawer"
    page.keyboard.press("Escape")
    assert drawer.is_hidden()
    assert page.evaluate("document.activeElement.getAttribute('role')") == "treegrid"


def test_keys(open_page, report):
    page = open_page(report, "#sort=host&group=&status=fail")
    page.select_option("#select-group", value="")
    page.focus("#select-group")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "select-group"  # typing in a control is not a command
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.type("ssh")
    shown = found(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    title = page.inner_text("#drawer-title")
    page.keyboard.press("ArrowDown")
    second = page.inner_text("#drawer"), page.inner_text("#drawer-title")
    assert second[0]
    assert title
    page.keyboard.press("Escape")
    page.keyboard.press("End")
    active = page.get_attribute("#findings [role=grid]", "aria-activedescendant")
    assert active == f"findings-{shown - 1}"
    assert page.is_visible(f"#{active}")
    page.keyboard.press("Home")
    assert page.get_attribute("#findings [role=grid]", "aria-activedescendant") == "findings-0"


def test_the_address_keeps_the_view(open_page, report):
    page = open_page(report, "#status=fail&severity=high&q=ssh&group=host")
    shown = found(page)
    page.click("#findings .row.group >> nth=0")
    page.click("#findings .row.child >> nth=0")
    title = page.inner_text("#drawer-title")
    page.reload()
    assert found(page) == shown
    assert page.input_value("#search") == "ssh"
    assert page.input_value("#select-group") == "host"
    assert page.inner_text("#drawer-title") == title


def test_the_address_keeps_a_list_without_groups(open_page, report):
    page = open_page(report)
    page.click(".chip[data-value=fail]")
    page.select_option("#select-group", value="")
    shown = found(page)
    assert shown == sum(len(host["findings"]) for host in report["hosts"])
    page.reload()
    assert found(page) == shown
    assert page.locator("#findings .row.group").count() == 0


def test_hosts_and_those_not_assessed(open_page, report):
    page = open_page(report)
    page.click("#tab-hosts")
    rows = page.locator("#hosts .rows .row")
    assessed = [host for host in report["hosts"] if host["state"] == "assessed"]
    worst = min(assessed, key=lambda host: host["score"]["percent"])
    assert rows.count() == len(report["hosts"])
    assert worst["name"] in rows.first.inner_text()
    rows.first.click()
    assert page.input_value("#select-host") != ""
    assert found(page) == sum(
        finding["status"] == "fail" and not finding["disposition"] for finding in worst["findings"]
    )
    page.click("#tab-missing")
    text = page.inner_text("#panel-missing")
    for host in report["hosts"]:
        if host["state"] != "assessed":
            assert host["name"] in text
            assert host["reason"]["text"] in text
    assert "41" in text


def test_score_controls_come_by_potential_and_filter(open_page, report):
    page = open_page(report)
    gains = [float(text.lstrip("+")) for text in page.locator(".score-table .gain").all_inner_texts()]
    assert gains == sorted(gains, reverse=True)
    page.click("text=Auditing and logging are at work")
    wanted = {key for key, value in report["controls"].items() if value["score"] == "enable_auditing_and_logging"}
    assert found(page) == sum(count(report, status="fail", control=key) for key in wanted)


def test_without_javascript_the_summary_and_failed_controls_are_there(open_page, report):
    page = open_page(report, java_script_enabled=False)
    text = page.inner_text("body")
    assert "Failed controls" in text
    assert "Root cannot log in over SSH" in text
    assert "sudo asks for a password on this host." in text
    assert page.locator(".work").is_hidden()


@pytest.mark.parametrize("attack", [ATTACK, QUOTES, BIDI])
def test_a_hostile_host_is_only_text(open_page, make_report, attack):
    report = make_report(hosts=2, sections=30, hostile=[attack])
    page = open_page(report, "#group=host&status=fail,pass")
    page.wait_for_selector("#findings .rows .row")
    page.fill("#search", "")
    page.locator("#findings .row.group", has_text=visible(attack)[:12]).first.click()
    page.click("#findings .row.child >> nth=0")
    drawer = page.inner_text("#drawer")
    assert visible(attack) in drawer
    for tab in ("hosts", "alerts"):
        page.click(f"#tab-{tab}")
        assert visible(attack) in page.inner_text(f"#panel-{tab}")
    assert page.evaluate("window.pwned") is None
    assert page.errors == []
    assert {url.split(":")[0] for url in page.requests} == {"file"}
    assert page.locator("img, iframe, svg[onload]").count() == 0
    whole = page.evaluate("document.body.innerText")
    assert not set("\u202e\u200b\x1b") & set(whole)
    assert page.locator("script").count() == 2


def test_a_hostile_host_in_the_static_page(make_report):
    html = render(make_report(hosts=0, sections=10, hostile=[ATTACK, BIDI]))
    body = html.split("</style>")[1].split('<script type="application/json"')[0]
    assert "<script>window" not in html
    assert "<img" not in html
    assert not set("\u202e\u200b\x1b") & set(html)
    assert "&lt;img" in body


def test_the_policy_stops_what_is_not_ours(open_page, report):
    html = render(report).replace("</body>", "<script>window.pwned=1</script><img src='https://evil.invalid/x'></body>")
    page = open_page(report, html=html)
    page.wait_for_selector("#findings [role=row]")
    assert page.evaluate("window.pwned") is None
    assert any("Content Security Policy" in error for error in page.errors)
    stopped = page.evaluate(
        "(() => { try { document.body.innerHTML = '<b>x</b>'; return false } catch { return true } })()"
    )
    assert stopped


def test_both_languages_agree_on_odd_characters(open_page, report):
    page = open_page(report)
    source = page.evaluate("[...document.scripts].at(-1).textContent")
    literal = "".join(re.findall(r'"([^"]*)"', source[source.index("new RegExp(") : source.index('"gu")')]))
    pattern = re.compile(f"[{ODD_CLASS}]")
    odd = page.evaluate(
        "(text) => { const odd = new RegExp(text, 'u'); const found = [];"
        "for (let code = 0; code < 0x110000; code++) if (odd.test(String.fromCodePoint(code))) found.push(code);"
        "return found }",
        json.loads(f'"{literal}"'),
    )
    assert odd == [code for code in range(0x110000) if pattern.match(chr(code))]


def test_one_host_is_not_grouped(open_page, make_report):
    report = make_report(hosts=1, sections=40, unseen=0, trend=1)
    page = open_page(report)
    assert page.locator("#findings .row.group").count() == 0
    assert found(page) == count(report, status="fail")
    assert "The trend appears after the second run." in page.inner_text(".progress")


def test_nothing_assessed(open_page, make_report):
    page = open_page(make_report(hosts=0, unseen=3, trend=0))
    assert page.errors == []
    assert page.text_content(".gauge-number") == "–"
    assert found(page) == 0

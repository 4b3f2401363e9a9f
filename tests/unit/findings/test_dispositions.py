import datetime
import string

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.content.errors import ContentError
from ansible_collections.ringwall.servers.plugins.plugin_utils.findings import disposition_files, dispositions
from hypothesis import given
from hypothesis import strategies as st

NOW = "2026-06-01T12:00:00Z"
GOOD = """\
- id: D-1
  selector: {control: linux.sshd.banner}
  hosts: web*
  category: waiver
  reason: The load balancer closes idle connections.
  owner: web team
  approver: ciso
  created: 2026-01-01
  expires: 2026-12-31
"""


def load(text):
    return disposition_files.parse_dispositions(text, "d.yml")


def make(**more):
    return load(GOOD)[0] | more


def finding(control="linux.sshd.banner", status="fail", section="5.1.5"):
    return {"control": control, "benchmark": "cis", "section": section, "status": status, "disposition": None}


# Loading --------------------------------------------------------------------------------------------------


def test_a_good_file_gives_plain_data_with_its_place():
    assert load(GOOD) == [
        {
            "id": "D-1", "selector": {"control": "linux.sshd.banner"}, "hosts": ["web*"], "category": "waiver",
            "reason": "The load balancer closes idle connections.", "owner": "web team", "approver": "ciso",
            "created": "2026-01-01", "expires": "2026-12-31", "scope": "*", "ticket": None,
            "compensating_control": None, "where": "d.yml:1",
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        ("category: waiver", "category: maybe", 4, "unknown category maybe"),
        ("category: waiver", "category: mitigated", 4, "mitigated, but by what"),
        ("expires: 2026-12-31", "expires: 2027-01-02", 9, "more than 365 days"),
        ("expires: 2026-12-31", "expires: 2025-12-31", 9, "ends before it is created"),
        ("expires: 2026-12-31", "expires: soon", 9, "'soon' is no date"),
        ("expires: 2026-12-31", "expires: 2026-02-30", 9, "is no date"),
        ("  approver: ciso\n", "", 1, "D-1 has no approver"),
        ("hosts: web*", "host: web*", 3, "unknown key host; did you mean hosts"),
        ("{control: linux.sshd.banner}", "{controls: a}", 2, "unknown key controls"),
        ("{control: linux.sshd.banner}", "{control: 5}", 2, "control is not text"),
        ("{control: linux.sshd.banner}", "{}", 1, "has no selector"),
        ("hosts: web*", "hosts: [web*, 3]", 3, "not a host pattern"),
        ("id: D-1", "id: 'a b'", 1, "is no id"),
        ("reason: The load balancer closes idle connections.", "reason: 7", 5, "reason is int"),
    ],
)
def test_an_error_names_file_line_and_what_was_expected(old, new, line, problem):
    assert old in GOOD
    with pytest.raises(ContentError) as caught:
        load(GOOD.replace(old, new))
    assert (caught.value.where.path, caught.value.where.line) == ("d.yml", line)
    assert problem in caught.value.problem
    assert caught.value.expected


def test_365_days_are_allowed():
    assert load(GOOD.replace("2026-12-31", "2027-01-01"))


@pytest.mark.parametrize(
    ("selector", "hosts"),
    [("'*'", "'*'"), ("'*'", "all"), ("'**'", "'?*'"), ("'[a-z]*'", "'*'"), ("'*'", "group:all"), ("'*.*'", "'*'"),
     ("'*'", "[web1, '*']")],
)  # fmt: skip
def test_everything_on_every_host_is_refused(selector, hosts):
    text = GOOD.replace("linux.sshd.banner", selector).replace("web*", hosts)
    with pytest.raises(ContentError, match="everything on every host"):
        load(text)


def test_one_side_may_be_wide():
    assert load(GOOD.replace("web*", "'*'"))
    assert load(GOOD.replace("linux.sshd.banner", "'*'"))


def test_an_id_is_given_once_even_across_files(tmp_path):
    (tmp_path / "a.yml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text(GOOD)
    (tmp_path / "notes.txt").write_text("no yaml: [")
    with pytest.raises(ContentError, match=r"b\.yaml:1: the id D-1 is also at .*a\.yml:1"):
        disposition_files.load_dispositions(tmp_path)
    (tmp_path / "b.yaml").write_text(GOOD.replace("D-1", "D-2"))
    assert [one["id"] for one in disposition_files.load_dispositions(str(tmp_path))] == ["D-1", "D-2"]
    with pytest.raises(ContentError, match="the id D-1 is also at"):
        load(GOOD + GOOD)


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(ContentError, match="there is no such file"):
        disposition_files.load_dispositions([tmp_path / "none.yml"])
    assert disposition_files.load_dispositions(None) == []


# In force -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "state"),
    [
        ("2025-12-31T23:59:59Z", "future"),
        ("2026-01-01T00:00:00Z", "in_force"),
        ("2026-11-30T23:59:59Z", "in_force"),
        ("2026-12-01T00:00:00Z", "expiring"),
        ("2026-12-31T23:59:59Z", "expiring"),
        ("2027-01-01T00:00:00Z", "expired"),
    ],
)
def test_both_days_belong_to_it_and_its_end_is_announced_30_days_before(now, state):
    assert dispositions.state(make(), now) == state
    assert bool(dispositions.in_force([make()], now)) == (state in ("in_force", "expiring"))


def test_notices():
    old = make(id="old", expires="2026-02-01")
    late = make(id="late", expires="2026-06-15")
    todo = make(id="todo", created="2026-07-01")
    typo = make(id="typo")
    found = dispositions.notices([old, late, todo, typo], {"typo"}, NOW)
    assert [(one["disposition"], one["kind"]) for one in found] == [
        ("old", "expired"),
        ("late", "expiring"),
        ("todo", "future"),
        ("typo", "unused"),
    ]
    assert all(one["where"] == "d.yml:1" and one["text"] for one in found)


# Matching -------------------------------------------------------------------------------------------------


def test_it_never_changes_a_status_and_leaves_its_argument_alone():
    given_findings = [finding(), finding(status="pass"), finding(control="linux.sshd.macs")]
    found, used = dispositions.dispose(given_findings, [make()], "web1")
    assert [one["disposition"] for one in found] == ["D-1", "D-1", None]
    assert [one["status"] for one in found] == ["fail", "pass", "fail"]
    assert used == {"D-1"}
    assert given_findings[0]["disposition"] is None


@pytest.mark.parametrize(
    ("hosts", "fits"),
    [(["web1"], True), (["WEB1"], False), (["db*"], False), (["db*", "web?"], True), (["group:front*"], True),
     (["group:back"], False), (["all"], True)],
)  # fmt: skip
def test_host_patterns(hosts, fits):
    found, _ = dispositions.dispose([finding()], [make(hosts=hosts)], "web1", groups=["frontend"])
    assert (found[0]["disposition"] == "D-1") is fits


def test_every_key_of_a_selector_must_fit():
    both = make(selector={"control": "linux.*", "section": "5.2.*"})
    assert dispositions.dispose([finding()], [both], "web1")[1] == set()
    assert dispositions.dispose([finding(section="5.2.1")], [both], "web1")[1] == {"D-1"}
    vulnerability = dict(finding(), cve=["CVE-2026-1", "CVE-2026-2"])
    assert dispositions.dispose([vulnerability], [make(selector={"cve": "CVE-2026-2"})], "web1")[1] == {"D-1"}


def test_the_scope_must_fit():
    one = make(scope="prod")
    assert dispositions.dispose([finding()], [one], "web1", scope="lab")[1] == set()
    assert dispositions.dispose([finding()], [one], "web1", scope="prod")[1] == {"D-1"}


NAMES = st.text(alphabet=string.ascii_lowercase + ".-", min_size=1, max_size=8)


@given(controls=st.lists(NAMES, max_size=6), pattern=NAMES, host=NAMES, hosts=st.lists(NAMES, min_size=1, max_size=3))
def test_only_the_field_disposition_ever_changes(controls, pattern, host, hosts):
    findings = [finding(control) for control in controls]
    found, used = dispositions.dispose(findings, [make(selector={"control": pattern + "*"}, hosts=hosts)], host)
    assert [dict(one, disposition=None) for one in found] == findings
    assert used == {one["disposition"] for one in found if one["disposition"]}
    for one in found:
        assert (one["disposition"] == "D-1") == (one["control"].startswith(pattern) and host in hosts)


@given(start=st.dates(datetime.date(2000, 1, 1), datetime.date(2100, 1, 1)), days=st.integers(-5, 800))
def test_no_file_gives_a_disposition_in_force_for_more_than_365_days(start, days):
    end = start + datetime.timedelta(days=days)
    text = GOOD.replace("created: 2026-01-01", f"created: {start}").replace("expires: 2026-12-31", f"expires: {end}")
    if 0 <= days <= 365:
        one = load(text)[0]
        assert dispositions.state(one, f"{end}T23:59:59Z") in ("in_force", "expiring")
        assert dispositions.state(one, f"{end + datetime.timedelta(days=1)}T00:00:00Z") == "expired"
    else:
        with pytest.raises(ContentError):
            load(text)


@given(st.text(max_size=200))
def test_whatever_a_file_says_it_is_either_loaded_or_refused_with_its_place(text):
    try:
        loaded = load(text)
    except ContentError as error:
        loaded = []
        place = error.where.path
    else:
        place = "d.yml"
    assert isinstance(loaded, list)
    assert place == "d.yml"

"""Exceptions that ended, fit nothing or weaken a benchmark are said in the report."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.exceptions import exceptions
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.terminal import summary_text

NOW = "2026-03-14T06:00:00Z"


def disposition(**changed):
    return {
        "id": "one", "selector": {"control": "linux.sysctl.a"}, "hosts": ["web*"], "scope": "*", "category": "waiver",
        "created": "2026-01-01", "expires": "2026-12-31", "where": "d.yml:1", **changed,
    }  # fmt: skip


def host(name="web1", state="assessed", used=None, **more):
    return {"name": name, "state": state, "groups": ["web"], "findings": [{"disposition": used}], "alerts": [], **more}


def run(*known, **options):
    return {"started": NOW, "scope": "default", "dispositions": list(known), "options": {"limited": False, **options}}


@pytest.mark.parametrize(
    ("one", "hosts", "limited", "state", "note"),
    [
        ({}, [host(used="one")], False, "in_force", None),
        ({}, [host()], False, "in_force", "matches nothing"),
        ({"expires": "2026-03-13"}, [host(used="one")], False, "expired", "ended on 2026-03-13"),
        ({"expires": "2026-03-14"}, [host(used="one")], False, "expiring", "ends on 2026-03-14"),
        ({"created": "2026-03-15"}, [host()], False, "future", "from 2026-03-15"),
        # What this run did not look at is not called unused.
        ({}, [host(), host("web2", "unreachable")], False, "in_force", None),
        ({"hosts": ["db1"]}, [host()], True, "in_force", None),
        ({"hosts": ["db1"]}, [host()], False, "in_force", "matches nothing"),
        ({}, [host()], True, "in_force", None),
        ({"scope": "lab"}, [host()], False, "in_force", None),
        ({"selector": {"rule": "score_drop"}}, [host()], False, "in_force", None),
    ],
)
def test_each_disposition_has_its_standing_and_what_people_must_know(one, hosts, limited, state, note):
    listed, notes = exceptions(run(disposition(**one), limited=limited), hosts)
    assert [item["state"] for item in listed] == [state]
    assert [item["unused"] for item in listed] == [note == "matches nothing"]
    assert len(notes) == (1 if note else 0)
    for text in notes:
        assert note in text
        assert "d.yml:1" in text


def test_a_value_weaker_than_the_benchmark_is_listed_like_a_disposition_with_its_place():
    change = {
        "parameter": "tries", "benchmark": "cis", "section": "5.1", "value": 9, "standard": 4, "weaker": True,
        "where": "all.yml:7", "control": "linux.sshd.tries",
    }  # fmt: skip
    stricter = {**change, "parameter": "other", "weaker": False}
    listed, notes = exceptions(run(), [host(tailored=[change, stricter]), host("web2", tailored=[change])])
    assert notes == []
    assert [(one["id"], one["category"], one["hosts"], one["where"]) for one in listed] == [
        ("tries", "tailored", ["web1", "web2"], "all.yml:7")
    ]
    assert "9, weaker than the benchmark's 4" in listed[0]["reason"]


def test_the_terminal_says_in_one_line_what_wants_a_decision(report):
    plain = {**report, "dispositions": []}
    assert "Exceptions" not in summary_text(plain)
    change = {
        "parameter": "tries", "benchmark": "cis", "section": "5.1", "value": 9, "standard": 4, "weaker": True,
        "where": "all.yml:7", "control": "linux.sshd.tries",
    }  # fmt: skip
    listed, notes = exceptions(
        run(
            disposition(),
            disposition(id="two", expires="2026-03-01"),
            disposition(id="three", expires="2026-03-20"),
            disposition(id="four", selector={"control": "nothing"}),
        ),
        [host(used="one", tailored=[change]), {**host(used="three"), "name": "web2"}],
    )
    text = summary_text({**report, "dispositions": listed, "notes": notes})
    line = next(line for line in text.splitlines() if line.startswith("Exceptions"))
    assert line == "Exceptions    5   1 ended, 1 end within a month, 1 match nothing, 1 weaker than the benchmark"

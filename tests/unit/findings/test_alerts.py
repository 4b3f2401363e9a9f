import datetime

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.findings import alert_fields, alerts
from ansible_collections.ringwall.servers.plugins.plugin_utils.findings.model import MalformedFinding
from hypothesis import given
from hypothesis import strategies as st

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
LATER = "2027-01-01T00:00:00Z"


def at(hours):
    return (START + datetime.timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def signal(hours=0, entity="c1", kind="raised", host="web1", rule="posture.regressed", **more):
    return alerts.make_signal(rule, host=host, entity=entity, at=at(hours), kind=kind, **more)


def disposition(**more):
    one = {"id": "D-1", "selector": {"rule": "posture.*"}, "hosts": ["web1"], "scope": "*"}
    return one | more


def only(found):
    assert len(found) == 1
    return found[0]


def test_a_first_signal_is_a_new_alert():
    alert = only(alerts.advance([], [signal(1, severity="high", title="It fails")], at(1)))
    assert (alert["status"], alert["count"], alert["severity"], alert["title"]) == ("new", 1, "high", "It fails")
    assert alert["first_seen"] == alert["last_seen"] == at(1)
    assert alert["schema"] == "ringwall.alert/1"
    assert len(alert["fingerprint"]) == 32


def test_seen_again_is_the_same_alert_counted_twice():
    found = alerts.advance([], [signal(1)], at(1))
    alert = only(alerts.advance(found, [signal(2)], at(2)))
    assert (alert["status"], alert["count"], alert["first_seen"], alert["last_seen"]) == ("active", 2, at(1), at(2))


def test_a_new_alert_is_new_for_one_run_only():
    found = alerts.advance([], [signal(1)], at(1))
    assert only(alerts.advance(found, [], at(1)))["status"] == "new"
    assert only(alerts.advance(found, [], at(2)))["status"] == "active"


def test_another_host_rule_entity_or_scope_is_another_alert():
    others = [signal(1), signal(1, host="web2"), signal(1, entity="c2"), signal(1, rule="x"), signal(1, scope="lab")]
    assert len(alerts.advance([], others, at(1))) == 5


def test_cleared_resolves_and_raised_again_reopens():
    found = alerts.advance([], [signal(1)], at(1))
    found = alerts.advance(found, [signal(2, kind="cleared", description="passes again")], at(2))
    alert = only(found)
    assert (alert["status"], alert["resolved_at"], alert["resolution"]) == ("resolved", at(2), "passes again")
    alert = only(alerts.advance(found, [signal(3)], at(3)))
    assert (alert["status"], alert["reopened"], alert["count"], alert["resolved_at"]) == ("active", 1, 2, None)


def test_an_older_clear_does_not_close_what_was_seen_later():
    found = alerts.advance([], [signal(5)], at(5))
    assert only(alerts.advance(found, [signal(4, kind="cleared")], at(6)))["status"] == "active"
    assert only(alerts.advance(found, [signal(5, kind="cleared")], at(6)))["status"] == "active"


def test_a_clear_without_entity_closes_every_alert_of_that_rule_on_that_host_only():
    given_signals = [signal(1), signal(1, entity="c2"), signal(1, host="web2"), signal(1, rule="x")]
    found = alerts.advance([], given_signals, at(1))
    found = alerts.advance(found, [signal(2, entity=None, kind="cleared")], at(2))
    resolved = {(a["host"], a["rule"]) for a in found if a["status"] == "resolved"}
    assert resolved == {("web1", "posture.regressed")}
    assert sum(a["status"] == "resolved" for a in found) == 2


def test_a_disposition_dismisses_counts_on_and_gives_back_when_it_ends():
    found = alerts.advance([], [signal(1)], at(1), [disposition()])
    assert (only(found)["status"], only(found)["disposition"]) == ("dismissed", "D-1")
    found = alerts.advance(found, [signal(2)], at(2), [disposition()])
    assert (only(found)["status"], only(found)["count"]) == ("dismissed", 2)
    assert only(alerts.advance(found, [], at(3)))["status"] == "dismissed"  # dispositions unknown: left alone
    found = alerts.advance(found, [], at(4), [])
    assert (only(found)["status"], only(found)["disposition"]) == ("active", None)


def test_a_dismissed_alert_whose_cause_is_gone_is_resolved_and_does_not_come_back():
    found = alerts.advance([], [signal(1)], at(1), [disposition()])
    found = alerts.advance(found, [signal(2, kind="cleared")], at(2), [disposition()])
    assert only(alerts.advance(found, [], at(3), []))["status"] == "resolved"


def test_what_a_person_dismissed_stays_dismissed_until_it_was_resolved_in_between():
    found = [dict(only(alerts.advance([], [signal(1)], at(1))), status="dismissed")]
    found = alerts.advance(found, [signal(2)], at(2), [])
    assert only(found)["status"] == "dismissed"
    found = alerts.advance(found, [signal(3, kind="cleared")], at(3), [])
    assert only(alerts.advance(found, [signal(4)], at(4), []))["status"] == "active"


def test_a_disposition_may_select_the_control_that_the_alert_names():
    named = signal(1, entities=[{"type": "control", "name": "linux.sshd.banner"}])
    chosen = disposition(selector={"control": "linux.sshd.*"})
    assert only(alerts.advance([], [named], at(1), [chosen]))["status"] == "dismissed"
    assert only(alerts.advance([], [signal(1)], at(1), [chosen]))["status"] == "new"


def test_a_flood_becomes_one_alert_with_a_count():
    flood = [signal(1, entity=f"c{n:03}", severity="low") for n in range(29)] + [signal(1, entity="z", severity="high")]
    found = alerts.advance([], flood, at(1), limit=10)
    assert len(found) == 11
    rest = only([a for a in found if a["entity"] == alerts.OVERFLOW])
    assert (rest["count"], rest["severity"], len(rest["evidence"])) == (20, "high", 10)
    assert alerts.advance(found, flood, at(1), limit=10) == found
    assert len(alerts.advance([], [*flood, signal(1, host="web2")], at(1), limit=10)) == 12


def test_after_a_day_there_is_room_again():
    found = alerts.advance([], [signal(0, entity=f"c{n}") for n in range(10)], at(0), limit=10)
    assert len(alerts.advance(found, [signal(23, entity="x")], at(23), limit=10)) == 11
    found = alerts.advance(found, [signal(24, entity="x")], at(24), limit=10)
    assert alerts.OVERFLOW not in {a["entity"] for a in found}


def test_the_alert_about_a_flood_takes_no_room_itself():
    found = alerts.advance([], [signal(0, entity=f"a{n}") for n in range(10)], at(0), limit=10)
    found = alerts.advance(found, [signal(5, entity="b")], at(5), limit=10)
    assert len(found) == 11
    found = alerts.advance(found, [signal(24, entity=f"c{n}") for n in range(10)], at(24), limit=10)
    assert len(found) == 21


@pytest.mark.parametrize(
    "fields",
    [{"kind": "seen"}, {"severity": "urgent"}, {"entity": None}, {"evidence": [{"what": "no where"}]}],
)
def test_malformed_signals_are_refused(fields):
    with pytest.raises(MalformedFinding):
        signal(1, **fields)
    with pytest.raises(MalformedFinding):
        alerts.make_signal("r", host="h", entity="e", at="yesterday")


def test_export_has_exactly_the_25_fields():
    alert = only(alerts.advance([], [signal(1, severity="critical", tactics=["Defense Evasion"])], at(1)))
    fields = alert_fields.export_fields(alert, at(2), resource_id="/vm/1")
    assert tuple(fields) == alert_fields.FIELDS
    assert len(set(fields)) == 25
    assert fields["Severity"] == "High"
    assert fields["ExtendedProperties"]["severity"] == "critical"
    assert (fields["Status"], fields["Intent"]) == ("New", "DefenseEvasion")
    assert (fields["StartTimeUtc"], fields["TimeGenerated"]) == (at(1), at(2))
    assert (fields["CompromisedEntity"], fields["SystemAlertId"]) == ("web1", alert["fingerprint"])
    assert fields["AzureResourceId"] == "/vm/1"


# Properties -----------------------------------------------------------------------------------------------

SIGNALS = st.lists(
    st.builds(
        signal,
        hours=st.integers(0, 60),
        entity=st.sampled_from(["a", "b", "c", "d"]),
        kind=st.sampled_from(["raised", "raised", "cleared"]),
        host=st.sampled_from(["h1", "h2"]),
    ),
    max_size=25,
)
DISPOSITIONS = st.sampled_from([None, [], [disposition(hosts=["h1"])]])


@given(SIGNALS, DISPOSITIONS, st.integers(1, 5))
def test_the_same_signals_again_change_nothing(signals, chosen, limit):
    once = alerts.advance([], signals, LATER, chosen, limit)
    assert alerts.advance(once, signals, LATER, chosen, limit) == once


@given(SIGNALS, st.randoms(use_true_random=False))
def test_the_order_of_signals_in_one_call_does_not_matter(signals, random):
    shuffled = list(signals)
    random.shuffle(shuffled)
    assert alerts.advance([], shuffled, LATER) == alerts.advance([], signals, LATER)


@given(SIGNALS, st.integers(0, 60))
def test_two_runs_give_what_one_run_over_both_gives(signals, cut):
    first = [one for one in signals if one["at"] < at(cut)]
    second = [one for one in signals if one["at"] >= at(cut)]
    assert alerts.advance(alerts.advance([], first, at(cut)), second, LATER) == alerts.advance([], signals, LATER)


@given(SIGNALS, SIGNALS)
def test_no_alert_is_ever_lost_and_counts_never_fall(first, second):
    before = alerts.advance([], first, LATER)
    kept = [dict(one) for one in before]
    after = {one["fingerprint"]: one for one in alerts.advance(before, second, LATER)}
    assert before == kept
    for one in before:
        assert after[one["fingerprint"]]["count"] >= one["count"]
        assert after[one["fingerprint"]]["first_seen"] == one["first_seen"]


@given(SIGNALS)
def test_an_alert_counts_the_distinct_moments_at_which_it_was_raised(signals):
    for alert in alerts.advance([], signals, LATER, limit=1000):
        moments = {
            one["at"]
            for one in signals
            if one["kind"] == "raised" and (one["host"], one["entity"]) == (alert["host"], alert["entity"])
        }
        assert alert["count"] == len(moments)
        assert (alert["status"] == "resolved") == any(
            one["kind"] == "cleared"
            and (one["host"], one["entity"]) == (alert["host"], alert["entity"])
            and one["at"] > alert["last_seen"]
            for one in signals
        )

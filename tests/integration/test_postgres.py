"""With PostgreSQL each job may start on an empty disk: what it tells is what one would tell whose disk lasted."""

from __future__ import annotations

import json
import shutil

import pytest

from lab import plays, replay
from lab import postgres as lab_postgres

FAST = {"ringwall_cadence": "fast", "ringwall_formats": ["json"]}


@pytest.fixture(scope="module")
def server():
    """A running PostgreSQL."""
    with lab_postgres.server_or_skip() as running:
        yield running


@pytest.fixture(scope="module")
def days():
    """What the inventory says of the host day by day: as it is, with telnet, out of reach, as it was, the same."""
    well = json.loads(replay.reading())
    rows = well["tables"]["packages"]["rows"]
    key = next(key for key, row in rows.items() if row["name"] == "bash")
    ill = json.loads(json.dumps(well))
    ill["tables"]["packages"]["rows"]["telnet:amd64"] = dict(rows[key], name="telnet", source="netkit-telnet")
    return [json.dumps(day).encode() if day else None for day in (well, ill, None, well, well)]


def lived(folder, days, store=None):
    """Play each day; with a ``store`` each on a new disk. Return (report.json of each day, the last Played)."""
    told = []
    for number, day in enumerate(days):
        variables = plays.DEAD if day is None else replay.host(folder / "host", day)
        inventory = plays.write_inventory(folder, {"web1": variables, "web2": plays.DEAD})
        state = folder / (f"disk{number}" if store else "disk")
        environment = {"RINGWALL_STORE": store} if store else None
        played = plays.play(folder, inventory, state=state, environment=environment, **FAST)
        assert played.code == 4, played.output  # web2 never answers
        assert not store or not (state / "ringwall.db").exists()
        told.append(played.report())
        if store and number < len(days) - 1:
            shutil.rmtree(state)
    return told, played


def comparable(report):
    """What a report says, with moments as numbers of runs."""
    moments = {point["taken"]: number for number, point in enumerate(report["trend"])}
    hosts = {host["name"]: host for host in report["hosts"]}
    findings = {
        (finding["benchmark"], finding["section"], finding["control"]): (
            finding["status"],
            moments[finding["first_seen"]],
            moments[finding["last_changed"]],
            [(moments[entry["at"]], entry["status"]) for entry in finding["history"]],
        )
        for finding in hosts["web1"]["findings"]
    }
    return {
        "findings": findings,
        "states": {name: (host["state"], host["days_unseen"], host["score"]) for name, host in hosts.items()},
        "alerts": sorted(
            (alert["host"], alert["rule"], alert["status"], alert["count"], alert["entities"][-1]["name"])
            for host in hosts.values()
            for alert in host["alerts"]
        ),
        "trend": [(point["percent"], point["weighted"], point["fail"]) for point in report["trend"]],
        "score": report["score"],
        "totals": report["totals"],
    }


def test_history_ages_alerts_and_trend_go_on_from_empty_disk_to_empty_disk(tmp_path, server, days):
    url = server.new_database()
    shared, last = lived(tmp_path / "shared", days, url)
    lasting, _played = lived(tmp_path / "lasting", days)
    for number, (one, other) in enumerate(zip(shared, lasting, strict=True)):
        assert comparable(one) == comparable(other), f"day {number}"
    # And not because both say nothing.
    final = comparable(shared[-1])
    telnet = [
        value for value in final["findings"].values() if [status for _at, status in value[3]][-2:] == ["fail", "pass"]
    ]
    assert telnet
    assert all(history == [(0, "pass"), (1, "fail"), (3, "pass")] for _status, _first, _since, history in telnet)
    assert {(first, since) for _status, first, since, _history in telnet} == {(0, 3)}
    assert [point[2] > final["trend"][0][2] for point in final["trend"]] == [False, True, False, False, False]
    assert ("posture.regressed", "new") in {alert[1:3] for alert in comparable(shared[1])["alerts"]}
    assert {alert[2] for alert in final["alerts"] if alert[1] == "posture.regressed"} <= {"resolved"}
    assert last.run()["chain"]["seq"] == len(days)
    verified = plays.play(
        tmp_path / "verify", plays.write_inventory(tmp_path, {"web1": plays.HERE}), "playbooks/store_verify.yml",
        environment={"RINGWALL_STORE": url},
    )  # fmt: skip
    assert verified.code == 0, verified.output
    assert len(verified.runs()) == len(days), "all evidence is in the database"


def test_a_database_that_is_off_is_said_before_any_host_is_touched_and_without_its_password(tmp_path, days):
    inventory = plays.write_inventory(tmp_path, {"web1": replay.host(tmp_path / "host", days[0])})
    url = "postgresql://ringwall:hunter2@127.0.0.1:9/ringwall"
    played = plays.play(tmp_path, inventory, environment={"RINGWALL_STORE": url}, verbosity=3, **FAST)
    assert played.code == 2
    assert "the store cannot be used" in played.output
    assert "hunter2" not in played.output
    assert not list((played.state / "runs").glob("*/hosts/*.gz"))

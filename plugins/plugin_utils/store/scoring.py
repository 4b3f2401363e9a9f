"""Scores in the store: what a run's hosts and its fleet reached, computed anew only when something moved."""

from __future__ import annotations

import json

from ..evidence.canonical import canonical, digest
from ..findings.score import score
from ..third_party import present
from . import schema
from .standing import counts_here, judged

sa = present("sqlalchemy")

UNCHANGED = "unchanged"


def last_scores(connection, scope):
    """{host id: (percent, weighted, current, max, about id)} of the last run that assessed each host."""
    runs, hosts = schema.RUN_HOSTS, schema.HOSTS
    query = (
        sa.select(hosts.c.id, runs.c.percent, runs.c.weighted, runs.c.current, runs.c.max, runs.c.about_id)
        .join(runs, sa.and_(runs.c.host_id == hosts.c.id, runs.c.run_id == hosts.c.seen_run))
        .where(hosts.c.scope == scope)
    )
    return {number: tuple(rest) for number, *rest in connection.execute(query)}


def host_score(file, header):
    """Secure score of one host file in percent, or None."""
    host = {"name": file["host"], "groups": [], "state": "assessed", "findings": file["findings"]}
    return score([host], header.get("controls") or {}, header.get("weights"))["secure"]["percent"]


def current_findings(connection, run_number):
    """{host id: [{control, status, severity, disposition}]} of the hosts that a run assessed, gaps in place of values.

    Only what was open in that run counts. Dicts are shared between hosts: do not change them.
    """
    table, values, keys, runs = schema.FINDINGS, schema.FINDING_VALUES, schema.FINDING_KEYS, schema.RUN_HOSTS
    controls, benchmarks = {}, {}
    for number, benchmark, control in connection.execute(sa.select(keys.c.id, keys.c.benchmark, keys.c.control)).all():
        controls[number], benchmarks[number] = control, benchmark
    abouts = sa.select(runs.c.host_id, runs.c.about_id).where(runs.c.run_id == run_number, runs.c.about_id.is_not(None))
    about = judged(connection, dict(connection.execute(abouts).all()))
    query = (
        sa.select(table.c.host_id, table.c.key_id, table.c.value_id, table.c.gap)
        .join(runs, sa.and_(runs.c.host_id == table.c.host_id, runs.c.generation == table.c.generation))
        .where(
            runs.c.run_id == run_number, runs.c.state == "assessed", table.c.opened <= run_number,
            sa.or_(table.c.closed.is_(None), table.c.closed > run_number),
        )
    )  # fmt: skip
    found = {}
    for host, key, value, gap in connection.execute(query).all():
        if not counts_here(about.get(host), benchmarks[key]):
            continue
        mine = found.setdefault(host, {})
        if gap or key not in mine:
            mine[key] = value
    used = {value for mine in found.values() for value in mine.values()}
    rows = connection.execute(sa.select(values.c.id, values.c.status, values.c.severity, values.c.disposition)).all()
    facts = {number: tuple(rest) for number, *rest in rows if number in used}
    lights = {}

    def light(key, value):
        made = lights.get((key, value))
        if made is None:
            status, severity, disposition = facts[value]
            made = lights[key, value] = {
                "control": controls[key], "status": status, "severity": severity, "disposition": disposition,
            }  # fmt: skip
        return made

    return {host: [light(key, value) for key, value in mine.items()] for host, mine in found.items()}


def fleet(connection, run_number, header, before):
    """Score the hosts of a run and write the scores of hosts and fleet; return the fleet's (without hosts).

    ``before``: the run row before it in its scope; if every host stands as it did then, its scores are taken over.
    """
    runs, hosts, contents = schema.RUN_HOSTS, schema.HOSTS, schema.CONTENTS
    query = (
        sa.select(
            hosts.c.id, hosts.c.name, runs.c.state, runs.c.about_id, runs.c.applied, hosts.c.findings_digest,
            hosts.c.seen_run,
        )
        .join(hosts, hosts.c.id == runs.c.host_id)
        .where(runs.c.run_id == run_number)
        .order_by(hosts.c.name)
    )  # fmt: skip
    members = connection.execute(query).all()
    stands = [
        [row.name, row.state, row.about_id if row.state == "assessed" else None, row.findings_digest]
        for row in members
        if row.applied
    ]
    certain = all(row.findings_digest and row.applied and row.seen_run == run_number
                  for row in members if row.state == "assessed")  # fmt: skip
    basis = digest([stands, header.get("controls"), header.get("weights")]) if certain else None
    table = schema.RUNS
    if before and basis and before["basis"] == basis:
        _take_over(connection, run_number, before["id"])
        result, counts = json.loads(before["score"]), before["counts"]
    else:
        findings = current_findings(connection, run_number)
        about_ids = {row.about_id for row in members if row.about_id is not None}
        rows = connection.execute(sa.select(contents.c.id, contents.c.body)) if about_ids else ()
        groups = {
            number: (json.loads(body).get("inventory") or {}).get("groups") or ()
            for number, body in rows
            if number in about_ids
        }
        fleet_hosts = [
            {
                "name": str(row.id), "groups": groups.get(row.about_id, ()), "state": row.state,
                "findings": findings.get(row.id, ()),
            }
            for row in members
        ]  # fmt: skip
        result = score(fleet_hosts, header.get("controls") or {}, header.get("weights"))
        _write_hosts(connection, run_number, result.pop("hosts"))
        tally = {}
        for mine in findings.values():
            for one in mine:
                tally[one["status"]] = tally.get(one["status"], 0) + 1
        counts = canonical(tally)
    values = {"score": canonical(result), "basis": basis, "counts": counts}
    connection.execute(sa.update(table).where(table.c.id == run_number).values(values))
    return result


def _write_hosts(connection, run_number, singles):
    if not singles:
        return
    table = schema.RUN_HOSTS
    statement = (
        sa.update(table)
        .where(table.c.run_id == run_number, table.c.host_id == sa.bindparam("the_host"))
        .values({name: sa.bindparam(f"the_{name}") for name in ("percent", "weighted", "current", "max")})
    )
    connection.execute(
        statement,
        [
            {"the_host": int(host)} | {f"the_{name}": own[name] for name in ("percent", "weighted", "current", "max")}
            for host, own in singles.items()
        ],
    )


def _take_over(connection, run_number, before):
    old = schema.RUN_HOSTS
    names = ("percent", "weighted", "current", "max")
    same = sa.select(*(old.c[name] for name in names)).where(old.c.run_id == before)
    rows = connection.execute(same.add_columns(old.c.host_id)).all()
    # A host without a percentage, of which nothing could be scored, still has its points: none of none.
    scored = {row.host_id: row._mapping for row in rows if any(getattr(row, name) is not None for name in names)}
    _write_hosts(connection, run_number, scored)

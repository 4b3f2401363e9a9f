"""What the report says of exceptions: dispositions with their standing, and tailored values that weaken a benchmark."""

from __future__ import annotations

from ..findings import dispositions


def exceptions(run, hosts):
    """Return ``(listed, notes)`` of a run and the report's hosts.

    ``listed``: the dispositions, each with ``state`` (``in_force``, ``expiring``, ``expired``, ``future``) and
    ``unused`` (it matches nothing, as far as this run can tell), then one entry of category ``tailored`` for each place
    that sets a parameter weaker than the benchmark. ``notes``: what people must know (ended, ends soon, matches
    nothing), with file and line.
    """
    known = [{**one, "state": dispositions.state(one, run["started"])} for one in run.get("dispositions") or ()]
    seen = [
        {
            "name": host["name"], "groups": host["groups"] or (), "state": host["state"],
            "used": {item["disposition"] for item in host["findings"] or ()},
        }
        for host in hosts
    ]  # fmt: skip
    unused, _untold = dispositions.fits_nothing(known, seen, run["scope"], run.get("options"), run["started"])
    notices = dispositions.notices(known, unused, run["started"])
    notes = [f"Disposition {one['disposition']} ({one['where']}) {one['text']}." for one in notices]
    return [{**one, "unused": one["id"] in unused} for one in known] + _tailored(hosts), notes


def _tailored(hosts):
    found = {}
    for host in hosts:
        for one in host.get("tailored") or ():
            if one["weaker"]:
                key = (one["parameter"], one["benchmark"], str(one["value"]), str(one["standard"]), one["where"])
                entry = found.setdefault(key, (one, [], []))
                entry[1].append(host["name"])
                entry[2].append(one["section"])
    return [
        {
            "id": one["parameter"],
            "category": "tailored",
            "selector": {"benchmark": one["benchmark"], "section": sorted(set(sections))},
            "hosts": sorted(set(names)),
            "reason": f"{one['parameter']} is {one['value']}, weaker than the benchmark's {one['standard']}",
            "where": one["where"],
            "state": "in_force",
        }
        for _key, (one, names, sections) in sorted(found.items())
    ]

"""What the report says of exceptions: dispositions with their standing, and tailored values that weaken a benchmark."""

from __future__ import annotations

from ..findings import dispositions

_OF_FINDINGS = ("control", "benchmark", "section")


def exceptions(run, hosts):
    """Return ``(listed, notes)`` of a run and the report's hosts.

    ``listed``: the dispositions, each with ``state`` (``in_force``, ``expiring``, ``expired``, ``future``) and
    ``unused`` (it matches nothing, as far as this run can tell), then one entry of category ``tailored`` for each place
    that sets a parameter weaker than the benchmark. ``notes``: what people must know (ended, ends soon, matches
    nothing), with file and line.
    """
    known = [{**one, "state": dispositions.state(one, run["started"])} for one in run.get("dispositions") or ()]
    used = {item["disposition"] for host in hosts for kind in ("findings", "alerts") for item in host[kind] or ()}
    silent = {one["id"] for one in known if not _tellable(one, run, hosts)}
    notices = dispositions.notices(known, used | silent, run["started"])
    unused = {one["disposition"] for one in notices if one["kind"] == "unused"}
    notes = [f"Disposition {one['disposition']} ({one['where']}) {one['text']}." for one in notices]
    return [{**one, "unused": one["id"] in unused} for one in known] + _tailored(hosts), notes


def _tellable(one, run, hosts):
    """True if this run can tell that the disposition matches nothing: all it is about was assessed."""
    if not set(one["selector"]) & set(_OF_FINDINGS):
        return False
    meant = [host for host in hosts if dispositions.fits_host(one, run["scope"], host["name"], host["groups"] or ())]
    if not meant:
        return not (run.get("options") or {}).get("limited", True)
    return all(host["state"] == "assessed" for host in meant)


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

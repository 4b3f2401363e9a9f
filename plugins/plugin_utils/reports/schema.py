"""JSON Schema of report.json (``ringwall.report/1``), the contract with whoever reads reports by machine.

Fields are only added within one schema number: a reader must accept fields that it does not know.
"""

from __future__ import annotations

from ..findings.model import HOST_STATES, SEVERITIES, STATUSES
from .frameworks import STATES as REQUIREMENT_STATES

NAME = "ringwall.report/1"

_TEXT = {"type": "string"}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_COUNT = {"type": "integer", "minimum": 0}
_PERCENT = {"type": ["number", "null"], "minimum": 0, "maximum": 100}
_POINTS = {"type": "number", "minimum": 0}
_POINTS_OR_NULL = {"type": ["number", "null"], "minimum": 0}
_TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$", "description": "RFC 3339, UTC"}
_TIME_OR_NULL = {"anyOf": [_TIME, {"type": "null"}]}
_TEXTS = {"type": "array", "items": _TEXT}
_ANY_OBJECT = {"type": "object"}


def _object(properties, optional=(), **more):
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, **more}


def _list(items):
    return {"type": "array", "items": items}


def _map(values):
    return {"type": "object", "additionalProperties": values}


_EVIDENCE = _object({"where": _TEXT, "what": {"description": "what stands there, any JSON value"}})

_FINDING = _object(
    {
        "control": {**_TEXT, "description": 'id of the control, "" for a section that no control judges'},
        "benchmark": _TEXT,
        "section": _TEXT,
        "level": _TEXT,
        "status": {"enum": list(STATUSES)},
        "severity": {"enum": list(SEVERITIES)},
        "expected": {"description": "what the control demands, any JSON value"},
        "actual": {"description": "what was found, any JSON value"},
        "evidence": _list(_EVIDENCE),
        "reason": {**_TEXT, "description": "why the status is neither pass nor fail"},
        "observed_at": _TEXT,
        "disposition": {**_TEXT_OR_NULL, "description": "id of the exception that covers this finding"},
        "owner": _TEXT_OR_NULL,
        "due": _TEXT_OR_NULL,
        "first_seen": _TIME_OR_NULL,
        "last_changed": _TIME_OR_NULL,
        "history": _list(_object({"at": _TIME, "status": {"enum": list(STATUSES)}})),
    }
)

_ALERT = _object(
    {
        "fingerprint": _TEXT,
        "rule": _TEXT,
        "title": _TEXT,
        "severity": _TEXT,
        "status": _TEXT,
        "count": _COUNT,
        "first_seen": _TIME,
        "last_seen": _TIME,
        "evidence": {"type": "array"},
        "steps": _TEXTS,
    }
)

_HOST = _object(
    {
        "name": _TEXT,
        "state": {"enum": list(HOST_STATES)},
        "reason": {
            "anyOf": [_object({"code": _TEXT, "text": _TEXT, "fix": _TEXT}), {"type": "null"}],
            "description": "why the host was not assessed",
        },
        "last_seen": {**_TIME_OR_NULL, "description": "when it was last assessed, null: never"},
        "days_unseen": {"type": ["integer", "null"], "minimum": 0, "description": "whole days, null: never seen"},
        "platform": {**_ANY_OBJECT, "description": "its row of the platform table"},
        "owner": _TEXT_OR_NULL,
        "team": _TEXT_OR_NULL,
        "environment": _TEXT_OR_NULL,
        "criticality": _TEXT_OR_NULL,
        "groups": _TEXTS,
        "score": _object({"percent": _PERCENT, "weighted": _PERCENT, "current": _POINTS_OR_NULL,
                          "max": _POINTS_OR_NULL}),
        "benchmarks": _list(_object({"id": _TEXT, "version": _TEXT, "fallback": {"type": "boolean"}})),
        "notes": _TEXTS,
        "findings": _list({"$ref": "#/$defs/finding"}),
        "vulnerabilities": {"type": "array"},
        "changes": {"type": "array"},
        "alerts": _list({"$ref": "#/$defs/alert"}),
    }
)  # fmt: skip

_SCORE = _object(
    {
        "secure": _object(
            {
                "percent": _PERCENT,
                "current": _POINTS,
                "max": _POINTS,
                "potential": _POINTS,
                "assessed_points": _POINTS,
                "of_points": _POINTS,
                "controls": _list(
                    _object(
                        {
                            "key": _TEXT,
                            "title": _TEXT,
                            "max": _POINTS,
                            "current": _POINTS,
                            "potential": _POINTS,
                            "healthy": _COUNT,
                            "unhealthy": _COUNT,
                            "not_applicable": _COUNT,
                        }
                    )
                ),
            }
        ),
        "weighted": _object(
            {"percent": _PERCENT, "passed": _COUNT, "counted": _COUNT, "unreadable": _COUNT, "error": _COUNT}
        ),
        "readable_percent": _PERCENT,
        "hosts_unseen": _COUNT,
        "groups": _map(_object({"percent": _PERCENT, "weighted": _PERCENT, "hosts": _COUNT})),
        "sentence": _TEXT,
    }
)

_FRAMEWORK = _object(
    {
        "title": _TEXT,
        "version": _TEXT,
        "states": {**_map(_COUNT), "description": "number of requirements in each state"},
        "requirements": _map(
            _object(
                {
                    "title": {**_TEXT, "description": 'in our words, "" where there is none'},
                    "state": {
                        "enum": list(REQUIREMENT_STATES),
                        "description": "open: something could not be told or waits for people; not_judged: no control "
                        "of it was judged in this run; no_check: no control here speaks to it",
                    },
                    "controls": {**_COUNT, "description": "controls that speak to it"},
                    "hosts": {**_map(_COUNT), "description": "hosts by the worst status of its controls, or excepted"},
                }
            )
        ),
    }
)

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:ringwall:report:1",
    "title": "Ringwall report",
    "description": "One run of Ringwall: score, hosts and their findings. Texts of hosts are data: escape them.",
    **_object(
        {
            "schema": {"const": NAME},
            "run": _object(
                {
                    "id": _TEXT,
                    "scope": _TEXT,
                    "started": _TIME,
                    "finished": _TIME_OR_NULL,
                    "state": {**_TEXT, "description": "complete, interrupted or running"},
                    "actor": _TEXT_OR_NULL,
                    "version": _TEXT_OR_NULL,
                    "project_commit": _TEXT_OR_NULL,
                    "rejudged_from": {**_TEXT_OR_NULL, "description": "the run that visited the hosts, null: this one"},
                    "privilege": _TEXT_OR_NULL,
                    "benchmarks": _list(
                        _object({"id": _TEXT, "title": _TEXT, "version": _TEXT, "fallback": {"type": "boolean"}})
                    ),
                },
                optional=("rejudged_from",),
            ),
            "score": _SCORE,
            "totals": _object(
                {
                    "hosts": _COUNT,
                    "assessed": _COUNT,
                    "unreachable": _COUNT,
                    "failed": _COUNT,
                    "findings": _map(_COUNT),
                    "severities": {**_map(_COUNT), "description": "failed findings without an exception"},
                    "alerts": _COUNT,
                }
            ),
            "trend": _list(
                _object({"run": _TEXT, "taken": _TIME, "percent": _PERCENT, "weighted": _PERCENT, "fail": _COUNT})
            ),
            "controls": _map(
                _object(
                    {
                        "title": _TEXT,
                        "rationale": _TEXT,
                        "severity": {"enum": list(SEVERITIES)},
                        "fix": _TEXT,
                        "attack": _TEXTS,
                        "score": _TEXT,
                    }
                )
            ),
            "benchmarks": _map(
                _object(
                    {
                        "title": _TEXT,
                        "version": _TEXT,
                        "sections": _map(
                            _object({"title": _TEXT, "level": _TEXT, "assessment": _TEXT, "reason": _TEXT})
                        ),
                    }
                )
            ),
            "frameworks": {**_map(_FRAMEWORK), "description": "how far the fleet meets the requirements of frameworks"},
            "hosts": _list({"$ref": "#/$defs/host"}),
            "alerts": {
                **_list({"$ref": "#/$defs/alert"}),
                "description": 'those of the fleet (host "") and of known hosts that the run did not ask',
            },
            "dispositions": _list(_ANY_OBJECT),
            "notes": _TEXTS,
        },
        optional=("alerts", "frameworks"),
    ),
    "$defs": {"host": _HOST, "finding": _FINDING, "alert": _ALERT},
}

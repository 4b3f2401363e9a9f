"""A run as its own files tell it, for reports of what the store does not take into a host's history.

That is a run that was judged again although its hosts have been visited since: what it says of them is true of an
earlier day. It answers the questions that ``build_report`` asks a Store.
"""

from __future__ import annotations

from ..findings.score import score

_FROM_INVENTORY = ("owner", "team", "environment", "criticality")
_EMPTY = {"percent": None, "weighted": None, "current": None, "max": None}


class RunFiles:
    """``run``: an evidence Run. Ages and history are the store's to tell: here they are empty."""

    def __init__(self, run):
        self._run = run
        self._files = sorted(run.hosts(), key=lambda file: file["host"])
        self._score = self._scored(run.header)

    def _scored(self, header):
        hosts = [
            {
                "name": file["host"],
                "groups": (file.get("inventory") or {}).get("groups") or [],
                "state": file["state"],
                "findings": file["findings"],
            }
            for file in self._files
        ]
        return score(hosts, header.get("controls") or {}, header.get("weights"))

    def run(self, run_id=None, scope="default"):
        """As Queries.run."""
        header = {name: value for name, value in self._run.header.items() if name not in ("hosts", "owners")}
        whole = {name: value for name, value in self._score.items() if name != "hosts"}
        return {**header, "id": self._run.id, "score": whole, "pruned": False, "quarantined": []}

    def hosts(self, run_id):
        """As Queries.hosts."""
        return [self._host(file) for file in self._files]

    def _host(self, file):
        inventory = file.get("inventory") or {}
        assessed = file["state"] == "assessed"
        names = ("reason", "received", "privilege", "platform", "identity", "benchmarks", "errors", "notes", "tailored")
        return {
            "name": file["host"],
            "state": file["state"],
            **{name: file.get(name) for name in names},
            "last_seen": file.get("received") if assessed else None,
            "days_unseen": 0 if assessed else None,
            "groups": inventory.get("groups") or [],
            "tags": inventory.get("tags") or {},
            **{name: inventory.get(name) for name in _FROM_INVENTORY},
            "score": {**_EMPTY, **{name: value for name, value in self._score["hosts"].get(file["host"], {}).items()
                                   if name in _EMPTY}},
        }  # fmt: skip

    def findings(self, run_id, host=None):
        """As Queries.findings."""
        return {
            file["host"]: [
                {**finding, "first_seen": None, "last_changed": None, "history": [], "seen": True, "known": None}
                for finding in file["findings"]
            ]
            for file in self._files
        }

    def alerts(self, run_id=None, statuses=()):
        """None: nothing happened on the hosts."""
        return []

    def trend(self, scope, limit, until=None):
        """None: a run of an earlier day has no place in the trend."""
        return []

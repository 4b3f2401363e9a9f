"""Alerts in the store: what the rules say of a run is counted by the alerts engine and written back."""

from __future__ import annotations

import json

from ..evidence.canonical import canonical
from ..findings import signals as rules
from ..findings.alerts import advance, make_signal
from ..findings.disposition_signals import KINDS, disposition_signals
from ..findings.dispositions import in_force
from ..third_party import present
from . import bulk, schema

sa = present("sqlalchemy")

TOLD = ("pass", "fail", "not_applicable")


class Alerting:
    """Gathers the signals of one run, host by host, and advances the alerts of its scope."""

    def __init__(self, connection, scope, header, run_number, score_drop):
        self.connection = connection
        self.scope = scope
        self.header = header
        self.run_number = run_number
        self.score_drop = score_drop
        self.signals = {}
        self.latest = header["started"]
        self.asked = {}
        self.baselines = 0
        self.alerts = self._load()

    def _load(self):
        table = schema.ALERTS
        query = sa.select(table.c.host, table.c.fingerprint, table.c.body).where(table.c.scope == self.scope)
        found = {}
        for host, fingerprint, body in self.connection.execute(query):
            found.setdefault(host, {})[fingerprint] = json.loads(body)
        return found

    def mark(self):
        """What ``restore`` needs to take back the signals of hosts that are rolled back."""
        return {host: list(own) for host, own in self.signals.items()}, self.latest, self.baselines

    def restore(self, marked):
        """Take back all signals since ``mark``."""
        self.signals, self.latest, self.baselines = marked

    def past(self, interned, host, opened):
        """What findings.signals.signals_between compares with, or None for a host that was never assessed."""
        if host.seen_run is None or host.retired_run is not None:
            return None
        names = interned.key_names()
        statuses = {names[one.key_id]: one.status for one in opened if not one.gap and one.status in TOLD}
        table = schema.TABLE_STATES
        query = sa.select(table.c.name, table.c.state, table.c.gap).where(
            table.c.host_id == host.id, table.c.closed.is_(None)
        )
        tables = {}
        for name, state, gap in self.connection.execute(query):
            if gap or name not in tables:
                tables[name] = {"state": state}
        return {"machine_id": host.machine_id, "statuses": statuses, "tables": tables}

    def assessed(self, host, file, previous):
        """Take the signals of a host whose file says something new. ``previous``: of ``past``."""
        seen = dict(file, taken=file["received"])  # the controller's clock: a host's own may say anything
        if previous is None:
            self.baselines += 1
        own = rules.signals_between(previous, seen, score=file.pop("_score", None), score_drop=self.score_drop)
        # What a capability saw itself comes as signals in the host's file: of this host, whatever they say.
        for signal in file.get("alerts") or ():
            fields = {name: value for name, value in signal.items() if name not in ("rule", "scope", "host")}
            own.append(make_signal(signal["rule"], scope=self.scope, host=host.name, **fields))
        self._take(host.name, own, file["received"])

    def unchanged(self, host, received, scores):
        """A host that stands as before: all that can be told is that its score did not fall again."""
        open_drop = any(
            alert["rule"] == "posture.score_drop" and alert["status"] != "resolved"
            for alert in self.alerts.get(host.name, {}).values()
        )
        own = []
        if open_drop and scores and scores[0] is not None:
            file = {
                "state": "assessed", "scope": self.scope, "host": host.name, "taken": received, "findings": [],
                "tables": {}, "identity": {},
            }  # fmt: skip
            own = rules.signals_between({"score": scores[0]}, file, score=scores[0], score_drop=self.score_drop)
        self._take(host.name, own, received)

    def _take(self, host, own, received):
        self.latest = max(self.latest, received)
        self.signals.setdefault(host, []).extend(own)

    def fleet(self, hosts, was, now):
        """Take the signals of the whole run. ``hosts``: {name: Host} of the scope; ``was``, ``now``: scores or None."""
        runs = schema.RUN_HOSTS
        query = sa.select(schema.HOSTS.c.name, runs.c.state, runs.c.reason).join(
            schema.HOSTS, schema.HOSTS.c.id == runs.c.host_id
        )
        asked = {
            name: {"state": state, "reason": json.loads(reason) if reason else None}
            for name, state, reason in self.connection.execute(query.where(runs.c.run_id == self.run_number))
        }
        known = {
            host.name: {"machine_id": host.machine_id, "last_seen": host.seen_at}
            for host in hosts.values()
            if host.retired_run is None
        }
        comparable = was is not None and now is not None and self._same_hosts(asked)
        scores = (was["secure"]["percent"], now["secure"]["percent"]) if comparable else (None, None)
        for signal in rules.fleet_signals(
            known, asked, self.latest, scope=self.scope, scores=scores, score_drop=self.score_drop
        ):
            self.signals.setdefault(signal["host"], []).append(signal)
        self._exceptions()

    def _exceptions(self):
        """Take the signals of the run's dispositions: those that fit nothing, those that ended."""
        known = self.header.get("dispositions")
        if known is None:
            return
        open_ids = {}
        for alert in self.alerts.get("", {}).values():
            if alert["rule"] in KINDS.values() and alert["status"] != "resolved":
                open_ids.setdefault(alert["rule"], set()).add(alert["entity"])
        if not known and not open_ids:
            return
        header = self.header
        self.signals.setdefault("", []).extend(
            disposition_signals(
                known, self._hosts_of_run(), self.scope, header.get("options"), header["started"], self.latest, open_ids
            )
        )

    def _hosts_of_run(self):
        """The hosts of the run as dispositions.fits_nothing wants them."""
        runs, names, contents = schema.RUN_HOSTS, schema.HOSTS, schema.CONTENTS
        findings, values = schema.FINDINGS, schema.FINDING_VALUES
        mine = sa.select(runs.c.host_id).where(runs.c.run_id == self.run_number)
        query = (
            sa.select(findings.c.host_id, values.c.disposition)
            .join(values, values.c.id == findings.c.value_id)
            .where(findings.c.host_id.in_(mine), findings.c.closed.is_(None), values.c.disposition.is_not(None))
            .distinct()
        )
        used = {}
        for host, name in self.connection.execute(query):
            used.setdefault(host, set()).add(name)
        query = (
            sa.select(names.c.id, names.c.name, runs.c.state, contents.c.body)
            .join(names, names.c.id == runs.c.host_id)
            .outerjoin(contents, contents.c.id == runs.c.about_id)
            .where(runs.c.run_id == self.run_number)
        )
        return [
            {
                "name": name, "state": state, "used": used.get(number, ()),
                "groups": (json.loads(about).get("inventory") or {}).get("groups") or () if about else (),
            }
            for number, name, state, about in self.connection.execute(query)
        ]  # fmt: skip

    def _same_hosts(self, asked):
        """A score of other hosts than last time neither fell nor rose."""
        runs, table = schema.RUN_HOSTS, schema.RUNS
        last = (
            sa.select(table.c.id)
            .where(table.c.scope == self.scope, table.c.id < self.run_number, table.c.content.is_not(None))
            .order_by(table.c.id.desc())
            .limit(1)
            .scalar_subquery()
        )
        query = sa.select(schema.HOSTS.c.name).join(runs, schema.HOSTS.c.id == runs.c.host_id)
        return {name for (name,) in self.connection.execute(query.where(runs.c.run_id == last))} == set(asked)

    def save(self):
        """Advance the alerts, write those that moved; return ``{statuses: {status: n} of the scope, baselines}``."""
        dispositions = self.header.get("dispositions")
        forced = in_force(dispositions, self.latest) if dispositions is not None else None
        moved, counts = [], {}
        for host in self.signals.keys() | self.alerts.keys():
            known = self.alerts.get(host, {})
            own = [signal for signal in self.signals.get(host, ()) if signal["kind"] == "raised" or known]
            after = advance(known.values(), own, self.latest, forced) if known or own else ()
            for alert in after:
                counts[alert["status"]] = counts.get(alert["status"], 0) + 1
                if known.get(alert["fingerprint"]) != alert:
                    moved.append(alert)
        table = schema.ALERTS
        for part in bulk.chunks(alert["fingerprint"] for alert in moved):
            self.connection.execute(sa.delete(table).where(table.c.fingerprint.in_(part)))
        bulk.insert(self.connection, table, [row_of(alert) for alert in moved])
        return {"statuses": counts, "baselines": self.baselines}


def row_of(alert):
    """The row of schema.ALERTS that holds an alert."""
    names = ("fingerprint", "scope", "host", "rule", "status", "first_seen", "last_seen")
    return (*(alert[name] for name in names), canonical(alert))

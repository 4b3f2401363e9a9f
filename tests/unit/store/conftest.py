"""The store's suite runs on SQLite and on a real PostgreSQL that is started here on a free port."""

from __future__ import annotations

import time

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence import objects, runs
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence.state import open_state
from ansible_collections.ringwall.servers.plugins.plugin_utils.store import open_store, schema

from lab import postgres as lab_postgres

CONTROLS = {f"linux.c{number}": {"severity": "medium"} for number in range(40)}
TABLES = ("identity", "packages", "platform", "sysctl", "users")


@pytest.fixture(scope="session")
def postgres():
    """A running PostgreSQL (lab.postgres.Server); it ends with the session."""
    with lab_postgres.server_or_skip() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request, tmp_path):
    """A function that returns the URL of a new empty database."""
    made = []

    def make():
        if request.param == "sqlite":
            made.append(None)
            return f"sqlite:///{tmp_path}/db{len(made)}/ringwall.db"
        return request.getfixturevalue("postgres").new_database()

    return make


class Bench:
    """A state directory and a store to play runs into."""

    def __init__(self, path, url):
        self.url = url
        self.state = open_state(path)
        self.store = open_store(url, self.state)
        self.count = 0

    def table(self, name, rows, state="ok", observed_at=None, volatile=()):
        """The entry of a table in a host file; its content is put into the objects."""
        content = {"version": 1, "state": state, "why": "" if state == "ok" else "test", "rows": rows}
        return {
            "digest": objects.put(self.state, content, volatile), "version": 1, "state": state, "rows": len(rows),
            "why": content["why"], "observed_at": observed_at, "stale": False, "cost": {},
        }  # fmt: skip

    def host(self, name, statuses, at, **more):
        """A host file: ``statuses`` {control number: status or dict of finding fields}."""
        machine = more.pop("machine_id", f"machine-of-{name}")
        tables = more.pop("tables", None)
        if tables is None:
            tables = {
                "identity": self.table("identity", {"host": {"machine_id": machine}}, observed_at=at),
                "packages": self.table("packages", {"openssl:amd64": {"version": "3.0"}}, observed_at=at),
                "platform": self.table("platform", {"host": {"id": "debian"}}, observed_at=at),
                "sysctl": self.table("sysctl", {"a": {"live": "1"}}, observed_at=at),
                "users": self.table("users", {"root": {"uid": 0}}, observed_at=at),
            }
        return {
            "scope": "default", "host": name, "state": "assessed", "reason": None, "taken": at, "received": at,
            "privilege": "root", "collector": "1", "clock_skew_s": 0, "platform": {"id": "debian"},
            "inventory": {"groups": ["web"], "owner": "ops"}, "identity": {"machine_id": machine, "clock": at},
            "benchmarks": [{"id": "cis", "version": "1", "title": "ours", "fallback": False}], "tables": tables,
            "findings": [self.finding(number, status, at) for number, status in sorted(statuses.items())],
            "alerts": [], "errors": [],
        } | more  # fmt: skip

    @staticmethod
    def finding(number, status, at):
        """A finding of control ``linux.c<number>`` as judging gives it."""
        fields = status if isinstance(status, dict) else {"status": status}
        told = fields["status"] in ("pass", "fail")
        return {
            "control": f"linux.c{number}", "benchmark": "cis", "section": f"1.{number}", "level": "l1",
            "severity": "medium", "expected": 1, "actual": {"pass": 1, "fail": 0}[fields["status"]] if told else None,
            "evidence": [], "reason": "", "observed_at": at, "disposition": None, "owner": None, "due": None,
        } | fields  # fmt: skip

    @staticmethod
    def failed(name, at, state="unreachable"):
        """The file of a host that was not assessed."""
        return {
            "scope": "default", "host": name, "state": state, "received": at, "inventory": {}, "tables": {},
            "reason": {"code": "timeout", "text": "no answer", "fix": ""}, "findings": [], "alerts": [], "errors": [],
            "benchmarks": [],
        }  # fmt: skip

    def time(self, day):
        """A time on that day."""
        moment = time.gmtime(1767225600 + day * 86400)
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", moment)

    def write(self, day, hosts, finish=True, **header):
        """Write a run of that day as evidence; ``hosts`` host files without time or (name, statuses) pairs."""
        self.count += 1
        at = self.time(day)
        run = runs.open_run(
            self.state, f"r{self.count:03d}",
            {"scope": "default", "started": at, "content": "c1", "controls": CONTROLS, "dispositions": []} | header,
        )  # fmt: skip
        for host in hosts:
            run.write_host(host if isinstance(host, dict) else self.host(host[0], host[1], at))
        if finish:
            run.finish()
        return run

    def play(self, day, hosts, **header):
        """Write and record a run; return the summary."""
        return self.store.record(self.write(day, hosts, **header).id)

    def one(self, host="a", number=1, run=None):
        """One finding as it stands in a run (the last)."""
        found = self.store.findings(run or f"r{self.count:03d}", host)
        return next((one for one in found if one["section"] == f"1.{number}"), None)

    def known_hosts(self):
        """``{host: {machine_id, generation, last_seen, privilege, retired}}`` of all that were ever heard of."""
        with self.store.reader() as connection:
            return {
                row.name: {
                    "machine_id": row.machine_id, "generation": row.generation, "last_seen": row.seen_at,
                    "privilege": row.privilege, "retired": row.retired_run is not None,
                }
                for row in connection.execute(schema.HOSTS.select())
            }  # fmt: skip

    def everything(self):
        """All that a store says, to compare two."""
        store = self.store
        ids = [run["id"] for run in reversed(store.runs(limit=10000))]
        whole = {
            "runs": [{name: value for name, value in store.run(one).items() if name != "number"} for one in ids],
            "hosts": [store.hosts(one) for one in ids],
            "findings": [
                {
                    host: sorted(found, key=lambda one: (one["benchmark"], one["section"], one["control"]))
                    for host, found in store.findings(one).items()
                }
                for one in ids
            ],
            "alerts": store.alerts(), "trend": store.trend(limit=10000), "closed": store.closed(),
            "pasts": store.pasts("default", sorted(self.known_hosts())), "known": self.known_hosts(),
        }  # fmt: skip
        if ids:
            first, last = store.run(ids[0])["started"], store.run(ids[-1])["started"]
            whole["changes"] = store.changes("default", first, last)
            whole["rows"] = {host: store.at("default", last, host) for host in sorted(self.known_hosts())}
        return whole


@pytest.fixture
def bench(tmp_path, new_url):
    """A Bench on an empty store of each kind."""
    made = Bench(tmp_path / "state", new_url())
    yield made
    made.store.close()


@pytest.fixture
def make_bench(tmp_path, new_url):
    """A function that makes Benches."""
    made = []

    def make(path=None, url=None):
        made.append(Bench(path or tmp_path / f"state{len(made)}", url or new_url()))
        return made[-1]

    yield make
    for one in made:
        one.store.close()

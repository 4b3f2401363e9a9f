"""Whatever happens in whatever order, recording run by run gives what rebuilding gives, and no promise is broken."""

from __future__ import annotations

import os
import shutil
import tempfile

import hypothesis.strategies as st
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence import verify
from ansible_collections.ringwall.servers.plugins.plugin_utils.store import open_store
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

STATUSES = st.sampled_from(["pass", "fail", "not_applicable", "manual", "unreadable", "error"])
FINDINGS = st.dictionaries(st.integers(1, 4), STATUSES, max_size=4)
NAMES = st.sampled_from(["a", "b"])
SOAK = os.environ.get("RINGWALL_SOAK") == "1"


class Histories(RuleBasedStateMachine):
    """Runs of two hosts in any order, with everything that may come between. ``make(path)`` gives a Bench."""

    make = None

    @initialize()
    def begin(self):
        self.folder = tempfile.mkdtemp(prefix="ringwall-store-")
        self.bench = self.make(os.path.join(self.folder, "state"))
        self.day = 0
        self.failing = {}

    def teardown(self):
        if hasattr(self, "bench"):
            self.bench.store.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _play(self, hosts, **header):
        self.day += 1
        self.bench.play(self.day, hosts, **header)

    @rule(name=NAMES, findings=FINDINGS, content=st.sampled_from(["c1", "c2"]))
    def assess(self, name, findings, content):
        self._play([(name, findings)], content=content)

    @rule(findings=FINDINGS, others=FINDINGS)
    def assess_both(self, findings, others):
        self._play([("a", findings), ("b", others)])

    @rule(name=NAMES, findings=FINDINGS)
    def assess_with_less_privilege(self, name, findings):
        self._play([self.bench.host(name, findings, self.bench.time(self.day + 1), privilege="user")])

    @rule(name=NAMES, state=st.sampled_from(["unreachable", "failed"]))
    def miss(self, name, state):
        before = self._open(name)
        self._play([self.bench.failed(name, self.bench.time(self.day + 1), state)])
        assert self._open(name) == before, "a host that was not seen lost or gained a finding"

    @rule(name=NAMES, table=st.sampled_from(["packages", "sysctl", "platform"]))
    def lose_a_table(self, name, table):
        past = self.bench.store.past("default", name)
        known = past.get("statuses", {})
        before, rows = self._open(name), self._rows(name)
        machine = past.get("machine_id") or f"machine-of-{name}"
        file = self.bench.host(name, {}, self.bench.time(self.day + 1), machine_id=machine)
        file["findings"] = [
            self.bench.finding(int(key.rsplit("c", 1)[1]), "unreadable", file["received"]) for key in sorted(known)
        ]
        file["tables"][table] = self.bench.table(table, {}, "denied")
        file["benchmarks"] = []
        self._play([file], options={"benchmarks": ["other"]})
        if before:
            assert self._open(name) == before
        # Of a machine that is still there the last reading stands; nothing of one that was retired comes back.
        assert self._rows(name).get(table) == (rows.get(table) if past else None)
        told = self.bench.store.at("default", self.bench.time(self.day), name)["tables"]
        assert told[table]["state"] == "denied", "what could not be read was concluded"

    @rule(name=NAMES)
    def reinstall(self, name):
        file = self.bench.host(name, {1: "fail"}, self.bench.time(self.day + 1), machine_id=f"new{self.day}")
        self._play([file])

    @rule(name=NAMES)
    def retire(self, name):
        known = self.bench.known_hosts().get(name)
        if known and not known["retired"]:
            self.bench.store.retire("default", name, "gone", "test", now=self.bench.time(self.day))
            assert self.bench.store.past("default", name) == {}
            assert self._rows(name) == {}

    @rule()
    def record_the_last_run_again(self):
        if self.bench.count:
            before = self.bench.everything()
            self.bench.store.record(f"r{self.bench.count:03d}")
            assert self.bench.everything() == before

    @rule()
    def prune(self):
        self.bench.store.prune(keep_runs=2, keep_days=3, now=self.bench.time(self.day))

    @rule()
    def rebuild(self):
        before = self.bench.everything()
        assert self.bench.store.rebuild()["missing"] == []
        assert self.bench.everything() == before

    def _open(self, name):
        return self.bench.store.past("default", name).get("statuses", {})

    def _rows(self, name):
        known = self.bench.store.at("default", self.bench.time(self.day), name)
        return known["rows"] if known else {}

    @invariant()
    def evidence_holds(self):
        if hasattr(self, "bench"):
            assert verify.verify(self.bench.state) == []


def test_any_history(make_bench, new_url):
    run_state_machine_as_test(
        type("Played", (Histories,), {"make": staticmethod(lambda path: make_bench(path, new_url()))}),
        settings=settings(
            max_examples=120 if SOAK else 6, stateful_step_count=30 if SOAK else 12, deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip


def test_a_store_elsewhere_says_the_same(make_bench, new_url):
    bench = make_bench()
    bench.play(0, [("a", {1: "fail"})])
    before = bench.everything()
    bench.store.close()
    bench.store = open_store(new_url(), bench.state)
    bench.store.rebuild()
    assert bench.everything() == before

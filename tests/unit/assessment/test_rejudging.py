"""An old run judged again by other content: what comes of it, what does not, and what stays unreadable."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import pathlib
import types

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.collect import collect
from ansible_collections.ringwall.servers.plugins.module_utils.spec import Column, Table
from ansible_collections.ringwall.servers.plugins.module_utils.tables import TABLES
from ansible_collections.ringwall.servers.plugins.plugin_utils import assessment, rejudging
from ansible_collections.ringwall.servers.plugins.plugin_utils.assessment import beginning
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence import objects, runs
from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence.state import open_state
from ansible_collections.ringwall.servers.plugins.plugin_utils.reports.write import write_reports
from ansible_collections.ringwall.servers.plugins.plugin_utils.settings import Settings
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.limits import HostFailure
from ansible_collections.ringwall.servers.plugins.plugin_utils.store import open_store

STRICT, LAX = "{max: 1}", "{min: 1}"
CONTROLS = """\
- id: linux.site.pid_max
  title: Process numbers are few
  severity: medium
  rationale: Because.
  require: {sysctl: {kernel.pid_max: VALUE}}
"""
MORE = """\
- id: linux.site.file
  title: A file is private
  severity: low
  rationale: Because.
  require: {file: {/etc/made/up/*: {mode: "0600", state: if_present}}}
- id: linux.site.query
  title: Nothing was asked of
  severity: low
  rationale: Because.
  require: {query: {table: units, expression: "rows[?active=='failed']", expected: {empty: true}}}
- id: linux.site.config
  title: A setting is so
  severity: low
  rationale: Because.
  require: {config: {file: /etc/made/up.conf, format: keyvalue, settings: {a: {absent: true}}}}
"""
BENCHMARK = 'id: site\ntitle: Site\nversion: "1"\nplatform: {family: linux}\nsections:\n'
SECTION = '  "{0}": {{level: l1, controls: [linux.site.{0}]}}\n'


class Site:
    """A state directory, a content directory that a test rewrites, and a clock that it sets."""

    def __init__(self, folder, monkeypatch):
        self.folder = folder
        self.day = itertools.count(1)
        self.monkeypatch = monkeypatch
        self.settings = Settings(
            str(folder / "state"), f"sqlite:///{folder / 'ringwall.db'}", None, "default", [str(folder / "site")], [],
            [], str(folder), 5.0,
        )  # fmt: skip

    def content(self, value=STRICT, more=False):
        place = self.folder / "site" / "benchmarks" / "controls" / "linux"
        place.mkdir(parents=True, exist_ok=True)
        (place / "site.yml").write_text(CONTROLS.replace("VALUE", value) + (MORE if more else ""))
        names = ["pid_max", *(("file", "query", "config") if more else ())]
        (place.parents[1] / "site.yml").write_text(BENCHMARK + "".join(SECTION.format(name) for name in names))

    def another_time(self):
        day = next(self.day)
        self.monkeypatch.setattr(beginning, "RUN_ID", f"202601{day:02d}T000000Z-00000{day}")
        self.monkeypatch.setattr(assessment.clock, "now", lambda: f"2026-01-{day:02d}T00:00:00Z")

    def assess(self, tables, hosts=("web1",), **options):
        self.another_time()
        store = open_store(self.settings.store, open_state(self.settings.state))
        wanted = {"cadence": "fast", "benchmarks": None}
        begun = assessment.beginning.begin(self.settings, list(hosts), wanted, store.pasts)
        store.close()
        for host in hosts:

            def gather(_tables, _options, host=host):
                if tables is None or host == "dead":
                    raise HostFailure("timeout", "no answer", "look")
                return {"taken": assessment.clock.now(), "collector": "1", "errors": [], "euid": 0, "tables": tables}

            told = {"cadence": "fast", "benchmarks": ["site"], **options}
            assessment.assess_host(host, begun, {"groups": ["web"], "owner": "ann"}, told, gather)
        assessment.record(self.settings, begun, list(hosts), set(hosts))
        return begun["run"]

    def rejudge(self, run=None, **more):
        self.another_time()
        return rejudging.rejudge(self.settings, run, **more)

    @property
    def state(self):
        return open_state(self.settings.state)

    def file(self, run, host="web1"):
        return runs.load_run(self.state, run).host(host)

    def findings(self, run):
        return {finding["section"]: finding for finding in self.file(run)["findings"]}

    def store(self, question, *arguments):
        store = open_store(self.settings.store, self.state)
        try:
            return getattr(store, question)(*arguments)
        finally:
            store.close()

    def closed_by(self):
        """Why findings ended, in the order of the store."""
        store = open_store(self.settings.store, self.state)
        try:
            with store.reader() as connection:
                text = "select closed_by from findings where closed is not null and closed_by is not null order by id"
                return [row[0] for row in connection.exec_driver_sql(text)]
        finally:
            store.close()

    def report(self, run):
        settings = types.SimpleNamespace(state=self.settings.state, store=self.settings.store)
        files = write_reports(settings, run, ["json", "html", "csv", "junit", "markdown"])["files"]
        return json.loads(pathlib.Path(files["json"]).read_text())


@pytest.fixture
def site(tmp_path, monkeypatch):
    made = Site(tmp_path, monkeypatch)
    made.content()
    return made


@pytest.fixture(scope="module")
def real():
    """Tables of the machine that runs the tests, with a kernel parameter of known value."""
    read = json.loads(collect({"tables": ["identity", "platform", "sysctl", "packages"], "nice": 0}))["tables"]
    row = {"runtime": "32768", "persisted": "32768", "persisted_where": "/etc/sysctl.conf:1", "host_global": False}
    read["sysctl"]["rows"]["kernel.pid_max"] = {**read["sysctl"]["rows"]["kernel.pid_max"], **row}
    return read


def changed(tables, value):
    rows = {**tables["sysctl"]["rows"]}
    rows["kernel.pid_max"] = {**rows["kernel.pid_max"], "runtime": value, "persisted": value}
    return {**tables, "sysctl": {**tables["sysctl"], "rows": rows}}


def test_the_same_content_gives_the_same_findings_and_ends_nothing(site, real):
    first = site.assess(real)
    result = site.rejudge()
    assert result["rejudged_from"] == first
    assert (result["hosts"], result["judged"], result["late"], result["closed"]) == (1, 1, 0, 0)
    before, after = site.file(first), site.file(result["run"])
    same = ("findings", "tables", "platform", "identity", "privilege", "received", "taken", "inventory", "clock_skew_s")
    assert {name: before[name] for name in same} == {name: after[name] for name in same}


@pytest.mark.parametrize("benchmarks", [["cis_debian12"], ["ringwall_linux", "ringwall_servers"]])
def test_real_benchmarks_give_the_same_findings_again(site, real, benchmarks):
    first = site.assess(real, benchmarks=benchmarks)
    again = site.rejudge(first)["run"]
    assert len(site.file(first)["findings"]) > 100
    assert site.file(first)["findings"] == site.file(again)["findings"]


def test_new_content_is_judged_and_what_ends_by_it_is_not_fixed(site, real):
    first = site.assess(real)
    assert site.findings(first)["pid_max"]["status"] == "fail"
    site.content(LAX)
    result = site.rejudge()
    found = site.findings(result["run"])["pid_max"]
    assert found["status"] == "pass"
    assert found["observed_at"] == site.findings(first)["pid_max"]["observed_at"] == "2026-01-01T00:00:00Z"
    assert site.closed_by() == ["content"]
    assert runs.load_run(site.state, result["run"]).header["rejudged_from"] == first


def test_a_real_fix_after_it_counts_as_one(site, real):
    site.assess(real)
    site.rejudge()
    site.assess(changed(real, "1"))
    assert site.closed_by() == ["fixed"]


def test_the_one_behind_a_run_that_was_judged_again_is_judged(site, real):
    first = site.assess(real)
    second = site.rejudge()["run"]
    assert site.rejudge(second)["rejudged_from"] == first
    assert site.rejudge()["rejudged_from"] == first


def test_what_was_not_read_then_is_unreadable_and_says_so(site, real):
    site.assess(real)
    site.content(more=True)
    found = site.findings(site.rejudge()["run"])
    assert {name: one["status"] for name, one in found.items()} == {
        "pid_max": "fail", "file": "unreadable", "query": "unreadable", "config": "unreadable",
    }  # fmt: skip
    assert "was not" in found["file"]["reason"]
    assert found["query"]["reason"] == "units: was not read"


def test_a_path_that_was_not_asked_for_never_helps_to_pass(site, real):
    empty = {"version": 1, "state": "ok", "why": "", "rows": {}}
    site.assess({**real, "file_attributes": empty, "config": empty, "units": {**empty, "rows": {}}})
    site.content(more=True)
    found = site.findings(site.rejudge()["run"])
    assert [found[name]["status"] for name in ("file", "config", "query")] == ["unreadable", "unreadable", "pass"]


def test_a_query_over_files_that_were_not_asked_for_is_no_pass(site, real):
    listed = {"control": "linux.site.x", "status": "pass", "evidence": [1], "actual": 1, "reason": ""}
    content = types.SimpleNamespace(controls={"linux.site.x": {"paths": ["/etc/a", "/etc/b"], "configs": []}})
    read = types.SimpleNamespace(tables={"file_attributes": types.SimpleNamespace(rows={"/etc/a": {}})})
    certain = rejudging._certain(listed, content, read)
    assert (certain["status"], certain["evidence"]) == ("unreadable", [])
    assert certain["reason"] == f"/etc/b {rejudging.NOT_READ}"
    assert rejudging._certain({**listed, "status": "fail"}, content, read)["status"] == "fail"
    read.tables["file_attributes"].rows["/etc/b"] = {}
    assert rejudging._certain(listed, content, read) == listed


def test_a_column_that_nobody_read_then_is_unreadable(site, real, monkeypatch):
    first = site.assess(real)
    spec = TABLES["sysctl"].TABLE
    columns = (*spec.columns, Column("colour", "text", "made up"))
    newer = Table(spec.name, spec.description, spec.key, columns, max_rows=spec.max_rows)
    monkeypatch.setitem(TABLES, "sysctl", types.SimpleNamespace(TABLE=newer))
    old = site.file(first)
    row = rejudging.snapshot_of(site.state, old).row("sysctl", "kernel.pid_max")
    assert row["colour"] == {"!": "partial", "why": f"colour {rejudging.NOT_READ}"}
    assert row["runtime"] == "32768"


def test_content_that_is_gone_is_unreadable_not_absent(site, real):
    first = site.assess(real)
    os.unlink(objects.path_of(site.state, site.file(first)["tables"]["sysctl"]["digest"]))
    found = site.findings(site.rejudge()["run"])["pid_max"]
    assert found["status"] == "unreadable"
    assert "cannot be used" in found["reason"]


def test_hosts_that_were_not_assessed_stay_so(site, real):
    first = site.assess(real, hosts=("web1", "dead"))
    result = site.rejudge()
    assert (result["hosts"], result["judged"]) == (2, 1)
    before, after = site.file(first, "dead"), site.file(result["run"], "dead")
    assert (after["state"], after["reason"]) == (before["state"], before["reason"])
    assert after["run"] == result["run"]


def test_what_the_hosts_own_variables_said_still_holds(site, real):
    text = CONTROLS.replace("VALUE", "{max: {parameter: site_max}}")
    text += "  parameters: {site_max: {default: 1, stricter: lower}}\n"
    place = site.folder / "site" / "benchmarks" / "controls" / "linux" / "site.yml"
    place.write_text(text)
    first = site.assess(real, parameters={"site_max": 40000}, roles=["router"])
    assert site.findings(first)["pid_max"]["status"] == "pass"
    found = site.findings(site.rejudge()["run"])["pid_max"]
    assert found["status"] == "pass"
    assert "tailored to 40000" in found["reason"]


def test_other_benchmarks_can_be_asked_for(site, real):
    site.assess(real)
    result = site.rejudge(benchmarks=["ringwall_linux"])
    assert {finding["benchmark"] for finding in site.file(result["run"])["findings"]} == {"ringwall_linux"}
    with pytest.raises(runs.RunError, match="no benchmark nothing"):
        site.rejudge(benchmarks=["nothing"])


def test_exceptions_of_today_apply(site, real):
    site.assess(real)
    file = site.folder / "dispositions.yml"
    file.write_text(
        "- id: D-1\n  selector: {control: linux.site.pid_max}\n  hosts: web1\n  category: waiver\n  reason: known\n"
        "  owner: ann\n  approver: bob\n  created: 2026-01-02\n  expires: 2026-06-01\n"
    )
    site.settings = dataclasses.replace(site.settings, dispositions=[str(file)])
    result = site.rejudge()
    assert site.findings(result["run"])["pid_max"]["disposition"] == "D-1"
    assert site.closed_by() == ["disposed"]


def test_the_history_of_hosts_that_were_visited_since_stays(site, real):
    first = site.assess(real)
    second = site.assess(changed(real, "1"))
    assert site.closed_by() == ["fixed"]
    site.content(LAX)
    result = site.rejudge(first)
    assert (result["late"], result["opened"], result["closed"]) == (1, 0, 0)
    assert site.store("findings", second)["web1"][0]["status"] == "pass"
    report = site.report(result["run"])
    (host,) = report["hosts"]
    (finding,) = host["findings"]
    assert (finding["status"], finding["actual"]["kernel.pid_max"]["runtime"]) == ("pass", "32768")
    assert report["score"]["weighted"]["percent"] == 100
    assert report["run"]["rejudged_from"] == first
    site.another_time()
    assert not (pathlib.Path(site.settings.state) / "reports" / "latest").exists()
    site.content(STRICT)
    third = site.assess(changed(real, "1"))
    assert site.store("findings", third)["web1"][0]["status"] == "pass"
    assert site.closed_by() == ["fixed"]


def test_the_report_says_where_it_comes_from(site, real):
    first = site.assess(real)
    report = site.report(site.rejudge()["run"])
    assert f"Judged again from what run {first} read: no host was visited." in report["notes"]
    assert (pathlib.Path(site.settings.state) / "reports" / "latest").exists()
    assert site.report(first)["run"]["rejudged_from"] is None


def test_no_alert_comes_of_it(site, real):
    site.content(LAX)
    site.assess(real)
    site.content(STRICT)
    site.rejudge()
    assert site.store("alerts") == []


def test_rebuilding_the_store_gives_the_same(site, real):
    site.assess(real)
    site.content(LAX)
    result = site.rejudge()
    before = site.store("findings", result["run"])
    site.store("rebuild")
    assert site.store("findings", result["run"]) == before
    assert site.closed_by() == ["content"]


def test_a_run_that_is_not_there_or_still_runs_is_refused(site, real):
    site.assess(real)
    with pytest.raises(runs.RunError, match="there is no run 20000101T000000Z-000000"):
        site.rejudge("20000101T000000Z-000000")
    site.another_time()
    begun = assessment.beginning.begin(site.settings, ["web1"], {"benchmarks": None}, lambda scope, hosts: {})
    with pytest.raises(runs.RunError, match="only one that has ended"):
        site.rejudge(begun["run"])

"""As an AWX project: slices of one job on disks that do not last, joined by PostgreSQL and a shared run id."""

from __future__ import annotations

import concurrent.futures
import shutil

import pytest

from lab import plays
from lab import postgres as lab_postgres

FAST = {"ringwall_cadence": "fast"}
RUN = "awx-{{ awx_workflow_job_id | default(awx_job_id) }}"
"""As docs/awx.md says: a job that is sliced has a workflow job's id, one that is not has its own alone."""


@pytest.fixture(scope="module")
def database():
    """The URL of a new database."""
    with lab_postgres.server_or_skip() as running:
        yield running.new_database()


def test_slices_on_their_own_disks_end_as_one_run(tmp_path, database):
    inventory = plays.write_inventory(tmp_path, dict.fromkeys(("a", "b", "c"), plays.HERE))

    def slice_of(hosts, **job):
        folder = tmp_path / f"{job['awx_job_id']}"
        return plays.play(
            folder, inventory, environment={"RINGWALL_STORE": database}, limit=hosts, ringwall_run=RUN, **job, **FAST
        )

    with concurrent.futures.ThreadPoolExecutor() as pool:
        played = list(
            pool.map(lambda host, job: slice_of(host, awx_workflow_job_id=7, awx_job_id=job), "abc", (11, 12, 13))
        )
    assert [one.code for one in played] == [0, 0, 0], [one.output for one in played]
    # The slice that is recorded last reports the whole job.
    whole = max((one.hosts() for one in played), key=len)
    assert {name: host["state"] for name, host in whole.items()} == dict.fromkeys("abc", "assessed")
    failed = sum(finding["status"] == "fail" for host in whole.values() for finding in host["findings"])
    for one in played:
        shutil.rmtree(one.state)  # as the disk of a job is
    later = slice_of("a", awx_job_id=8)
    assert later.code == 0, later.output
    trend = later.report()["trend"]
    assert [(entry["run"], entry["fail"]) for entry in trend] == [("awx-7", failed), ("awx-8", trend[1]["fail"])]
    assert trend[1]["fail"] < failed
    assert later.run()["chain"]["seq"] == 2

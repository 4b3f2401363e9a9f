"""Jobs of cron, anacron and at, and what their directories leave out."""

from __future__ import annotations

import json
import os

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import cron_lines
from ansible_collections.ringwall.servers.plugins.module_utils.collect import collect_table
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.spec import Unreadable
from ansible_collections.ringwall.servers.plugins.module_utils.tables import cron
from hypothesis import given
from hypothesis import strategies as st

CRONTAB = """# m h dom mon dow user command
SHELL=/bin/sh
MAILTO="ops@example.org"
API_TOKEN = hunter2
17 *	* * *	root    cd / && run-parts --report /etc/cron.hourly
*/5 0-6 * JAN mon,fri backup /usr/bin/mysqldump --password=hunter2 db | gzip
@reboot root /usr/local/bin/start
-5 4 * * * root /bin/quiet
@every5 root /bin/x
5 4 * * root
nonsense
"""


@pytest.fixture
def root(tmp_path):
    for name in ("etc/cron.d", "etc/cron.daily", "var/spool/cron/crontabs", "var/spool/cron/atjobs"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "etc/debian_version").write_text("12.1\n")
    (tmp_path / "etc/crontab").write_text(CRONTAB)
    (tmp_path / "etc/anacrontab").write_text(
        "RANDOM_DELAY=5\n1\t5\tcron.daily\trun-parts /etc/cron.daily\n@monthly 45 m nice x\nbad\n"
    )
    (tmp_path / "etc/cron.d/good").write_text("0 1 * * * ann /bin/a\n0 1 * * * ann /bin/a\n")
    (tmp_path / "etc/cron.d/skipped.bak").write_text("0 1 * * * root /bin/b\n")
    for name, mode in (("ok", 0o755), ("no-exec", 0o644), ("with.dot", 0o755), (".placeholder", 0o644)):
        (tmp_path / "etc/cron.daily" / name).write_text("#!/bin/sh\n")
        (tmp_path / "etc/cron.daily" / name).chmod(mode)
    (tmp_path / "var/spool/cron/crontabs/ann").write_text("@daily /home/ann/job --token abcdefgh\n")
    (tmp_path / "var/spool/cron/crontabs/tmp.x1").write_text("@daily x\n")
    (tmp_path / "var/spool/cron/atjobs/a0000301c5b2f0").write_text("#!/bin/sh\nexport SECRET=hunter2\n")
    (tmp_path / "var/spool/cron/atjobs/.SEQ").write_text("3\n")
    (tmp_path / "etc/cron.allow").write_text("root\n# x\nann\n")
    (tmp_path / "etc/cron.allow").chmod(0o640)
    return tmp_path


def read(root, state="ok"):
    result = collect_table(cron, Host(str(root)), {})
    assert result["state"] == state, result["why"]
    return result["rows"]


def by_place(rows):
    return {row["where"]: row for row in rows.values()}


def test_jobs(root):
    rows = read(root)
    found = by_place(rows)
    hourly = found["/etc/crontab:5"]
    assert (hourly["schedule"], hourly["user"], hourly["active"]) == ("17 * * * *", "root", True)
    assert hourly["command"] == "cd / && run-parts --report /etc/cron.hourly"
    assert found["/etc/crontab:6"]["schedule"] == "*/5 0-6 * JAN mon,fri"
    assert found["/etc/crontab:7"]["schedule"] == "@reboot"
    assert found["/etc/crontab:8"]["schedule"] == "5 4 * * *"
    assert [row["where"] for row in rows.values() if row["kind"] == "invalid"] == [
        "/etc/crontab:9",
        "/etc/crontab:10",
        "/etc/crontab:11",
        "/etc/anacrontab:4",
    ]
    assert found["/etc/anacrontab:2"]["schedule"] == "every 1 days, delay 5 min"
    assert len([key for key in rows if key.startswith("/etc/cron.d/good ")]) == 2
    assert (found["/etc/cron.d/good:1"]["active"], found["/etc/cron.d/skipped.bak:1"]["active"]) == (True, False)
    assert (found["/var/spool/cron/crontabs/ann:1"]["user"], found["/var/spool/cron/crontabs/ann:1"]["schedule"]) == (
        "ann",
        "@daily",
    )
    assert "/var/spool/cron/crontabs/tmp.x1:1" not in found
    for secret in ("hunter2", "ops@example", "abcdefgh"):
        assert secret not in json.dumps(rows)


def test_scripts_access_and_at(root):
    rows = read(root)
    assert {key: rows[key]["active"] for key in rows if key.startswith("/etc/cron.daily")} == {
        "/etc/cron.daily/ok": True,
        "/etc/cron.daily/no-exec": False,
        "/etc/cron.daily/with.dot": False,
    }
    assert (rows["/etc/cron.allow"]["names"], rows["/etc/cron.allow"]["mode"]) == (["root", "ann"], "0640")
    assert "/etc/cron.deny" not in rows
    job = rows["/var/spool/cron/atjobs/a0000301c5b2f0"]
    assert (job["kind"], job["schedule"], job["uid"]) == ("at", "2026-07-14T08:16:00Z", os.getuid())


def test_cronie_reads_names_with_dots(root):
    (root / "etc/debian_version").unlink()
    rows = read(root)
    assert rows["/etc/cron.daily/with.dot"]["active"] is True
    assert cron_lines.name_is_read("x.rpmsave", False) is False


def test_spool_that_cannot_be_listed_is_a_gap(root, monkeypatch):
    host = Host(str(root))
    real = host.tree.listdir

    def listdir(path):
        if path.endswith("crontabs"):
            raise Unreadable("denied", path + ": permission denied")
        return real(path)

    host.tree.listdir = listdir
    result = collect_table(cron, host, {})
    assert (result["state"], result["why"]) == ("partial", "/var/spool/cron/crontabs: permission denied")
    assert "/etc/cron.allow" in result["rows"]


def test_key_survives_a_move(root):
    before = {key for key in read(root) if key.startswith("/etc/cron.d/good")}
    (root / "etc/cron.d/good").write_text("# new\n0 1 * * *   ann /bin/a\n0 1 * * * ann /bin/a\n")
    assert {key for key in read(root) if key.startswith("/etc/cron.d/good")} == before


def test_names_that_are_no_text(root):
    with open(os.fsencode(str(root / "var/spool/cron/crontabs/")) + b"/\xff", "w") as file:
        file.write("@daily /bin/x\n")
    found = by_place(read(root))
    json.dumps(found).encode("ascii")
    assert found["/var/spool/cron/crontabs/\\xff:1"]["user"] == "\\xff"


@given(st.lists(st.text(alphabet='@*/-,0159 a=\t#"reboot', max_size=40), max_size=6))
def test_any_lines(lines):
    for job in (
        cron_lines.parse_crontab(lines, True)
        + cron_lines.parse_crontab(lines, False)
        + cron_lines.parse_anacrontab(lines)
    ):
        assert job["valid"] == (job["command"] is not None)

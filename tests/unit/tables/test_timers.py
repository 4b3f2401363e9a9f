"""Timers from unit files and drop-ins, read without systemd."""

from __future__ import annotations

import json
import os

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.collect import collect_table
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.tables import timers


@pytest.fixture
def root(tmp_path):
    files = {
        "usr/lib/systemd/system/logrotate.timer": "[Timer]\nOnCalendar=daily\nAccuracySec=1h\nPersistent=true\n"
        "RandomizedDelaySec=1h\n[Install]\nWantedBy=timers.target\n",
        "usr/lib/systemd/system/logrotate.service": "[Service]\nExecStart=/usr/sbin/logrotate /etc/logrotate.conf\n",
        "etc/systemd/system/logrotate.timer.d/o.conf": "[Timer]\nOnCalendar=\n"
        "OnCalendar=hourly\nOnCalendar=Sun 03:00\n",
        "etc/systemd/system/poll.timer": "[Timer]\nOnBootSec=15min\nOnUnitActiveSec=1d\nUnit=other.service\n",
        "etc/systemd/system/other.service": "[Service]\nUser=www-data\n"
        "ExecStart=/bin/poll --password hunter2 \\\n  --all\n",
        "usr/lib/systemd/system/t@.timer": "[Timer]\nOnCalendar=daily\n",
    }
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    wants = tmp_path / "etc/systemd/system/timers.target.wants"
    wants.mkdir()
    (wants / "logrotate.timer").symlink_to("/usr/lib/systemd/system/logrotate.timer")
    (tmp_path / "etc/systemd/system/dead.timer").symlink_to("/dev/null")
    stamp = tmp_path / "var/lib/systemd/timers/stamp-logrotate.timer"
    stamp.parent.mkdir(parents=True)
    stamp.write_text("")
    os.utime(stamp, (1700000000, 1700000000))
    return tmp_path


def test_timers(root):
    result = collect_table(timers, Host(str(root)), {})
    rows = result["rows"]
    assert (result["state"], sorted(rows)) == ("ok", ["dead.timer", "logrotate.timer", "poll.timer"])
    rotate = rows["logrotate.timer"]
    assert (rotate["state"], rotate["calendar"], rotate["persistent"]) == ("enabled", ["hourly", "Sun 03:00"], True)
    assert rotate["drop_ins"] == ["/etc/systemd/system/logrotate.timer.d/o.conf"]
    assert (rotate["starts"], rotate["command"]) == ("logrotate.service", "/usr/sbin/logrotate /etc/logrotate.conf")
    assert (rotate["random_delay"], rotate["last_run"], rotate["user"]) == ("1h", "2023-11-14T22:13:20Z", None)
    poll = rows["poll.timer"]
    assert (poll["starts"], poll["user"], poll["intervals"]) == (
        "other.service",
        "www-data",
        {"OnBootSec": ["15min"], "OnUnitActiveSec": ["1d"]},
    )
    assert (poll["state"], poll["calendar"], poll["persistent"]) == ("static", [], False)
    assert "hunter2" not in json.dumps(rows)
    assert "--all" in poll["command"]
    assert rows["dead.timer"]["state"] == "masked"


def test_no_systemd_no_timers(tmp_path):
    assert collect_table(timers, Host(str(tmp_path)), {})["rows"] == {}
